"""Faults of foreign code around a call: none of them hides what became of it, or passes for its end."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import dataclasses
import logging
from contextlib import contextmanager
from http.cookies import CookieError
from typing import TYPE_CHECKING, Any

import aiohttp
import attrs
import pytest

from seqino.errors import (
    AuthenticationFailed,
    ClientClosed,
    ConfigurationError,
    NotFound,
    NotSent,
    OutcomeUnknown,
)
from tests.core.test_call import READ
from tests.core.test_looking import MAKE, SENT, engine_of
from tests.core.test_middlewares import CREATE, Handler

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.core.conftest import Bench


MISSING = NotFound("no such shop", operation="get_shop", outcome="rejected", status=404)
REFUSED = AuthenticationFailed("no", operation="get_key", outcome="rejected", status=401)

# Exceptions that pass through a call after its first byte


@dataclasses.dataclass(frozen=True)
class Frozen(Exception):  # noqa: N818 - says what it is
    """Takes no notes."""


class OddNotes(Exception):  # noqa: N818 - says what it is
    """Has notes of its own kind."""

    __notes__ = ("one",)  # type: ignore[assignment] # that is the point


@pytest.mark.parametrize(
    "error",
    [
        Frozen(),
        OddNotes(),
        ExceptionGroup("several", [ValueError()]),
        asyncio.InvalidStateError(),
        asyncio.IncompleteReadError(b"", 1),
        StopAsyncIteration(),
        BufferError(),
        RecursionError(),
        MemoryError(),
        SystemExit(),
        GeneratorExit(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_any_exception_takes_the_token_with_it(bench: Bench, error: BaseException) -> None:
    async def fail(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        await handler(request)
        raise error

    bench.server.plays(bench.server.answer(204, b""))
    with pytest.raises(type(error)) as caught:
        await bench.engine(middlewares=(fail,)).call(CREATE)
    assert caught.value is error
    assert vars(error)["seqino_token"] is bench.events[-1].token is not None


@pytest.mark.parametrize("hook", ["on_request_chunk_sent", "on_request_end"])
@pytest.mark.parametrize("error", [KeyError(), OSError(), CookieError(), MISSING], ids=repr)
async def test_what_a_trace_of_a_session_raises_leaves_the_doubt_and_its_token(
    bench: Bench, hook: str, error: Exception
) -> None:
    async def fail(*_: object) -> None:
        raise error

    trace = aiohttp.TraceConfig()
    getattr(trace, hook).append(fail)
    bench.server.plays(bench.server.answer(204, b""))
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        with pytest.raises((OutcomeUnknown, type(error))) as caught:
            await bench.engine(session=session).call(CREATE)
    ended = caught.value
    token = ended.token if isinstance(ended, OutcomeUnknown) else vars(ended)["seqino_token"]
    assert ended is not MISSING
    assert token is bench.events[-1].token is not None


# Logging


class Broken(logging.Handler):
    """A handler, and a filter, that fails."""

    def filter(self, record: logging.LogRecord) -> bool:
        raise RuntimeError(f"cannot filter {record.levelname}")

    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError(f"cannot emit {record.levelname}")


@contextmanager
def broken_logging(*, filters: bool) -> Generator[None]:
    logger, broken = logging.getLogger("seqino"), Broken()
    if filters:
        logger.addFilter(broken)
    else:
        broken.handle = broken.emit  # type: ignore[method-assign,assignment]
        logger.addHandler(broken)
    try:
        yield
    finally:
        logger.removeFilter(broken)
        logger.removeHandler(broken)


@pytest.mark.parametrize("filters", [True, False])
async def test_broken_logging_does_not_hide_a_doubt(
    bench: Bench, capsys: pytest.CaptureFixture[str], *, filters: bool
) -> None:
    def fail(_event: object) -> None:
        raise RuntimeError("hook")

    bench.server.plays("close-after")
    with broken_logging(filters=filters), pytest.raises(OutcomeUnknown):
        await bench.engine(on_event=fail).call(CREATE)
    shown = capsys.readouterr().err
    assert f"RuntimeError: cannot {'filter' if filters else 'emit'} WARNING" in shown
    # What the hook raised is not lost either.
    assert "RuntimeError: hook" in shown


async def test_broken_logging_without_a_standard_error_does_not_hide_a_doubt(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("traceback.print_exc", fail)
    bench.server.plays("close-after")
    with broken_logging(filters=True), pytest.raises(OutcomeUnknown):
        await bench.engine(on_event=None).call(CREATE)


# Calls that foreign code makes itself


async def test_the_failed_call_of_a_middleware_is_not_the_end_of_its_own(bench: Bench) -> None:
    async def after(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        await handler(request)
        raise MISSING

    async def before(_request: aiohttp.ClientRequest, _handler: Handler) -> aiohttp.ClientResponse:
        raise MISSING

    bench.server.plays(bench.server.answer(204, b""))
    with pytest.raises(OutcomeUnknown, match="NotFound: no such shop") as caught:
        await bench.engine(middlewares=(after,)).call(CREATE)
    assert (caught.value.operation, caught.value.status) == ("create_thing", None)
    with pytest.raises(NotSent, match="NotFound: no such shop"):
        await bench.engine(middlewares=(before,), max_retries=0).call(CREATE)


async def test_the_failed_call_that_fetches_a_key_is_not_the_end_of_another(bench: Bench) -> None:
    async def fetch() -> str:
        raise REFUSED

    with pytest.raises(NotSent, match=r"held back .* \(api_key\(\) raised AuthenticationFailed\)") as caught:
        await bench.engine(api_key=fetch, max_retries=0).call(CREATE)
    assert (caught.value.operation, caught.value.outcome, caught.value.status) == (
        "create_thing",
        "not_sent",
        None,
    )
    assert bench.server.sends == 0


# Sessions and answers in a middleware's hands


async def test_a_client_closed_while_a_middleware_holds_a_request_back_says_so(bench: Bench) -> None:
    async def hold(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        await engine.aclose()
        return await handler(request)

    engine = bench.engine(middlewares=(hold,))
    with pytest.raises(ClientClosed, match="while a middleware"):
        await engine.call(CREATE)
    assert bench.events[-1].outcome == "not_sent"


async def test_an_answer_that_a_middleware_has_read_is_read_all_the_same(bench: Bench) -> None:
    read: list[bytes] = []

    async def note(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        response = await handler(request)
        read.append(await response.read())
        return response

    answer = b'{"name": "a"}'
    bench.server.plays(bench.server.answer(200, answer), bench.server.answer(200, answer))
    made = await bench.engine(middlewares=(note,)).call(READ, parameters={"thing_id": "t1"})
    assert (made.name, read) == ("a", [answer])
    with pytest.raises(Exception, match="larger than the limit"):
        await bench.engine(middlewares=(note,), max_answer_bytes=5).call(READ, parameters={"thing_id": "t1"})


# Closed while an answer comes


@pytest.mark.parametrize("fault", ["stall-head", "stall-body", "huge"])
async def test_a_client_closed_while_an_answer_comes_waits_for_no_more_of_it(
    bench: Bench, fault: str
) -> None:
    bench.server.on_hang = lambda: None
    bench.server.plays(fault)
    engine = bench.engine()
    reading = engine._shared.transport._reading
    call = asyncio.create_task(engine.call(CREATE))
    await bench.server.arrived.wait()
    while fault != "stall-head" and not reading:  # noqa: ASYNC110 - nothing else tells
        await asyncio.sleep(0)
    await engine.aclose()
    # Its timer does not ring: this clock stands still.
    async with asyncio.timeout(20):
        with pytest.raises(OutcomeUnknown, match="closed the connection") as caught:
            await call
    assert caught.value.token is not None
    assert not reading


async def test_a_session_closed_under_an_answer_leaves_the_doubt_and_its_token(bench: Bench) -> None:
    async def close(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        response = await handler(request)
        await session.close()
        return response

    bench.server.on_hang = lambda: None
    bench.server.plays("stall-body")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(OutcomeUnknown, match=r"RuntimeError: Connection closed\.") as caught:
            await bench.engine(session=session, middlewares=(close,)).call(CREATE)
    assert caught.value.token is not None


async def test_no_header_of_an_answer_that_was_cut_is_told(bench: Bench) -> None:
    bench.server.plays("cut-head")
    with pytest.raises(
        OutcomeUnknown, match="ServerDisconnectedError: the answer ended in its head"
    ) as caught:
        await bench.engine().call(CREATE)
    assert "RawResponseMessage" not in str(caught.value)


# Looks that cannot be made


async def test_a_client_closed_between_looks_leaves_the_doubt_and_its_token(bench: Bench) -> None:
    bench.server.plays("close-after")
    engine = engine_of(bench)

    async def closing(_seconds: float) -> None:
        await engine.aclose()

    engine._shared.runtime = attrs.evolve(engine._shared.runtime, sleep=closing)
    with pytest.raises(OutcomeUnknown, match="this client was closed") as caught:
        await engine.call(MAKE, body=SENT)
    assert caught.value.token is bench.events[-1].token is not None
    assert isinstance(caught.value.__cause__, ClientClosed)


@pytest.mark.parametrize(
    ("second", "told"),
    [(KeyError("vault"), "KeyError came out of it"), ("a\nb", "holds a line break")],
    ids=["it fails", "it is none"],
)
async def test_a_key_that_cannot_be_fetched_for_a_look_leaves_the_doubt_and_its_token(
    bench: Bench, second: Any, told: str
) -> None:
    keys = iter(["key-1", second])

    async def fetch() -> str:
        key = next(keys)
        if isinstance(key, Exception):
            raise key
        return str(key)

    bench.server.plays("close-after")
    with pytest.raises(OutcomeUnknown, match=told) as caught:
        await engine_of(bench, api_key=fetch).call(MAKE, body=SENT)
    assert caught.value.token is not None
    assert isinstance(caught.value.__cause__, KeyError | ConfigurationError)


async def test_who_takes_up_a_doubt_is_told_what_keeps_a_look_from_being_made(bench: Bench) -> None:
    bench.server.plays("close-after")
    engine = engine_of(bench)
    with pytest.raises(OutcomeUnknown) as doubt:
        await engine.with_options(timeout=1.2).call(MAKE, body=SENT)
    assert doubt.value.token is not None
    await engine.aclose()
    with pytest.raises(ClientClosed) as caught:
        await engine.resume(doubt.value.token)
    assert vars(caught.value)["seqino_token"] == doubt.value.token
