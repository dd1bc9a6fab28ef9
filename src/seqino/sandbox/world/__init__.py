"""What the platform holds: sponsors, their clients, and what belongs to each. Nothing here knows HTTP.

Whatever changes a record says so with ``World.save`` or ``World.drop``: that is how it is kept, and how
whoever watches learns of it.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, Any

import attrs

from seqino.sandbox.clock import stamp
from seqino.sandbox.scenarios import SCENARIOS
from seqino.sandbox.state import Memory
from seqino.sandbox.world.counters import Counters
from seqino.sandbox.world.records import Account, Draft, Invoice, Series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from seqino.sandbox.clock import Clock
    from seqino.sandbox.scenarios import Scenario
    from seqino.sandbox.state import State
    from seqino.sandbox.world.records import Record, Subject

__all__ = ["CLIENTS", "Client", "Sponsor", "World"]

CLIENTS = ("sandbox-client-seqino", "client_abc123")
"""The clients of the public documentation; every sponsor has them from the start."""


@attrs.define(eq=False)
class Client:
    """A client of a sponsor, and what belongs to it alone."""

    sponsor: Sponsor
    account: Account
    drafts: dict[str, Draft] = attrs.field(factory=dict[str, Draft])
    invoices: dict[str, Invoice] = attrs.field(factory=dict[str, Invoice])
    issued: set[str] = attrs.field(factory=set[str])
    """Fingerprints of the drafts validated."""

    @property
    def client_id(self) -> str:
        """Its id, as it stands in ``X-PDP-Client-Id``."""
        return self.account.key

    @property
    def owner(self) -> str:
        """Whose its records are: sponsor and client."""
        return f"{self.sponsor.sponsor_id}/{self.client_id}"

    def records(self) -> Iterator[Record]:
        """Yield all that it holds, itself last."""
        yield from self.drafts.values()
        yield from self.invoices.values()
        yield self.account

    def subjects(self, key: str | None = None) -> Iterator[Subject]:
        """Yield all that has a lifecycle, or what has a key, found without a walk over the others."""
        for group in (self.invoices,):
            if key is None:
                yield from group.values()
            elif key in group:
                yield group[key]


@attrs.define(eq=False)
class Sponsor:
    """An API key's own world: what one sponsor does, no other can see."""

    sponsor_id: str
    clients: dict[str, Client] = attrs.field(factory=dict[str, Client])
    numbers: dict[tuple[str, str, str], Invoice] = attrs.field(factory=dict[tuple[str, str, str], Invoice])
    """Invoices by seller, year of issue and number: the key of uniqueness (DSE v3.1, note 112)."""
    series: dict[tuple[str, str], Series] = attrs.field(factory=dict[tuple[str, str], Series])
    """Last number given, by seller and year."""


class World:
    """All that the sandbox holds.

    Args:
        clock: Time of everything that happens.
        scenario: What becomes of an invoice whose buyer is no magic one.
        seed: Ids follow from it and from the order of the requests.
        clients: Clients that each sponsor has from the start.
        state: Where records are kept; in memory by default.

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
        state: State | None = None,
    ) -> None:
        self.clock = clock
        self._seed = seed
        self._clients = tuple(clients)
        self._state: State = state or Memory()
        self.watchers: list[Callable[[Client, Record], None]] = []
        """Told of each record of a client that was saved."""
        self.scenario = scenario
        self.counters = Counters()
        self.reset()

    def reset(self) -> None:
        """Forget everything that was sent, and count from zero; clock and scenario stay."""
        # An id has to be unguessable nowhere here; it has to be the same on every run.
        self._random = random.Random(self._seed)  # noqa: S311
        self._traces = 0
        self._sponsors: dict[str, Sponsor] = {}
        self.counters.reset()
        self._state.clear()
        self.commit()

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

    # --- Ids ---

    def new_id(self, prefix: str) -> str:
        """Make an id such as ``inv_3b1f…``."""
        return f"{prefix}_{self._random.getrandbits(64):016x}"

    def new_trace(self) -> str:
        """Make the id of an error; they are counted, so that an error changes no id of an object."""
        self._traces += 1
        return f"trace_{self._traces:016x}"

    # --- Records ---

    def save(self, client: Client, record: Record) -> None:
        """Keep a record of a client as it is now, and tell who watches."""
        self._state.put(client.owner, record)
        for watcher in self.watchers:
            watcher(client, record)

    def save_for(self, sponsor: Sponsor, record: Record) -> None:
        """Keep a record of a sponsor as it is now."""
        self._state.put(sponsor.sponsor_id, record)

    def drop(self, client: Client, record: Record) -> None:
        """Forget a record of a client."""
        self._state.drop(client.owner, record)

    def commit(self) -> None:
        """Make durable what was saved; a request is answered after that."""
        self._state.commit(self.clock.now())

    # --- Sponsors and clients ---

    def sponsor(self, api_key: str) -> Sponsor:
        """Return the sponsor of a key; a new key is a new sponsor."""
        # The key itself is kept nowhere: whoever reads the world, or its file, cannot use it.
        digest = hashlib.blake2b(api_key.encode(errors="replace"), digest_size=16).hexdigest()
        sponsor = self._sponsors.get(digest)
        if sponsor is None:
            sponsor = self._sponsors[digest] = Sponsor(f"sandbox-sponsor-{len(self._sponsors) + 1}")
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
        """Delete a client with all that it holds."""
        del client.sponsor.clients[client.client_id]
        for record in client.records():
            self.drop(client, record)
