"""The meshes of the directory: which identifiers of an entry go together, and what is wrong with others.

An entry stands for a company (SIREN), a service of it (SIREN and suffix), an establishment (SIREN and
SIRET), or a routing code of an establishment (SIREN, SIRET and routing code, with its type).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from seqino.sandbox.identifiers import is_siren, is_siret
from seqino.sandbox.judge import problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Mesh", "mesh_of", "mesh_problems"]

Mesh = tuple[str | None, ...]
"""SIREN, SIRET, suffix and routing code: entries that have the same are lines of one mesh."""

_Wrong = tuple[str, str, str]
"""Field, message and type of a problem."""


def mesh_of(entry: Mapping[str, Any]) -> Mesh:
    """Return the identifiers of a directory entry; absent and null are the same."""
    return tuple(entry.get(name) for name in ("siren", "siret", "suffix", "routing_identifier"))


def mesh_problems(entry: Mapping[str, Any], loc: Sequence[str | int]) -> Iterator[dict[str, Any]]:
    """Yield what is wrong with the identifiers of an entry, as FastAPI would tell it.

    Args:
        entry: An entry whose fields have the types of the description.
        loc: Where it stands in the request.
    """
    for field, message, type_ in (*_numbers(entry), *_combination(entry)):
        yield problem([*loc, field], message, type_)


def _numbers(entry: Mapping[str, Any]) -> Iterator[_Wrong]:
    siren, siret, _, _ = mesh_of(entry)
    if not is_siren(siren or ""):
        yield "siren", f"{siren} is no SIREN: nine digits with a valid check digit", "value_error"
    if siret is not None and not is_siret(siret):
        yield "siret", f"{siret} is no SIRET: fourteen digits with a valid check digit", "value_error"
    elif siret is not None and not siret.startswith(siren or ""):
        message = f"{siret} is no establishment of {siren}: a SIRET begins with its SIREN"
        yield "siret", message, "value_error"
    for name in ("suffix", "routing_identifier"):
        if entry.get(name) == "":
            yield name, "String should have at least 1 character", "string_too_short"
    if re.match(r"[0-9]{14}(?![^_])", entry.get("suffix") or ""):
        message = "a suffix does not begin with 14 digits: in an address they are a SIRET"
        yield "suffix", message, "value_error"


def _combination(entry: Mapping[str, Any]) -> Iterator[_Wrong]:
    _, siret, suffix, code = mesh_of(entry)
    kind = entry.get("routing_identifier_type")
    if suffix is not None and (siret is not None or code is not None):
        yield "suffix", "a suffix goes with the SIREN alone, without SIRET or routing code", "value_error"
    if code is not None and siret is None:
        yield "siret", "a routing code belongs to an establishment: its SIRET is required", "missing"
    if code is not None and kind is None:
        yield "routing_identifier_type", "a routing code needs its type", "missing"
    if kind is not None and code is None:
        yield "routing_identifier", "a type of routing code needs the code", "missing"
