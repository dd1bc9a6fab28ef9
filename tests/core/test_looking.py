"""What follows a creation in doubt that can be looked up: looks at a server, and what they settle."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import json
import pickle
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino._core.wire import Body, Effect, LookUp, Operation, Parameter
from seqino.errors import (
    AnswerLost,
    BadRequest,
    CallError,
    ConfigurationError,
    DuplicateDetected,
    InvalidInput,
    OutcomeUnknown,
    ReconcileMismatch,
    ResponseDecodeError,
    ResumeToken,
)
from seqino.options import CallOptions

if TYPE_CHECKING:
    from seqino._core.call import CallEngine
    from tests.core.conftest import Bench, Time

SCOPE = Parameter(name="client_id", wire="X-PDP-Client-Id", location="header", required=True, scope=True)


@attrs.define(kw_only=True)
class Thing:
    key: str
    name: str
    id: str | None = None


@attrs.define(kw_only=True)
class ThingMade:
    key: str
    secret: str


@attrs.define(kw_only=True)
class Things:
    things: list[Thing]


LIST: Operation[list[Thing]] = Operation(
    name="get_things",
    operation_id="get_things",
    tag="things",
    method="GET",
    path="/things",
    effect=Effect.SAFE,
    parameters=(SCOPE, Parameter(name="key", wire="key", location="query")),
    responses={200: list[Thing]},
)
MAKE: Operation[Thing] = Operation(
    name="make_thing",
    operation_id="make_thing",
    tag="things",
    method="POST",
    path="/things",
    effect=Effect.READABLE,
    parameters=(SCOPE,),
    body=Body(kind="json", type=Thing),
    responses={201: Thing},
    look_up=LookUp(
        operation="get_things",
        arguments={"key": "$request.body#/key"},
        match={"/key": "/key"},
        compare={"/name": "/name"},
        advice="Ask for a new one.",
    ),
)
assert MAKE.look_up is not None
MAKE_SEVERAL: Operation[Any] = attrs.evolve(
    MAKE,
    name="make_things",
    body=Body(kind="json", type=Things),
    responses={201: list[Thing]},
    look_up=attrs.evolve(MAKE.look_up, each="/things", arguments={}),
)
MAKE_SECRET = attrs.evolve(MAKE, name="make_secret_thing", responses={201: ThingMade})

SENT = Thing(key="k 1", name="a")
THERE = {"key": "k 1", "name": "a", "id": "t-1"}
FOUND = Thing(key="k 1", name="a", id="t-1")


def engine_of(bench: Bench, **changes: Any) -> CallEngine:
    return bench.engine(operations=(LIST, MAKE, MAKE_SEVERAL, MAKE_SECRET), **changes)


def shows(bench: Bench, *items: dict[str, Any]) -> Any:
    return bench.server.answer(200, json.dumps(items).encode())


def sent_as(bench: Bench) -> list[str]:
    return [request.split(b" ")[0].decode() for request in bench.server.requests]


# Found


@pytest.mark.parametrize("fault", ["close-after", "reset-before", "hang-after", "cut-body", "no-http"])
async def test_what_a_lost_reply_hides_is_found_and_returned(bench: Bench, fault: str) -> None:
    bench.server.plays(fault, shows(bench), shows(bench, {**THERE, "key": "other"}, THERE))
    assert await engine_of(bench).call(MAKE, body=SENT) == FOUND
    assert sent_as(bench) == ["POST", "GET", "GET"]
    assert bench.time.sleeps == [1, 2]
    look = bench.server.requests[1]
    assert look.startswith(b"GET /things?key=k%201 HTTP/1.1\r\n")
    assert b"X-PDP-Client-Id: acme\r\n" in look


@pytest.mark.parametrize("status", [302, 408, 425, 500, 502, 503, 504])
async def test_an_unclear_status_is_looked_into(bench: Bench, status: int) -> None:
    bench.server.plays(bench.server.answer(status), shows(bench, THERE))
    assert await engine_of(bench).call(MAKE, body=SENT) == FOUND
    assert sent_as(bench) == ["POST", "GET"]


async def test_a_look_that_is_refused_is_made_again_with_a_key_that_is_fetched_anew(bench: Bench) -> None:
    keys = iter(("good", "expired", "renewed"))

    async def fetch_key() -> str:
        return next(keys)

    bench.server.plays("close-after", bench.server.answer(401), shows(bench, THERE))
    assert await engine_of(bench, api_key=fetch_key).call(MAKE, body=SENT) == FOUND
    assert b"Authorization: renewed\r\n" in bench.server.requests[2]


async def test_a_look_is_made_on_behalf_of_the_clients_own_client(bench: Bench) -> None:
    bench.server.plays("close-after", shows(bench, THERE))
    await engine_of(bench).call(MAKE, parameters={"client_id": "other"}, body=SENT)
    for request in bench.server.requests:
        assert b"X-PDP-Client-Id: other\r\n" in request


async def test_every_look_and_pause_is_told_and_one_verdict(bench: Bench) -> None:
    bench.server.plays("close-after", bench.server.answer(500), shows(bench, THERE))
    await engine_of(bench).call(MAKE, body=SENT)
    told = [
        (event.kind, event.attempt, event.finding)
        for event in bench.events
        if event.operation == "make_thing"
    ]
    assert told == [
        ("attempt", 1, None),
        ("delay", 1, None),
        ("look", 1, "failed"),
        ("delay", 1, None),
        ("look", 2, "equal"),
        ("verdict", 1, None),
    ]
    assert (bench.events[-1].outcome, bench.events[-1].error) == ("done", None)
    assert [event.elapsed for event in bench.told("look")] == [1, 3]


async def test_what_nobody_listens_to_is_looked_into_all_the_same(bench: Bench) -> None:
    bench.server.plays("close-after", shows(bench, THERE))
    assert await engine_of(bench, on_event=None).call(MAKE, body=SENT) == FOUND


async def test_several_are_found_in_the_order_in_which_they_were_sent(bench: Bench) -> None:
    second = {"key": "k2", "name": "b"}
    bench.server.plays("close-after", shows(bench, second), shows(bench, second, THERE))
    made = await engine_of(bench).call(MAKE_SEVERAL, body=Things(things=[SENT, Thing(key="k2", name="b")]))
    assert made == [FOUND, Thing(key="k2", name="b")]


async def test_two_that_are_the_same_are_refused_before_anything_is_sent(bench: Bench) -> None:
    twice = Things(things=[SENT, Thing(key="k2", name="b"), SENT])
    with pytest.raises(InvalidInput, match=r"\$\.things\[0\] and \$\.things\[2\] are the same"):
        await engine_of(bench).call(MAKE_SEVERAL, body=twice)
    assert bench.server.requests == []
    assert bench.time.sleeps == []


async def test_one_object_in_place_of_a_list_is_found(bench: Bench) -> None:
    bench.server.plays("close-after", bench.server.answer(200, json.dumps(THERE).encode()))
    assert await engine_of(bench).call(MAKE, body=SENT) == FOUND


async def test_what_only_the_lost_answer_told_is_not_made_up(bench: Bench) -> None:
    bench.server.plays("close-after", shows(bench, THERE))
    with pytest.raises(AnswerLost, match=r"was done: get_things shows .* Ask for a new one\.") as info:
        await engine_of(bench).call(MAKE_SECRET, body=SENT)
    error = info.value
    assert isinstance(error, ResponseDecodeError)
    assert (error.outcome, error.status, json.loads(error.raw)) == ("done", None, THERE)
    assert [fault.path for fault in error.faults] == ["$.secret"]
    assert (bench.events[-1].kind, bench.events[-1].error) == ("verdict", "AnswerLost")


async def test_what_was_there_before_is_not_said_to_be_done_now(bench: Bench) -> None:
    bench.server.plays(bench.server.answer(409), shows(bench, THERE))
    with pytest.raises(AnswerLost, match=r"was refused \(409\), and changed nothing: .* Ask for a new one\."):
        await engine_of(bench).call(MAKE_SECRET, body=SENT)


async def test_an_answer_of_its_own_that_cannot_be_read_is_not_looked_into(bench: Bench) -> None:
    bench.server.plays(bench.server.answer(201, b"{}"))
    with pytest.raises(ResponseDecodeError) as info:
        await engine_of(bench).call(MAKE, body=SENT)
    assert type(info.value) is ResponseDecodeError
    assert bench.server.sends == 1


async def test_a_refusal_is_not_looked_into(bench: Bench) -> None:
    bench.server.plays(bench.server.answer(400))
    with pytest.raises(BadRequest):
        await engine_of(bench).call(MAKE, body=SENT)
    assert bench.server.sends == 1


async def test_what_was_not_sent_is_sent_again_and_not_looked_into(bench: Bench) -> None:
    bench.server.plays(bench.server.answer(429), bench.server.answer(201, json.dumps(THERE).encode()))
    assert await engine_of(bench).call(MAKE, body=SENT) == FOUND
    assert sent_as(bench) == ["POST", "POST"]


# Conflicts


async def test_a_conflict_with_what_is_the_same_is_success(bench: Bench, time: Time) -> None:
    bench.server.plays(bench.server.answer(409), shows(bench, THERE))
    assert await engine_of(bench).call(MAKE, body=SENT) == FOUND
    assert time.sleeps == []


async def test_a_conflict_with_something_else_is_told_at_once(bench: Bench, time: Time) -> None:
    other = {**THERE, "name": "b"}
    taken = bench.server.answer(409, b'{"error": "key is taken", "code": 9, "trace_id": "t-9"}')
    bench.server.plays(taken, shows(bench, other))
    with pytest.raises(
        ReconcileMismatch, match=r"key is taken.* get_things shows something under the same key"
    ) as info:
        await engine_of(bench).call(MAKE, body=SENT)
    error = info.value
    assert (error.status, error.outcome, error.trace_id) == (409, "unknown", "t-9")
    assert error.faults == (("$.name", "is not what was sent"),)
    assert json.loads(error.raw) == [other]
    assert error.body is not None
    assert error.body.code == 9
    assert time.sleeps == []
    assert (bench.events[-1].error, bench.events[-1].token) == ("ReconcileMismatch", None)


async def test_a_conflict_with_nothing_stays_in_doubt(bench: Bench, time: Time) -> None:
    bench.server.plays(bench.server.answer(409), *[shows(bench)] * 6)
    with pytest.raises(OutcomeUnknown) as info:
        await engine_of(bench).call(MAKE, body=SENT)
    assert info.value.status == 409
    assert sum(time.sleeps) == 30


# Not found as it was sent


async def test_something_else_under_the_key_is_told_once_nothing_can_be_under_way(
    bench: Bench, time: Time
) -> None:
    bench.server.plays("close-after", *[shows(bench, {**THERE, "name": "b"})] * 5)
    began = time.now
    with pytest.raises(ReconcileMismatch, match=r"closed the connection .* use it as it is") as info:
        await engine_of(bench).call(MAKE, body=SENT)
    assert time.now - began == 1 + 2 + 4 + 8 + 15
    assert info.value.body is not None
    assert pickle.loads(pickle.dumps(info.value)).faults == info.value.faults  # noqa: S301


async def test_something_else_under_the_key_settles_nothing_before_that(bench: Bench) -> None:
    refused = bench.server.answer(502, b"bad gateway")
    bench.server.plays(refused, shows(bench, {**THERE, "name": "b"}))
    with pytest.raises(OutcomeUnknown, match="the time ran out") as info:
        await engine_of(bench, timeout=3.0).call(MAKE, body=SENT)
    assert info.value.raw == b"bad gateway"


async def test_what_is_there_twice_is_told_at_once(bench: Bench, time: Time) -> None:
    bench.server.plays("close-after", shows(bench, THERE, {**THERE, "id": "t-2"}))
    with pytest.raises(DuplicateDetected, match="get_things shows it 2 times") as info:
        await engine_of(bench).call(MAKE, body=SENT)
    assert [one["id"] for one in json.loads(info.value.raw)] == ["t-1", "t-2"]
    assert time.sleeps == [1]


async def test_what_is_not_there_when_all_is_quiet_stays_in_doubt(bench: Bench, time: Time) -> None:
    bench.server.plays("close-after", *[shows(bench)] * 5)
    began = time.now
    with pytest.raises(
        OutcomeUnknown, match=r"get_things shows nothing of it, 30 s after .* no proof"
    ) as info:
        await engine_of(bench).call(MAKE, body=SENT)
    assert time.now - began == 30
    token = info.value.token
    assert token is not None
    assert (token.operation, token.client_id, token.attempts) == ("make_thing", "acme", 1)
    assert bench.events[-1].token == token
    assert sent_as(bench).count("POST") == 1


@pytest.mark.parametrize("status", [404, 410])
async def test_a_look_up_that_finds_nothing_may_say_so_with_a_status(bench: Bench, status: int) -> None:
    bench.server.plays("close-after", *[bench.server.answer(status)] * 5)
    with pytest.raises(OutcomeUnknown, match="shows nothing of it"):
        await engine_of(bench).call(MAKE, body=SENT)


async def test_a_part_of_several_stays_in_doubt(bench: Bench) -> None:
    bench.server.plays("close-after", *[shows(bench, THERE)] * 5)
    with pytest.raises(OutcomeUnknown, match="shows only a part of it"):
        await engine_of(bench).call(MAKE_SEVERAL, body=Things(things=[SENT, Thing(key="k2", name="b")]))


@pytest.mark.parametrize("failing", ["close-after", "status-500", "no-http"])
async def test_a_look_that_fails_is_no_answer(bench: Bench, time: Time, failing: str) -> None:
    bench.server.plays("close-after", *[failing] * 6)
    began = time.now
    with pytest.raises(OutcomeUnknown, match=r"time ran out .* client\.resume\(error\.token\)"):
        await engine_of(bench).call(MAKE, body=SENT)
    # 1, 2, 4, 8, 15, 15: the next look at 60 s would be too late.
    assert time.now - began == 45
    assert bench.server.sends == 7


async def test_a_look_that_shows_nonsense_is_no_answer(bench: Bench) -> None:
    bench.server.plays("close-after", bench.server.answer(200, b"null"), shows(bench, THERE))
    assert await engine_of(bench).call(MAKE, body=SENT) == FOUND


async def test_a_creation_leaves_time_for_looks(bench: Bench, time: Time) -> None:
    bench.server.plays("hang-after", shows(bench, THERE))
    began = time.now
    assert await engine_of(bench).call(MAKE, body=SENT) == FOUND
    assert time.now - began == 20 + 1


async def test_the_last_moment_for_a_look_is_used(bench: Bench) -> None:
    bench.server.plays("hang-after", shows(bench, THERE))
    assert await engine_of(bench, timeout=20 + 1 + 0.5).call(MAKE, body=SENT) == FOUND


async def test_without_time_for_a_look_it_is_in_doubt(bench: Bench) -> None:
    bench.server.plays("hang-after")
    with pytest.raises(OutcomeUnknown, match="the time ran out"):
        await engine_of(bench, timeout=21.4).call(MAKE, body=SENT)


async def test_no_look_takes_longer_than_is_left(bench: Bench, time: Time) -> None:
    bench.server.plays("close-after", "hang-after")
    began = time.now
    with pytest.raises(OutcomeUnknown):
        await engine_of(bench, timeout=5.0).call(MAKE, body=SENT)
    assert time.now - began == 5


async def test_without_the_operation_that_looks_it_is_in_doubt_at_once(bench: Bench) -> None:
    bench.server.plays("close-after")
    with pytest.raises(OutcomeUnknown, match="find out before you send it again"):
        await bench.engine(operations=(MAKE,)).call(MAKE, body=SENT)
    assert bench.server.sends == 1


# Interrupted


async def test_a_cancellation_between_looks_leaves_a_token(bench: Bench) -> None:
    bench.server.plays("close-after")
    engine = engine_of(bench)

    async def cancelled(_seconds: float) -> None:
        raise asyncio.CancelledError

    engine._shared.runtime = attrs.evolve(engine._shared.runtime, sleep=cancelled)
    with pytest.raises(asyncio.CancelledError) as info:
        await engine.call(MAKE, body=SENT)
    token: ResumeToken = vars(info.value)["seqino_token"]
    assert token.sought is not None
    assert (bench.events[-1].kind, bench.events[-1].token) == ("verdict", token)


async def test_a_cancellation_in_a_look_leaves_the_token_of_the_creation(bench: Bench) -> None:
    bench.server.plays("close-after", "hang-after")
    task = asyncio.create_task(engine_of(bench).call(MAKE, body=SENT))
    bench.server.on_hang = task.cancel
    with pytest.raises(asyncio.CancelledError) as info:
        await task
    assert vars(info.value)["seqino_token"].operation == "make_thing"


# Taken up again


async def doubt(bench: Bench, engine: CallEngine) -> ResumeToken:
    bench.server.plays("close-after")
    with pytest.raises(OutcomeUnknown) as info:
        await engine.with_options(timeout=1.2).call(MAKE, parameters={"client_id": "other"}, body=SENT)
    assert info.value.token is not None
    return info.value.token


async def test_a_token_finds_what_was_made_without_sending_it_again(bench: Bench) -> None:
    engine = engine_of(bench)
    token: ResumeToken = pickle.loads(pickle.dumps(await doubt(bench, engine)))  # noqa: S301
    bench.server.plays(shows(bench, THERE))
    assert await engine.resume(token) == FOUND
    assert sent_as(bench) == ["POST", "GET"]
    assert b"X-PDP-Client-Id: other\r\n" in bench.server.requests[1]
    assert (bench.events[-1].kind, bench.events[-1].outcome, bench.events[-1].client_id) == (
        "verdict",
        "done",
        "other",
    )


async def test_a_token_shows_nothing_of_what_was_sent(bench: Bench) -> None:
    token = await doubt(bench, engine_of(bench))
    assert token.sought == {
        "arguments": {"key": "k 1"},
        "objects": [{"match": {"/key": "k 1"}, "compare": {"/name": "a"}}],
    }
    assert "k 1" not in repr(token)


async def test_an_absence_is_concluded_as_long_after_the_last_send_as_in_the_call(
    bench: Bench, time: Time
) -> None:
    engine = engine_of(bench)
    token = await doubt(bench, engine)
    time.now += 10
    bench.server.plays(*[shows(bench)] * 6)
    time.sleeps.clear()
    with pytest.raises(OutcomeUnknown, match="its end was unclear") as info:
        await engine.resume(token)
    # Less than 20 s are left of the 30: after 1, 2, 4 and 8 s they are not over.
    assert time.sleeps == [1, 2, 4, 8, 15]
    assert info.value.token == token
    assert info.value.attempts == 1


@pytest.mark.parametrize("wall", [100.0, -100.0])
async def test_a_clock_that_was_set_changes_the_wait_by_no_more_than_that(
    bench: Bench, time: Time, wall: float
) -> None:
    engine = engine_of(bench)
    token = await doubt(bench, engine)
    token = attrs.evolve(token, last_sent_at=token.last_sent_at - wall)
    bench.server.plays(*[shows(bench)] * 6)
    time.sleeps.clear()
    with pytest.raises(OutcomeUnknown):
        await engine.resume(token, options=None)
    assert sum(time.sleeps) == (0 if wall > 0 else 30)


async def test_a_second_resumption_has_the_token_of_the_first(bench: Bench) -> None:
    engine = engine_of(bench)
    token = await doubt(bench, engine)
    with pytest.raises(OutcomeUnknown) as info:
        await engine.with_options(timeout=0.4).resume(token)
    assert info.value.token == token
    bench.server.plays(shows(bench, {**THERE, "name": "b"}))
    time = attrs.evolve(token, last_sent_at=0.0)
    with pytest.raises(ReconcileMismatch):
        await engine.resume(time)


async def test_a_token_that_says_too_little_is_refused(bench: Bench) -> None:
    engine = engine_of(bench)
    token = await doubt(bench, engine)
    with pytest.raises(InvalidInput, match="does not say what make_thing was to make"):
        await engine.resume(attrs.evolve(token, sought=None))
    with pytest.raises(InvalidInput, match="of make_tea, which is no operation"):
        await engine.resume(attrs.evolve(token, operation="make_tea"))
    assert bench.server.sends == 1


async def test_without_a_key_nothing_is_looked_for(bench: Bench) -> None:
    token = await doubt(bench, engine_of(bench))
    with pytest.raises(ConfigurationError, match="get_things needs an API key"):
        await engine_of(bench, api_key=None).resume(token)


async def test_a_token_of_what_cannot_be_looked_up_stays_in_doubt(bench: Bench) -> None:
    engine = engine_of(bench)
    token = attrs.evolve(await doubt(bench, engine), operation="get_things")
    with pytest.raises(OutcomeUnknown, match="no operation of the API shows whether") as info:
        await engine.resume(token)
    assert info.value.token == token


async def test_a_resumption_has_options_of_its_own(bench: Bench) -> None:
    engine = engine_of(bench)
    token = await doubt(bench, engine)
    bench.server.plays(shows(bench, THERE))
    await engine.resume(token, options=CallOptions(extra_headers={"X-A": "1"}))
    assert b"X-A: 1\r\n" in bench.server.requests[1]


@pytest.mark.parametrize("kind", [AnswerLost, ReconcileMismatch, DuplicateDetected])
def test_what_a_look_brings_to_light_is_a_failed_call(kind: type[CallError]) -> None:
    assert issubclass(kind, CallError)
    assert not issubclass(kind, OutcomeUnknown)
