"""Which parameters and properties are French identifiers (``x-identifier`` in the overlay)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codegen.documents import is_object
from codegen.ir import Field, Model, Scalar, Type, without_null
from codegen.naming import field_name
from codegen.problems import CodegenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from codegen.documents import Doc

KINDS = {"siren", "siret", "vat_number", "routing_code", "suffix", "address"}

_KEYS = {"kind", "kinds", "prefix", "scheme"}


def kind_of(raw: Doc, type_: Type, place: str) -> str:
    """Return what kind of identifier a parameter is; empty for none.

    Raises:
        CodegenError: If there is no such kind, or its value is no text.
    """
    kind = raw.get("x-identifier", "")
    if kind:
        _check_kind(kind, place)
        _check_type(type_, place)
    return str(kind)


def limits_of(raw: Doc, type_: Type, siblings: Mapping[str, Doc], place: str) -> dict[str, Any]:
    """Return the arguments of ``Constraint`` that say what identifier a property is; none where it is none.

    Args:
        raw: The property.
        type_: Its type.
        siblings: All properties of its schema, by name on the wire.
        place: Where it stands.

    Raises:
        CodegenError: If there is no such kind or no such scheme, or its value is no text.
    """
    told = raw.get("x-identifier")
    if not told:
        return {}
    _check_type(type_, place)
    if not is_object(told):
        _check_kind(told, place)
        return {"identifier": told}
    if not told.keys() <= _KEYS or ("kind" in told) == ("kinds" in told):
        raise CodegenError("x-identifier has kind, or kinds and scheme, and perhaps prefix", place=place)
    limits: dict[str, Any] = {"prefix": str(told["prefix"])} if "prefix" in told else {}
    if "kind" in told:
        _check_kind(told["kind"], place)
        return {"identifier": told["kind"], **limits}
    if told.get("scheme") not in siblings:
        raise CodegenError(f"x-identifier: there is no {told.get('scheme')} beside it", place=place)
    for kind in told["kinds"].values():
        _check_kind(kind, place)
    kinds = {str(scheme): kind for scheme, kind in told["kinds"].items()}
    return {"by_scheme": kinds, "scheme": field_name(told["scheme"], place=place), **limits}


def terms_of(field: Field, models: Iterable[Model]) -> dict[str, str]:
    """Return the terms of EN 16931 that an identifier stands for, by the member that it is found below.

    Args:
        field: The identifier; the member has no name where it has one term wherever it stands.
        models: All models, whose fields say which member is which group.
    """
    if field.business_term:
        return {"": field.business_term}
    return {
        member.wire: field.shared_terms[member.business_term]
        for model in models
        for member in model.fields
        if member.business_term in field.shared_terms
    }


def _check_kind(kind: Any, place: str) -> None:
    if not isinstance(kind, str) or kind not in KINDS:
        raise CodegenError(f"x-identifier is {kind!r}, not one of {', '.join(sorted(KINDS))}", place=place)


def _check_type(type_: Type, place: str) -> None:
    if without_null(type_) != Scalar("str"):
        raise CodegenError("x-identifier: an identifier is text, and this is not", place=place)
