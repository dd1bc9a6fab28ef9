"""What France asks of an invoice file beside EN 16931, as far as the sandbox judges it. Pure.

Source: schematrons of FNFE-MPE, BR-FR-01 and BR-FR-02 (number), BR-FR-09 (SIRETs), BR-FR-10 (seller).
A draft needs none of it: its platform gives it its number, and knows the seller; and the description names no
term for the scheme of its identifiers (BT-29-1, BT-46-1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from seqino.sandbox.identifiers import is_siren, is_siret
from seqino.sandbox.rules import Breach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seqino.sandbox.shape import Terms

__all__ = ["file_breaches"]

_LONGEST_NUMBER = 35
_NUMBER = re.compile(r"[A-Za-z0-9+\-_/]*")


def file_breaches(terms: Terms) -> Iterator[Breach]:
    """Yield the rules that an invoice in a file breaks.

    Args:
        terms: Its data, of which the number (BT-1) is there.
    """
    number = terms["BT-1"]
    if len(number) > _LONGEST_NUMBER:
        message = f"an invoice number (BT-1) has at most {_LONGEST_NUMBER} characters; this has {len(number)}"
        yield Breach("BR-FR-01", "BT-1", message)
    elif not _NUMBER.fullmatch(number):
        message = f"an invoice number (BT-1) is made of A-Z, a-z, 0-9, + - _ /; this is {number!r}"
        yield Breach("BR-FR-02", "BT-1", message)
    if not is_siren(terms.get("BT-30", "")):
        yield Breach("BR-FR-10", "BT-30", "the seller is named by its SIREN (BT-30)")
    yield from _wrong_sirets(terms)


def _wrong_sirets(terms: Terms) -> Iterator[Breach]:
    """Judge the establishments of seller and buyer; of several, the first, as the schematron does."""
    for term, legal in (("BT-29", "BT-30"), ("BT-46", "BT-47")):
        text = terms.get(f"{term} (0009)")
        siren = terms.get(legal, "") if terms.get(f"{legal}-1") == "0002" else ""
        if text is not None and not (is_siret(text) and text.startswith(siren)):
            of_whom = f" of {siren} ({legal})" if siren else ""
            message = f"{text} is no SIRET{of_whom} ({term}, scheme 0009): a SIREN and five digits"
            yield Breach("BR-FR-09", term, message)
