"""A sponsor and its clients, and what belongs to each of them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import attrs

from seqino.sandbox.world.directory import DirectoryLine
from seqino.sandbox.world.mandates import Mandate
from seqino.sandbox.world.onboarding import OnboardingLink
from seqino.sandbox.world.parts import parts_of
from seqino.sandbox.world.records import Account, Draft, Invoice, Registration, RetiredNumber, Series
from seqino.sandbox.world.reports import ExemptInvoice, Report
from seqino.sandbox.world.settings import Periodicity
from seqino.sandbox.world.tallies import Gauge, Tally
from seqino.sandbox.world.webhooks import Delivery, Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seqino.sandbox.world.records import Record, Subject

__all__ = ["Client", "Sponsor"]


@attrs.define(eq=False)
class Client:
    """A client of a sponsor, and what belongs to it alone."""

    sponsor: Sponsor
    account: Account
    drafts: dict[str, Draft] = attrs.field(factory=dict[str, Draft])
    invoices: dict[str, Invoice] = attrs.field(factory=dict[str, Invoice])
    issued: set[str] = attrs.field(factory=set[str])
    """Fingerprints of the drafts validated."""
    mandates: dict[str, Mandate] = attrs.field(factory=dict[str, Mandate])
    lines: dict[str, DirectoryLine] = attrs.field(factory=dict[str, DirectoryLine])
    """Its lines of the directory, those of revoked mandates too."""
    exempt_invoices: dict[str, ExemptInvoice] = attrs.field(factory=dict[str, ExemptInvoice])
    reports: dict[str, Report] = attrs.field(factory=dict[str, Report])
    onboarding: OnboardingLink | None = None
    periodicity: Periodicity | None = None
    """As it was set; ``None`` until then."""
    tallies: dict[tuple[date, str, str], Tally] = attrs.field(factory=dict[tuple[date, str, str], Tally])
    """Calls by day, method and endpoint."""
    gauges: dict[tuple[str, str | None], Gauge] = attrs.field(factory=dict[tuple[str, str | None], Gauge])
    """Calls in the window of each limit, by its length and endpoint."""

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
        for group in self._lived():
            yield from group.values()
        yield from (one for one in (self.onboarding, self.periodicity) if one is not None)
        yield from self.tallies.values()
        yield from self.gauges.values()
        yield self.account

    def add_invoice(self, invoice: Invoice) -> None:
        """Hold an invoice, and use up its number unless it is a duplicate."""
        self.invoices[invoice.invoice_id] = invoice
        if not invoice.is_duplicate:
            self.sponsor.numbers[invoice.seller, invoice.year, invoice.number] = invoice
        if invoice.fingerprint is not None:
            self.issued.add(invoice.fingerprint)

    def subjects(self, key: str | None = None) -> Iterator[Subject]:
        """Yield all that has a lifecycle, or what has a key, found without a walk over the others."""
        for subject in self._own_subjects(key):
            yield subject
            yield from parts_of(subject)

    def _own_subjects(self, key: str | None) -> Iterator[Subject]:
        for group in self._lived():
            if key is None:
                yield from group.values()
            elif key in group:
                yield group[key]

    def _lived(self) -> tuple[Mapping[str, Subject], ...]:
        """Return all that has a lifecycle, by kind; an exempt invoice and its report share a key."""
        return self.invoices, self.exempt_invoices, self.mandates, self.lines, self.reports


@attrs.define(eq=False)
class Sponsor:
    """An API key's own world: what one sponsor does, no other can see."""

    registration: Registration
    clients: dict[str, Client] = attrs.field(factory=dict[str, Client])
    numbers: dict[tuple[str, str, str], Invoice | RetiredNumber] = attrs.field(
        factory=dict[tuple[str, str, str], Invoice | RetiredNumber]
    )
    """Invoices by seller, year of issue and number: the key of uniqueness (DSE v3.1, note 112)."""
    series: dict[tuple[str, str], Series] = attrs.field(factory=dict[tuple[str, str], Series])
    """Last number given, by seller and year."""
    webhook: Webhook | None = None
    """Where it is told what happens."""
    deliveries: dict[str, Delivery] = attrs.field(factory=dict[str, Delivery])
    """What it is told, by the id of the event, in the order of the events."""

    @property
    def sponsor_id(self) -> str:
        """Its id."""
        return self.registration.sponsor_id

    def records(self) -> Iterator[Record]:
        """Yield all that is its own, itself first; what its clients have is theirs."""
        yield self.registration
        yield from self.series.values()
        for one in self.numbers.values():
            if isinstance(one, RetiredNumber):
                yield one
        if self.webhook is not None:
            yield self.webhook
        yield from self.deliveries.values()

    def retire(self, number: RetiredNumber) -> None:
        """Let a number stay used whose invoice is gone."""
        self.numbers[number.seller, number.year, number.number] = number
