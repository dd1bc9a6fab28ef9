"""What to send and what to refuse before anything is sent. Pure: who calls it reads the files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from seqino.cli.reading import read_object
from seqino.documents import read_document
from seqino.errors import InvalidInput, MissingExtra
from seqino.models import InvoiceDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from seqino._core.wire import JSON
    from seqino.cli.files import Found

__all__ = ["Invoice", "Kind", "Plan", "Refused", "digest", "make_plan", "read_draft"]

Kind: TypeAlias = Literal["ubl", "cii", "factur-x", "json"]
"""How a file is written; ``json`` is a draft of the API's own model."""

_REQUIRED = tuple(field.name for field in attrs.fields(InvoiceDraft) if field.default is attrs.NOTHING)


@attrs.frozen(kw_only=True)
class Invoice:
    """An invoice to submit.

    Args:
        path: Where its file is.
        name: What to call the file.
        kind: How it is written.
        digest: SHA-256 of the file, in hexadecimal: what is sent has to be what was read.
        number: Its number (BT-1); ``None`` for a draft, which gets one when it is validated.
    """

    path: Path
    name: str
    kind: Kind
    digest: str
    number: str | None = None


@attrs.frozen(kw_only=True)
class Refused:
    """A file that is not sent, and why."""

    name: str
    reason: str


@attrs.frozen(kw_only=True)
class Plan:
    """What to submit and what not, each in the order in which it was found."""

    invoices: tuple[Invoice, ...]
    refused: tuple[Refused, ...]


def digest(data: bytes) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def make_plan(files: Iterable[Found], *, read: Callable[[Path], bytes]) -> Plan:
    """Read all files and decide about each.

    Refused are files that are no invoice, the same content a second time, and a second file with the number
    of an earlier one: seller, number and year of issue make an invoice unique (DSE v3.1 note 112), so that
    the network would reject the second one.

    Args:
        files: The files, in order; of two copies the first is sent.
        read: Reads one; what it raises as ``OSError`` refuses that file alone.
    """
    invoices: list[Invoice] = []
    refused: list[Refused] = []
    first: dict[str, str] = {}
    for file in files:
        try:
            invoice, identities = _examine(file, read(file.path))
            _refuse_copies(identities, first)
        except OSError as error:
            refused.append(Refused(name=file.name, reason=f"cannot be read: {error.strerror or error}"))
        except (InvalidInput, MissingExtra) as error:
            refused.append(Refused(name=file.name, reason=str(error).removeprefix(f"{file.name}: ")))
        else:
            first.update(dict.fromkeys(identities, file.name))
            invoices.append(invoice)
    return Plan(invoices=tuple(invoices), refused=tuple(refused))


def read_draft(data: bytes) -> dict[str, JSON]:
    """Read a draft from JSON; numbers with a fraction keep their digits.

    Raises:
        InvalidInput: It is no JSON, or no invoice draft.
    """
    draft = read_object(data, what="one invoice draft")
    missing = [name for name in _REQUIRED if name not in draft]
    if missing:
        raise InvalidInput(f"is JSON, but no invoice draft: it has no {', '.join(missing)}")
    return draft


def _examine(file: Found, data: bytes) -> tuple[Invoice, tuple[str, ...]]:
    """Recognise a file; return it with all by which a copy of it would be known."""
    content = digest(data)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        draft = read_draft(data)
        invoice = Invoice(path=file.path, name=file.name, kind="json", digest=content)
        # Written otherwise, it is still the same draft.
        return invoice, (digest(json.dumps(_plain(draft), sort_keys=True).encode()),)
    document = read_document(data, name=file.name)
    invoice = Invoice(
        path=file.path, name=file.name, kind=document.syntax, digest=content, number=document.number
    )
    return invoice, (content,) if document.key is None else (content, document.key)


def _plain(value: JSON) -> Any:
    """Write numbers as text, without zeros that mean nothing."""
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return {"number": str(Decimal(value).normalize())}
    return value


def _refuse_copies(identities: tuple[str, ...], first: Mapping[str, str]) -> None:
    content, *keys = identities
    if content in first:
        raise InvalidInput(f"is the same invoice as {first[content]}: sent once")
    for key in keys:
        if key in first:
            seller, _, rest = key.partition("/")
            number, _, year = rest.rpartition("/")
            raise InvalidInput(
                f"is number {number} of seller {seller} in {year}, which {first[key]} is too: sent once"
            )
