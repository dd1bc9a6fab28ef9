"""Every state, every event: what an invoice is then, and that nothing leads to a second send."""

from __future__ import annotations

import itertools

import pytest

from seqino.batch.states import DUE, NO_VERDICT, ItemEvent, State, conclusion, next_state
from seqino.submission import Verdict

S, E = State, ItemEvent

EVERY = list(itertools.product(State, ItemEvent, (False, True), (False, True)))
"""State, event, whether there is a draft, whether an end was ever unclear."""

FOLLOWED = (S.ACCEPTED, S.NOT_DELIVERED, S.DUPLICATE, S.EXPIRED)


def outcome(state: State, event: ItemEvent, *, has_draft: bool, ever_unknown: bool) -> State | None:
    try:
        return next_state(state, event, has_draft=has_draft, ever_unknown=ever_unknown)
    except ValueError:
        return None


ALLOWED = {
    # event: (from, to with a draft, to without one), each for an invoice that was never in doubt
    E.ADDED: [(S.QUEUED, S.QUEUED, S.QUEUED), (S.INVALID, S.INVALID, S.INVALID)],
    E.ADOPTED: [(state, state, state) for state in State],
    E.LEFT: [(state, state, state) for state in State],
    E.KEPT: [(S.QUEUED, S.DRAFTED, S.DRAFTED)],
    E.MARKED: [(state, S.SENDING, S.SENDING) for state in (S.QUEUED, S.DRAFTED, S.IN_DOUBT)],
    E.WITHDRAWN: [(S.SENDING, S.DRAFTED, S.QUEUED)],
    E.LATE: [(S.SENDING, S.DRAFTED, S.QUEUED)],
    E.POSTPONED: [(state, state, state) for state in (S.QUEUED, S.DRAFTED, S.CORRECTING)],
    E.LOST: [(state, S.IN_DOUBT, S.PARKED) for state in (S.SENDING, S.CORRECTING)],
    E.TAKEN_OVER: [(S.SENDING, S.IN_DOUBT, S.PARKED)],
    E.RECOVERED: [
        *((state, S.IN_DOUBT, S.PARKED) for state in (S.QUEUED, S.DRAFTED, S.CORRECTING, S.SENDING)),
        *((state, state, state) for state in (S.IN_DOUBT, S.PARKED, S.REJECTED, S.INVALID)),
    ],
    E.REFUSED: [
        *((state, S.REJECTED, S.REJECTED) for state in (S.QUEUED, S.DRAFTED, S.SENDING, S.CORRECTING)),
        (S.IN_DOUBT, S.IN_DOUBT, S.IN_DOUBT),
    ],
    E.ACCEPTED: [
        (state, S.ACCEPTED, S.ACCEPTED)
        for state in State
        if state not in (S.SETTLED, S.DEAD, S.NOT_DELIVERED, S.DUPLICATE, S.EXPIRED)
    ],
    E.UNIDENTIFIED: [
        (state, S.ACCEPTED_UNIDENTIFIED, S.ACCEPTED_UNIDENTIFIED)
        for state in (S.SENDING, S.IN_DOUBT, S.PARKED, S.ACCEPTED_UNIDENTIFIED)
    ],
    E.CONTRADICTED: [(S.ACCEPTED_UNIDENTIFIED, S.IN_DOUBT, S.PARKED)],
    E.LOOKED: [(state, state, state) for state in (S.IN_DOUBT, S.ACCEPTED_UNIDENTIFIED)],
    E.PARKED: [(state, S.PARKED, S.PARKED) for state in (S.IN_DOUBT, S.SENDING)],
    E.REOPENED: [(S.PARKED, S.IN_DOUBT, S.PARKED)],
    E.RESENT: [(state, S.DRAFTED, S.QUEUED) for state in (S.IN_DOUBT, S.PARKED)],
    E.ABSENT: [(state, S.REJECTED, S.REJECTED) for state in (S.IN_DOUBT, S.PARKED)],
    E.CORRECTED: [(state, S.CORRECTING, S.QUEUED) for state in (S.REJECTED, S.INVALID)],
    E.REPLACED: [(S.CORRECTING, S.DRAFTED, S.DRAFTED), (S.IN_DOUBT, S.IN_DOUBT, S.IN_DOUBT)],
    E.NAMED: [(state, state, state) for state in State],
    E.SPOILT: [(S.QUEUED, S.INVALID, S.INVALID)],
    E.UNREADABLE: [(state, state, state) for state in State],
    E.SETTLED: [(state, S.SETTLED, S.SETTLED) for state in FOLLOWED],
    E.DEAD: [(state, S.DEAD, S.DEAD) for state in FOLLOWED],
    E.NOT_DELIVERED: [
        (state, S.NOT_DELIVERED, S.NOT_DELIVERED) for state in (S.ACCEPTED, S.DUPLICATE, S.EXPIRED)
    ],
    E.DUPLICATE: [(state, S.DUPLICATE, S.DUPLICATE) for state in (S.ACCEPTED, S.EXPIRED)],
    E.EXPIRED: [(S.ACCEPTED, S.EXPIRED, S.EXPIRED)],
}


@pytest.mark.parametrize("has_draft", [True, False])
@pytest.mark.parametrize("event", ItemEvent)
def test_each_event_leads_where_the_table_says_and_is_impossible_elsewhere(
    event: ItemEvent, *, has_draft: bool
) -> None:
    expected = {
        source: with_draft if has_draft else without for source, with_draft, without in ALLOWED[event]
    }
    found = {state: outcome(state, event, has_draft=has_draft, ever_unknown=False) for state in State}
    assert found == {state: expected.get(state) for state in State}


@pytest.mark.parametrize("has_draft", [True, False])
@pytest.mark.parametrize(
    ("event", "state", "doubt"),
    [
        (E.WITHDRAWN, S.SENDING, None),
        (E.LATE, S.SENDING, None),
        (E.REFUSED, S.SENDING, None),
        (E.REFUSED, S.QUEUED, None),
        (E.SPOILT, S.QUEUED, S.PARKED),
    ],
)
def test_what_was_ever_in_doubt_stays_in_doubt_where_it_would_go_back(
    event: ItemEvent, state: State, doubt: State | None, *, has_draft: bool
) -> None:
    expected = doubt or (S.IN_DOUBT if has_draft else S.PARKED)
    assert next_state(state, event, has_draft=has_draft, ever_unknown=True) is expected


@pytest.mark.parametrize("has_draft", [True, False])
@pytest.mark.parametrize("event", ItemEvent)
def test_a_doubt_changes_nothing_else(event: ItemEvent, *, has_draft: bool) -> None:
    depends = {E.WITHDRAWN, E.LATE, E.REFUSED, E.SPOILT, E.CORRECTED}
    for state in State:
        before = outcome(state, event, has_draft=has_draft, ever_unknown=False)
        after = outcome(state, event, has_draft=has_draft, ever_unknown=True)
        assert before == after or event in depends


def test_what_was_ever_in_doubt_is_never_corrected() -> None:
    for has_draft in (True, False):
        with pytest.raises(ValueError, match="whose end was ever unclear"):
            next_state(S.REJECTED, E.CORRECTED, has_draft=has_draft, ever_unknown=True)


def test_only_a_mark_makes_an_invoice_one_that_is_being_sent() -> None:
    for state, event, has_draft, ever_unknown in EVERY:
        after = outcome(state, event, has_draft=has_draft, ever_unknown=ever_unknown)
        assert after is not S.SENDING or event is E.MARKED or state is S.SENDING


def test_after_a_doubt_only_a_person_makes_an_invoice_one_to_be_sent_again() -> None:
    for state, event, has_draft, ever_unknown in EVERY:
        after = outcome(state, event, has_draft=has_draft, ever_unknown=ever_unknown)
        if after in DUE and state not in DUE and ever_unknown:
            assert event is E.RESENT


def test_what_the_platform_took_is_never_to_be_sent_again() -> None:
    for state, event, has_draft, ever_unknown in EVERY:
        after = outcome(state, event, has_draft=has_draft, ever_unknown=ever_unknown)
        if state.is_taken and after is not None:
            assert after not in DUE
            assert after is not S.SENDING
            # Only a draft that is a draft still contradicts that it was taken.
            assert after.is_taken or event is E.CONTRADICTED


def test_a_doubt_is_remembered_by_each_event_that_leads_into_one() -> None:
    for state, event, has_draft, _ in EVERY:
        after = outcome(state, event, has_draft=has_draft, ever_unknown=False)
        if after in (S.IN_DOUBT, S.PARKED) and state not in (S.IN_DOUBT, S.PARKED):
            assert event.makes_doubt, (state, event)


def test_states_say_what_they_are() -> None:
    assert {state for state in State if state.is_to_be_sent} == {S.QUEUED, S.DRAFTED, S.CORRECTING}
    assert {state for state in State if state.is_in_doubt} == {S.SENDING, S.IN_DOUBT, S.PARKED}
    assert {state for state in State if state.is_taken} == {
        *(S.ACCEPTED, S.ACCEPTED_UNIDENTIFIED),
        *(S.SETTLED, S.DEAD, S.NOT_DELIVERED, S.DUPLICATE, S.EXPIRED),
    }


# How a submission ends


def concluded(
    verdict: Verdict,
    state: State = S.SENDING,
    *,
    has_draft: bool = True,
    status: int | None = None,
    refused: bool = False,
    late: bool = False,
) -> ItemEvent:
    return conclusion(
        verdict, state=state, has_draft=has_draft, status=status, refused=refused, out_of_time=late
    )


@pytest.mark.parametrize("state", [S.SENDING, S.IN_DOUBT, S.ACCEPTED_UNIDENTIFIED])
def test_evidence_of_an_invoice_makes_it_accepted(state: State) -> None:
    assert concluded(Verdict.ACCEPTED, state) is E.ACCEPTED
    assert concluded(Verdict.ACCEPTED_UNIDENTIFIED, state) is E.UNIDENTIFIED


@pytest.mark.parametrize("status", [400, 404, 422, None])
def test_a_verdict_on_the_invoice_refuses_it(status: int | None) -> None:
    assert concluded(Verdict.REJECTED, status=status, refused=True) is E.REFUSED


@pytest.mark.parametrize("status", sorted(NO_VERDICT))
def test_a_refusal_that_says_nothing_of_the_invoice_leaves_it_to_be_sent(status: int) -> None:
    assert concluded(Verdict.REJECTED, status=status, refused=True) is E.WITHDRAWN
    created = concluded(Verdict.NOT_SUBMITTED, S.QUEUED, has_draft=False, status=status, refused=True)
    assert created is E.POSTPONED


def test_a_404_to_what_names_no_draft_is_about_the_client() -> None:
    assert concluded(Verdict.REJECTED, has_draft=False, status=404, refused=True) is E.WITHDRAWN
    created = concluded(Verdict.NOT_SUBMITTED, S.QUEUED, has_draft=False, status=404, refused=True)
    assert created is E.POSTPONED


def test_a_draft_that_is_refused_when_it_is_created_refuses_the_invoice() -> None:
    created = concluded(Verdict.NOT_SUBMITTED, S.QUEUED, has_draft=False, status=422, refused=True)
    assert created is E.REFUSED


def test_what_did_not_reach_the_platform_is_withdrawn_kept_or_postponed() -> None:
    assert concluded(Verdict.NOT_SUBMITTED, S.SENDING) is E.WITHDRAWN
    assert concluded(Verdict.NOT_SUBMITTED, S.QUEUED) is E.KEPT
    assert concluded(Verdict.NOT_SUBMITTED, S.QUEUED, has_draft=False) is E.POSTPONED
    assert concluded(Verdict.NOT_SUBMITTED, S.DRAFTED) is E.POSTPONED


def test_a_doubt_is_looked_at_again_until_all_was_looked_at() -> None:
    assert concluded(Verdict.IN_DOUBT, S.SENDING, late=True) is E.LOST
    assert concluded(Verdict.IN_DOUBT, S.IN_DOUBT, late=True) is E.LOOKED
    assert concluded(Verdict.IN_DOUBT, S.IN_DOUBT) is E.PARKED
    assert concluded(Verdict.IN_DOUBT, S.SENDING) is E.PARKED
    assert concluded(Verdict.IN_DOUBT, S.ACCEPTED_UNIDENTIFIED) is E.CONTRADICTED


@pytest.mark.parametrize("has_draft", [True, False])
@pytest.mark.parametrize("state", [S.QUEUED, S.DRAFTED, S.SENDING, S.IN_DOUBT, S.ACCEPTED_UNIDENTIFIED])
def test_every_end_that_a_submission_can_have_is_possible(state: State, *, has_draft: bool) -> None:
    ends = {
        S.QUEUED: {Verdict.NOT_SUBMITTED},
        S.DRAFTED: {Verdict.NOT_SUBMITTED},
        S.SENDING: set(Verdict),
        S.IN_DOUBT: {Verdict.ACCEPTED, Verdict.IN_DOUBT, Verdict.ACCEPTED_UNIDENTIFIED},
        S.ACCEPTED_UNIDENTIFIED: {Verdict.ACCEPTED, Verdict.IN_DOUBT, Verdict.ACCEPTED_UNIDENTIFIED},
    }
    for verdict, refused, late in itertools.product(ends[state], (False, True), (False, True)):
        for status in (None, 401, 404, 422, 500):
            event = concluded(verdict, state, has_draft=has_draft, status=status, refused=refused, late=late)
            assert outcome(state, event, has_draft=has_draft, ever_unknown=False) is not None
