"""Judge a request by the description: key, parameters, body. A refusal has the platform's own shapes."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import jsonschema_rs

    from seqino.sandbox.description import Operation, Parameter

__all__ = [
    "Refusal",
    "Unprocessable",
    "authenticate",
    "cut",
    "parameters",
    "parse_body",
    "problem",
    "problems",
]

_LONGEST_DETAIL, _LONGEST_MESSAGE = 300, 2000
"""Characters: an error may repeat what was sent, and that may be as long as a body."""

_LONGEST_EXPONENT = 4
"""Digits; as many as the text of an amount may have."""

_MOST_VALUES = 500_000
"""More values than any invoice has, and fewer than take long to judge."""

_DEEPEST = 200
"""Levels of a body: many more than any invoice has, and fewer than what walks over it can bear."""

_MOST_PROBLEMS = 1000
"""More than anybody reads."""

Detail = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - an answer, not a fault of the sandbox
    """An answer of the platform's own error shape: ``{"error", "code", "trace_id"}``."""

    def __init__(self, status: int, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.message = cut(message)
        super().__init__(self.message)
        self.headers = dict(headers or {})


class Unprocessable(Exception):  # noqa: N818 - an answer, not a fault of the sandbox
    """A 422 of FastAPI's shape: ``{"detail": [{"loc", "msg", "type"}]}``."""

    def __init__(self, details: Iterable[Detail]) -> None:
        self.details = list(details)
        super().__init__(f"{len(self.details)} problem(s)")


class _Lookup(Protocol):
    """Query values or headers, read by name."""

    def get(self, key: str, /) -> str | None: ...


def problem(loc: Sequence[str | int], msg: str, type_: str) -> Detail:
    """Describe one problem as FastAPI does."""
    place = [cut(one, _LONGEST_DETAIL) if isinstance(one, str) else one for one in loc]
    return {"loc": place, "msg": cut(msg, _LONGEST_DETAIL), "type": type_}


def cut(text: str, longest: int = _LONGEST_MESSAGE) -> str:
    """Return the beginning of a text that is too long to be repeated whole."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def authenticate(header: str | None, *, only: str | None) -> str:
    """Return the API key of an ``Authorization`` header.

    Args:
        header: Value of the header; the raw key, without a scheme.
        only: The one key that is taken; any but ``invalid`` when ``None``.

    Raises:
        Refusal: 401, for no key, for the key ``invalid`` and for one that is not taken.
    """
    if not header:
        raise Refusal(401, "no API key: send it in the Authorization header, raw, without Bearer")
    if header.lower().startswith("bearer "):
        raise Refusal(401, "the API key goes raw in the Authorization header, without Bearer")
    if header == "invalid" or only not in (None, header):
        raise Refusal(401, "this API key is not valid")
    return header


def parameters(operation: Operation, places: Mapping[str, _Lookup]) -> tuple[dict[str, Any], list[Detail]]:
    """Read and judge the parameters of a request.

    Args:
        operation: What was called.
        places: What was sent in path, query, headers and cookies, by the description's word for each place.

    Returns:
        The parameters sent, by name (of a header in lower case), and what is wrong with them.
    """
    values: dict[str, Any] = {}
    details: list[Detail] = []
    for parameter in operation.parameters:
        raw = places[parameter.location].get(parameter.name)
        loc = (parameter.location, parameter.name)
        if raw is None:
            if parameter.required:
                details.append(problem(loc, "Field required", "missing"))
            continue
        if parameter.location == "query" and _count(places["query"], parameter.name) > 1:
            details.append(problem(loc, "It is given more than once", "value_error"))
            continue
        value = _read(raw, parameter)
        details.extend(problems(parameter.validator, value, loc))
        # Header names have no case, and the documentation writes this API's one in two ways.
        values[parameter.name.lower() if parameter.location == "header" else parameter.name] = value
    return values, details


def _count(place: _Lookup, name: str) -> int:
    """Tell how often a query gives a value; a plain mapping gives each once."""
    getall: Callable[[str], Sequence[str]] | None = getattr(place, "getall", None)
    return 1 if getall is None else len(getall(name))


def _read(raw: str, parameter: Parameter) -> Any:
    """Read text as the type that the parameter's schema takes; other text stays, and is refused."""
    raw = raw.encode(errors="replace").decode()  # a header can hold bytes that are no UTF-8
    if parameter.types & {"integer", "number", "boolean"}:
        try:
            return json.loads(raw)
        except ValueError:
            return raw
    return raw


def parse_body(data: bytes, content_type: str) -> Any:
    """Read a JSON body; fractions become ``Decimal``, so that an amount keeps its digits.

    Raises:
        Unprocessable: It is no JSON, or is not said to be JSON.
    """
    if not data:
        raise Unprocessable([problem(["body"], "Field required", "missing")])
    if data.count(b",") > _MOST_VALUES:
        raise Unprocessable([problem(["body"], f"it has more than {_MOST_VALUES} values", "too_long")])
    if content_type not in ("", "application/json") and not content_type.endswith("+json"):
        raise Unprocessable([problem(["body"], f"a body of type {content_type} is not JSON", "json_type")])
    try:
        value = _loads(data)
        if data.count(b"{") + data.count(b"[") > _DEEPEST:
            _refuse_depth(value)
        if b"\\" in data and b"\\ud" in data.lower():
            _refuse_half_characters(value)
        return value  # noqa: TRY300 - what follows is for what cannot be read
    except json.JSONDecodeError as error:
        raise Unprocessable(
            [problem(["body", error.pos], f"JSON decode error: {error.msg}", "json_invalid")]
        ) from None
    except (ValueError, RecursionError) as error:
        raise Unprocessable([problem(["body"], f"JSON decode error: {error}", "json_invalid")]) from None


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [child for one in level for child in _children(one)]
        if not level:
            return
    raise ValueError(f"it has more than {_DEEPEST} levels")


def _children(value: Any) -> Iterable[Any]:
    match value:
        case dict():
            return cast("dict[str, Any]", value).values()
        case list():
            return cast("Iterable[Any]", value)
        case _:
            return ()


def _fraction(text: str) -> Decimal:
    """Read a fraction; an exponent of five digits is no amount, and more than arithmetic can hold."""
    mantissa, _, exponent = text.lower().partition("e")
    if len(exponent.lstrip("+-").lstrip("0")) > _LONGEST_EXPONENT:
        raise ValueError(f"{mantissa}e… is out of range")
    return Decimal(text)


_json = msgspec.json.Decoder(float_hook=_fraction)


def _loads(data: bytes) -> Any:
    """Read JSON: fast what is sound; what is not, or is in UTF-16, in the words of Python's own reader."""
    try:
        return _json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return json.loads(data, parse_float=_fraction, parse_constant=_no_number)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _refuse_half_characters(value: Any) -> None:
    """Refuse text with half of a surrogate pair, which JSON can write and no UTF-8 can hold."""
    json.dumps(value, ensure_ascii=False, default=str).encode()


def problems(
    validator: jsonschema_rs.Draft202012Validator, value: Any, loc: Sequence[str | int]
) -> Iterator[Detail]:
    """Yield what the schema finds wrong with a value, in FastAPI's words."""
    if validator.is_valid(value):
        return
    try:
        found = validator.iter_errors(value)
    except ValueError as error:
        yield problem(loc, f"too deep to be judged: {error}", "recursion_loop")
        return
    yield from islice((one for error in found for one in _explain(error, loc)), _MOST_PROBLEMS)


_TYPES = {
    "required": "missing",
    "enum": "enum",
    "minLength": "string_too_short",
    "maxLength": "string_too_long",
    "pattern": "string_pattern_mismatch",
    "minimum": "greater_than_equal",
    "maximum": "less_than_equal",
    "exclusiveMinimum": "greater_than",
    "exclusiveMaximum": "less_than",
    "minItems": "too_short",
    "maxItems": "too_long",
}
_BY_TYPE = {"object": "dict_type", "array": "list_type", "string": "string_type", "boolean": "bool_type"}


def _explain(error: jsonschema_rs.ValidationError, loc: Sequence[str | int]) -> Iterator[Detail]:
    kind: Any = error.kind
    place = [*loc, *error.instance_path]
    if kind.name == "required":
        yield problem([*place, kind.value], "Field required", "missing")
    elif kind.name in ("anyOf", "oneOf"):
        yield from _explain_branches(error, place, loc)
    elif kind.name == "type":
        expected = kind.types[0]
        yield problem(place, error.message, _BY_TYPE.get(expected, f"{expected}_type"))
    elif kind.name == "format":
        yield problem(place, error.message, f"{kind.format.replace('-', '')}_parsing")
    else:
        yield problem(place, error.message, _TYPES.get(kind.name, _snake(kind.name)))


def _explain_branches(
    error: jsonschema_rs.ValidationError, place: list[str | int], loc: Sequence[str | int]
) -> Iterator[Detail]:
    """Explain the alternatives that are of the value's own type; where none is, say that once."""
    kind: Any = error.kind
    near = [
        one
        for branch in kind.context
        if not any(one.kind.name == "type" and one.instance_path == error.instance_path for one in branch)
        for one in branch
    ]
    if not near:
        yield problem(place, error.message, _snake(kind.name))
    for one in near:
        yield from _explain(one, loc)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
