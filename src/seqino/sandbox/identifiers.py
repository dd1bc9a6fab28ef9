"""French company numbers, checked by python-stdnum: SIREN and SIRET, written as digits alone. Pure."""

from __future__ import annotations

from functools import lru_cache

from stdnum.fr import siren, siret

__all__ = ["is_siren", "is_siret"]

_NOBODY = "000000000"
"""Passes Luhn's check, and is no company's."""


@lru_cache(maxsize=4096)  # a run is about few companies, and about each of them again and again
def is_siren(text: str) -> bool:
    """Tell whether text is a SIREN: nine digits that pass Luhn's check, without blanks or dots."""
    return siren.is_valid(text) and siren.compact(text) == text != _NOBODY


def is_siret(text: str) -> bool:
    """Tell whether text is a SIRET: a SIREN and five digits, with Luhn's check over all fourteen.

    La Poste (SIREN 356000000) has more establishments than that check allows; theirs are told by a sum of
    digits that five divides.
    """
    return siret.is_valid(text) and siret.compact(text) == text and not text.startswith(_NOBODY)
