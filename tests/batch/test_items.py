"""How an event changes an item."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from seqino.batch.items import Change, Chunk, Facts, Fence, Item, changed
from seqino.batch.states import ItemEvent, State
from seqino.submission import Route


def item(state: State = State.QUEUED, **fields: Any) -> Item:
    made: dict[str, Any] = {
        "id": 1,
        "client_id": "c",
        "business_key": "k",
        "route": Route.DRAFT,
        "sha256": "0" * 64,
        "chunk_id": 7,
        "epoch": 1,
        "created": 1.0,
        "updated": 2.0,
    }
    made |= {"state": state, **fields}
    return Item(**made)


def after(before: Item, event: ItemEvent, **details: Any) -> Item:
    return changed(Change(item=before, event=event, **details), now=100.0)


def test_a_mark_counts_the_attempt_and_names_draft_and_owner() -> None:
    marked = after(item(), ItemEvent.MARKED, facts=Facts(draft_id="d"), fence=Fence(8, 3))
    assert (marked.state, marked.attempt, marked.draft_id) == (State.SENDING, 1, "d")
    assert (marked.chunk_id, marked.epoch, marked.updated) == (8, 3, 100.0)


def test_a_mark_that_was_too_old_counts_no_attempt() -> None:
    late = after(item(State.SENDING, attempt=1, draft_id="d"), ItemEvent.LATE)
    assert (late.state, late.attempt) == (State.DRAFTED, 0)


def test_a_doubt_is_dated_and_never_forgotten() -> None:
    lost = after(item(State.SENDING, draft_id="d", looks=3), ItemEvent.LOST)
    assert (lost.state, lost.ever_unknown, lost.doubt_since, lost.looks) == (State.IN_DOUBT, True, 100.0, 0)
    found = after(lost, ItemEvent.ACCEPTED, facts=Facts(invoice_id="i"))
    assert (found.state, found.ever_unknown, found.invoice_id) == (State.ACCEPTED, True, "i")


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (State.IN_DOUBT, ItemEvent.LOOKED),
        (State.ACCEPTED_UNIDENTIFIED, ItemEvent.LOOKED),
        (State.ACCEPTED_UNIDENTIFIED, ItemEvent.UNIDENTIFIED),
    ],
)
def test_looks_that_decide_nothing_are_counted(state: State, event: ItemEvent) -> None:
    looked = after(item(state, looks=1, doubt_since=5.0), event, pause=4.0)
    assert (looked.looks, looked.not_before, looked.doubt_since) == (2, 104.0, 5.0)


def test_the_answer_that_shows_no_id_is_no_look() -> None:
    assert after(item(State.SENDING), ItemEvent.UNIDENTIFIED).looks == 0


def test_a_pause_ends_with_the_next_event() -> None:
    assert after(item(not_before=50.0), ItemEvent.ADOPTED, fence=Fence(8, 3)).not_before is None


def test_a_web_services_item_is_let_go_and_a_runs_stays_in_its_chunk() -> None:
    assert after(item(State.SENDING), ItemEvent.WITHDRAWN, release=True).chunk_id is None
    of_run = item(State.SENDING, run_id=4)
    assert after(of_run, ItemEvent.WITHDRAWN, release=True).chunk_id == 7
    assert after(item(run_id=4), ItemEvent.MARKED, fence=Fence(8, 3)).chunk_id == 7


def test_an_item_is_never_given_another_draft() -> None:
    with pytest.raises(ValueError, match="never given another"):
        after(item(State.DRAFTED, draft_id="d"), ItemEvent.MARKED, facts=Facts(draft_id="e"))


def test_requests_add_up() -> None:
    assert after(item(requests=2), ItemEvent.POSTPONED, requests=3).requests == 5


def test_a_token_says_what_was_sent_and_when() -> None:
    doubtful = item(State.IN_DOUBT, draft_id="d", attempt=2, doubt_since=50.0)
    token = doubtful.token(operation="validate_draft", base_url="http://s")
    assert (token.parameters, token.attempts) == ({"draft_id": "d"}, 2)
    assert (token.first_sent_at, token.last_sent_at) == (1.0, 50.0)
    undated = attrs.evolve(doubtful, draft_id=None, doubt_since=None)
    told = undated.token(operation="x", base_url="http://s")
    assert (told.parameters, told.last_sent_at) == ({}, 2.0)


def test_no_content_shows_in_a_repr() -> None:
    assert "k" in repr(item())
    assert Chunk(id=1, run_id=2, no=0, epoch=5, owner=None, seen=None, done=False).fence == Fence(1, 5)
