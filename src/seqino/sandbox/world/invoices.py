"""What becomes of drafts and files: stored, changed, issued once. Nothing here knows HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqino.sandbox.clock import stamp
from seqino.sandbox.lifecycle import Leg
from seqino.sandbox.scenarios import DUPLICATE, MAGIC_BUYERS, SCENARIOS
from seqino.sandbox.world.corrections import find_correction
from seqino.sandbox.world.records import Draft, Invoice, Series

if TYPE_CHECKING:
    from seqino.sandbox.scenarios import Scenario
    from seqino.sandbox.world import Client, World
    from seqino.sandbox.world.corrections import Correction

__all__ = ["Frozen", "Invoices"]


class Frozen(Exception):  # noqa: N818 - an answer, not a fault of the sandbox
    """The draft became an invoice, so it can no longer be changed, deleted or validated."""


class Invoices:
    """Drafts and invoices of a world.

    Args:
        world: Where they are.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    # --- Drafts ---

    def add_draft(self, client: Client, content: dict[str, Any]) -> Draft:
        """Store a draft."""
        world = self._world
        draft = Draft(world.new_id("draft"), content, world.clock.now())
        client.drafts[draft.draft_id] = draft
        world.save(client, draft)
        world.counters.drafts_created += 1
        return draft

    def replace_draft(self, client: Client, draft: Draft, content: dict[str, Any]) -> None:
        """Put other content in place of a draft's.

        Raises:
            Frozen: It became an invoice.
        """
        _refuse_frozen(draft)
        draft.content, draft.updated_at = content, self._world.clock.now()
        self._world.save(client, draft)
        self._world.counters.drafts_updated += 1

    def delete_draft(self, client: Client, draft: Draft) -> None:
        """Delete a draft for good.

        Raises:
            Frozen: It became an invoice.
        """
        _refuse_frozen(draft)
        del client.drafts[draft.draft_id]
        self._world.drop(client, draft)
        self._world.counters.drafts_deleted += 1

    # --- Invoices ---

    def issue_draft(
        self, client: Client, draft: Draft, *, seller: str, buyer: str | None, fingerprint: str
    ) -> Invoice:
        """Turn a draft into an invoice, once, with the next number of its seller and year.

        Raises:
            Frozen: It already is one.
        """
        _refuse_frozen(draft)
        world = self._world
        year = draft.content["issue_date"][:4]
        number = self._next_number(client, seller, year)
        now = world.clock.now()
        correction = find_correction(client, seller, draft.content)
        scenario = correction.scenario if correction else self._scenario_for(buyer)
        invoice = Invoice(
            invoice_id=world.new_id("inv"),
            number=number,
            seller=seller,
            year=year,
            buyer=buyer,
            content={**draft.content, "invoice_number": number, "processed_at": stamp(now)},
            deposited_at=now,
            scenario=scenario.name,
            course=[Leg(scenario.steps_of(draft.content.get("type_code"), is_file=False), now)],
            draft_id=draft.draft_id,
            fingerprint=fingerprint,
        )
        draft.invoice_id = invoice.invoice_id
        world.counters.drafts_validated += 1
        world.counters.same_content += fingerprint in client.issued
        self._keep(client, invoice, correction)
        world.save(client, draft)
        return invoice

    def take_file(
        self,
        client: Client,
        *,
        number: str,
        seller: str,
        year: str,
        buyer: str | None,
        carried: dict[str, Any],
        is_shown: bool,
        refused: Scenario | None,
    ) -> Invoice:
        """Take an invoice file; a number already used is taken too, and then refused by the network.

        Args:
            client: Who sent it.
            number: Its number (BT-1).
            seller: What tells its seller from others.
            year: Its year of issue.
            buyer: SIREN of its buyer.
            carried: Its data in the API's fields, which say what it corrects.
            is_shown: Whether they fit the API's model, so that they can be shown.
            refused: What becomes of it where it breaks a rule.
        """
        world = self._world
        now = world.clock.now()
        holder = client.sponsor.numbers.get((seller, year, number))
        is_duplicate = holder is not None and not (isinstance(holder, Invoice) and holder.frees_number(now))
        correction = None if is_duplicate or refused else find_correction(client, seller, carried)
        scenario = correction.scenario if correction else refused or self._scenario_for(buyer)
        if is_duplicate:
            scenario = DUPLICATE
        steps = scenario.steps_of(carried.get("type_code"), is_file=True)
        invoice = Invoice(
            invoice_id=world.new_id("inv"),
            number=number,
            seller=seller,
            year=year,
            buyer=buyer,
            content={**carried, "processed_at": stamp(now)} if is_shown else None,
            unshown_type=None if is_shown else carried.get("type_code"),
            deposited_at=now,
            scenario=scenario.name,
            course=[Leg(steps, now)],
            is_duplicate=is_duplicate,
        )
        world.counters.files_taken += 1
        self._keep(client, invoice, correction)
        return invoice

    def _keep(self, client: Client, invoice: Invoice, correction: Correction | None) -> None:
        counters = self._world.counters
        client.add_invoice(invoice)
        if invoice.is_duplicate:
            counters.duplicates += 1
        else:
            counters.invoices_created += 1
        self._world.save(client, invoice)
        if correction is not None:
            correction.arrive(invoice, invoice.deposited_at)
            self._world.save(client, correction.original)

    def _next_number(self, client: Client, seller: str, year: str) -> str:
        """Number without a gap by seller and year; one that a file already used is no gap."""
        sponsor = client.sponsor
        series = sponsor.series.setdefault((seller, year), Series(seller, year))
        while True:
            series.last += 1
            number = f"SBX-{year}-{series.last:06d}"
            if (seller, year, number) not in sponsor.numbers:
                self._world.save_for(sponsor, series)
                return number

    def _scenario_for(self, buyer: str | None) -> Scenario:
        magic = MAGIC_BUYERS.get(buyer or "")
        return SCENARIOS[magic] if magic else self._world.course


def _refuse_frozen(draft: Draft) -> None:
    if draft.invoice_id is not None:
        raise Frozen(
            f"draft {draft.draft_id} became invoice {draft.invoice_id}: it is frozen and cannot be used"
        )
