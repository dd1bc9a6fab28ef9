"""Whether what a call was to make is there: what is looked for, what counts as found, when a look decides."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqino._core.reconcile import (
    Finding,
    Judgement,
    NoItems,
    Search,
    Sought,
    Wanted,
    can_be_looked_up,
    judge,
    read_items,
    refuse_twins,
    sought,
)
from seqino._core.wire import Effect, LookUp, Operation
from seqino.errors import InvalidInput

BY_KEY = LookUp(
    operation="get_things",
    arguments={"key": "$request.body#/key"},
    match={"/id": "/key"},
    compare={"/name": "/name", "/from": "/start", "/tags": "/tags"},
    without={"/status": ("over",)},
)
SENT = {"key": "k", "name": "a", "start": "2026-01-01T00:00:00Z", "tags": ["x", "y"], "note": "n"}
SAME = {"id": "k", "name": "a", "from": "2026-01-01T00:00:00Z", "tags": ["x", "y"], "made": 7}


def as_bytes(value: object) -> bytes:
    return json.dumps(value).encode()


def shown(*items: object) -> list[tuple[bytes, Any]]:
    return [(as_bytes(item), item) for item in items]


def judged(*items: dict[str, Any], sent: object = None, look_up: LookUp = BY_KEY) -> Judgement:
    objects = sought(look_up, as_bytes(SENT if sent is None else sent)).objects
    return judge(objects, shown(*items), look_up)


# What is looked for


TOGETHER = attrs.evolve(BY_KEY, each="/all/things")
MAKE: Operation[Any] = Operation(
    name="make_things", operation_id="m", tag="t", method="POST", path="/things", responses={201: Any}
)


def refuse(*things: object) -> None:
    refuse_twins(MAKE, TOGETHER, as_bytes({"all": {"things": things}}))


def test_what_is_to_be_made_twice_is_refused_with_both_places() -> None:
    same = {**SENT, "start": "2026-01-01T01:00:00+01:00", "tags": ["y", "x"], "note": "another"}
    with pytest.raises(
        InvalidInput, match=r"make_things: \$\.all\.things\[1\] and \$\.all\.things\[3\]"
    ) as caught:
        refuse({"key": "a"}, SENT, {"key": "b"}, same)
    assert caught.value.faults == (("$.all.things[3]", "is the same as $.all.things[1]"),)


def test_a_moment_that_cannot_be_told_in_utc_is_compared_as_text() -> None:
    begins = {**SENT, "start": "0001-01-01T00:00:00+05:00"}
    with pytest.raises(InvalidInput):
        refuse(begins, begins)
    refuse(begins, {**SENT, "start": "0001-01-01T00:00:00+06:00"})


def test_what_can_be_told_apart_is_let_through() -> None:
    refuse()
    refuse(SENT, {**SENT, "key": "l"}, {**SENT, "start": "2027-01-01T00:00:00Z"}, {**SENT, "name": None})
    # One thing has no twin.
    refuse_twins(MAKE, BY_KEY, as_bytes(SENT))
    refuse_twins(MAKE, BY_KEY, None)


def test_what_is_looked_for_is_read_from_what_was_sent() -> None:
    found = sought(BY_KEY, as_bytes({**SENT, "tags": None}))
    assert found == Sought(
        arguments={"key": "k"},
        objects=(Wanted(match={"/id": "k"}, compare={"/name": "a", "/from": "2026-01-01T00:00:00Z"}),),
    )


def test_what_was_not_sent_is_looked_for_as_absent_and_not_compared() -> None:
    assert sought(BY_KEY, b"{}").objects == (Wanted(match={"/id": None}, compare={}),)
    assert sought(BY_KEY, None).arguments == {"key": None}


def test_each_of_a_list_is_looked_for() -> None:
    several = attrs.evolve(BY_KEY, each="/deep~1er/li~0st", arguments={})
    body = {"deep/er": {"li~st": [{"key": 1}, {"key": 2}]}}
    assert [one.match for one in sought(several, as_bytes(body)).objects] == [{"/id": 1}, {"/id": 2}]
    assert sought(several, b"{}").objects == ()


def test_what_is_looked_for_survives_as_plain_data() -> None:
    found = sought(BY_KEY, as_bytes(SENT))
    data = found.as_data()
    assert Sought.from_data(json.loads(json.dumps(data))) == found
    assert data["arguments"] == {"key": "k"}


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("look_up", [None, BY_KEY, attrs.evolve(BY_KEY, compare={})])
def test_only_what_is_readable_and_compared_can_be_known_again(
    effect: Effect, look_up: LookUp | None
) -> None:
    operation: Operation[Any] = Operation(
        name="o",
        operation_id="o",
        tag="t",
        method="POST",
        path="/",
        responses={},
        effect=effect,
        look_up=look_up,
    )
    assert can_be_looked_up(operation) == (effect is Effect.READABLE and look_up is BY_KEY)


# What an answer shows


def test_an_answer_shows_a_list_or_one_object_byte_for_byte() -> None:
    assert read_items(b' [ {"a": 1.50}, {} ]') == [(b'{"a": 1.50}', {"a": 1.5}), (b"{}", {})]
    assert read_items(b'{"a": [1]}') == [(b'{"a": [1]}', {"a": [1]})]
    assert read_items(b"[]") == []


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"3", b"[1]", b"[{}, null]", b"\xff", b"[" * 9000])
def test_an_answer_that_is_no_list_of_objects_shows_nothing(body: bytes) -> None:
    with pytest.raises(NoItems):
        read_items(body)


# What counts as found


def test_the_same_is_found() -> None:
    assert judged({"id": "j"}, SAME) == Judgement(finding=Finding.EQUAL, found=(as_bytes(SAME),))


@pytest.mark.parametrize(
    "change",
    [
        {"from": "2026-01-01T01:00:00+01:00"},
        {"from": "2026-01-01T00:00:00.000"},
        {"from": "2026-01-01"},
        {"tags": ["y", "x"]},
        {"more": None},
    ],
)
def test_the_same_moment_and_the_same_set_are_the_same(change: dict[str, Any]) -> None:
    assert judged({**SAME, **change}).finding is Finding.EQUAL


def test_what_is_not_shown_is_no_difference() -> None:
    assert judged({"id": "k"}).finding is Finding.EQUAL


@pytest.mark.parametrize(
    ("change", "differences"),
    [
        ({"name": "b"}, ("/name",)),
        ({"name": None}, ("/name",)),
        ({"from": "2026-01-01T00:00:01Z"}, ("/from",)),
        ({"from": "2026-13-01"}, ("/from",)),
        ({"tags": ["x"], "name": 1}, ("/name", "/tags")),
    ],
)
def test_what_has_the_key_and_is_not_what_was_sent_is_different(
    change: dict[str, Any], differences: tuple[str, ...]
) -> None:
    there = {**SAME, **change}
    assert judged(there) == Judgement(
        finding=Finding.DIFFERENT, found=(as_bytes(there),), differences=differences
    )


def test_of_several_that_are_different_the_nearest_is_told() -> None:
    far, near = {**SAME, "name": "b", "tags": []}, {**SAME, "name": "c"}
    assert judged(far, near).found == (as_bytes(near),)


def test_another_with_the_same_key_does_not_hide_the_one_that_is_the_same() -> None:
    assert judged({**SAME, "name": "b"}, SAME).finding is Finding.EQUAL


def test_the_same_twice_is_told() -> None:
    again = {**SAME, "made": 8}
    assert judged(SAME, again) == Judgement(finding=Finding.TWICE, found=(as_bytes(SAME), as_bytes(again)))


def test_what_is_over_is_not_looked_at() -> None:
    assert judged({**SAME, "status": "over"}).finding is Finding.ABSENT
    assert judged({**SAME, "status": "under way"}).finding is Finding.EQUAL


@pytest.mark.parametrize("items", [[], [{}], [{"id": "j", "name": "a"}], [{"id": None}], [{"name": "a"}]])
def test_without_the_key_nothing_is_found(items: list[dict[str, Any]]) -> None:
    assert judged(*items) == Judgement(finding=Finding.ABSENT)


def test_a_part_of_the_key_that_was_not_sent_must_be_absent_there_too() -> None:
    look_up = attrs.evolve(BY_KEY, match={"/id": "/key", "/place/part": "/part"})
    assert judged(SAME, look_up=look_up).finding is Finding.EQUAL
    assert judged({**SAME, "place": {"part": None}}, look_up=look_up).finding is Finding.EQUAL
    assert judged({**SAME, "place": {"part": "p"}}, look_up=look_up).finding is Finding.ABSENT
    assert judged({**SAME, "place": "p"}, look_up=look_up).finding is Finding.EQUAL


def test_without_any_key_an_object_is_known_by_what_it_shows() -> None:
    single = attrs.evolve(BY_KEY, match={})
    assert judged({"name": "a"}, look_up=single).finding is Finding.EQUAL
    assert judged({"name": "b"}, look_up=single).finding is Finding.DIFFERENT
    # It shows nothing of what was sent: it may be anything.
    assert judged({"made": 7}, look_up=single).finding is Finding.ABSENT
    # Nor is a key known that was not sent.
    assert judged({"made": 7}, sent={"name": "a"}).finding is Finding.ABSENT


SEVERAL = attrs.evolve(BY_KEY, each="/all", arguments={})


@pytest.mark.parametrize(
    ("names", "finding", "count"),
    [
        ("ab", Finding.EQUAL, 2),
        ("ba", Finding.EQUAL, 2),
        ("b", Finding.PARTLY, 1),
        ("", Finding.ABSENT, 0),
        ("abb", Finding.TWICE, 2),
        ("aX", Finding.PARTLY, 1),
    ],
)
def test_several_are_there_only_all_together(names: str, finding: Finding, count: int) -> None:
    sent = {"all": [{"key": "a", "name": "a"}, {"key": "b", "name": "b"}]}
    found = judged(*({"id": name, "name": name} for name in names), sent=sent, look_up=SEVERAL)
    assert (found.finding, len(found.found)) == (finding, count)
    if finding is Finding.EQUAL:
        # In the order in which they were sent.
        assert found.found == (as_bytes({"id": "a", "name": "a"}), as_bytes({"id": "b", "name": "b"}))


def test_one_of_several_that_is_different_is_told() -> None:
    sent = {"all": [{"key": "a", "name": "a"}, {"key": "b", "name": "b"}]}
    items = [{"id": "a", "name": "a"}, {"id": "b", "name": "c"}]
    assert judged(*items, sent=sent, look_up=SEVERAL).finding is Finding.DIFFERENT


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "name", "from", "tags"]), inner),
)


@given(st.lists(st.dictionaries(st.sampled_from(["id", "name", "from", "tags", "status"]), json_values)))
def test_nothing_that_is_shown_breaks_the_judgement(items: list[dict[str, Any]]) -> None:
    assert judged(*items).finding in Finding


# When a look decides


@pytest.mark.parametrize(
    ("finding", "early", "late"),
    [
        (Finding.EQUAL, True, True),
        (Finding.TWICE, True, True),
        (Finding.DIFFERENT, False, True),
        (Finding.PARTLY, False, True),
        (Finding.ABSENT, False, True),
        (Finding.FAILED, False, False),
    ],
)
def test_found_may_be_concluded_at_any_time_and_absent_only_when_all_is_quiet(
    finding: Finding, *, early: bool, late: bool
) -> None:
    search = Search(quiet_from=30.0)
    assert search.decides(finding, begun=29.9) is early
    assert search.decides(finding, begun=30.0) is late


def test_after_a_conflict_what_is_different_was_there_before() -> None:
    search = Search(quiet_from=30.0, after_conflict=True)
    assert search.decides(Finding.DIFFERENT, begun=0.0)
    assert not search.decides(Finding.ABSENT, begun=29.9)
    assert not search.decides(Finding.FAILED, begun=99.0)


def test_pauses_between_looks_grow_to_fifteen_seconds() -> None:
    search = Search(quiet_from=0.0)
    pauses: list[float] = []
    for _ in range(7):
        pauses.append(search.pause())
        search = search.next()
    assert pauses == [1, 2, 4, 8, 15, 15, 15]
