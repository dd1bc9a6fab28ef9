"""What an invoice must have before it is issued: essentials and sums of EN 16931, by business term. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import attrs

from seqino.sandbox.identifiers import is_siren
from seqino.sandbox.party_rules import JUDGED_OF_PARTIES, wrong_identifiers

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from seqino.sandbox.shape import Terms

__all__ = ["JUDGED", "Breach", "breaches", "party_key", "siren_of"]

JUDGED = frozenset(
    {
        *JUDGED_OF_PARTIES,
        *("BT-44", "BG-20", "BT-92", "BG-21", "BT-99", "BG-23", "BT-117", "BG-25", "BT-131"),
        *(f"BT-{number}" for number in (106, 107, 108, 109, 110, 112, 113, 114, 115)),
    }
)
"""The terms that the rules ask for."""

_CENT = Decimal("0.01")
_ZERO = Decimal(0)


@attrs.frozen
class Breach:
    """A rule that an invoice breaks, and the term that is missing or wrong."""

    rule: str
    term: str
    message: str


def breaches(terms: Terms, known: Container[str]) -> Iterator[Breach]:
    """Yield the rules that an invoice breaks; a sum is judged where what it needs is there.

    Args:
        terms: The invoice's data.
        known: Terms that have a place in the API at all; what has none cannot be asked for.
    """
    if "BT-44" in known and not terms.get("BT-44"):
        yield Breach("BR-07", "BT-44", "an invoice names its buyer (BT-44)")
    if "BG-25" in known and not terms.get("BG-25"):
        yield Breach("BR-16", "BG-25", "an invoice has at least one line (BG-25)")
    yield from (Breach(*wrong) for wrong in wrong_identifiers(terms))
    yield from _sums(terms)


def _sums(terms: Terms) -> Iterator[Breach]:
    yield from _total("BR-CO-10", terms, "BT-106", "BG-25", "BT-131")
    yield from _total("BR-CO-11", terms, "BT-107", "BG-20", "BT-92")
    yield from _total("BR-CO-12", terms, "BT-108", "BG-21", "BT-99")
    if "BT-106" in terms:
        yield from _difference("BR-CO-13", terms, "BT-109", plus=("BT-106", "BT-108"), minus=("BT-107",))
    yield from _total("BR-CO-14", terms, "BT-110", "BG-23", "BT-117")
    if "BT-109" in terms:
        yield from _difference("BR-CO-15", terms, "BT-112", plus=("BT-109", "BT-110"))
    if "BT-112" in terms:
        yield from _difference("BR-CO-16", terms, "BT-115", plus=("BT-112", "BT-114"), minus=("BT-113",))


def _total(rule: str, terms: Terms, total: str, group: str, part: str) -> Iterator[Breach]:
    """Judge a total over a repeated group, where the total and every part are given."""
    parts = [one.get(part) for one in terms.get(group, ())]
    if total not in terms or not parts or None in parts:
        return
    expected = sum((_amount(one) for one in parts), _ZERO)
    yield from _compare(rule, terms, total, expected, f"the sum of {part} over {group}")


def _difference(
    rule: str, terms: Terms, result: str, *, plus: tuple[str, ...], minus: tuple[str, ...] = ()
) -> Iterator[Breach]:
    """Judge a result, where it is given; an absent term counts as nothing."""
    if result not in terms:
        return
    expected = sum((_amount(terms.get(one, 0)) for one in plus), _ZERO)
    expected -= sum((_amount(terms.get(one, 0)) for one in minus), _ZERO)
    words = " + ".join(plus) + "".join(f" - {one}" for one in minus)
    yield from _compare(rule, terms, result, expected, words)


def _compare(rule: str, terms: Terms, term: str, expected: Decimal, words: str) -> Iterator[Breach]:
    given = _amount(terms[term])
    if not given.is_finite() or not expected.is_finite():
        yield Breach(rule, term, f"{term} and {words} have to be numbers")
    elif _rounded(given) != _rounded(expected):
        yield Breach(rule, term, f"{term} is {given}, but {words} is {_rounded(expected)}")


def _rounded(value: Decimal) -> Decimal:
    try:
        return value.quantize(_CENT, ROUND_HALF_UP)
    except InvalidOperation:  # more digits than any amount has: compared as it is
        return value


def _amount(value: Any) -> Decimal:
    try:
        return Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        return Decimal("NaN")


def siren_of(terms: Terms, *, legal: str, vat: str, address: str) -> str | None:
    """Find the SIREN of a party: its legal identifier, else its French VAT number, else its address.

    Args:
        terms: The invoice's data.
        legal: Term of the legal identifier, a SIREN or a SIRET (BT-30, BT-47).
        vat: Term of the VAT number (BT-31, BT-48).
        address: Term of the electronic address; with scheme 0225 it begins with the SIREN (BT-34, BT-49).
    """
    candidates = [_digits(terms.get(legal))[:9] if len(_digits(terms.get(legal))) in (9, 14) else ""]
    number = _digits(terms.get(vat))
    if number.startswith("FR"):
        candidates.append(number[4:])
    if terms.get(f"{address}-1") in ("0002", "0009", "0225"):
        candidates.append(_digits(terms.get(address))[:9])
    return next((one for one in candidates if is_siren(one)), None)


def party_key(terms: Terms, *, siren: str | None, others: tuple[str, ...]) -> str:
    """Return what tells a seller from another: its SIREN, else the first other term it gives."""
    return siren or next((str(terms[one]).strip().casefold() for one in others if terms.get(one)), "")


def _digits(value: Any) -> str:
    return "".join(str(value or "").split())
