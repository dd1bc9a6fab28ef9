"""How an invoice gets into the ledger: its key, its digest, and where its content is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqino.batch.items import STORED, NewItem
from seqino.batch.keys import canonical, check_name, digest, file_key
from seqino.batch.names import reference_to
from seqino.client.content import draft_bytes, load_file
from seqino.submission import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.client import InvoiceFile
    from seqino.models import InvoiceDraft

__all__ = ["draft_item", "file_item"]


def draft_item(
    invoice: InvoiceDraft | Mapping[str, Any],
    *,
    client_id: str,
    key: str,
    name: str = "",
    document_ref: str | None = None,
    check_digits: bool = True,
) -> NewItem:
    """Return a draft as it gets into the ledger, which keeps it.

    Args:
        invoice: The invoice, as a model or as a mapping with the names of the wire.
        client_id: On whose behalf it is sent.
        key: The caller's own key of it.
        name: Where in a source it is.
        document_ref: The document it is made of, if it could also be sent as a file.
        check_digits: Whether identifiers with a wrong check digit are refused.

    Raises:
        InvalidInput: It cannot be sent, or the key is none.
    """
    content = canonical(draft_bytes(invoice, check_digits=check_digits))
    return NewItem(
        client_id=client_id,
        business_key=check_name("key", key),
        document_ref=None if document_ref is None else check_name("document_ref", document_ref),
        route=Route.DRAFT,
        name=name,
        payload=content,
        sha256=digest(content),
    )


def file_item(
    file: InvoiceFile,
    *,
    client_id: str,
    key: str | None = None,
    name: str | None = None,
    document_ref: str | None = None,
) -> NewItem:
    """Return a file as it gets into the ledger, which keeps its content unless it is named by its path.

    Args:
        file: UBL or CII XML, or Factur-X PDF.
        client_id: On whose behalf it is sent.
        key: The caller's own key of it; seller, number and year of issue where it is left out.
        name: Name to send it under; the file's own where it has one.
        document_ref: The document it is made of, if it could also be sent as a draft.

    Raises:
        InvalidInput: It is no invoice, or has no key.
        MissingExtra: It is a PDF whose key has to be read, and ``pypdf`` is not installed.
        OSError: It cannot be read.
    """
    content, document = load_file(file, name)
    path = Path(file).absolute() if isinstance(file, (str, os.PathLike)) else None
    return NewItem(
        client_id=client_id,
        business_key=file_key(document) if key is None else check_name("key", key),
        document_ref=None if document_ref is None else check_name("document_ref", document_ref),
        route=Route.FILE,
        name=document.name,
        payload_ref=STORED if path is None else reference_to(path),
        payload=content if path is None else None,
        sha256=digest(content),
        invoice_number=document.number,
    )
