"""Where the invoices of a run come from: files, folders, rows of JSON, and what yields them one by one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias, cast

import attrs
import msgspec

from seqino._core.wire import File
from seqino.batch.content import draft_item, file_item
from seqino.batch.items import NewItem
from seqino.batch.keys import check_name, digest
from seqino.batch.names import storable
from seqino.batch.states import State
from seqino.batch.taking import Refused
from seqino.documents import MAX_BYTES
from seqino.errors import InvalidInput, SeqinoError
from seqino.models import InvoiceDraft
from seqino.submission import Route

__all__ = ["SUFFIXES", "BatchItem", "Entry", "Source", "entries_under", "entry_of", "paths_of"]

SUFFIXES = frozenset({".xml", ".pdf", ".json", ".jsonl", ".ndjson"})
"""Endings of the files that are taken from a folder; a file that is named itself may end otherwise."""

_LINES = frozenset({".jsonl", ".ndjson"})
_ROW = frozenset({"key", "client_id", "document_ref", "invoice"})
_TEXTS = ("key", "client_id", "document_ref")

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


@attrs.frozen(kw_only=True)
class BatchItem:
    """An invoice of a run, with what else is known of it.

    Args:
        invoice: A draft, as a model or as a mapping with the names of the wire; or a file: its path, its
            bytes, or a ``File``.
        key: Your own key of it, such as its number in your accounts: unique for each client. A draft needs
            one; a file has seller, number and year of issue where it is left out.
        client_id: On whose behalf; the run's own client where it is left out.
        document_ref: The document it is made of, if it could go out both as a draft and as a file.
    """

    invoice: InvoiceDraft | Mapping[str, Any] | str | os.PathLike[str] | bytes | File = attrs.field(
        repr=False
    )
    key: str | None = None
    client_id: str | None = None
    document_ref: str | None = None


_One: TypeAlias = "BatchItem | tuple[str, InvoiceDraft | Mapping[str, Any]] | str | os.PathLike[str]"

Source: TypeAlias = "str | os.PathLike[str] | Iterable[_One] | AsyncIterable[_One]"
"""A path, or what yields paths, ``(key, draft)`` pairs and ``BatchItem`` objects. A path is that of an
invoice file, of a folder, or of rows in JSON or JSON Lines: ``{"key": …, "client_id": …, "document_ref": …,
"invoice": {…}}``, where ``client_id`` and ``document_ref`` may be left out."""

Entry: TypeAlias = NewItem | Refused
"""What a source yields: an invoice to take, or why one cannot be."""


def paths_of(source: Source) -> list[Path] | None:
    """Return the paths that a source consists of, absolute; ``None`` where it is something else.

    Raises:
        InvalidInput: One of them is not there.
    """
    if isinstance(source, (str, os.PathLike)):
        source = [source]
    if not isinstance(source, (list, tuple)):
        return None
    given = cast("list[object] | tuple[object, ...]", source)
    if not given or not all(isinstance(one, (str, os.PathLike)) for one in given):
        return None
    paths = [Path(cast("str", one)).absolute() for one in given]
    for path in paths:
        if not path.exists():
            raise InvalidInput(f"{path}: no such file or folder")
    return paths


def entry_of(one: Any, *, name: str, client_id: str | None, check_digits: bool = True) -> Entry:
    """Return one invoice that a source yielded; one that cannot be sent is returned as invalid.

    Args:
        one: A pair of key and draft, or a ``BatchItem``.
        name: Where in the source it is.
        client_id: On whose behalf, where it does not say.
        check_digits: Whether identifiers of a draft with a wrong check digit make it invalid.
    """
    match one:
        case BatchItem():
            return _entry(one, name=name, client_id=client_id, check_digits=check_digits)
        case (key, invoice):
            return _entry(
                BatchItem(key=key, invoice=invoice), name=name, client_id=client_id, check_digits=check_digits
            )
        case _:
            reason = f"is neither a path, nor (key, invoice), nor a BatchItem: {type(one).__name__}"
            return Refused(name=name, reason=reason)


def _entry(item: BatchItem, *, name: str, client_id: str | None, check_digits: bool = True) -> Entry:
    try:
        whose = check_name("client_id", _of_whom(item.client_id or client_id))
    except InvalidInput as error:
        return Refused(name=name, reason=str(error))
    try:
        return _new_item(item, name=name, client_id=whose, check_digits=check_digits)
    except SeqinoError as error:
        return _invalid(item, str(error), name=name, client_id=whose)
    except (OSError, ValueError) as error:
        return _invalid(item, _unread(error), name=name, client_id=whose)


def _of_whom(client_id: str | None) -> str:
    if client_id is None:
        raise InvalidInput("does not say on whose behalf it is: give client_id, to it or to the run")
    return client_id


def _new_item(item: BatchItem, *, name: str, client_id: str, check_digits: bool) -> NewItem:
    invoice = item.invoice
    if isinstance(invoice, (InvoiceDraft, Mapping)):
        if item.key is None:
            raise InvalidInput("has no key: a draft has no number yet, so that its key must be your own")
        return draft_item(
            invoice,
            client_id=client_id,
            key=item.key,
            name=name,
            document_ref=item.document_ref,
            check_digits=check_digits,
        )
    if not isinstance(cast("object", invoice), (str, os.PathLike, bytes, File)):
        raise InvalidInput(f"is neither a draft nor a file: {type(invoice).__name__}")
    return file_item(invoice, client_id=client_id, key=item.key, document_ref=item.document_ref)


def _invalid(item: BatchItem, reason: str, *, name: str, client_id: str) -> Entry:
    """Return what cannot be sent: under its key where it has one, so that it is never overlooked."""
    reason = reason.removeprefix(f"{name}: ").removeprefix(f"{Path(name).name}: ")
    try:
        key = check_name("key", item.key)
    except InvalidInput:
        return Refused(name=name, reason=reason)
    is_draft = isinstance(item.invoice, (InvoiceDraft, Mapping))
    return NewItem(
        client_id=client_id,
        business_key=key,
        document_ref=_readable(item.document_ref),
        route=Route.DRAFT if is_draft else Route.FILE,
        name=name,
        # Nothing is kept of what is never sent.
        sha256=digest(b""),
        state=State.INVALID,
        reasons=msgspec.json.encode({"message": storable(reason)}).decode(),
    )


def _readable(document_ref: str | None) -> str | None:
    try:
        return None if document_ref is None else check_name("document_ref", document_ref)
    except InvalidInput:
        return None


# Files


def entries_under(
    place: str | os.PathLike[str], *, client_id: str | None, check_digits: bool = True
) -> Iterator[Entry]:
    """Yield all invoices at a path, in the order of names; reads as it goes.

    Args:
        place: A file, or a folder, which is searched whole, without hidden entries and without following
            links to other folders.
        client_id: On whose behalf, where a row does not say.
        check_digits: Whether identifiers of a draft with a wrong check digit make it invalid.
    """
    path = Path(place).absolute()
    if path.is_dir():
        found = False
        for one in _walk(path):
            found = True
            if isinstance(one, Refused):
                yield one
            else:
                yield from _entries_of(one, client_id, check_digits=check_digits)
        if not found:
            endings = " ".join(sorted(SUFFIXES))
            yield Refused(name=str(path), reason=f"is a folder without invoice files ({endings})")
    else:
        yield from _entries_of(path, client_id, check_digits=check_digits)


def _walk(folder: Path) -> Iterator[Path | Refused]:
    unread: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unread.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if Path(parent, name).is_symlink():
                yield Refused(
                    name=str(Path(parent, name)),
                    reason="is a link to a folder, which is not followed: name the folder itself",
                )
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(parent, name)
    for error in unread:
        yield Refused(name=str(error.filename), reason=_unread(error))


def _entries_of(path: Path, client_id: str | None, *, check_digits: bool) -> Iterator[Entry]:
    try:
        with path.open("rb") as file:
            head = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    except (OSError, ValueError) as error:
        yield Refused(name=str(path), reason=_unread(error))
        return
    suffix = path.suffix.lower()
    if suffix in _LINES or (head == b"{" and suffix != ".json"):
        yield from _lines(path, client_id, check_digits=check_digits)
    elif head in (b"{", b"[") or suffix == ".json":
        yield from _rows(path, client_id, check_digits=check_digits)
    else:
        yield _entry(BatchItem(invoice=path), name=str(path), client_id=client_id)


def _unread(error: OSError | ValueError) -> str:
    """Say why a file or a folder cannot be read; a name with a NUL is no name (``ValueError``)."""
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"


def _lines(path: Path, client_id: str | None, *, check_digits: bool) -> Iterator[Entry]:
    """Yield the rows of a file of JSON Lines, one line in memory at a time."""
    found = False
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_BYTES), b""), start=1):
                text = line.removeprefix(b"\xef\xbb\xbf").strip()
                if text:
                    found = True
                    yield _row(text, name=f"{path}:{number}", client_id=client_id, check_digits=check_digits)
    except OSError as error:
        yield Refused(name=str(path), reason=f"cannot be read to its end: {error.strerror or error}")
    else:
        if not found:
            yield Refused(name=str(path), reason="holds no rows")


def _rows(path: Path, client_id: str | None, *, check_digits: bool) -> Iterator[Entry]:
    """Yield the rows of a JSON file: an array of them, or one."""
    try:
        rows = _parts(path)
    except OSError as error:
        yield Refused(name=str(path), reason=_unread(error))
    except InvalidInput as error:
        yield Refused(name=str(path), reason=str(error))
    else:
        if not rows:
            yield Refused(name=str(path), reason="holds no rows")
        for number, row in enumerate(rows, start=1):
            name = str(path) if len(rows) == 1 else f"{path}[{number}]"
            yield _row(row, name=name, client_id=client_id, check_digits=check_digits)


def _parts(path: Path) -> list[msgspec.Raw]:
    """Take a JSON file apart into its rows, which are read one by one."""
    if path.stat().st_size > MAX_BYTES:
        raise InvalidInput(f"is larger than {MAX_BYTES // 1024**2} MiB: write rows as JSON Lines (.jsonl)")
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf").strip()
    if not data.startswith(b"["):
        return [msgspec.Raw(data)]
    try:
        return msgspec.json.decode(data, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(f"is not JSON that can be read ({error})") from None


def _row(text: bytes | msgspec.Raw, *, name: str, client_id: str | None, check_digits: bool = True) -> Entry:
    """Return the invoice of a row."""
    try:
        row: object = _decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return Refused(name=name, reason=f"is not JSON ({error})")
    if not isinstance(row, dict):
        return Refused(name=name, reason="is JSON, but no row: an object with key and invoice")
    given = cast("dict[str, Any]", row)
    if "invoice" not in given:
        return Refused(
            name=name,
            reason="is no row with key and invoice; a draft alone has no number yet, so that it needs a key",
        )
    unknown = sorted(given.keys() - _ROW)
    if unknown:
        known = "key, client_id, document_ref and invoice"
        return Refused(name=name, reason=f"has {', '.join(unknown[:3])}: a row has {known} only")
    wrong = [member for member in _TEXTS if not isinstance(given.get(member), (str, type(None)))]
    if wrong or not isinstance(given["invoice"], dict):
        what = f"its {wrong[0]} is no text" if wrong else "its invoice is no object"
        return Refused(name=name, reason=f"is no row: {what}")
    return _entry(BatchItem(**given), name=name, client_id=client_id, check_digits=check_digits)
