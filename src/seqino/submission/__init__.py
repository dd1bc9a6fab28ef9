"""One invoice, sent once: a step machine without I/O. Pure.

::

    draft:  create ─► commit ─► validate ─► done
                                  ▲  │
                                  │  └ any doubt ─► look ─► … ─► done
                                  └ a draft still, and nothing of ours under way: replaced first, where it
                                    may hold another content

    file:   send ─► done

The platform has no idempotency key, but a draft can become an invoice only once: the draft is the key. It is
created first (twice does no harm, so the call itself repeats that), its id is kept, and only that id is ever
validated. After a validation with an unclear end no HTTP status tells whether it worked; only what the draft
itself shows does.

Whoever drives it performs each action and tells the machine what happened::

    step = start(Route.DRAFT)
    while not isinstance(step.action, Done):
        step = next_step(step.state, perform(step.action))
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from seqino.submission.actions import (
    Action,
    Commit,
    Create,
    Done,
    Look,
    Policy,
    Replace,
    Route,
    Send,
    Validate,
)
from seqino.submission.evidence import (
    Answered,
    Committed,
    Created,
    Event,
    Evidence,
    Looked,
    Lost,
    NotDone,
    Reading,
    Refused,
    Replaced,
    Submission,
    TimeUp,
    Verdict,
    read_answer,
    read_draft,
)

__all__ = [
    "Action",
    "Answered",
    "Commit",
    "Committed",
    "Create",
    "Created",
    "Done",
    "Event",
    "Evidence",
    "Look",
    "Looked",
    "Lost",
    "NotDone",
    "Policy",
    "Reading",
    "Refused",
    "Replace",
    "Replaced",
    "Route",
    "Send",
    "State",
    "Step",
    "Submission",
    "TimeUp",
    "Validate",
    "Verdict",
    "next_step",
    "read_answer",
    "read_draft",
    "resume",
    "start",
    "take_up",
]


class _Doubt(StrEnum):
    """Why the draft is looked at."""

    LOST = "lost"
    REFUSED = "refused"
    """An error status."""
    REJECTED = "rejected"
    """A 2xx that carries a refusal."""
    UNCLEAR = "unclear"
    UNIDENTIFIED = "unidentified"
    CONTRADICTED = "contradicted"
    """Unidentified, and a look shows a draft still."""
    REPLACING = "replacing"
    """It is a draft still, and is given its content before it is validated."""


@attrs.frozen(kw_only=True)
class State:
    """Where a submission stands: all that the next step depends on."""

    route: Route
    policy: Policy
    draft_id: str = ""
    sends: int = 0
    """How often it was sent where an invoice could come of it."""
    ever_unknown: bool = False
    """Whether any send had an unclear end: from then on an answer proves nothing, only evidence does."""
    doubt: _Doubt | None = None
    looks: int = 0
    """How many pauses there were between looks since the doubt arose."""
    quiet_from: float = 0.0
    """From when on nothing of ours can be under way."""
    may_differ: bool = False
    """Whether the draft may hold another content than the one that is to become the invoice."""

    @property
    def is_in_doubt(self) -> bool:
        """Whether an invoice may exist that no evidence has shown yet."""
        return self.ever_unknown or self.doubt not in (None, _Doubt.REFUSED)


@attrs.frozen
class Step:
    """What to do next, and the state to come back with."""

    state: State
    action: Action


def start(route: Route, *, policy: Policy | None = None) -> Step:
    """Begin: the first step of a submission."""
    state = State(route=route, policy=policy or Policy())
    return Step(state, Create()) if route is Route.DRAFT else Step(attrs.evolve(state, sends=1), Send())


def take_up(draft_id: str, *, policy: Policy | None = None, ever_unknown: bool = False) -> Step:
    """Begin with a draft that was created before.

    Args:
        draft_id: The draft; nothing that was sent of it can still be under way.
        policy: How long and how often.
        ever_unknown: Whether an earlier send of it had an unclear end.
    """
    state = State(route=Route.DRAFT, policy=policy or Policy(), draft_id=draft_id, ever_unknown=ever_unknown)
    return Step(state, Commit(draft_id))


def resume(
    draft_id: str,
    *,
    now: float,
    policy: Policy | None = None,
    quiet_from: float | None = None,
    unidentified: bool = False,
    may_differ: bool = False,
) -> Step:
    """Take up a submission that ended in doubt, or without an id: look until there is evidence.

    Args:
        draft_id: The draft that was validated with an unclear end.
        now: The driver's clock.
        policy: How long and how often.
        quiet_from: From when on nothing of it can be under way: only looks begun then may conclude that
            nothing came of it. ``policy.settle`` from now on where it is left out.
        unidentified: Whether the platform said that it took the invoice, and showed no id.
        may_differ: Whether the draft may hold another content than the one that is to become the invoice: it
            is replaced before it is validated again.
    """
    state = State(
        route=Route.DRAFT,
        policy=policy or Policy(),
        draft_id=draft_id,
        sends=1,
        ever_unknown=not unidentified,
        may_differ=may_differ,
    )
    doubt = _Doubt.UNIDENTIFIED if unidentified else _Doubt.LOST
    step = _begin_looking(state, doubt, now=now, at_once=True)
    return step if quiet_from is None else Step(attrs.evolve(step.state, quiet_from=quiet_from), step.action)


def next_step(state: State, event: Event) -> Step:
    """Tell what to do after an event.

    Args:
        state: The state of the last step.
        event: What came of its action.

    Raises:
        ValueError: The event cannot follow the last action.
    """
    if state.route is Route.FILE:
        return _sent(state, event)
    if state.doubt is _Doubt.REPLACING:
        return _replaced(state, event)
    if state.doubt is not None:
        return _looked(state, event)
    if state.sends:
        return _validated(state, event)
    return _committed(state, event) if state.draft_id else _created(state, event)


def _impossible(state: State, event: Event) -> ValueError:
    return ValueError(f"{event!r} cannot happen in {state!r}")


def _done(state: State, verdict: Verdict) -> Step:
    return Step(state, Done(verdict=verdict))


def _accepted(state: State, event: Answered | Looked) -> Step:
    done = Done(verdict=Verdict.ACCEPTED, invoice_id=event.invoice_id, invoice_number=event.invoice_number)
    return Step(state, done)


def _created(state: State, event: Event) -> Step:
    match event:
        case Created(draft_id) if draft_id:
            return Step(attrs.evolve(state, draft_id=draft_id), Commit(draft_id))
        case Created() | Lost() | Refused() | NotDone() | TimeUp():
            return _done(state, Verdict.NOT_SUBMITTED)
        case _:
            raise _impossible(state, event)


def _committed(state: State, event: Event) -> Step:
    match event:
        case Committed():
            return _validate(state)
        case TimeUp():
            return _done(state, Verdict.NOT_SUBMITTED)
        case _:
            raise _impossible(state, event)


def _validate(state: State) -> Step:
    if state.may_differ:
        return Step(attrs.evolve(state, doubt=_Doubt.REPLACING), Replace(state.draft_id))
    return Step(attrs.evolve(state, doubt=None, sends=state.sends + 1), Validate(state.draft_id))


def _replaced(state: State, event: Event) -> Step:
    match event:
        case Replaced():
            return _validate(attrs.evolve(state, may_differ=False))
        case Refused() | Lost() | NotDone() | TimeUp():
            return _done(state, Verdict.IN_DOUBT)
        case _:
            raise _impossible(state, event)


_DOUBTS = {
    Reading.REJECTED: _Doubt.REJECTED,
    Reading.UNCLEAR: _Doubt.UNCLEAR,
    Reading.UNIDENTIFIED: _Doubt.UNIDENTIFIED,
}


def _validated(state: State, event: Event) -> Step:
    match event:
        case Answered(reading=Reading.ACCEPTED):
            return _accepted(state, event)
        case Answered():
            return _begin_looking(state, _DOUBTS[event.reading], now=event.now, at_once=True)
        case Refused(now):
            return _begin_looking(state, _Doubt.REFUSED, now=now, at_once=True)
        case Lost(now):
            lost = attrs.evolve(state, ever_unknown=True)
            return _begin_looking(lost, _Doubt.LOST, now=now, at_once=False)
        case NotDone(now) if state.ever_unknown:
            return _begin_looking(state, _Doubt.LOST, now=now, at_once=False)
        case NotDone() | TimeUp():
            return _done(state, Verdict.IN_DOUBT if state.ever_unknown else Verdict.NOT_SUBMITTED)
        case _:
            raise _impossible(state, event)


def _begin_looking(state: State, doubt: _Doubt, *, now: float, at_once: bool) -> Step:
    looking = attrs.evolve(state, doubt=doubt, looks=0, quiet_from=now + state.policy.settle)
    return Step(looking, Look(state.draft_id, now)) if at_once else _look_again(looking, now)


def _look_again(state: State, now: float) -> Step:
    pauses = state.policy.looks
    pause = pauses[min(state.looks, len(pauses) - 1)]
    return Step(attrs.evolve(state, looks=state.looks + 1), Look(state.draft_id, now + pause))


def _looked(state: State, event: Event) -> Step:
    if isinstance(event, TimeUp):
        return _done(state, _without_evidence(state))
    if not isinstance(event, Looked):
        raise _impossible(state, event)
    if event.evidence is Evidence.CONSUMED:
        return _accepted(state, event)
    if event.evidence is Evidence.DENIED:
        # As if the time were over: no look that follows would show anything.
        return _done(state, _without_evidence(state))
    if state.doubt in (_Doubt.LOST, _Doubt.UNCLEAR):
        return _looked_in_doubt(state, event)
    if state.doubt in (_Doubt.UNIDENTIFIED, _Doubt.CONTRADICTED):
        return _looked_for_an_id(state, event)
    return _looked_after_refusal(state, event)


def _without_evidence(state: State) -> Verdict:
    """What remains to be said where no look tells anything."""
    if state.doubt is _Doubt.UNIDENTIFIED:
        return Verdict.ACCEPTED_UNIDENTIFIED
    if state.doubt is _Doubt.REFUSED and not state.ever_unknown:
        return Verdict.REJECTED
    return Verdict.IN_DOUBT


def _is_conclusive(state: State, event: Looked) -> bool:
    """Whether a look that shows no invoice was begun late enough to mean that none is to come."""
    return event.evidence is not Evidence.FAILED and event.begun >= state.quiet_from


def _looked_in_doubt(state: State, event: Looked) -> Step:
    if not _is_conclusive(state, event):
        return _look_again(state, event.now)
    may_revalidate = state.policy.revalidate and event.evidence is not Evidence.CONTRARY
    again = event.evidence is Evidence.STILL_DRAFT or may_revalidate
    if state.doubt is _Doubt.LOST and again:
        return _validate(state)
    return _done(state, Verdict.IN_DOUBT)


def _looked_for_an_id(state: State, event: Looked) -> Step:
    if event.evidence is Evidence.STILL_DRAFT:
        # What contradicts the answer is not forgotten when the next look fails, or the time runs out.
        state = attrs.evolve(state, doubt=_Doubt.CONTRADICTED)
    elif event.evidence is not Evidence.FAILED or state.doubt is _Doubt.UNIDENTIFIED:
        return _done(state, Verdict.ACCEPTED_UNIDENTIFIED)
    return _done(state, Verdict.IN_DOUBT) if _is_conclusive(state, event) else _look_again(state, event.now)


def _looked_after_refusal(state: State, event: Looked) -> Step:
    """Confirm a refusal: a complete answer leaves nothing under way, so that one look is enough.

    Something in between may have lost an acceptance, repeated the request and handed on the refusal of that:
    a look that failed is made again, for as long as one waits after a lost answer; then the refusal stands.
    """
    verdict = _without_evidence(state)
    may_look_again = verdict is Verdict.IN_DOUBT or event.begun < state.quiet_from
    if event.evidence is Evidence.FAILED and may_look_again:
        return _look_again(state, event.now)
    if event.evidence is Evidence.STILL_DRAFT and not state.ever_unknown:
        return _done(state, Verdict.REJECTED)
    return _done(state, Verdict.IN_DOUBT if event.evidence is Evidence.CONTRARY else verdict)


def _sent(state: State, event: Event) -> Step:
    match event:
        case Answered(reading=Reading.ACCEPTED):
            return _accepted(state, event)
        case Answered():
            return _done(state, _FILE_VERDICTS[event.reading])
        case Refused():
            return _done(state, Verdict.REJECTED)
        case Lost():
            return _done(state, Verdict.IN_DOUBT)
        case NotDone() | TimeUp():
            return _done(state, Verdict.NOT_SUBMITTED)
        case _:
            raise _impossible(state, event)


_FILE_VERDICTS = {
    # There is no draft that could contradict it.
    Reading.REJECTED: Verdict.REJECTED,
    Reading.UNCLEAR: Verdict.IN_DOUBT,
    Reading.UNIDENTIFIED: Verdict.ACCEPTED_UNIDENTIFIED,
}
