from __future__ import annotations

import pytest

from seqino.sandbox.identifiers import is_siren, is_siret


@pytest.mark.parametrize(
    ("text", "siren", "siret"),
    [
        ("812345676", True, False),
        ("812 345 676", False, False),
        ("812345677", False, False),
        ("812345676\n", False, False),
        ("٨١٢٣٤٥٦٧٦", False, False),
        ("\uff18\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff16", False, False),
        ("", False, False),
        ("81234567600017", False, True),
        ("81234567600018", False, False),
        ("812 345 676 00017", False, False),
        ("35600000000048", False, True),
        ("35600000000001", False, True),
        ("35600000000002", False, False),
        ("000000000", False, False),
        ("00000000000000", False, False),
    ],
)
def test_company_numbers_are_digits_with_a_check(text: str, siren: bool, siret: bool) -> None:  # noqa: FBT001 - a table
    assert (is_siren(text), is_siret(text)) == (siren, siret)
