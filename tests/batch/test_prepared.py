"""Statements that are given to the driver itself: parameters in their order, rows, and what a change met."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    insert,
    select,
    update,
)

from seqino.batch.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

_THING = Table(
    "thing", MetaData(), Column("id", Integer, primary_key=True), Column("state", Text, unique=True)
)

ADD = Prepared(insert(_THING).returning(_THING.c.id), ("state", "id"))
CHANGE = Prepared(
    update(_THING)
    .where(_THING.c.id == bindparam("was_id"), _THING.c.state == bindparam("was_state"))
    .values(state=bindparam("to_state")),
    # SQL has what is set first.
    ("was_state", "was_id", "to_state"),
)
FIND = Prepared(select(_THING.c.id).where(_THING.c.state == bindparam("wanted")), ("wanted",))
COUNT = Prepared(select(_THING.c.id, _THING.c.state).order_by(_THING.c.id))


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        _THING.create(connection)
        yield connection
    engine.dispose()


def test_values_are_given_in_the_order_of_the_names(connection: Connection) -> None:
    assert ADD.one(connection, ("new", 7)) == (7,)
    assert CHANGE.many(connection, [("new", 7, "old")]) == 1
    assert COUNT.one(connection) == (7, "old")


def test_a_statement_of_one_value_or_none_is_run_alike(connection: Connection) -> None:
    assert COUNT.one(connection) is None
    ADD.one(connection, ("here", 1))
    assert FIND.one(connection, ("here",)) == (1,)
    assert FIND.one(connection, ("away",)) is None


def test_the_rows_that_changed_are_counted_over_all(connection: Connection) -> None:
    for number in (1, 2, 3):
        ADD.one(connection, (f"new {number}", number))
    changes = [("new 1", 1, "a"), ("another", 2, "b"), ("new 3", 3, "c")]
    assert CHANGE.many(connection, changes) == 2


def test_a_later_row_meets_what_an_earlier_one_changed(connection: Connection) -> None:
    ADD.one(connection, ("new", 1))
    assert CHANGE.many(connection, [("new", 1, "sent"), ("sent", 1, "done")]) == 2
    assert COUNT.one(connection) == (1, "done")
    assert CHANGE.many(connection, [("done", 1, "one"), ("done", 1, "other")]) == 1
