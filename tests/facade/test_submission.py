from __future__ import annotations

import itertools
import random

import attrs
import pytest

from seqino.submission import (
    Action,
    Answered,
    Commit,
    Committed,
    Create,
    Created,
    Done,
    Event,
    Evidence,
    Look,
    Looked,
    Lost,
    NotDone,
    Policy,
    Reading,
    Refused,
    Replace,
    Replaced,
    Route,
    Send,
    State,
    Step,
    TimeUp,
    Validate,
    Verdict,
    next_step,
    read_answer,
    read_draft,
    resume,
    start,
)

ID = "draft-1"
ACCEPTED = Done(verdict=Verdict.ACCEPTED, invoice_id="inv-1", invoice_number="F-1")


def done(verdict: Verdict) -> Done:
    return Done(verdict=verdict)


def answered(reading: Reading, now: float = 0.0) -> Answered:
    named = reading is Reading.ACCEPTED
    return Answered(
        now=now,
        reading=reading,
        invoice_id="inv-1" if named else None,
        invoice_number="F-1" if named else None,
    )


def looked(evidence: Evidence, begun: float = 0.0, *, took: float = 0.0) -> Looked:
    found = evidence is Evidence.CONSUMED
    return Looked(
        begun=begun,
        now=begun + took,
        evidence=evidence,
        invoice_id="inv-1" if found else None,
        invoice_number="F-1" if found else None,
    )


def run(*events: Event, route: Route = Route.DRAFT, policy: Policy | None = None) -> list[Action]:
    """The actions asked for, from the first on."""
    step = start(route, policy=policy)
    actions = [step.action]
    for event in events:
        step = next_step(step.state, event)
        actions.append(step.action)
    return actions


def last(*events: Event, route: Route = Route.DRAFT, policy: Policy | None = None) -> Action:
    return run(*events, route=route, policy=policy)[-1]


READY = (Created(ID), Committed())
"""What precedes the validation."""


def test_a_draft_is_created_committed_validated_and_done() -> None:
    assert run(*READY, answered(Reading.ACCEPTED)) == [Create(), Commit(ID), Validate(ID), ACCEPTED]


def test_nothing_is_validated_before_its_id_is_kept() -> None:
    assert run(Created(ID)) == [Create(), Commit(ID)]


# --- Creating: harmless twice, and only ever before the first validation


@pytest.mark.parametrize("event", [Lost(0), Refused(0), NotDone(0), Created(None), Created(""), TimeUp()])
def test_without_a_draft_nothing_is_submitted(event: Event) -> None:
    assert run(event) == [Create(), done(Verdict.NOT_SUBMITTED)]


def test_time_up_before_the_validation_leaves_only_a_draft() -> None:
    assert last(Created(ID), TimeUp()) == done(Verdict.NOT_SUBMITTED)
    assert last(*READY, TimeUp()) == done(Verdict.NOT_SUBMITTED)
    assert last(*READY, NotDone(0)) == done(Verdict.NOT_SUBMITTED)


# --- A refusal with nothing in doubt before it: one look confirms it


def test_a_first_refusal_is_looked_at_once_and_at_once() -> None:
    assert last(*READY, Refused(7.0)) == Look(ID, 7.0)


@pytest.mark.parametrize(
    ("event", "end"),
    [
        (looked(Evidence.STILL_DRAFT), done(Verdict.REJECTED)),
        (looked(Evidence.CANNOT_TELL), done(Verdict.REJECTED)),
        (looked(Evidence.FAILED), Look(ID, 1.0)),
        (looked(Evidence.FAILED, 29.9), Look(ID, 30.9)),
        (looked(Evidence.FAILED, 30.0), done(Verdict.REJECTED)),
        (looked(Evidence.DENIED), done(Verdict.REJECTED)),
        (TimeUp(), done(Verdict.REJECTED)),
        # A gateway may have repeated the request, or a person have pressed a button.
        (looked(Evidence.CONSUMED), ACCEPTED),
    ],
)
def test_a_first_refusal_stands_unless_the_draft_became_an_invoice(event: Event, end: Action) -> None:
    assert last(*READY, Refused(0), event) == end


def test_a_refusal_is_confirmed_by_a_look_that_succeeds_and_looks_that_fail_are_made_again() -> None:
    failing = (looked(Evidence.FAILED), looked(Evidence.FAILED, 1.0), looked(Evidence.FAILED, 3.0))
    assert run(*READY, Refused(0), *failing)[3:] == [Look(ID, at) for at in (0.0, 1.0, 3.0, 7.0)]
    assert last(*READY, Refused(0), *failing, looked(Evidence.CONSUMED, 7.0)) == ACCEPTED
    assert last(*READY, Refused(0), *failing, looked(Evidence.STILL_DRAFT, 7.0)) == done(Verdict.REJECTED)
    assert last(*READY, Refused(0), *failing, TimeUp()) == done(Verdict.REJECTED)


@pytest.mark.parametrize(
    ("event", "end"),
    [
        (looked(Evidence.STILL_DRAFT), done(Verdict.REJECTED)),
        (looked(Evidence.CANNOT_TELL), done(Verdict.IN_DOUBT)),
        (looked(Evidence.CONSUMED), ACCEPTED),
        (looked(Evidence.FAILED), Look(ID, 1.0)),
        (looked(Evidence.DENIED), done(Verdict.IN_DOUBT)),
        (TimeUp(), done(Verdict.IN_DOUBT)),
    ],
)
def test_a_2xx_that_carries_a_refusal_needs_the_draft_to_confirm_it(event: Event, end: Action) -> None:
    assert last(*READY, answered(Reading.REJECTED, 5.0)) == Look(ID, 5.0)
    assert last(*READY, answered(Reading.REJECTED), event) == end


# --- A 2xx that does not say enough


@pytest.mark.parametrize(
    ("event", "end"),
    [
        (looked(Evidence.CONSUMED), ACCEPTED),
        (looked(Evidence.CANNOT_TELL), done(Verdict.ACCEPTED_UNIDENTIFIED)),
        (looked(Evidence.FAILED), done(Verdict.ACCEPTED_UNIDENTIFIED)),
        (looked(Evidence.DENIED), done(Verdict.ACCEPTED_UNIDENTIFIED)),
        (TimeUp(), done(Verdict.ACCEPTED_UNIDENTIFIED)),
        (looked(Evidence.STILL_DRAFT, 29.9), Look(ID, 30.9)),
        (looked(Evidence.STILL_DRAFT, 30.0), done(Verdict.IN_DOUBT)),
    ],
)
def test_an_invoice_without_id_is_accepted_unless_it_is_a_draft_still(event: Event, end: Action) -> None:
    assert last(*READY, answered(Reading.UNIDENTIFIED)) == Look(ID, 0.0)
    assert last(*READY, answered(Reading.UNIDENTIFIED), event) == end


@pytest.mark.parametrize(
    ("event", "end"),
    [
        (looked(Evidence.CONSUMED, 2.0), ACCEPTED),
        (looked(Evidence.CANNOT_TELL, 2.0), done(Verdict.ACCEPTED_UNIDENTIFIED)),
        (looked(Evidence.FAILED, 2.0), Look(ID, 4.0)),
        (looked(Evidence.FAILED, 99.0), Look(ID, 101.0)),
        (looked(Evidence.DENIED, 2.0), done(Verdict.IN_DOUBT)),
        (looked(Evidence.STILL_DRAFT, 99.0), done(Verdict.IN_DOUBT)),
        (TimeUp(), done(Verdict.IN_DOUBT)),
    ],
)
def test_an_invoice_without_id_that_was_seen_as_a_draft_is_not_accepted_for_want_of_time(
    event: Event, end: Action
) -> None:
    seen = looked(Evidence.STILL_DRAFT, 1.0)
    assert last(*READY, answered(Reading.UNIDENTIFIED), seen, event) == end


@pytest.mark.parametrize(
    ("event", "end"),
    [
        (looked(Evidence.CONSUMED), ACCEPTED),
        (looked(Evidence.CANNOT_TELL, 30.0), done(Verdict.IN_DOUBT)),
        (looked(Evidence.STILL_DRAFT, 30.0), done(Verdict.IN_DOUBT)),
        (looked(Evidence.STILL_DRAFT, 3.0), Look(ID, 4.0)),
        (looked(Evidence.FAILED, 30.0), Look(ID, 31.0)),
        (looked(Evidence.DENIED), done(Verdict.IN_DOUBT)),
        (TimeUp(), done(Verdict.IN_DOUBT)),
    ],
)
def test_an_unclear_status_is_in_doubt_until_the_draft_shows_an_invoice(event: Event, end: Action) -> None:
    assert last(*READY, answered(Reading.UNCLEAR), event) == end


# --- A validation whose end is unclear


def test_looks_follow_a_lost_reply_at_growing_pauses() -> None:
    events: list[Event] = [*READY, Lost(100.0)]
    times: list[float] = []
    for _ in range(8):
        action = last(*events, policy=Policy(settle=1000))
        assert isinstance(action, Look)
        times.append(action.at)
        events.append(looked(Evidence.FAILED, action.at))
    pauses = [after - before for before, after in itertools.pairwise([100.0, *times])]
    assert pauses == [1, 2, 4, 8, 15, 15, 15, 15]


def test_a_pause_begins_when_the_look_before_it_ended() -> None:
    assert last(*READY, Lost(0), looked(Evidence.FAILED, 1.0, took=3.0)) == Look(ID, 6.0)


def test_an_invoice_found_ends_the_doubt_at_any_time() -> None:
    assert last(*READY, Lost(0), looked(Evidence.CONSUMED, 1.0)) == ACCEPTED


@pytest.mark.parametrize("evidence", [Evidence.STILL_DRAFT, Evidence.CANNOT_TELL, Evidence.FAILED])
def test_nothing_else_is_concluded_before_everything_has_settled(evidence: Evidence) -> None:
    # Begun too early, although it ends late enough.
    assert last(*READY, Lost(100.0), looked(evidence, 129.9, took=5.0)) == Look(ID, 136.9)


def test_a_failed_look_is_never_a_no() -> None:
    assert last(*READY, Lost(0), looked(Evidence.FAILED, 999.0)) == Look(ID, 1001.0)


def test_a_look_that_is_denied_ends_the_looking_and_not_the_doubt() -> None:
    assert last(*READY, Lost(0), looked(Evidence.DENIED, 1.0)) == done(Verdict.IN_DOUBT)
    # Nor is what nobody may look at validated again.
    sure = Policy(revalidate=True)
    assert last(*READY, Lost(0), looked(Evidence.DENIED, 99.0), policy=sure) == done(Verdict.IN_DOUBT)


def test_a_draft_still_is_validated_again_once_nothing_is_under_way() -> None:
    again = (*READY, Lost(0), looked(Evidence.STILL_DRAFT, 30.0))
    assert last(*again) == Validate(ID)
    assert last(*again, answered(Reading.ACCEPTED, 31.0)) == ACCEPTED


def test_what_cannot_be_told_stays_in_doubt_unless_the_server_is_known_to_refuse_a_second() -> None:
    events = (*READY, Lost(0), looked(Evidence.CANNOT_TELL, 30.0))
    assert last(*events) == done(Verdict.IN_DOUBT)
    assert last(*events, policy=Policy(revalidate=True)) == Validate(ID)


@pytest.mark.parametrize("refusal", [Refused(0), answered(Reading.REJECTED, 0)])
def test_a_refusal_beside_which_the_draft_shows_an_invoice_is_none(refusal: Event) -> None:
    assert last(*READY, refusal, looked(Evidence.CONTRARY, 0)) == done(Verdict.IN_DOUBT)


def test_a_draft_that_shows_an_invoice_is_not_validated_again() -> None:
    events = (*READY, Lost(0), looked(Evidence.CONTRARY, 30.0))
    assert last(*events, policy=Policy(revalidate=True)) == done(Verdict.IN_DOUBT)


AGAIN = (*READY, Lost(0), looked(Evidence.STILL_DRAFT, 30.0))
"""Validated a second time after a first end that was unclear."""


@pytest.mark.parametrize("refusal", [Refused(31.0), answered(Reading.REJECTED, 31.0)])
@pytest.mark.parametrize(
    ("event", "end"),
    [
        (looked(Evidence.CONSUMED, 31.0), ACCEPTED),
        (looked(Evidence.STILL_DRAFT, 31.0), done(Verdict.IN_DOUBT)),
        (looked(Evidence.STILL_DRAFT, 99.0), done(Verdict.IN_DOUBT)),
        (looked(Evidence.CANNOT_TELL, 31.0), done(Verdict.IN_DOUBT)),
        (looked(Evidence.FAILED, 31.0), Look(ID, 32.0)),
        (TimeUp(), done(Verdict.IN_DOUBT)),
    ],
)
def test_a_refusal_after_a_doubt_proves_nothing(refusal: Event, event: Event, end: Action) -> None:
    assert last(*AGAIN, refusal) == Look(ID, 31.0)
    assert last(*AGAIN, refusal, event) == end


def test_a_second_lost_reply_starts_the_wait_anew() -> None:
    assert last(*AGAIN, Lost(40.0)) == Look(ID, 41.0)
    assert last(*AGAIN, Lost(40.0), looked(Evidence.STILL_DRAFT, 69.0)) == Look(ID, 71.0)
    assert last(*AGAIN, Lost(40.0), looked(Evidence.STILL_DRAFT, 70.0)) == Validate(ID)


def test_a_second_attempt_that_never_left_keeps_the_doubt() -> None:
    assert last(*AGAIN, NotDone(40.0)) == Look(ID, 41.0)
    assert last(*AGAIN, TimeUp()) == done(Verdict.IN_DOUBT)
    assert last(*READY, Lost(0), TimeUp()) == done(Verdict.IN_DOUBT)


def test_a_submission_in_doubt_is_taken_up_with_a_look_and_the_whole_wait() -> None:
    step = resume(ID, now=1000.0)
    assert step.action == Look(ID, 1000.0)
    assert next_step(step.state, looked(Evidence.CONSUMED, 1000.0)).action == ACCEPTED
    assert next_step(step.state, looked(Evidence.STILL_DRAFT, 1029.0)).action == Look(ID, 1030.0)
    assert next_step(step.state, looked(Evidence.STILL_DRAFT, 1030.0)).action == Validate(ID)
    patient = resume(ID, now=0.0, policy=Policy(settle=90))
    assert next_step(patient.state, looked(Evidence.STILL_DRAFT, 89.0)).action == Look(ID, 90.0)


@pytest.mark.parametrize(
    "event", [Refused(60.0), NotDone(60.0), Lost(60.0), TimeUp(), answered(Reading.REJECTED, 60.0)]
)
def test_what_was_in_doubt_before_is_in_doubt_after_a_refusal_too(event: Event) -> None:
    step = next_step(resume(ID, now=0.0).state, looked(Evidence.STILL_DRAFT, 30.0))
    step = next_step(step.state, event)
    assert step.state.is_in_doubt
    if not isinstance(event, TimeUp):
        assert isinstance(step.action, Look)
        step = next_step(step.state, TimeUp())
    assert step.action == done(Verdict.IN_DOUBT)


def test_only_what_may_have_become_an_invoice_is_in_doubt() -> None:
    step = start(Route.DRAFT)
    for event in (Created(ID), Committed()):
        assert not step.state.is_in_doubt
        step = next_step(step.state, event)
    assert not next_step(step.state, Refused(0)).state.is_in_doubt
    assert next_step(step.state, Lost(0)).state.is_in_doubt
    assert next_step(step.state, answered(Reading.UNCLEAR)).state.is_in_doubt
    lost_then_refused = next_step(resume(ID, now=0.0).state, looked(Evidence.STILL_DRAFT, 30.0))
    assert next_step(lost_then_refused.state, Refused(60.0)).state.is_in_doubt


# --- Files


@pytest.mark.parametrize(
    ("event", "end"),
    [
        (answered(Reading.ACCEPTED), ACCEPTED),
        (answered(Reading.UNIDENTIFIED), done(Verdict.ACCEPTED_UNIDENTIFIED)),
        (answered(Reading.REJECTED), done(Verdict.REJECTED)),
        (answered(Reading.UNCLEAR), done(Verdict.IN_DOUBT)),
        (Refused(0), done(Verdict.REJECTED)),
        (NotDone(0), done(Verdict.NOT_SUBMITTED)),
        (TimeUp(), done(Verdict.NOT_SUBMITTED)),
        (Lost(0), done(Verdict.IN_DOUBT)),
    ],
)
def test_a_file_is_sent_once_whatever_happens(event: Event, end: Action) -> None:
    assert run(event, route=Route.FILE) == [Send(), end]


# --- A draft that may hold another content


def replacing(*events: Event) -> Action:
    step = resume(ID, now=0.0, quiet_from=0.0, may_differ=True)
    for event in (looked(Evidence.STILL_DRAFT), *events):
        step = next_step(step.state, event)
    return step.action


def test_a_draft_that_may_hold_another_content_is_replaced_before_it_is_validated() -> None:
    assert replacing() == Replace(ID)
    assert replacing(Replaced()) == Validate(ID)
    # Once.
    again = replacing(Replaced(), Lost(0.0), looked(Evidence.STILL_DRAFT, 30.0))
    assert again == Validate(ID)


@pytest.mark.parametrize("event", [Refused(0), Lost(0), NotDone(0), TimeUp()])
def test_a_draft_that_cannot_be_replaced_is_in_doubt(event: Event) -> None:
    assert replacing(event) == done(Verdict.IN_DOUBT)


def test_nothing_else_can_follow_a_replacement() -> None:
    with pytest.raises(ValueError, match="cannot happen"):
        replacing(looked(Evidence.CONSUMED))


# --- All ways through


SPARE = [
    Created(ID),
    Created(None),
    Committed(),
    Replaced(),
    *(answered(reading) for reading in Reading),
    Refused(0),
    NotDone(0),
    Lost(0),
    looked(Evidence.FAILED),
    TimeUp(),
]


@pytest.mark.parametrize(
    ("before", "route", "fitting"),
    [
        ((), Route.DRAFT, (Created, Lost, Refused, NotDone, TimeUp)),
        ((Created(ID),), Route.DRAFT, (Committed, TimeUp)),
        (READY, Route.DRAFT, (Answered, Refused, NotDone, Lost, TimeUp)),
        ((*READY, Lost(0)), Route.DRAFT, (Looked, TimeUp)),
        ((), Route.FILE, (Answered, Refused, NotDone, Lost, TimeUp)),
    ],
)
@pytest.mark.parametrize("event", SPARE)
def test_an_event_that_cannot_follow_is_an_error(
    before: tuple[Event, ...], route: Route, fitting: tuple[type[Event], ...], event: Event
) -> None:
    if isinstance(event, fitting):
        assert last(*before, event, route=route) is not None
    else:
        with pytest.raises(ValueError, match="cannot happen"):
            last(*before, event, route=route)


def possible(step: Step, now: float) -> list[Event]:
    match step.action:
        case Create():
            return [Created(ID), Created(None), Lost(now), Refused(now), NotDone(now), TimeUp()]
        case Commit():
            return [Committed(), TimeUp()]
        case Replace():
            return [Replaced(), Lost(now), Refused(now), NotDone(now), TimeUp()]
        case Validate() | Send():
            answers = [answered(reading, now) for reading in Reading]
            return [*answers, Refused(now), NotDone(now), Lost(now), TimeUp()]
        case Look(_, at):
            return [*(looked(evidence, max(at, now), took=1.0) for evidence in Evidence), TimeUp()]
        case Done():
            return []


@pytest.mark.parametrize("revalidate", [False, True])
def test_no_way_through_sends_twice_or_guesses(*, revalidate: bool) -> None:
    rng = random.Random(20260901)  # noqa: S311 - repeatable on purpose
    policy = Policy(revalidate=revalidate)
    ends: set[Verdict] = set()
    for _ in range(20_000):
        step, now, events = start(Route.DRAFT, policy=policy), 0.0, list[Event]()
        while not isinstance(step.action, Done):
            now += rng.choice([0.0, 0.5, 10.0, 40.0])
            event = rng.choice(possible(step, now))
            if isinstance(event, Looked):
                now = event.now
            events.append(event)
            before = step
            step = next_step(step.state, event)
            check_step(before, event, step)
        ends.add(step.action.verdict)
        check_end(step.action, step.state, events)
    assert ends == set(Verdict)


def check_step(before: Step, event: Event, step: Step) -> None:
    if isinstance(step.action, Create):
        assert step.state.sends == 0, "a second draft of what was once validated would be a second invoice"
    if isinstance(step.action, Validate) and before.state.sends:
        assert isinstance(event, Looked)
        assert event.evidence in (Evidence.STILL_DRAFT, Evidence.CANNOT_TELL)
        assert event.evidence is Evidence.STILL_DRAFT or step.state.policy.revalidate
        assert event.begun >= before.state.quiet_from


def check_end(end: Done, state: State, events: list[Event]) -> None:
    unclear = (
        any(isinstance(event, Lost) for event in events[events.index(Committed()) :])
        if state.sends
        else False
    )
    said = [event for event in events if isinstance(event, (Answered, Looked)) and event.invoice_id]
    if end.verdict is Verdict.ACCEPTED:
        assert said
        assert end.invoice_id == "inv-1"
    else:
        assert not said
        assert end.invoice_id is None
    if end.verdict in (Verdict.REJECTED, Verdict.NOT_SUBMITTED):
        assert not unclear
    assert state.ever_unknown == unclear


def test_states_and_actions_cannot_be_changed() -> None:
    step = start(Route.DRAFT)
    for value, field in ((step, "action"), (step.state, "sends"), (Validate(ID), "draft_id")):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(value, field, None)


# --- Readings


@pytest.mark.parametrize("status", [None, "submitted", "validated", "processed"])
def test_a_success_with_an_id_is_acceptance_and_without_one_unidentified(status: str | None) -> None:
    assert read_answer(invoice_id="inv-1", status=status) is Reading.ACCEPTED
    assert read_answer(invoice_id="inv-1", status=status, errors=[]) is Reading.ACCEPTED
    assert read_answer(invoice_id=None, status=status) is Reading.UNIDENTIFIED
    assert read_answer(invoice_id="", status=status) is Reading.UNIDENTIFIED


@pytest.mark.parametrize("invoice_id", [None, "inv-1"])
def test_a_refusal_is_read_before_anything_else(invoice_id: str | None) -> None:
    assert read_answer(invoice_id=invoice_id, status="rejected") is Reading.REJECTED
    assert read_answer(invoice_id=invoice_id, status="submitted", errors=["BR-CO-13"]) is Reading.REJECTED
    assert read_answer(invoice_id=invoice_id, status=None, errors=["BR-CO-13"]) is Reading.REJECTED


@pytest.mark.parametrize("invoice_id", [None, "inv-1"])
@pytest.mark.parametrize("status", ["draft", "teleported", "", "SUBMITTED"])
def test_any_other_status_is_unclear(invoice_id: str | None, status: str) -> None:
    assert read_answer(invoice_id=invoice_id, status=status) is Reading.UNCLEAR


@pytest.mark.parametrize(
    ("invoice_id", "status", "evidence"),
    [
        ("inv-1", "submitted", Evidence.CONSUMED),
        ("inv-1", None, Evidence.CONSUMED),
        (None, "draft", Evidence.STILL_DRAFT),
        ("", "draft", Evidence.STILL_DRAFT),
        ("inv-1", "draft", Evidence.CONTRARY),
        ("inv-1", "deposited", Evidence.CONTRARY),
        ("inv-1", "rejected", Evidence.CANNOT_TELL),
        (None, None, Evidence.CANNOT_TELL),
        (None, "submitted", Evidence.CONTRARY),
        (None, "teleported", Evidence.CANNOT_TELL),
    ],
)
def test_what_a_draft_shows(invoice_id: str | None, status: str | None, evidence: Evidence) -> None:
    assert read_draft(invoice_id=invoice_id, status=status) is evidence
