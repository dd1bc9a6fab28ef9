"""Whether what a call was to make is there: known again by its key, and compared. Pure.

A call in doubt whose operation tells how its effect is read back (``wire.LookUp``) is not sent again: what it
was to make is looked for. The values to look for are taken from the request by JSON Pointer (RFC 6901), and
found in the answer of the look-up in the same way. What is found may be concluded at any time; that nothing
is there only from a look begun when nothing of the call can be under way any more.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs
import msgspec

from seqino._core.wire import JSON, Effect
from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from seqino._core.wire import LookUp, Operation

__all__ = [
    "LOOK_PAUSES",
    "SETTLE",
    "Finding",
    "Judgement",
    "LookedUp",
    "NoItems",
    "Search",
    "Sought",
    "Wanted",
    "can_be_looked_up",
    "judge",
    "read_items",
    "refuse_twins",
    "sought",
]

SETTLE = 30.0
"""Seconds after the last possible send during which something of a call may still be under way."""

LOOK_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each look; the last one is repeated."""


def can_be_looked_up(operation: Operation[Any]) -> bool:
    """Whether what a call of this operation made can be known again by its key."""
    look_up = operation.look_up
    return operation.effect is Effect.READABLE and look_up is not None and bool(look_up.compare)


@attrs.frozen(kw_only=True)
class Wanted:
    """One object that a call was to make, as far as it can be known again.

    Args:
        match: What makes it this object: values by pointer; ``None`` for a value that was not sent.
        compare: What else was sent of it: values by pointer.
    """

    match: Mapping[str, JSON]
    compare: Mapping[str, JSON]


@attrs.frozen(kw_only=True)
class Sought:
    """What to look for, and how.

    Args:
        arguments: Parameters of the look-up, by Python name.
        objects: What the call was to make.
    """

    arguments: Mapping[str, JSON]
    objects: tuple[Wanted, ...]

    def as_data(self) -> dict[str, JSON]:
        """Return it as plain data, to be stored."""
        return {"arguments": self.arguments, "objects": [attrs.asdict(each) for each in self.objects]}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Sought:
        """Return what was stored."""
        return cls(
            arguments=data["arguments"],
            objects=tuple(Wanted(match=each["match"], compare=each["compare"]) for each in data["objects"]),
        )


def sought(look_up: LookUp, body: bytes | None) -> Sought:
    """Say what a call was to make.

    Args:
        look_up: How its effect is read back.
        body: The bytes that it sent.
    """
    sent: Any = msgspec.json.decode(body or b"null")
    objects = (sent,) if look_up.each is None else _at(sent, look_up.each)
    return Sought(
        arguments={name: _argument(source, sent) for name, source in look_up.arguments.items()},
        objects=tuple(
            Wanted(
                match={place: _known(each, source) for place, source in look_up.match.items()},
                compare={
                    place: value
                    for place, source in look_up.compare.items()
                    if (value := _known(each, source)) is not None
                },
            )
            for each in _list(objects)
        ),
    )


def refuse_twins(operation: Operation[Any], look_up: LookUp, body: bytes | None) -> None:
    """Refuse a request that is to make the same thing twice: nothing could tell afterwards what became of it.

    Args:
        operation: What is to be called.
        look_up: How its effect is read back.
        body: The bytes that it is to send.

    Raises:
        InvalidInput: Two members of its list are equal in all that can be looked up; with their places.
    """
    if look_up.each is None:
        return
    first: dict[str, str] = {}
    for position, wanted in enumerate(sought(look_up, body).objects):
        place = f"${look_up.each.replace('/', '.')}[{position}]"
        twin = first.setdefault(repr([_normal_all(wanted.match), _normal_all(wanted.compare)]), place)
        if twin != place:
            raise InvalidInput(
                f"{operation.name}: {twin} and {place} are the same, and each can be made only once: leave "
                "one of them out. Nothing was sent.",
                faults=[(place, f"is the same as {twin}")],
            )


def _normal_all(values: Mapping[str, JSON]) -> list[tuple[str, Any]]:
    return [(place, _normal(value)) for place, value in sorted(values.items())]


_OF_BODY = "$request.body#"


def _argument(expression: str, body: Any) -> JSON:
    """The value of a runtime expression on the body (OpenAPI 3.1 §4.8.20.4)."""
    return _known(body, expression.removeprefix(_OF_BODY))


_ABSENT: Any = object()


def _at(value: Any, pointer: str) -> Any:
    """What a JSON Pointer leads to, or ``_ABSENT``."""
    for step in pointer.split("/")[1:]:
        if not isinstance(value, Mapping):
            return _ABSENT
        value = cast("Mapping[str, Any]", value).get(step.replace("~1", "/").replace("~0", "~"), _ABSENT)
    return value


def _known(value: Any, pointer: str) -> JSON:
    """The same, where what is absent is as good as null."""
    found = _at(value, pointer)
    return None if found is _ABSENT else found


def _list(value: Any) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()


# What a look shows


class Finding(enum.StrEnum):
    """What a look shows."""

    EQUAL = "equal"
    """Everything is there, as it was sent."""
    DIFFERENT = "different"
    """Something has the same key, and is not what was sent."""
    TWICE = "twice"
    """Something is there more than once, as it was sent."""
    PARTLY = "partly"
    """Some of several is there."""
    ABSENT = "absent"
    FAILED = "failed"
    """The look itself failed, which is no answer."""
    DENIED = "denied"
    """The look failed, as any other would that is made now."""


class NoItems(ValueError):  # noqa: N818 - says what was found
    """An answer that shows no objects: no JSON, or another kind of value."""


Item: TypeAlias = "tuple[bytes, Mapping[str, Any]]"
"""An object: its bytes, and what they say."""


def read_items(body: bytes) -> list[Item]:
    """Return the objects that the answer of a look-up shows: a list of them, or one.

    Args:
        body: The answer's body.

    Raises:
        NoItems: It shows none in a way that could be read.
    """
    try:
        one = msgspec.json.decode(body)
        raws = msgspec.json.decode(body, type=list[msgspec.Raw]) if isinstance(one, list) else [body]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoItems(str(error)) from None
    values = _list(one) if isinstance(one, list) else [one]
    if not all(isinstance(value, Mapping) for value in values):
        raise NoItems("something in it is no object")
    return [(bytes(raw), value) for raw, value in zip(raws, values, strict=True)]


@attrs.frozen(kw_only=True)
class Judgement:
    """What a look shows.

    Args:
        finding: In one word.
        found: Bytes of the objects that it is about: of each one sought, where all are there.
        differences: Where what has the same key is not what was sent: pointers.
        why: Of a look that was denied, what was said.
        fault: What kept it from being made, where that was no call's failure.
    """

    finding: Finding
    found: tuple[bytes, ...] = ()
    differences: tuple[str, ...] = ()
    why: str = ""
    fault: Exception | None = None


def judge(objects: Sequence[Wanted], items: Sequence[Item], look_up: LookUp) -> Judgement:
    """Say whether what is sought is among what a look shows.

    Args:
        objects: What is sought.
        items: What the look shows.
        look_up: How its effect is read back.
    """
    shown = [item for item in items if not _is_over(item[1], look_up)]
    results = [_find(wanted, shown) for wanted in objects]
    for finding in (Finding.TWICE, Finding.DIFFERENT):
        for result in results:
            if result.finding is finding:
                return result
    found = tuple(raw for result in results for raw in result.found)
    if not found:
        return Judgement(finding=Finding.ABSENT)
    return Judgement(finding=Finding.EQUAL if len(found) == len(objects) else Finding.PARTLY, found=found)


def _is_over(item: Mapping[str, Any], look_up: LookUp) -> bool:
    return any(_at(item, place) in values for place, values in look_up.without.items())


def _find(wanted: Wanted, items: Sequence[Item]) -> Judgement:
    candidates = [(raw, _differences(wanted, item)) for raw, item in items if _matches(wanted, item)]
    equal = tuple(raw for raw, differences in candidates if not differences)
    if equal:
        return Judgement(finding=Finding.EQUAL if len(equal) == 1 else Finding.TWICE, found=equal)
    if candidates:
        raw, differences = min(candidates, key=lambda candidate: len(candidate[1]))
        return Judgement(finding=Finding.DIFFERENT, found=(raw,), differences=differences)
    return Judgement(finding=Finding.ABSENT)


def _matches(wanted: Wanted, item: Mapping[str, Any]) -> bool:
    """Whether this is the object sought; one that shows nothing of it cannot be known again."""
    if any(_normal(value) != _normal(_known(item, place)) for place, value in wanted.match.items()):
        return False
    told = [value for value in wanted.match.values() if value is not None]
    return bool(told) or any(_at(item, place) is not _ABSENT for place in wanted.compare)


def _differences(wanted: Wanted, item: Mapping[str, Any]) -> tuple[str, ...]:
    """Where an object is not what was sent; what it does not show is no difference."""
    return tuple(
        place
        for place, value in wanted.compare.items()
        if (shown := _at(item, place)) is not _ABSENT and _normal(value) != _normal(shown)
    )


_BEGINS_WITH_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _normal(value: Any) -> Any:
    """A value in a form in which the same moment, and the same set of words, is the same."""
    if isinstance(value, list):
        return sorted(map(_normal, _list(value)), key=repr)
    if isinstance(value, str) and _BEGINS_WITH_DATE.match(value) is not None:
        try:
            moment = dt.datetime.fromisoformat(value)
            return (moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            return value
    return value


# When to look, and what to conclude


@attrs.frozen(kw_only=True)
class LookedUp:
    """How a search ended.

    Args:
        judgement: What the last look showed.
        looks: How many there were.
        decided: Whether the last look decides; otherwise the time was over before one could, or it was
            denied.
    """

    judgement: Judgement
    looks: int
    decided: bool


@attrs.frozen(kw_only=True)
class Search:
    """Looks for what a call in doubt was to make: when the next one is due, and which one decides.

    Args:
        quiet_from: From when on nothing of the call can be under way.
        after_conflict: Whether a conflict (409) is to be explained: what has the same key was there before.
        looks: How many pauses there were.
    """

    quiet_from: float
    after_conflict: bool = False
    looks: int = 0

    def decides(self, finding: Finding, *, begun: float) -> bool:
        """Whether a look ends the search.

        Args:
            finding: What it shows.
            begun: When it was begun.
        """
        match finding:
            case Finding.EQUAL | Finding.TWICE:
                return True
            case Finding.FAILED:
                return False
            case Finding.DIFFERENT if self.after_conflict:
                return True
            case _:
                return begun >= self.quiet_from

    def pause(self) -> float:
        """Seconds until the next look."""
        return LOOK_PAUSES[min(self.looks, len(LOOK_PAUSES) - 1)]

    def next(self) -> Search:
        """The search after a pause."""
        return attrs.evolve(self, looks=self.looks + 1)
