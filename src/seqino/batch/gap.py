"""What a ledger that was put back from a backup cannot know: which invoices were sent after it was made.

What it knows is doubted, and looked at. Of a key that it does not know nobody can tell whether it is new, or
was sent since: such a key is refused until a person has made sure.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import func, select, update

from seqino.batch import schema

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Gap", "close_gap", "open_gap", "read_gap"]


@attrs.frozen(kw_only=True)
class Gap:
    """A time of which a ledger knows nothing.

    Args:
        since: When it was last written before the backup was made; seconds since 1970.
        until: When it was put back, and found to be a backup; seconds since 1970.
    """

    since: float
    until: float

    def __str__(self) -> str:
        return f"{_moment(self.since)} to {_moment(self.until)} UTC"

    def why_refused(self, key: str) -> str:
        """Say why a key is not taken."""
        return (
            f"{key!r} is not in this ledger, which was put back from a backup and does not know what was "
            f"sent from {self}: it may have been sent then. Compare your own records of that time with the "
            "platform's; once none that was sent is handed in again, 'seqino batch recover --admit-new' (or "
            "ledger.admit_new_keys()) takes new keys again"
        )


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def read_gap(connection: Connection) -> Gap | None:
    """Return the gap in what a ledger knows; ``None`` where there is none."""
    since, until = connection.execute(select(schema.ledger.c.gap_since, schema.ledger.c.gap_until)).one()
    return None if until is None else Gap(since=since, until=until)


def open_gap(connection: Connection, *, sequence: int) -> Gap:
    """Note that a ledger is a backup; a gap that is known already begins where it began.

    Args:
        connection: In a transaction.
        sequence: The number that its next group of writes comes after.
    """
    known = read_gap(connection)
    latest = select(func.max(schema.history.c.at)).scalar_subquery()
    last = select(func.coalesce(latest, schema.ledger.c.created))
    since: float = connection.execute(last).scalar_one() if known is None else known.since
    values = {"sequence": sequence, "gap_since": since, "gap_until": schema.epoch_now()}
    made = update(schema.ledger).values(values).returning(schema.ledger.c.gap_until)
    return Gap(since=since, until=connection.execute(made).scalar_one())


def close_gap(connection: Connection) -> Gap | None:
    """Note that a person has made sure; return the gap that there was."""
    known = read_gap(connection)
    connection.execute(update(schema.ledger).values(gap_since=None, gap_until=None))
    return known
