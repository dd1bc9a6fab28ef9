"""Whether a platform refuses a second validation of a draft, which "sent once" rests on: tried once."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from seqino.cli.diagnosis import Finding, Level
from seqino.cli.reading import read_object, read_object_file
from seqino.errors import CallError, InvalidInput, OutcomeUnknown
from seqino.options import CallOptions

if TYPE_CHECKING:
    from pathlib import Path

    from seqino._core.wire import JSON
    from seqino.client import SeqinoClient

__all__ = ["Probed", "probe", "read_draft"]

_CHECK = "second validation"
_SAMPLE = "sandbox/invoices/13-consulting-draft.json"
_NO_VERDICT = frozenset({401, 402, 403, 405, 408, 421, 425, 426, 429, 431})
"""Statuses that say nothing of the draft."""


@attrs.frozen
class Probed:
    """What a probe found, and whether the second validation was refused for certain."""

    finding: Finding
    is_refused: bool = False


def read_draft(path: Path | None, *, base_url: str) -> dict[str, JSON]:
    """Read the invoice that is to be issued.

    Args:
        path: A JSON file, or ``-`` for the standard input. A server on this machine gets a sample where it is
            left out.
        base_url: The server.

    Raises:
        InvalidInput: There is none, or it is no JSON object.
    """
    if path is not None:
        return read_object_file(str(path), what="an invoice draft")
    if urlsplit(base_url).hostname in ("localhost", "127.0.0.1", "::1"):
        return read_object((files("seqino") / _SAMPLE).read_bytes(), what="an invoice draft")
    raise InvalidInput(
        "--probe-once needs --draft FILE beside it: the JSON of a small invoice of the client's own, as it "
        "is really issued"
    )


async def probe(client: SeqinoClient, invoice: dict[str, JSON]) -> Probed:
    """Issue an invoice, and validate its draft again.

    Args:
        client: Over which the calls are made.
        invoice: The invoice; it is really issued.
    """
    try:
        issued = await client.submit(invoice)
    except OutcomeUnknown as error:
        return _unclear(f"the first one ended unclear, and an invoice may exist: {error}")
    except CallError as error:
        return _unclear(f"could not be tried, as no invoice was issued: {error}")
    if issued.draft_id is None or issued.invoice_id is None:
        return _unclear("could not be tried: the platform took the invoice, and shows no id of it")
    return await _again(client, draft_id=issued.draft_id, invoice_id=issued.invoice_id)


async def _again(client: SeqinoClient, *, draft_id: str, invoice_id: str) -> Probed:
    what = f"the draft {draft_id} became the invoice {invoice_id}"
    try:
        again = await client.drafts.validate(draft_id, options=CallOptions(max_retries=0))
    except CallError as error:
        if not _refuses(error):
            return _unclear(f"{what}; validating it again told nothing: {error}")
        told = f"is refused (HTTP {error.status}), as it must be: {what}, once"
        return Probed(Finding(Level.OK, _CHECK, told), is_refused=True)
    if again.invoice_id is None:
        return _unclear(f"is answered without an invoice and without a refusal: {what}")
    if again.invoice_id == invoice_id:
        return _unclear(f"is not refused: {what}, and was shown again. That none is made twice is not proven")
    told = (
        f"ISSUES A SECOND INVOICE: {what}, then {again.invoice_id}. Never set revalidate=True for this "
        "server, undo one of them with a credit note, and tell the platform"
    )
    return Probed(Finding(Level.FAILURE, _CHECK, told))


def _refuses(error: CallError) -> bool:
    status = error.status or 0
    return 400 <= status < 500 and status not in _NO_VERDICT  # noqa: PLR2004 - RFC 9110 §15.5


def _unclear(text: str) -> Probed:
    return Probed(Finding(Level.FAILURE, _CHECK, text))
