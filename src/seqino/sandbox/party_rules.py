"""Identifiers of the parties of an invoice, as the rules of the network ask for them (FNFE-MPE V1.4.0). Pure.

Judged is what is given, where its scheme says that it is French: a SIREN (BR-FR-10, BR-FR-11) and an address
of the French directory (BR-FR-23, BR-FR-25). VAT numbers have no such rule.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from seqino.sandbox.identifiers import is_siren, is_siret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["JUDGED_OF_PARTIES", "wrong_identifiers"]

JUDGED_OF_PARTIES = tuple(term for number in (30, 34, 47, 49) for term in (f"BT-{number}", f"BT-{number}-1"))
"""The terms that the rules ask for: identifiers and their schemes."""

_Wrong = tuple[str, str, str]
"""Rule, term and message."""

_FORM = re.compile(r"[0-9]{9}(?:_[A-Za-z0-9._-]+)?")
_LONGEST = 125
"""Characters of an electronic address."""


def wrong_identifiers(terms: Mapping[str, Any]) -> Iterator[_Wrong]:
    """Yield what is wrong with the identifiers of seller and buyer: rule, term and message."""
    for term, rule in (("BT-30", "BR-FR-10"), ("BT-47", "BR-FR-11")):
        text = terms.get(term)
        if text is not None and terms.get(f"{term}-1") == "0002" and not is_siren(str(text)):
            yield (
                rule,
                term,
                f"{text} is no SIREN ({term}, scheme 0002): nine digits with a valid check digit",
            )
    for term in ("BT-34", "BT-49"):
        text = terms.get(term)
        if text is None or terms.get(f"{term}-1") != "0225":
            continue
        if len(str(text)) > _LONGEST:
            yield (
                "BR-FR-25",
                term,
                f"{term} has {len(str(text))} characters, and at most {_LONGEST} are allowed",
            )
        elif not _is_address(str(text)):
            message = (
                f"{text} is no electronic address ({term}, scheme 0225): a SIREN, and perhaps a SIRET with "
            )
            yield (
                "BR-FR-23",
                term,
                message + "a routing code, or a suffix, of letters, digits, '-', '_' and '.'",
            )


def _is_address(text: str) -> bool:
    siren, _, rest = text.partition("_")
    if _FORM.fullmatch(text) is None or not is_siren(siren):
        return False
    second, dash, code = rest.partition("_")
    if re.fullmatch(r"[0-9]{14}", second) is None:
        return True
    return is_siret(second) and second.startswith(siren) and bool(code) == bool(dash)
