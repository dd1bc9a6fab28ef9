"""Every record that the sandbox remembers is kept, comes back as it was, and where it was."""

from __future__ import annotations

import importlib
import pkgutil
import types
import typing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import seqino.sandbox
from seqino.sandbox.deliveries.agenda import Incoming
from seqino.sandbox.state import Kept
from seqino.sandbox.state_file import write
from seqino.sandbox.world.kinds import KINDS, Misfit, load, read
from seqino.sandbox.world.parts import Part
from seqino.sandbox.world.records import Account, Draft, Registration

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.sandbox.world.records import Record


def record_classes() -> set[type]:
    """All attrs classes of the sandbox that name a kind, those that wrap a record too."""
    found: set[type] = set()
    for module in pkgutil.walk_packages(seqino.sandbox.__path__, "seqino.sandbox."):
        for one in vars(importlib.import_module(module.name)).values():
            if isinstance(one, type) and attrs.has(one) and isinstance(vars(one).get("kind"), str):
                found.add(one)
    return found


def test_every_class_of_records_is_registered_under_its_kind() -> None:
    assert record_classes() - {Incoming, Part} == {kind.record for kind in KINDS.values()}
    assert all(name == kind.record.kind for name, kind in KINDS.items())


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bytes: st.binary(max_size=8),
    type(None): st.none(),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)).map(lambda one: one.replace(fold=0)),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
}
JSON: st.SearchStrategy[Any] = st.recursive(
    # What a request may hold: fractions are read as Decimal, and their digits stay.
    st.none()
    | st.booleans()
    | st.integers()
    | TEXT
    | st.decimals(allow_nan=False, allow_infinity=False).filter(lambda one: not one.is_zero()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
JSON_OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
PLAIN[Any] = JSON


def several(inner: tuple[Any, ...], *, unique: bool = False) -> st.SearchStrategy[list[Any]]:
    return st.lists(values(inner[0]), max_size=3, unique=unique)


def tuples(inner: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return several(inner).map(tuple) if inner[1:] == (...,) else st.tuples(*map(values, inner))


GENERIC: dict[Any, Callable[[tuple[Any, ...]], st.SearchStrategy[Any]]] = {
    typing.Union: lambda inner: st.one_of(*map(values, inner)),
    types.UnionType: lambda inner: st.one_of(*map(values, inner)),
    typing.Literal: st.sampled_from,
    list: several,
    set: lambda inner: several(inner, unique=True).map(set),
    frozenset: lambda inner: several(inner, unique=True).map(frozenset),
    tuple: tuples,
    dict: lambda inner: st.dictionaries(values(inner[0]), values(inner[1]), max_size=3),
}


def values(form: Any) -> st.SearchStrategy[Any]:
    """Makes values of a type."""
    if typing.get_origin(form) is not None:
        return GENERIC[typing.get_origin(form)](typing.get_args(form))
    return records(form) if attrs.has(form) else PLAIN[form]


def account(shown: dict[str, Any], name: str) -> dict[str, Any]:
    return {**shown, "client_id": name}


def records(cls: Any) -> st.SearchStrategy[Any]:
    """Makes instances of an attrs class, every field drawn."""
    hints = typing.get_type_hints(cls)
    fields = {one.alias: values(hints[one.name]) for one in attrs.fields(cls) if one.init}
    if cls is Account:  # its key stands in what is shown
        fields["shown"] = st.builds(account, JSON_OBJECT, TEXT)
    return st.builds(cls, **fields)


def as_kept(owner: str, record: Record) -> Kept:
    """A record as a file holds it."""
    return Kept(owner, record.kind, write(record))


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_record_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    record = data.draw(records(KINDS[name].record))
    kept = as_kept("sponsor/client", record)
    found = read(kept)
    assert (kept.owner, kept.kind) == ("sponsor/client", name)
    assert type(found) is type(record)
    assert found.key == record.key
    assert exactly(found) == exactly(record)


def exactly(value: Any) -> object:
    """Write a value with its types and digits: 1.10 is not 1.1. A whole number in JSON is an ``int``."""
    cls = cast("Any", type(value))
    if attrs.has(cls):
        return {one.name: exactly(getattr(value, one.name)) for one in attrs.fields(cls)}
    if isinstance(value, dict):
        return {name: exactly(one) for name, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [exactly(one) for one in cast("list[Any]", value)]
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else repr(value)


def sponsors_with(record: Record, owner: str) -> list[Kept]:
    """A sponsor and a client, and then the record."""
    registration = Registration("sponsor", "digest")
    account = Account({"client_id": "client"})
    return [as_kept("sponsor", registration), as_kept("sponsor/client", account), as_kept(owner, record)]


@attrs.define
class Fake:
    """A state that holds what it is given."""

    kept: list[Kept]

    def records(self) -> Any:
        return iter(self.kept)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_record_is_put_back_where_it_was(name: str, data: st.DataObject) -> None:
    record = data.draw(records(KINDS[name].record))
    if isinstance(record, Draft):
        record.invoice_id = None  # one that became an invoice comes with it
    fake: Any = Fake(sponsors_with(record, "sponsor/client"))
    holdings = load(fake)
    held: list[Record] = [*holdings.published]
    for sponsor in holdings.sponsors.values():
        held += sponsor.records()
        for client in sponsor.clients.values():
            held += client.records()
    assert write(record) in [write(one) for one in held if one.kind == name]


def test_one_that_belongs_to_nobody_is_a_misfit() -> None:
    fake: Any = Fake([as_kept("sponsor/client", Account({"client_id": "client"}))])
    with pytest.raises(Misfit, match="client client belongs to sponsor/client, which is not there"):
        load(fake)


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (Kept("s", "parcel", "{}"), "a record of s is a 'parcel', which this version does not know"),
        (Kept("s", "series", "{}"), "a series of s cannot be read: Object missing required field `seller`"),
        (Kept("s", "series", "{"), "a series of s cannot be read: Input data was truncated"),
    ],
)
def test_one_that_cannot_be_read_is_a_misfit(kept: Kept, message: str) -> None:
    with pytest.raises(Misfit, match=message):
        read(kept)
