"""Decimal numbers on the wire: what text is one, how to find the others quickly, and plain notation. Pure."""

from __future__ import annotations

import re
from decimal import Decimal, getcontext

__all__ = [
    "MOST_DIGITS",
    "Unreadable",
    "decimal_of",
    "fraction",
    "fraction_or_text",
    "odd_anywhere",
    "odd_member",
    "odd_written",
    "out_of_range",
    "plain",
]

MOST_DIGITS = 100
"""Longest number read or written, in characters; an amount has fewer than 20."""

_SHOWN = 20
"""How much of a number a message repeats."""

_PLAIN = re.compile(
    rf"(?=[-+.0-9]{{1,{MOST_DIGITS}}}(?:[eE]|\Z))"
    r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?\Z"
)
"""What is read: the decimals of XML Schema, and an exponent of two digits, which servers write too."""

# Decimal("1_000") is 1000, and Decimal("NaN") no error: a decoder that hands texts to `Decimal` takes them,
# and keeps no trace of them. So they are looked for in the raw document: behind a colon comes what can begin
# a number, then a character that no plain number goes on with, then only what such a text can contain.
_REST = rb"[-+.0-9_ \x80-\xff\\a-fA-FinrstuyINRSTUY]*+"
"""What else can be in such a text: digits of any script, spaces, NaN and Infinity, escapes of all of them."""

# U+0085 and U+00A0, U+2000 to U+207F, U+0640 and above: no space and no digit is elsewhere beyond ASCII.
_FOREIGN = rb"\xc2[\x85\xa0]|\xe2[\x80\x81]|[\xd9-\xe1\xe3-\xf4]"
_LETTER = rb"00(?:[b-fB-F]|[aA][1-9a-fA-F])"
_ESCAPE = rb"\\(?:[nrtf]|u(?!" + _LETTER + rb"))"
_ODD = (
    rb"(?=[-+.0-9_ \\eEnNiIsS\xc2\xd9-\xf4])(?:"
    rb"[-+.0-9]"  # longer than MOST_DIGITS
    rb"|(?:_|" + _FOREIGN + rb"|" + _ESCAPE + rb")" + _REST + rb'"'
    rb'|(?<=")[ ]++' + _REST + rb'"'  # a space before
    rb'|[ ]++(?:["_]|' + _FOREIGN + rb"|" + _ESCAPE + rb")"  # a space behind
    rb'|[eE][-+]?+(?:[0-9]{3,}+[\t- ",}\]]|[0-9]*+[_ \\\xc2\xd9-\xf4]' + _REST + rb'")'
    rb'|(?:[nN][aA_]|[iIsS][nN_])[aAnNfFiItTyY0-9_ ]*+["\\\x80-\xff]'
    rb"|[nNiIsS]\\u(?!" + _LETTER + rb"))"
)
_ODD_NUMBER = rb"[-+.0-9]{0,100}+(?:[-+.0-9]|[eE][-+]?[0-9]{3})"

# From + to 9 is one range to the regular expression engine, and faster than the kinds of characters meant; a
# comma and a slash are in no number.
_GLANCE = re.compile(rb':[\t- ]*+["+-9][+-9]{0,99}+' + _ODD)
_LOOK = re.compile(rb':[\t- ]*+(?:"[-+.0-9]{0,100}+' + _ODD + rb"|" + _ODD_NUMBER + rb")")
_LOOK_ANYWHERE = re.compile(
    rb'(?:[:\[,]|\A)[\t- ]*+(?:"[-+.0-9]{0,100}+' + _ODD + rb"|" + _ODD_NUMBER + rb")"
)


def odd_member(document: bytes) -> bool:
    """Whether a member of an object looks like a number to ``Decimal`` though it is none, or is out of range.

    Finds every such member, and few others: a text that happens to look alike. True means "look closely".

    Args:
        document: JSON, as it was received.
    """
    # The glance also meets texts such as "frais : 40 \u20ac"; one in some hundred documents.
    return _GLANCE.search(document) is not None and _LOOK.search(document) is not None


def odd_anywhere(document: bytes) -> bool:
    """As ``odd_member``, where numbers also stand in lists or alone; slower.

    Args:
        document: JSON, as it was received.
    """
    return _LOOK_ANYWHERE.search(document) is not None


_LETTERS: tuple[tuple[bytes, bytes | tuple[bytes, ...]], ...] = (
    (b"E", (b"+", b"-")),
    (b"N", b"aN"),
    (b"I", b"nfinity"),
)
_SPECIAL = re.compile(rb'[0-9]E[+-][0-9]|["s-](?:NaN|Infinity)')
_STRIDE = MOST_DIGITS // 5
_DIGITS_ALIKE = bytes(b"0"[0] if byte in b".0123456789" else b" "[0] for byte in range(256))
_LONG = re.compile(rb"[0-9.]{%d}" % (MOST_DIGITS + 1))


def odd_written(document: bytes) -> bool:
    """Whether a Decimal was written with an exponent, is not finite, or has too many digits.

    Finds every such number, and few others: a text that happens to look alike. Looking at what was written is
    far cheaper than looking at each number.

    Args:
        document: JSON, written just now with ``str`` of each Decimal.
    """
    if not getcontext().capitals:
        # Then an exponent begins with one of the many small e.
        return True
    for letter, follows in _LETTERS:
        at = document.find(letter)
        while at >= 0:
            if document.startswith(follows, at + 1) and _SPECIAL.match(document, at - 1):
                return True
            at = document.find(letter, at + 1)
    # Where too many digits stand in a row, so do five in what is left of every 20th character.
    sample = document[::_STRIDE].translate(_DIGITS_ALIKE)
    return b"00000" in sample and _LONG.search(document) is not None


class Unreadable(str):
    """The digits of a number that is out of range."""

    __slots__ = ()


def decimal_of(text: str) -> Decimal | None:
    """Read a plain decimal number, keeping each digit, trailing zeros too.

    Args:
        text: Such as ``"12.50"``, ``"-3"`` or ``"1E+2"``.

    Returns:
        The number; ``None`` where the text is anything else, such as ``"NaN"``, ``"1_000"`` or ``" 1"``.
    """
    return Decimal(text) if _PLAIN.match(text) else None


def fraction(digits: str) -> Decimal:
    """Read a JSON number that has a fraction or an exponent.

    Args:
        digits: The number as it stands in the document.

    Returns:
        The same number, digit by digit.

    Raises:
        ValueError: It is longer than 100 digits, or its exponent than two.
    """
    number = decimal_of(digits)
    if number is None:
        raise ValueError(out_of_range(digits))
    return number


def fraction_or_text(digits: str) -> Decimal | Unreadable:
    """Read a JSON number, or keep its text where it is out of range, so that its place can be named."""
    number = decimal_of(digits)
    return Unreadable(digits) if number is None else number


def out_of_range(digits: str) -> str:
    """Say that a number is too large."""
    return f"number out of range: {digits if len(digits) <= _SHOWN else digits[:_SHOWN] + '…'}"


def plain(number: Decimal) -> str | None:
    """Write a number without an exponent, keeping its digits.

    Args:
        number: Any decimal number.

    Returns:
        Such as ``"100"`` for ``Decimal("1E+2")``; ``None`` where it is not finite, or has more than 100
        digits before or after the point.
    """
    if not number.is_finite():
        return None
    exponent = number.as_tuple().exponent
    # Only what is not finite has a letter for its exponent.
    if number.adjusted() >= MOST_DIGITS or int(exponent) < -MOST_DIGITS:
        return None
    return format(number, "f")
