"""Which texts are decimal numbers, and that none of the others is overlooked in a document."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqino._core.codec import Codec
from seqino._core.decimals import decimal_of, odd_anywhere, odd_member, odd_written, plain
from seqino.errors import InvalidInput

# More by hand, when something is changed here: SEQINO_EXAMPLES=30 tries thirty times as many.
_MORE = int(os.environ.get("SEQINO_EXAMPLES", "1"))
many = settings(max_examples=150 * _MORE, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@attrs.define
class Amount:
    value: Decimal


number_like = st.text(
    st.sampled_from("0123456789" * 4 + "+-..eE__  nNaAiIfFtTyYsS\u00a0٣\u2003\U0001d7ce\x85é\uff11x,/"),
    max_size=9,
)
wordy = st.sampled_from(["NaN", "sNaN", "-Infinity", "inf", "nan12", "9" * 99, "9" * 101, "1E+99", "1e-100"])
padding = st.sampled_from(["", "", "", " ", "\t", "\n", "\u00a0", "\u2028", "_"])


@st.composite
def escaped(draw: Any, content: str) -> str:
    """JSON text of some characters, each as it stands or escaped."""
    shares = draw(st.sampled_from([0, 0, 1, 3]))
    written = ""
    for character in content:
        literal = json.dumps(character, ensure_ascii=draw(st.integers(1, 3)) <= shares)[1:-1]
        if shares and draw(st.integers(1, 3)) <= shares and ord(character) < 128:
            literal = f"\\u{ord(character):04x}"
        written += literal
    return f'"{written}"'


@settings(many, max_examples=500 * _MORE)
@given(st.data(), number_like | wordy, padding, padding, st.sampled_from(["", " ", "\n  "]))
def test_no_odd_number_is_overlooked(
    data: st.DataObject, core: str, before: str, after: str, space: str
) -> None:
    content = before + core + after
    token = data.draw(escaped(content))
    document = f'{{"value":{space}{token}}}'.encode()
    try:
        read = msgspec.json.decode(document, type=Amount).value
    except msgspec.ValidationError:
        assert decimal_of(content) is None
        return
    if decimal_of(content) is None:
        assert odd_member(document)
        assert all(odd_anywhere(each.encode()) for each in (token, f"[{space}{token}]", f'["1",{token}]'))
    else:
        assert str(decimal_of(content)) == str(read)


@many
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,120})(\.[0-9]{1,120})?([eE][-+]?[0-9]{1,4})?", fullmatch=True))
def test_no_number_out_of_range_is_overlooked(number: str) -> None:
    document = f'{{"value":{number}}}'.encode()
    assert odd_member(document) or decimal_of(number) is not None
    assert odd_anywhere(f"[1, {number}]".encode()) or decimal_of(number) is not None


@pytest.mark.parametrize(
    "content",
    [
        "+33 2 38 00 00 00",
        "12 rue de la Paix",
        "1er étage",
        "3 \u00d7 2",
        "paiement : 40 €",
        "0e816a3c-1",
        "client_12",
        "S",
        "N/A",
        "inf.",
        "École",
        "« 12 »",
        "2026-01-31",
        "1E2",
        "100",
    ],
)
def test_common_texts_are_not_taken_for_odd_numbers(content: str) -> None:
    for ascii_only in (True, False):
        for separators in ((",", ":"), (", ", ": ")):
            document = json.dumps(
                {"a": content, "b": f"x : {content}"}, ensure_ascii=ascii_only, separators=separators
            )
            assert not odd_member(document.encode())


# --- What was written ---


def number_of(digits: list[int], exponent: int, sign: int) -> Decimal:
    return Decimal((sign, tuple(digits), exponent))


long_numbers = st.builds(
    number_of,
    st.lists(st.integers(0, 9), min_size=1, max_size=130),
    st.integers(-130, 120),
    st.integers(0, 1),
)
amounts = st.decimals(allow_nan=False, allow_infinity=False, places=2)
special = st.sampled_from(
    [Decimal(text) for text in ("NaN", "-NaN", "sNaN", "NaN7", "Infinity", "-Infinity")]
)


@many
@given(amounts | long_numbers | special, st.text(max_size=60), st.text(max_size=60))
def test_no_number_is_overlooked_that_is_not_in_plain_notation(
    number: Decimal, before: str, behind: str
) -> None:
    document = msgspec.json.encode([before, {"amount": number}, behind])
    assert odd_written(document) or plain(number) == str(number)


@pytest.mark.parametrize(
    "text", ["SAINTE-MARIE", "12 RUE-E", "TVA E+ 20", "NaN", "Infinity", "0" * 99, "N", "I"]
)
def test_ordinary_texts_are_not_taken_for_odd_numbers(text: str) -> None:
    assert not odd_written(msgspec.json.encode({"name": f"A {text}", "amount": Decimal("12.50")}))


def test_numbers_of_too_many_digits_are_refused_wherever_they_stand() -> None:
    codec = Codec()
    for number in (Decimal(10**100), Decimal("0." + "1" * 101)):
        for before in range(25):
            with pytest.raises(InvalidInput):
                codec.encode({"a" * before: "", "amount": number}, dict[str, Any])
    with pytest.raises(InvalidInput, match="at most 100 digits"):
        codec.encode(Amount(value=Decimal(10**100)), Amount)
