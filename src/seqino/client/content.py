"""What is sent of an invoice: the bytes of a draft, or of a file."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import attrs

from seqino._core.wire import File
from seqino.client.making import codec_of_api
from seqino.documents import read_document
from seqino.errors import InvalidInput
from seqino.models import InvoiceDraft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.documents import Document

__all__ = ["InvoiceFile", "draft_bytes", "load_file"]


class _Readable(Protocol):
    def read(self) -> bytes: ...


InvoiceFile: TypeAlias = "str | os.PathLike[str] | bytes | File | _Readable"
"""An invoice as a file: its path, its bytes, a ``File``, or something opened for reading bytes."""


def draft_bytes(invoice: InvoiceDraft | Mapping[str, Any], *, check_digits: bool = True) -> bytes:
    """Check a draft as it is checked before it is sent, and write it as JSON.

    Args:
        invoice: The invoice, as a model or as a mapping with the names of the wire.
        check_digits: Whether identifiers with a wrong check digit are refused.

    Raises:
        InvalidInput: It cannot be sent; with every fault and its place.
    """
    codec = _codec_of_api()
    return (codec if check_digits else codec.lenient).encode(invoice, InvoiceDraft)


_codec_of_api = functools.cache(codec_of_api)


def load_file(file: InvoiceFile, name: str | None) -> tuple[bytes, Document]:
    """Read an invoice file and recognise it.

    Args:
        file: The file.
        name: Name to send it under; the file's own where it has one.

    Returns:
        Its bytes, and what identifies the invoice.

    Raises:
        InvalidInput: It is no invoice.
        OSError: It cannot be read.
    """
    match file:
        case bytes():
            content, own_name = file, None
        case File():
            content, own_name = file.content, file.name
        case str() | os.PathLike():
            path = Path(file)
            content, own_name = path.read_bytes(), path.name
        case _:
            content, own_name = _read(file)
    document = read_document(content, name=name or own_name or "invoice")
    if name or own_name:
        return content, document
    suffix = "pdf" if document.syntax == "factur-x" else "xml"
    return content, attrs.evolve(document, name=f"invoice.{suffix}")


def _read(file: _Readable) -> tuple[bytes, str | None]:
    content = cast("object", file.read())
    if not isinstance(content, bytes):
        raise InvalidInput("the file is not open for bytes: open it with mode 'rb'")
    own_name: object = getattr(file, "name", None)
    # A file descriptor's name is its number.
    return content, Path(own_name).name if isinstance(own_name, str) else None
