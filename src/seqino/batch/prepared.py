"""Statements that run many times a second: made by SQLAlchemy, translated once, and then given to the driver.

Between a statement and its driver, SQLAlchemy looks up its translation, names and converts each parameter,
and wraps each row. For what a group writes that takes longer than the writing, and the event loop stands
still meanwhile: two threads of Python do not run at once.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.sql.expression import ClauseElement

__all__ = ["Prepared"]


class Prepared:
    """A statement whose values are those that the driver understands by itself, and takes by their place.

    Args:
        statement: It, without constants: SQLAlchemy would make parameters of them.
        names: Its parameters, in the order in which their values are given.
    """

    def __init__(self, statement: ClauseElement, names: Sequence[str] = ()) -> None:
        self.statement = statement
        self._names = tuple(names)
        self._translated: dict[str, tuple[str, Callable[[Sequence[Any]], Any]]] = {}

    def one(self, connection: Connection, values: Sequence[Any] = ()) -> Any:
        """Run it once; return the row that it returns, or ``None``.

        Args:
            connection: In a transaction.
            values: Of its parameters.
        """
        sql, ordered = self._for(connection)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(sql, ordered(values))
            # All of them: a statement that was not read to its end is not at its end.
            rows = cursor.fetchall()
        finally:
            cursor.close()
        return rows[0] if rows else None

    def many(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> int:
        """Run it for each of some rows of values; return how many rows of its table that changed.

        Args:
            connection: In a transaction.
            rows: Values of its parameters.
        """
        sql, ordered = self._for(connection)
        cursor = connection.connection.cursor()
        try:
            cursor.executemany(sql, [ordered(row) for row in rows])
            return cursor.rowcount
        finally:
            cursor.close()

    def _for(self, connection: Connection) -> tuple[str, Callable[[Sequence[Any]], Any]]:
        """The statement in the words of a database, and what puts values in the order of its parameters."""
        dialect = connection.dialect
        translated = self._translated.get(dialect.name)
        if translated is None:
            compiled: Any = self.statement.compile(dialect=dialect, column_keys=self._names)
            order = [self._names.index(name) for name in compiled.positiontup]
            translated = self._translated[dialect.name] = compiled.string, _picked(order)
        return translated


def _picked(places: Sequence[int]) -> Callable[[Sequence[Any]], Any]:
    # An itemgetter of several makes a tuple; of one it does not, and of none there is not one.
    return itemgetter(*places) if len(places) > 1 else lambda values: tuple(values[at] for at in places)
