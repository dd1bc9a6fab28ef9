"""What the platform holds: sponsors, their clients, drafts and invoices. Nothing here knows HTTP."""

from __future__ import annotations

import random
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from seqino.sandbox.clock import stamp
from seqino.sandbox.lifecycle import history
from seqino.sandbox.scenarios import DUPLICATE, MAGIC_BUYERS, SCENARIOS, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seqino.sandbox.clock import Clock

__all__ = ["Client", "Counters", "Draft", "Frozen", "Invoice", "Sponsor", "World"]

CLIENTS = ("sandbox-client-seqino", "client_abc123")
"""The clients of the public documentation; every sponsor has them from the start."""


@attrs.define
class Counters:
    """Effects counted since the start, so that a test can assert that exactly one happened.

    ``files_taken + drafts_validated == invoices_created + duplicates`` always holds.
    """

    requests: int = 0
    """API requests answered, refused ones included; the control API does not count."""
    clients_created: int = 0
    drafts_created: int = 0
    drafts_updated: int = 0
    drafts_deleted: int = 0
    drafts_validated: int = 0
    files_taken: int = 0
    """Files answered with 201, duplicates included."""
    invoices_created: int = 0
    """Invoices with a number of their own."""
    duplicates: int = 0
    """Files whose number their seller had already used in the year (DOUBLON)."""
    same_content: int = 0
    """Drafts validated although an equal draft of the client was before: perhaps one invoice issued twice."""
    faults: int = 0
    """Faults played on request."""
    faults_by_name: dict[str, int] = attrs.field(factory=dict[str, int])
    """The same by name, with its moment, such as ``reset-after``."""

    def as_dict(self) -> dict[str, Any]:
        """Return the counters by name."""
        return attrs.asdict(self)

    def clear(self) -> None:
        """Count from zero again."""
        fresh = Counters()
        for field in attrs.fields(Counters):
            setattr(self, field.name, getattr(fresh, field.name))


@attrs.define(eq=False)
class Invoice:
    """An issued invoice; its history follows from its scenario and the moment of its deposit."""

    invoice_id: str
    number: str
    content: dict[str, Any] | None
    """As the API shows it; ``None`` where the file's data do not fit the API's model."""
    deposited_at: datetime
    scenario: Scenario

    def events(self, now: datetime) -> Iterator[dict[str, Any]]:
        """Yield the events that have happened by ``now``."""
        return history(self.scenario.steps, self.deposited_at, now)

    def status(self, now: datetime) -> str:
        """Return the API's own word for where it is: ``submitted``, ``processed`` or ``rejected``."""
        states = [event["status_code"].partition(".")[2] for event in self.events(now)]
        if "REJECTED" in states:
            return "rejected"
        return "processed" if "MADE_AVAILABLE" in states else "submitted"


@attrs.define(eq=False)
class Draft:
    """A draft, and the invoice that it became."""

    draft_id: str
    content: dict[str, Any]
    created_at: datetime
    updated_at: datetime | None = None
    invoice: Invoice | None = None


@attrs.define(eq=False)
class Client:
    """A client of a sponsor, and what belongs to it alone."""

    record: dict[str, Any]
    drafts: dict[str, Draft] = attrs.field(factory=dict[str, Draft])
    invoices: dict[str, Invoice] = attrs.field(factory=dict[str, Invoice])
    issued: set[str] = attrs.field(factory=set[str])
    """Fingerprints of the drafts validated."""


@attrs.define(eq=False)
class Sponsor:
    """An API key's own world: what one sponsor does, no other can see."""

    sponsor_id: str
    clients: dict[str, Client] = attrs.field(factory=dict[str, Client])
    numbers: dict[tuple[str, str, str], Invoice] = attrs.field(factory=dict[tuple[str, str, str], Invoice])
    """Invoices by seller, year of issue and number: the key of uniqueness (DSE v3.1, note 112)."""
    series: dict[tuple[str, str], int] = attrs.field(factory=dict[tuple[str, str], int])
    """Last number given by seller and year."""


class Frozen(Exception):  # noqa: N818 - an answer, not a fault of the sandbox
    """The draft became an invoice, so it can no longer be changed, deleted or validated."""


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
        self, *, clock: Clock, scenario: str = "paid", seed: int = 0, clients: Iterable[str] = CLIENTS
    ) -> None:
        self.clock = clock
        self._seed = seed
        self._clients = tuple(clients)
        self.scenario = scenario
        self.counters = Counters()
        self.reset()

    def reset(self) -> None:
        """Forget everything that was sent, and count from zero; clock and scenario stay."""
        # An id has to be unguessable nowhere here; it has to be the same on every run.
        self._random = random.Random(self._seed)  # noqa: S311
        self._traces = 0
        self.sponsors: dict[str, Sponsor] = {}
        self.counters.clear()

    @property
    def scenario(self) -> str:
        """Name of the scenario for buyers that are no magic ones."""
        return self._scenario.name

    @scenario.setter
    def scenario(self, name: str) -> None:
        if name not in SCENARIOS:
            raise ValueError(f"there is no scenario {name!r}; there are: {', '.join(SCENARIOS)}")
        self._scenario = SCENARIOS[name]

    def new_id(self, prefix: str) -> str:
        """Make an id such as ``inv_3b1f…``."""
        return f"{prefix}_{self._random.getrandbits(64):016x}"

    def new_trace(self) -> str:
        """Make the id of an error; they are counted, so that an error changes no id of an object."""
        self._traces += 1
        return f"trace_{self._traces:016x}"

    def sponsor(self, api_key: str) -> Sponsor:
        """Return the sponsor of a key; a new key is a new sponsor."""
        sponsor = self.sponsors.get(api_key)
        if sponsor is None:
            sponsor = self.sponsors[api_key] = Sponsor(f"sandbox-sponsor-{len(self.sponsors) + 1}")
            for client_id in self._clients:
                self.add_client(sponsor, client_id, client_id, f"{client_id}@example.com", client_id)
        return sponsor

    def add_client(
        self, sponsor: Sponsor, client_id: str, name: str, email: str, external_ref: str
    ) -> Client:
        """Register a client of a sponsor."""
        client = Client(
            {
                "client_id": client_id,
                "organization_name": name,
                "contact_email": email,
                "external_ref": external_ref,
                "sponsor_id": sponsor.sponsor_id,
                "status": "active",
                "created_at": stamp(self.clock.now()),
                "updated_at": None,
            }
        )
        sponsor.clients[client_id] = client
        return client

    def add_draft(self, client: Client, content: dict[str, Any]) -> Draft:
        """Store a draft."""
        draft = Draft(self.new_id("draft"), content, self.clock.now())
        client.drafts[draft.draft_id] = draft
        self.counters.drafts_created += 1
        return draft

    def replace_draft(self, draft: Draft, content: dict[str, Any]) -> None:
        """Put other content in place of a draft's.

        Raises:
            Frozen: It became an invoice.
        """
        _refuse_frozen(draft)
        draft.content, draft.updated_at = content, self.clock.now()
        self.counters.drafts_updated += 1

    def delete_draft(self, client: Client, draft: Draft) -> None:
        """Delete a draft for good.

        Raises:
            Frozen: It became an invoice.
        """
        _refuse_frozen(draft)
        del client.drafts[draft.draft_id]
        self.counters.drafts_deleted += 1

    def issue_draft(
        self,
        sponsor: Sponsor,
        client: Client,
        draft: Draft,
        *,
        seller: str,
        buyer: str | None,
        fingerprint: str,
    ) -> Invoice:
        """Turn a draft into an invoice, once, with the next number of its seller and year.

        Raises:
            Frozen: It already is one.
        """
        _refuse_frozen(draft)
        year = draft.content["issue_date"][:4]
        number = self._next_number(sponsor, seller, year)
        now = self.clock.now()
        content = {**draft.content, "invoice_number": number, "processed_at": stamp(now)}
        invoice = Invoice(self.new_id("inv"), number, content, now, self._scenario_for(buyer))
        sponsor.numbers[seller, year, number] = client.invoices[invoice.invoice_id] = draft.invoice = invoice
        self.counters.drafts_validated += 1
        self.counters.invoices_created += 1
        self.counters.same_content += fingerprint in client.issued
        client.issued.add(fingerprint)
        return invoice

    def take_file(
        self,
        sponsor: Sponsor,
        client: Client,
        *,
        number: str,
        seller: str,
        year: str,
        buyer: str | None,
        content: dict[str, Any] | None,
        refused: Scenario | None,
    ) -> Invoice:
        """Take an invoice file; a number already used is taken too, and then refused by the network."""
        key = (seller, year, number)
        now = self.clock.now()
        duplicate = key in sponsor.numbers
        scenario = DUPLICATE if duplicate else refused or self._scenario_for(buyer)
        shown = None if content is None else {**content, "processed_at": stamp(now)}
        invoice = Invoice(self.new_id("inv"), number, shown, now, scenario)
        client.invoices[invoice.invoice_id] = invoice
        self.counters.files_taken += 1
        if duplicate:
            self.counters.duplicates += 1
        else:
            sponsor.numbers[key] = invoice
            self.counters.invoices_created += 1
        return invoice

    def _next_number(self, sponsor: Sponsor, seller: str, year: str) -> str:
        """Number without a gap by seller and year; one that a file already used is no gap."""
        while True:
            count = sponsor.series[seller, year] = sponsor.series.get((seller, year), 0) + 1
            number = f"SBX-{year}-{count:06d}"
            if (seller, year, number) not in sponsor.numbers:
                return number

    def _scenario_for(self, buyer: str | None) -> Scenario:
        magic = MAGIC_BUYERS.get(buyer or "")
        return SCENARIOS[magic] if magic else self._scenario


def _refuse_frozen(draft: Draft) -> None:
    if draft.invoice is not None:
        raise Frozen(
            f"draft {draft.draft_id} became invoice {draft.invoice.number}: it is frozen and cannot be used"
        )
