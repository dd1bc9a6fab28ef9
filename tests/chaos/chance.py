"""What a world is like, and everything that can go wrong between a call and the platform, drawn from a seed.

What it rests on is what the SDK rests on: a draft becomes an invoice once; an answer that means "nothing was
done" is true of the request it answers; what left has its effect within the settle time or never.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from seqino._core.outcome import FaultKind
from seqino._core.transport import Answer, Broken

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

__all__ = ["SURE_REFUSALS", "Kind", "Plan", "Shows", "Traits", "answer", "draw_traits", "plan_exchange"]

Kind: TypeAlias = Literal["create", "validate", "upload", "make", "remove", "look"]
"""What a request does: a draft, an invoice of a draft or of a file, something else, its removal, nothing."""

Shows: TypeAlias = Literal["all", "id", "status", "nothing", "gone"]
"""What a look at a consumed draft shows."""

Ending: TypeAlias = Literal["never", "done", "late"]
"""Whether a request whose answer is unclear has its effect: before the answer, or up to 20 s later."""

_ENDINGS: tuple[Ending, ...] = ("never", "done", "late")

SURE_REFUSALS = (409, 200)
"""Answers to a second validation that cannot be taken for a refusal of the invoice."""


@attrs.frozen(kw_only=True)
class Traits:
    """What one world is like.

    Args:
        creating: Share of faults where drafts are created.
        sending: Share of faults where an invoice, or what else is created, could come of it.
        looking: Share of faults where something is read.
        shows: What a look at a consumed draft shows.
        consumed: The status that answers a second validation.
        refuses: How the invoice itself is refused, or ``None`` where it is good.
        gateway: Whether a gateway repeats requests whose answer it lost.
        stale: For how many seconds looks lag behind.
        answer: What an accepting answer holds.
        hollow: Whether a 2xx that says nothing may come of no effect at all.
        timeout: Seconds that a submission may take.
        max_retries: As for a client.
        revalidate: As in ``Policy``.
        items: How many are under way at a time.
        most: As ``max_concurrency`` of a client.
        rate: As ``requests_per_second`` of a client.
        ticking: Whether everything happens at eighths of a second, so that much happens at one moment.
    """

    creating: float
    sending: float
    looking: float
    shows: Shows
    consumed: int
    refuses: int | Literal["rejected", "errors"] | None
    gateway: bool
    stale: float
    answer: Literal["full", "id", "status", "empty", "no content"]
    hollow: bool
    timeout: float
    max_retries: int
    revalidate: bool
    items: int
    most: int | None
    rate: float | None
    ticking: bool


_RATES = (0.0, 0.05, 0.15, 0.3, 0.5, 0.8, 1.0)


def draw_traits(rng: random.Random) -> Traits:
    """Draw a world in which everything can be told that an SDK could be asked to tell."""
    shows: Shows = rng.choice(("all", "all", "all", "id", "status", "nothing", "gone"))
    consumed = rng.choice((409, 409, 400, 404, 410, 422, 200))
    looking = rng.choice(_RATES)
    hollow = shows == "all" and rng.random() < 0.2
    if hollow:
        # What says nothing and did nothing is told apart by a look alone.
        looking = 0.0
    return Traits(
        creating=rng.choice(_RATES[:-1]),
        sending=rng.choice(_RATES),
        looking=looking,
        shows=shows,
        consumed=consumed,
        refuses=rng.choice((422, 400, 403, "rejected", "errors")) if rng.random() < 0.15 else None,
        gateway=rng.random() < 0.3,
        stale=rng.uniform(0.5, 8.0) if rng.random() < 0.25 else 0.0,
        answer=rng.choice(("full", "full", "id", "status", "empty", "no content")),
        hollow=hollow,
        timeout=rng.choice((3.0, 10.0, 25.0, 60.0, 60.0, 60.0, 180.0, 600.0)),
        max_retries=rng.choice((0, 1, 3, 3, 3)),
        revalidate=rng.random() < 0.3,
        items=rng.choice((1, 1, 1, 1, 1, 2, 4)),
        most=rng.choice((None, None, None, 1, 2, 100)),
        rate=rng.choice((None, None, None, 0.5, 4.0, 1000.0)),
        ticking=rng.random() < 0.25,
    )


@attrs.frozen(kw_only=True)
class Plan:
    """How one exchange goes; times in seconds after the request left.

    Args:
        connecting: Seconds before the request leaves.
        unsent: Why it never leaves; a timeout is waited for.
        effect: When it has its effect, or ``None`` for never.
        repeats: Whether a gateway sends it once more after that.
        reply: What comes back; ``natural`` is the platform's own answer, ``None`` nothing.
        after: When it comes back.
        name: What this is, for a trace.
    """

    connecting: float
    unsent: FaultKind | None = None
    effect: float | None = None
    repeats: bool = False
    reply: Answer | Broken | Literal["natural"] | None = "natural"
    after: float = 0.0
    name: str = "natural"

    def at_eighths(self) -> Plan:
        """The same with all times at eighths of a second, the effect no later than it was."""
        effect = None if self.effect is None else math.floor(self.effect * 8) / 8
        connecting, after = math.ceil(self.connecting * 8) / 8, math.ceil(self.after * 8) / 8
        return attrs.evolve(self, effect=effect, connecting=connecting, after=after)


_UNSENT = (
    FaultKind.UNREACHABLE,
    FaultKind.UNREACHABLE,
    FaultKind.TIMED_OUT,
    FaultKind.INSECURE,
    FaultKind.UNUSABLE,
)
_LOST = (
    FaultKind.DISCONNECTED,
    FaultKind.DISCONNECTED,
    FaultKind.BROKEN_ANSWER,
    FaultKind.TIMED_OUT,
    FaultKind.TOO_LARGE,
    # A middleware of the caller that sent, and failed to connect afterwards.
    FaultKind.UNREACHABLE,
)
_UNCLEAR = (408, 409, 425, 500, 500, 502, 503, 503, 504, 504, 599, 301, 302, 303, 307, 308)
_TURNED_AWAY = (400, 401, 403, 404, 413, 422, 431, 451)
_PAUSES = ("", "0", "0.5", "2", "7", "45", "300", "NaN", "-1", "Wed, 21 Oct 2026 07:28:00 GMT")
_GARBLED = (b"", b"<html>ok</html>", b'{"invoice_id": 5}', b'{"draft_id', b"null", b"[]", b"\xff\xfe{}")
_REJECTIONS: tuple[Mapping[str, Any], ...] = (
    {"status": "rejected"},
    {"errors": [{"message": "no"}]},
    {"status": "draft", "errors": [{}]},
)
_EMPTY: tuple[Mapping[str, Any], ...] = ({}, {"status": "submitted"}, {"warnings": []})
_UNSETTLED: tuple[Mapping[str, Any], ...] = (
    {"status": "draft"},
    {"status": "sleeping", "invoice_id": "inv-?"},
    {"status": "on_hold"},
)

_JSON = {"Content-Type": "application/json"}


def answer(status: int, content: Any = None) -> Answer:
    """A complete answer; bytes as they are, ``None`` for no body."""
    body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
    return Answer(status=status, headers=_JSON, body=body)


def _pausing(status: int, rng: random.Random) -> Answer:
    told = rng.choice(_PAUSES)
    headers = {"Retry-After": told} if told else {}
    return Answer(status=status, headers=headers, body=b'{"error":"busy","code":1,"trace_id":"t-1"}')


def plan_exchange(rng: random.Random, traits: Traits, *, kind: Kind) -> Plan:
    """Draw how an exchange of a kind goes."""
    plan = _draw_exchange(rng, traits, kind)
    return plan.at_eighths() if traits.ticking else plan


def _draw_exchange(rng: random.Random, traits: Traits, kind: Kind) -> Plan:
    rate = {"create": traits.creating, "look": traits.looking}.get(kind, traits.sending)
    connecting = rng.uniform(0.001, 0.2)
    effect = rng.uniform(0.01, 0.5)
    if rng.random() >= rate:
        # A repeated upload makes two invoices, and no client could know.
        repeats = traits.gateway and kind in ("create", "validate") and rng.random() < 0.5
        after = effect + rng.uniform(0.01, 0.5)
        return Plan(connecting=connecting, effect=effect, repeats=repeats, after=after + repeats)
    return _FAULTS[rng.randrange(len(_FAULTS))](rng, traits, kind, connecting)


def _never_sent(rng: random.Random, _traits: Traits, _kind: Kind, connecting: float) -> Plan:
    unsent = rng.choice(_UNSENT)
    return Plan(connecting=connecting, unsent=unsent, name=f"unsent {unsent}")


def _ended(
    rng: random.Random, reply: Answer | Broken, connecting: float, name: str, *, ending: Ending | None = None
) -> Plan:
    """An answer, or none, that leaves open whether the effect comes, and when."""
    drawn = ending if ending is not None else rng.choice(_ENDINGS)
    after = rng.uniform(0.01, 3.0)
    times: Mapping[Ending, float | None] = {
        "never": None,
        "done": after * rng.random(),
        "late": after + rng.uniform(0.01, 20.0),
    }
    return Plan(connecting=connecting, effect=times[drawn], reply=reply, after=after, name=f"{name} {drawn}")


def _lost(rng: random.Random, _traits: Traits, _kind: Kind, connecting: float) -> Plan:
    fault = rng.choice(_LOST)
    return _ended(rng, Broken(kind=fault, detail="drawn"), connecting, fault)


def _hung(rng: random.Random, _traits: Traits, _kind: Kind, connecting: float) -> Plan:
    effect = rng.uniform(0.01, 20.0) if rng.random() < 0.6 else None
    return Plan(connecting=connecting, effect=effect, reply=None, name=f"hang {effect}")


def _unclear(rng: random.Random, _traits: Traits, _kind: Kind, connecting: float) -> Plan:
    status = rng.choice(_UNCLEAR)
    return _ended(rng, _pausing(status, rng), connecting, str(status))


def _turned_away(rng: random.Random, _traits: Traits, kind: Kind, connecting: float) -> Plan:
    # Of what was to be removed, 404 says that it is gone.
    status = rng.choice(_TURNED_AWAY if kind != "remove" else (401, 403, 422))
    reply = _pausing(status, rng) if status == 413 else answer(status, {"error": "no", "code": status})
    return Plan(
        connecting=connecting, reply=reply, after=rng.uniform(0.01, 3.0), name=f"{status} turned away"
    )


def _throttled(rng: random.Random, _traits: Traits, _kind: Kind, connecting: float) -> Plan:
    return Plan(connecting=connecting, reply=_pausing(429, rng), after=rng.uniform(0.01, 1.0), name="429")


def _odd(rng: random.Random, traits: Traits, kind: Kind, connecting: float) -> Plan:
    """A 2xx that is not what it seems."""
    if kind == "remove":
        # It has no body that could be wrong.
        return _unclear(rng, traits, kind, connecting)
    sort = rng.randrange(4) if kind in ("validate", "upload") else 0
    if sort == 3 and (traits.refuses is None or (traits.hollow and kind == "validate")):
        may_lie = traits.hollow and kind == "validate"
        endings: tuple[Ending, ...] = ("never", "done", "late") if may_lie else ("done", "late")
        return _ended(rng, _odd_answer(rng, kind, _EMPTY), connecting, "hollow", ending=rng.choice(endings))
    if sort == 2:
        # That it says so and did it all the same is seen only where looks exist and are up to date.
        paradox = kind == "validate" and not traits.stale and rng.random() < 0.5
        reply = _odd_answer(rng, kind, _REJECTIONS)
        return _ended(rng, reply, connecting, "rejection", ending="done" if paradox else "never")
    if sort == 1:
        return _ended(rng, _odd_answer(rng, kind, _UNSETTLED), connecting, "unsettled")
    return _ended(rng, answer(rng.choice((200, 201, 202)), rng.choice(_GARBLED)), connecting, "garbled")


def _odd_answer(rng: random.Random, kind: Kind, fields: tuple[Mapping[str, Any], ...]) -> Answer:
    drawn = rng.choice(fields)
    if kind == "validate":
        return answer(200, drawn)
    # An upload's answer is described with all of these.
    upload = {"invoice_id": "", "status": "submitted", "file_name": "f", "file_size": 1}
    shown = {**upload, **drawn}
    return answer(201, {**shown, "status": "rejected"} if drawn.get("errors") else shown)


_Fault: TypeAlias = "Callable[[random.Random, Traits, Kind, float], Plan]"

_FAULTS: tuple[_Fault, ...] = (
    _never_sent,
    _lost,
    _lost,
    _hung,
    _unclear,
    _unclear,
    _turned_away,
    _throttled,
    _odd,
)
