"""Invoices in the control API: a list of them, and what is asked to happen to one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from seqino.sandbox.asked import flag, number, only, text
from seqino.sandbox.judge import Refusal
from seqino.sandbox.steering import NotAllowed, UnknownInvoice

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.sandbox.steering import Steering

__all__ = ["InvoiceControl"]

_EVENT = ("after", "emitter", "force", "reason", "rejection_reason", "status")
_SCENARIO = ("force", "scenario")


class InvoiceControl:
    """What the control API does with invoices.

    Args:
        invoices: How they are steered.
    """

    paths = ("invoices/{invoice_id}/events", "invoices/{invoice_id}/scenario")
    """What takes a POST, below ``/_sandbox/``."""

    def __init__(self, invoices: Steering) -> None:
        self._invoices = invoices

    def list(self) -> dict[str, Any]:
        """List every invoice."""
        return {"invoices": self._invoices.all()}

    def find(self, name: str) -> Callable[[dict[str, Any]], Any] | None:
        """Return what answers a POST; ``None`` where nothing does."""
        match name.split("/"):
            case ["invoices", invoice_id, "events"]:
                return partial(self._act, self._put, invoice_id)
            case ["invoices", invoice_id, "scenario"]:
                return partial(self._act, self._follow, invoice_id)
            case _:
                return None

    def _act(
        self,
        play: Callable[[str, dict[str, Any]], dict[str, Any]],
        invoice_id: str,
        asked: dict[str, Any],
    ) -> dict[str, Any]:
        """Answer an unknown invoice with 404, and what a rule forbids with 409."""
        try:
            return play(invoice_id, asked)
        except UnknownInvoice as error:
            raise Refusal(404, error.args[0]) from None
        except NotAllowed as error:
            raise Refusal(409, str(error)) from None

    def _put(self, invoice_id: str, asked: dict[str, Any]) -> dict[str, Any]:
        only(asked, *_EVENT)
        return self._invoices.put(
            invoice_id,
            text(asked, "status") or "",
            rejection_reason=text(asked, "rejection_reason"),
            reason=text(asked, "reason"),
            emitter=text(asked, "emitter"),
            after=number(asked, "after") or 0.0,
            force=flag(asked, "force"),
        )

    def _follow(self, invoice_id: str, asked: dict[str, Any]) -> dict[str, Any]:
        only(asked, *_SCENARIO)
        return self._invoices.follow(invoice_id, text(asked, "scenario") or "", force=flag(asked, "force"))
