"""Which line of an electronic address counts, where the directory shows several."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from seqino.models import DirectoryEntry
from seqino.resources.directory import current_line
from tests.facade.conftest import BASE

if TYPE_CHECKING:
    from seqino.client import SeqinoClient

START = datetime(2026, 9, 1, tzinfo=UTC)
SIREN = "552100554"

Line = tuple[bool | None, int | None]
"""Whether it can be addressed, and on which day it was changed, if it says."""


def line(addressable: bool | None, day: int | None, **fields: Any) -> DirectoryEntry:  # noqa: FBT001 - as Line
    changed = None if day is None else START + timedelta(days=day)
    return DirectoryEntry(siren=SIREN, name="A", addressable=addressable, updated_at=changed, **fields)


@pytest.mark.parametrize(
    ("lines", "addressable"),
    [
        ([(False, 1), (True, 2)], True),
        ([(True, 1), (False, 2)], False),
        ([(True, 1), (None, 2)], None),
        # Changed at one moment, or nobody knows when: any of them may be valid.
        ([(False, 1), (True, 1)], True),
        ([(False, None), (True, None)], True),
        ([(False, None), (None, None)], None),
        ([(False, 2), (True, None)], True),
        ([(True, 1), (False, 2), (False, None)], False),
    ],
)
def test_the_newest_line_counts_and_a_good_one_where_dates_do_not_tell(
    lines: list[Line], *, addressable: bool | None
) -> None:
    for order in itertools.permutations(lines):
        found = current_line([line(*one) for one in order], SIREN)
        assert found is not None
        assert found.addressable is addressable


def test_the_day_of_its_creation_counts_where_it_never_changed_and_a_missing_zone_is_utc() -> None:
    old = line(addressable=True, day=1, created_at=START)
    new = line(addressable=False, day=None, created_at=datetime(2026, 9, 3))  # noqa: DTZ001 - what is tested
    assert current_line([old, new], SIREN) is new


def test_lines_of_other_addresses_do_not_count() -> None:
    other = line(addressable=True, day=9, suffix="COMPTA")
    own = line(addressable=False, day=1)
    assert current_line([other, own], SIREN) is own
    assert current_line([other], SIREN) is None


@pytest.mark.parametrize("superseded", [True, False])
async def test_a_superseded_line_does_not_decide_whether_invoices_arrive(
    client: SeqinoClient, wire: Any, *, superseded: bool
) -> None:
    lines = [
        {"siren": SIREN, "name": name, "addressable": addressable, "updated_at": moment}
        for name, addressable, moment in (
            ("old", superseded, "2026-09-01T00:00:00Z"),
            ("new", not superseded, "2026-09-02T00:00:00Z"),
        )
    ]
    for shown in (lines, lines[::-1]):
        wire.answer("GET", f"{BASE}/mandates/directory/{SIREN}", shown)
        assert await client.directory.is_reachable(SIREN) is not superseded
