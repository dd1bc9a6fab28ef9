"""Which parameters and properties are French identifiers (``x-identifier`` in the overlay)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.ir import Scalar, Type, without_null
from codegen.problems import CodegenError

if TYPE_CHECKING:
    from codegen.documents import Doc

KINDS = {"siren", "siret", "vat_number", "routing_code", "suffix", "address"}


def kind_of(raw: Doc, type_: Type, place: str) -> str:
    """Return what kind of identifier a parameter or a property is; empty for none.

    Raises:
        CodegenError: If there is no such kind, or its value is no text.
    """
    kind = raw.get("x-identifier", "")
    if kind and kind not in KINDS:
        raise CodegenError(f"x-identifier is {kind!r}, not one of {', '.join(sorted(KINDS))}", place=place)
    if kind and without_null(type_) != Scalar("str"):
        raise CodegenError("x-identifier: an identifier is text, and this is not", place=place)
    return str(kind)
