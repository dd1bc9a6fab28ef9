"""Invoices in the control API: a list of them, and what is asked to happen to one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from seqino.sandbox.asked import number
from seqino.sandbox.judge import Refusal
from seqino.sandbox.steering import NotAllowed, UnknownInvoice

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

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
        _only(asked, _EVENT)
        return self._invoices.put(
            invoice_id,
            _text(asked, "status") or "",
            rejection_reason=_text(asked, "rejection_reason"),
            reason=_text(asked, "reason"),
            emitter=_text(asked, "emitter"),
            after=number(asked, "after", 0),
            force=_flag(asked, "force"),
        )

    def _follow(self, invoice_id: str, asked: dict[str, Any]) -> dict[str, Any]:
        _only(asked, _SCENARIO)
        return self._invoices.follow(invoice_id, _text(asked, "scenario") or "", force=_flag(asked, "force"))


def _only(asked: dict[str, Any], names: Collection[str]) -> None:
    unknown = sorted(asked.keys() - set(names))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known here: {', '.join(names)}")


def _text(asked: dict[str, Any], name: str) -> str | None:
    value = asked.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is a text")
    return value


def _flag(asked: dict[str, Any], name: str) -> bool:
    value = asked.get(name, False)
    if not isinstance(value, bool):
        raise TypeError(f"{name} is true or false")
    return value
