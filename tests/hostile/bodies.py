"""Bodies that a broken, badly made or hostile server could send, made of a valid document; seeded."""

from __future__ import annotations

import datetime as dt
import json
import random
import typing
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from seqino._core.typegraph import alternatives, is_model
from seqino._core.wire import OpenEnum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hostile.samples import Document, Span


@attrs.frozen
class Body:
    """A body, what was done to it, and whether it can be read at all."""

    text: bytes = attrs.field(repr=lambda text: repr(text[:200]))
    what: str
    is_wrong: bool = False
    """Whether nothing that reads it is right; where it is False, nobody knows."""


DEPTH = 50_000
"""Deeper than any Python reads. How deep that is differs: 3.13 reads some thousand levels more than 3.11."""

_LONG_FRACTION = "a fraction of 5,000 digits"
_FAR_EXPONENT = "an exponent below all"

NO_JSON: tuple[tuple[bytes, str], ...] = (
    (b"NaN", "NaN"),
    (b"Infinity", "Infinity"),
    (b"-Infinity", "-Infinity"),
    (b"1e400", "10^400, as a float"),
    (b"-1E+400", "-10^400, as a float"),
    (b"1" + b"0" * 400, "10^400"),
    (b"-1" + b"0" * 400, "-10^400"),
    (b"9" * 5000, "a number of more digits than Python reads"),
    (b"1" + b"0" * 100_000, "a number of 100,000 digits"),
    (b"0." + b"1" * 5000, _LONG_FRACTION),
    (b"1e-99999999999999999999", _FAR_EXPONENT),
    (b"01", "a leading zero"),
    (b"+1", "a plus"),
    (b".5", "a naked fraction"),
    (b"1.", "a fraction without digits"),
    (b"0x10", "hexadecimal"),
    (b"1_000", "an underscore"),
    (b"[" * DEPTH, "lists that never end"),
    (b"[" * DEPTH + b"]" * DEPTH, "lists 50,000 deep"),
    (b'{"a":' * DEPTH + b"1" + b"}" * DEPTH, "objects 50,000 deep"),
    (b'[{"a":' * DEPTH + b"null" + b"}]" * DEPTH, "both, 100,000 deep"),
    (b'"\\ud800"', "half a character"),
    (b'"\\udfff\\ud800"', "two halves the wrong way round"),
    (b'"\\u12"', "a cut escape"),
    (b'"\\x41"', "an escape that JSON has not"),
    (b'"a\x00b"', "a NUL"),
    (b'"a\nb\x1b[2J"', "control characters"),
    (b'"\xff\xfe"', "bytes that are no UTF-8"),
    (b'"\xed\xa0\x80"', "half a character in UTF-8"),
    (b'"\xc0\xaf"', "overlong UTF-8"),
    (b"'text'", "single quotes"),
    (b"undefined", "undefined"),
    (b"None", "Python's None"),
    (b"True", "Python's True"),
    (b"tru", "half a true"),
    (b"", ""),
    (b'"', "an open quote"),
    (b"{", "an open object"),
    (b'{"a"}', "a member without a value"),
    (b"{a: 1}", "a name without quotes"),
    (b"[1,]", "a trailing comma"),
    (b"1 2", "two values"),
    (b"1/*x*/", "a comment"),
    (b"\xef\xbb\xbf1", "a byte order mark inside"),
)
"""What stands where a value should: no JSON, or not what any reader must take."""

READABLE: tuple[tuple[bytes, str, str], ...] = (
    (b"null", "null", "null"),
    (b"true", "bool", "true"),
    (b"false", "bool", "false"),
    (b"0", "int", "zero"),
    (b"-1", "int", "a negative number"),
    (b"-0", "int", "minus zero"),
    (b"9223372036854775808", "int", "2^63"),
    (b"1" + b"0" * 99, "int", "a number of 100 digits"),
    (b"1.5", "fraction", "a fraction"),
    (b"1e2", "fraction", "an exponent"),
    (b'""', "str", "empty text"),
    (b'" "', "str", "a blank"),
    (b'"12"', "str", "a number as text"),
    (b'"NaN"', "str", "NaN as text"),
    (b'"-Infinity"', "str", "Infinity as text"),
    (b'"true"', "str", "true as text"),
    (b'"null"', "str", "null as text"),
    (b'"\\u0000\\u0007\\u001b[2J\\r\\nSet-Cookie: a=b"', "str", "escaped control characters"),
    (b'"\\u202e\\ufeff\\u2028\\ufffe"', "str", "characters that play tricks"),
    (b'"\\ud83d\\ude00"', "str", "an escaped emoji"),
    ('"𒀀Ⅳ١٢٣"'.encode(), "str", "digits of other scripts"),
    (b'"2026-02-30"', "str", "a day that is none"),
    (b'"2026-09-01T25:61:00Z"', "str", "a moment that is none"),
    (b'"2026-09-01T08:00:00+99:99"', "str", "an offset that is none"),
    (b'"9999-12-31T23:59:59.999999999-23:59"', "str", "the last moment, further west"),
    (b'"0000-00-00"', "str", "day zero"),
    (b'"P1Y"', "str", "a duration"),
    (b'"' + b"a" * 50_000 + b'"', "str", "50,000 letters"),
    (b'"' + b"\\u00e9" * 10_000 + b'"', "str", "10,000 escapes"),
    (b"[]", "list", "an empty list"),
    (b"[null]", "list", "a list of null"),
    (b"[[]]", "list", "a list of lists"),
    (b'[{},"a",1]', "list", "a mixed list"),
    (b"[" + b"1," * 5000 + b"1]", "list", "a list of 5,001 numbers"),
    (b"[" * 5000 + b"]" * 5000, "list", "lists 5,000 deep, which some Pythons read"),
    (b"{}", "object", "an empty object"),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, "object", "objects 5,000 deep, which some Pythons read"),
    (b'{"a":1,"a":2,"a":null}', "object", "an object with one name thrice"),
    (b'{"":{"":{"":null}}}', "object", "names that are empty"),
    (b'{"__class__":"os.system","__init__":1,"__dict__":{}}', "object", "Python's own names"),
    (b'{"$ref":"#","@type":"x"}', "object", "a reference"),
)
"""What is JSON, its kind, and what it is."""


def bodies(document: Document, *, seed: int, number: int) -> Iterator[Body]:
    """Give at least ``number`` bodies: all that are made by rule, or some of them, and the rest by chance."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    whole = list(_whole(document))
    yield from whole
    places = [(span, way) for span in document.spans for way in range(_ways(span))]
    most = number * 3 // 4
    kept = places if len(places) <= most else chance.sample(places, most)
    for span, way in kept:
        yield _at(document.text, span, way)
    for _ in range(max(number // 10, number - len(whole) - len(kept))):
        yield _by_chance(document, chance)


def kinds(form: Any) -> set[str]:
    """The kinds of JSON that a type form may be read from."""
    found: set[str] = set()
    for part in alternatives(form):
        origin = typing.get_origin(part) or part
        if part is Any:
            return {"null", "bool", "int", "fraction", "str", "list", "object"}
        if is_model(part) or origin is dict:
            found.add("object")
        elif origin is list:
            found.add("list")
        elif part is Decimal:
            found |= {"int", "fraction", "str"}
        elif part in {str, dt.date, dt.datetime, dt.time, uuid.UUID} or (
            isinstance(part, type) and issubclass(part, OpenEnum)
        ):
            found.add("str")
        else:
            found |= {bool: {"bool"}, int: {"int"}, float: {"int", "fraction"}, type(None): {"null"}}[part]
    return found


_TOKENS = len(NO_JSON) + len(READABLE)

_NAMES = 8
"""How many things are done to a member around its value."""


def _ways(span: Span) -> int:
    return _TOKENS + (_NAMES if span.name_start is not None else 0)


def _at(text: bytes, span: Span, way: int) -> Body:
    """Do one of the things that can be done at a place."""
    where = f"at {span.start} ({span.name or 'no name'})"
    if way >= _TOKENS:
        return _around_the_name(text, span, way - _TOKENS, where)
    if way < len(NO_JSON):
        token, what = NO_JSON[way]
        is_wrong = not _may_be_read(what, span)
    else:
        token, kind, what = READABLE[way - len(NO_JSON)]
        is_wrong = kind not in kinds(span.form)
    return Body(text[: span.start] + token + text[span.end :], f"{what} {where}", is_wrong=is_wrong)


def _may_be_read(what: str, span: Span) -> bool:
    """Whether a value that most places refuse can stand in this one."""
    if not what:
        # What is left may be an empty list, or a member without a value.
        return span.name_start is None
    if what in {"10^400", "-10^400"}:
        return span.form is Any
    return what in {_LONG_FRACTION, _FAR_EXPONENT} and not {Any, float}.isdisjoint(alternatives(span.form))


def _around_the_name(text: bytes, span: Span, way: int, where: str) -> Body:  # noqa: PLR0911 - a table
    assert span.name_start is not None
    before, after = text[: span.name_start], text[span.end :]
    member = text[span.name_start : span.end]
    value = member[len(span.name) + 2 :]
    camel = "".join(word.capitalize() for word in span.name.split("_"))
    match way:
        case 0 if span.is_last:
            return Body(before.removesuffix(b", ") + after, f"without the member {where}", span.required)
        case 0:
            return Body(before + after.removeprefix(b", "), f"without the member {where}", span.required)
        case 1:
            return Body(before + member + b", " + member + after, f"the member twice {where}")
        case 2:
            null = b', "' + span.name.encode() + b'": null'
            is_wrong = "null" not in kinds(span.form)
            return Body(before + member + null + after, f"the member again as null {where}", is_wrong)
        case 3:
            name = json.dumps(span.name.upper()).encode()
            return Body(before + name + value + after, f"the name in capitals {where}", span.required)
        case 4:
            name = json.dumps(camel).encode()
            return Body(before + name + value + after, f"the name in camel case {where}", span.required)
        case 5:
            return Body(before + value + after, f"no name {where}", is_wrong=True)
        case 6:
            huge = b'"' + b"x" * 20_000 + b'": 1, '
            return Body(before + huge + member + after, f"a huge name before the member {where}")
        case _:
            half = b'"\\ud800": 1, '
            return Body(before + half + member + after, f"half a character as a name {where}", is_wrong=True)


def _whole(document: Document) -> Iterator[Body]:
    text = document.text
    for what, body in {
        "empty": b"",
        "blanks": b" \r\n\t ",
        "a NUL": b"\x00",
        "UTF-8 with a byte order mark": b"\xef\xbb\xbf" + text,
        "UTF-16": text.decode().encode("utf-16"),
        "UTF-16 without a mark": text.decode().encode("utf-16-le"),
        "UTF-32": text.decode().encode("utf-32"),
        "UTF-7": text.decode().encode("utf-7") if b"\xc3" in text else b"+AHs-",
        "HTML": b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>",
        "HTML with a script": b"\n\n<html><script>alert('x')</script>" + b"<p>" * 20_000,
        "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        "plain words": b"upstream connect error or disconnect/reset before headers",
        "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3",
        "an image": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
        "every byte": bytes(range(256)) * 16,
        "itself twice": text + text,
        "itself twice, on two lines": text + b"\n" + text,
        "something behind": text + b"x",
        "a NUL behind": text + b"\x00",
        "a guard before": b")]}',\n" + text,
        "a call around": b"callback(" + text + b")",
        "a stream of events": b"data: " + text + b"\n\n",
        "as text": b'"' + text.replace(b'"', b'\\"') + b'"',
        "base64": b"eyJhIjoxfQ==",
        "a megabyte of blanks": b" " * 1_000_000,
        "a megabyte of brackets": b"[" * 1_000_000,
        "a million objects": b'{"a":' * 200_000,
        "a list of a hundred thousand": b"[" + b"{}," * 100_000 + b"{}]",
        "a megabyte of text": b'"' + b"a" * 1_000_000 + b'"',
        "a thousand faults": b"[" + b'{"x":{"y":1}},' * 1000 + b"0]",
    }.items():
        yield Body(body, what, is_wrong=document.spans[0].form is not Any)
    yield Body(b" \t\r\n" + text + b"\n", "blanks around it")
    if b"\xc3" in text:
        yield Body(text.decode().encode("latin-1"), "Latin-1", is_wrong=True)
    for cut in sorted({round(len(text) * part / 200) for part in range(200)} - {len(text)}):
        yield Body(text[:cut], f"cut after {cut} bytes", is_wrong=True)


def _by_chance(document: Document, chance: random.Random) -> Body:
    """Some bytes changed, dropped, doubled or swapped, or several places at once."""
    text = bytearray(document.text)
    done: list[str] = []
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text))
        end = min(len(text), start + chance.choice((1, 1, 1, 2, 5, 40)))
        kind = chance.choice(("flip", "drop", "double", "noise", "token"))
        match kind:
            case "flip":
                text[start] ^= 1 << chance.randrange(8)
            case "drop":
                del text[start:end]
            case "double":
                text[start:start] = text[start:end]
            case "noise":
                text[start:end] = chance.randbytes(end - start)
            case _:
                token = chance.choice((*NO_JSON[:7], *((token, what) for token, _, what in READABLE)))[0]
                text[start:end] = token
        done.append(f"{kind} {start}:{end}")
        if not text:
            break
    return Body(bytes(text), ", ".join(done))
