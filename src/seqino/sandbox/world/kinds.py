"""Every kind of record that is kept: its class, and how one is put back where it belongs.

Who adds a record adds its line here. Indexes (numbers in use, drafts issued) are rebuilt, never kept.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from seqino.sandbox.world import PUBLIC, Client, Sponsor
from seqino.sandbox.world.directory import DirectoryLine
from seqino.sandbox.world.mandates import Mandate
from seqino.sandbox.world.onboarding import OnboardingLink
from seqino.sandbox.world.records import Account, Draft, Invoice, Record, Registration, RetiredNumber, Series
from seqino.sandbox.world.reports import ExemptInvoice, Report
from seqino.sandbox.world.settings import Periodicity
from seqino.sandbox.world.tallies import Gauge, Tally
from seqino.sandbox.world.webhooks import Delivery, Webhook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.sandbox.state import Kept, State

__all__ = ["KINDS", "Holdings", "Kind", "Misfit", "Place", "load", "read"]


class Misfit(ValueError):  # noqa: N818 - what is wrong, not with whom
    """What is kept cannot be used; the message says what and why."""


@attrs.define
class Holdings:
    """All that a state holds."""

    sponsors: dict[str, Sponsor] = attrs.field(factory=dict[str, Sponsor])
    """Every sponsor that is back, by its id, in the order of their first requests."""
    published: list[DirectoryLine] = attrs.field(factory=list[DirectoryLine])
    """Lines of the directory that are nobody's."""


@attrs.define
class Place:
    """Where a record belongs."""

    holdings: Holdings
    """What is back already."""
    owner: str
    """``sponsor_id``, or ``sponsor_id/client_id``."""

    @property
    def sponsor(self) -> Sponsor:
        """Sponsor that it belongs to, itself or by its client."""
        return self.holdings.sponsors[self.owner.partition("/")[0]]

    @property
    def client(self) -> Client:
        """Client that it belongs to."""
        return self.sponsor.clients[self.owner.partition("/")[2]]


@attrs.frozen(kw_only=True)
class Kind:
    """A kind of record."""

    record: type[Record]
    put_back: Callable[[Place, Any], None]
    """Puts a record that was kept where the world has it."""
    operation: str | None = None
    """What answers it, by method and path: it has to fit into the answer as it is described."""
    shown: str = ""
    """The record's field that is answered; it may be ``None``."""


def _sponsor(place: Place, registration: Registration) -> None:
    place.holdings.sponsors[registration.key] = Sponsor(registration)


def _series(place: Place, series: Series) -> None:
    place.sponsor.series[series.seller, series.year] = series


def _retired_number(place: Place, retired: RetiredNumber) -> None:
    place.sponsor.retire(retired)


def _client(place: Place, account: Account) -> None:
    place.sponsor.clients[account.key] = Client(place.sponsor, account)


def _draft(place: Place, draft: Draft) -> None:
    place.client.drafts[draft.key] = draft


def _invoice(place: Place, invoice: Invoice) -> None:
    place.client.add_invoice(invoice)


def _mandate(place: Place, mandate: Mandate) -> None:
    place.client.mandates[mandate.key] = mandate


def _line(place: Place, line: DirectoryLine) -> None:
    if place.owner == PUBLIC:
        place.holdings.published.append(line)
    else:
        place.client.lines[line.key] = line


def _exempt_invoice(place: Place, invoice: ExemptInvoice) -> None:
    place.client.exempt_invoices[invoice.key] = invoice


def _report(place: Place, report: Report) -> None:
    place.client.reports[report.key] = report


def _onboarding(place: Place, link: OnboardingLink) -> None:
    place.client.onboarding = link


def _periodicity(place: Place, periodicity: Periodicity) -> None:
    place.client.periodicity = periodicity


def _webhook(place: Place, webhook: Webhook) -> None:
    place.sponsor.webhook = webhook


def _delivery(place: Place, delivery: Delivery) -> None:
    place.sponsor.deliveries[delivery.key] = delivery


def _tally(place: Place, tally: Tally) -> None:
    place.client.tallies[tally.day, tally.method, tally.endpoint] = tally


def _gauge(place: Place, gauge: Gauge) -> None:
    place.client.gauges[gauge.per, gauge.endpoint] = gauge


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.record.kind: kind
        for kind in (
            Kind(record=Registration, put_back=_sponsor),
            Kind(record=Series, put_back=_series),
            Kind(record=RetiredNumber, put_back=_retired_number),
            Kind(record=Account, put_back=_client, operation="GET /clients/{client_id}", shown="shown"),
            Kind(record=Draft, put_back=_draft, operation="GET /drafts/{draft_id}", shown="content"),
            Kind(
                record=Invoice,
                put_back=_invoice,
                operation="GET /invoicing/invoice_data/{invoice_id}",
                shown="content",
            ),
            Kind(record=Mandate, put_back=_mandate),
            Kind(record=DirectoryLine, put_back=_line),
            Kind(record=ExemptInvoice, put_back=_exempt_invoice),
            Kind(record=Report, put_back=_report),
            Kind(record=OnboardingLink, put_back=_onboarding),
            Kind(record=Periodicity, put_back=_periodicity),
            Kind(record=Webhook, put_back=_webhook),
            Kind(record=Delivery, put_back=_delivery),
            Kind(record=Tally, put_back=_tally),
            Kind(record=Gauge, put_back=_gauge),
        )
    }
)
"""Kinds of records, by name."""

_decoders = {name: msgspec.json.Decoder(kind.record, float_hook=Decimal) for name, kind in KINDS.items()}


def read(kept: Kept) -> Record:
    """Read a record.

    Raises:
        Misfit: Its kind is not known, or it has other fields than this version's.
    """
    decoder = _decoders.get(kept.kind)
    if decoder is None:
        raise Misfit(f"a record of {kept.owner} is a {kept.kind!r}, which this version does not know")
    try:
        return decoder.decode(kept.data)
    except msgspec.MsgspecError as error:
        raise Misfit(f"a {kept.kind} of {kept.owner} cannot be read: {error}") from None


def load(state: State) -> Holdings:
    """Read all that is kept: every sponsor, in the order of their first requests, with all that it has.

    Raises:
        Misfit: A record cannot be read, or what it belongs to is not there.
    """
    holdings = Holdings()
    for kept in state.records():
        record = read(kept)
        try:
            KINDS[kept.kind].put_back(Place(holdings, kept.owner), record)
        except KeyError:
            raise Misfit(f"{kept.kind} {record.key} belongs to {kept.owner}, which is not there") from None
    for sponsor in holdings.sponsors.values():
        for client in sponsor.clients.values():
            for draft in client.drafts.values():
                if draft.invoice_id is not None and draft.invoice_id not in client.invoices:
                    raise Misfit(f"draft {draft.key} became {draft.invoice_id}, which is not there")
    return holdings
