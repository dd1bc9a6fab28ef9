"""What the platform holds: sponsors, their clients, and what belongs to each. Nothing here knows HTTP.

Whatever changes a record says so with ``World.save`` or ``World.drop``: that is how it is kept, and how
whoever watches learns of it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from seqino.sandbox.clock import stamp
from seqino.sandbox.errors import SandboxError
from seqino.sandbox.scenarios import SCENARIOS
from seqino.sandbox.state import Memory, Standing
from seqino.sandbox.world.counters import Counters
from seqino.sandbox.world.directory import Directory, DirectoryLine, listed
from seqino.sandbox.world.records import Account, Registration, RetiredNumber
from seqino.sandbox.world.sponsors import Client, Sponsor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from seqino.sandbox.clock import Clock
    from seqino.sandbox.scenarios import Scenario
    from seqino.sandbox.state import State
    from seqino.sandbox.world.records import Record

__all__ = ["CLIENTS", "PUBLIC", "Client", "Sponsor", "World"]

CLIENTS = ("sandbox-client-seqino", "client_abc123")
"""The clients of the public documentation; every sponsor has them from the start."""

PUBLIC = "directory"
"""Owner of what belongs to no sponsor: lines that the control API puts into the directory."""


class World:
    """All that the sandbox holds.

    Args:
        clock: Time of everything that happens.
        scenario: What becomes of an invoice whose buyer is no magic one.
        seed: Ids follow from it and from the order of the requests.
        clients: Clients that each sponsor has from the start.

    Raises:
        ValueError: There is no such scenario.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        scenario: str = "paid",
        seed: int = 0,
        clients: Iterable[str] = CLIENTS,
    ) -> None:
        self.clock = clock
        self._seed = seed
        self._clients = tuple(clients)
        self._state: State = Memory()
        self.watchers: list[Callable[[Client, Record], None]] = []
        """Told of each record of a client that was saved."""
        self.before_commit: list[Callable[[], None]] = []
        """Called before what was saved is made durable: what they save is committed with it."""
        self.before_reset: list[Callable[[], None]] = []
        """Called before everything is forgotten."""
        self.scenario = scenario
        self.counters = Counters()
        self._starts = 0
        self._ids = 0
        self._traces = 0
        self._sponsors: dict[str, Sponsor] = {}
        self.directory = Directory(self.clock.now())
        """One for all sponsors."""

    def reset(self) -> None:
        """Forget everything that was sent, and count from zero; clock and scenario stay.

        Raises:
            SandboxError: What is kept cannot be forgotten.
        """
        for forget in self.before_reset:
            forget()
        self._ids = self._traces = 0
        self._sponsors = {}
        self.directory = Directory(self.clock.now())
        self.counters.reset()
        self._state.clear()
        self.commit()

    # --- What is kept

    def attach(
        self, state: State, sponsors: Iterable[Sponsor], published: Iterable[DirectoryLine] = ()
    ) -> None:
        """Go on from a state, and keep there what happens from now on; what the world held is forgotten.

        Args:
            state: Where records are kept.
            sponsors: All that it holds of sponsors.
            published: Lines of the directory that are nobody's.

        Raises:
            SandboxError: It cannot be written.
        """
        standing = state.standing() or Standing(now=self.clock.now(), ids=0, starts=0, counters={})
        self._state = state
        self._sponsors = {one.registration.key_digest: one for one in sponsors}
        self.clock.not_before(standing.now)
        self.directory = Directory(self.clock.now())
        for line in published:
            self.directory.add(line)
        for client in self.clients:
            for line in client.lines.values():
                self.directory.add(line)
        self._ids, self._starts, self._traces = standing.ids, standing.starts + 1, 0
        self.counters.restore(standing.counters)
        try:
            self.commit()
        except SandboxError:
            self._state = Memory()
            raise

    def detach(self) -> None:
        """Keep nothing any more; what the world holds stays in memory."""
        state, self._state = self._state, Memory()
        try:
            if state.failure is None:
                # Now that nobody asks it any more, its time need not be ahead.
                state.commit(self._standing(self.clock.now()))
        finally:
            state.close()

    @property
    def failure(self) -> str | None:
        """Why nothing can be kept any more; what the world holds is then ahead of what is kept."""
        return self._state.failure

    def _standing(self, now: datetime) -> Standing:
        return Standing(now=now, ids=self._ids, starts=self._starts, counters=self.counters.as_dict())

    @property
    def sponsors(self) -> list[Sponsor]:
        """Every sponsor, in the order of their first requests."""
        return list(self._sponsors.values())

    @property
    def scenario(self) -> str:
        """Name of the scenario for buyers that are no magic ones."""
        return self._scenario.name

    @scenario.setter
    def scenario(self, name: str) -> None:
        if name not in SCENARIOS:
            raise ValueError(f"there is no scenario {name!r}; there are: {', '.join(SCENARIOS)}")
        self._scenario = SCENARIOS[name]

    @property
    def course(self) -> Scenario:
        """The scenario itself."""
        return self._scenario

    def receivers(self, siren: str) -> list[Client]:
        """Return the clients that receive the invoices of a company: an active mandate each, whosever."""
        now = self.clock.now()
        if not self.directory.lines(siren, now):
            return []
        return [
            client
            for client in self.clients
            if any(
                one.entry["siren"] == siren and one.status(now) == "active"
                for one in client.mandates.values()
            )
        ]

    # --- Ids ---

    def new_id(self, prefix: str) -> str:
        """Make an id such as ``inv_3b1f…``; it follows from the seed and from how many were made."""
        self._ids += 1
        digest = hashlib.blake2b(f"{self._seed} {self._ids}".encode(), digest_size=8)
        return f"{prefix}_{digest.hexdigest()}"

    def new_trace(self) -> str:
        """Make the id of an error; they are counted apart, so that an error changes no id of an object."""
        self._traces += 1
        # Errors are not kept: that none has an id of before is for the count of starts to see to.
        return f"trace_{self._starts:04x}{self._traces:012x}"

    # --- Records ---

    @property
    def clients(self) -> Iterator[Client]:
        """Every client of every sponsor."""
        return (client for sponsor in self.sponsors for client in sponsor.clients.values())

    def holds(self, client: Client) -> bool:
        """Tell whether a client is there: what began before a reset may end after it."""
        sponsor = client.sponsor
        return (
            self._sponsors.get(sponsor.registration.key_digest) is sponsor
            and sponsor.clients.get(client.client_id) is client
        )

    def save(self, client: Client, record: Record) -> None:
        """Keep a record of a client as it is now, and tell who watches; of one that is gone, do nothing."""
        if self.holds(client):
            self._state.put(client.owner, record)
            for watcher in self.watchers:
                watcher(client, record)

    def note(self, client: Client, record: Record) -> None:
        """Keep a record of a client with whatever is kept next, and tell nobody: it only counts."""
        if self.holds(client):
            self._state.note(client.owner, record)

    def insist(self) -> None:
        """Have the next commit keep all counts: they are about to be shown, or a limit rests on them."""
        self._state.insist()

    def save_for(self, sponsor: Sponsor, record: Record) -> None:
        """Keep a record of a sponsor as it is now; of one that is gone, do nothing."""
        if self._sponsors.get(sponsor.registration.key_digest) is sponsor:
            self._state.put(sponsor.sponsor_id, record)

    def publish(self, entry: dict[str, Any]) -> DirectoryLine:
        """Put an entry into the directory that is nobody's here, and keep it."""
        line = listed(self.new_id("line"), entry, self.clock.now())
        self.directory.add(line)
        self._state.put(PUBLIC, line)
        return line

    def drop(self, client: Client, record: Record) -> None:
        """Forget a record of a client."""
        self._state.drop(client.owner, record)

    def drop_for(self, sponsor: Sponsor, record: Record) -> None:
        """Forget a record of a sponsor."""
        self._state.drop(sponsor.sponsor_id, record)

    def commit(self) -> None:
        """Make durable what was saved; a request is answered after that.

        Raises:
            SandboxError: It cannot be kept.
        """
        for add in self.before_commit:
            add()
        if self._state.is_due(self.clock.now()):
            # A second ahead, so that requests which change nothing need not write the time they showed.
            self._state.commit(self._standing(self.clock.soon()))

    # --- Sponsors and clients ---

    def sponsor(self, api_key: str) -> Sponsor:
        """Return the sponsor of a key; a new key is a new sponsor."""
        # The key itself is kept nowhere: whoever reads the world, or its file, cannot use it.
        digest = hashlib.blake2b(api_key.encode(errors="replace"), digest_size=16).hexdigest()
        sponsor = self._sponsors.get(digest)
        if sponsor is None:
            registration = Registration(f"sandbox-sponsor-{len(self._sponsors) + 1}", digest)
            sponsor = self._sponsors[digest] = Sponsor(registration)
            self.save_for(sponsor, registration)
            for client_id in self._clients:
                self.add_client(sponsor, client_id, client_id, f"{client_id}@example.com", client_id)
        return sponsor

    def add_client(
        self, sponsor: Sponsor, client_id: str, name: str, email: str, external_ref: str
    ) -> Client:
        """Register a client of a sponsor."""
        shown: dict[str, Any] = {
            "client_id": client_id,
            "organization_name": name,
            "contact_email": email,
            "external_ref": external_ref,
            "sponsor_id": sponsor.sponsor_id,
            "status": "active",
            "created_at": stamp(self.clock.now()),
            "updated_at": None,
        }
        client = sponsor.clients[client_id] = Client(sponsor, Account(shown))
        self.save(client, client.account)
        return client

    def remove_client(self, client: Client) -> None:
        """Delete a client with all that it holds; the numbers that its invoices use stay used."""
        del client.sponsor.clients[client.client_id]
        for line in client.lines.values():
            self.directory.remove(line)
        now = self.clock.now()
        for one in client.invoices.values():
            place = one.seller, one.year, one.number
            if client.sponsor.numbers.get(place) is not one:
                continue  # a duplicate, or delivered again since
            if one.frees_number(now):
                del client.sponsor.numbers[place]
            else:
                retired = RetiredNumber(one.seller, one.year, one.number)
                client.sponsor.retire(retired)
                self.save_for(client.sponsor, retired)
        for record in client.records():
            self.drop(client, record)
