"""A secret is nowhere but on the wire: looked for wherever something of ours can be shown or kept."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import aiohttp
import attrs
import pytest

import seqino
from seqino import CallOptions, File, SeqinoClient, errors, models
from seqino._core.config import Config, Secret
from seqino._core.raw import Response
from seqino.errors import ConfigurationError, OutcomeUnknown, ResumeToken, SeqinoError
from tests.fault_server import FaultServer, answer
from tests.hostile.fakes import Time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = "canary-key-b1f6c0"
PASSWORD = "canary-word-77ad"
WEBHOOK = "canary-hook-3e91"
EXTRA = "canary-extra-90ce"
CANARIES = (KEY, PASSWORD, WEBHOOK, EXTRA)

PROXY = f"http://user:{PASSWORD}@127.0.0.1:"

WEBHOOK_CREATED: dict[str, Any] = {
    "webhook_id": "w-1",
    "url": "https://a.example/h",
    "secret": WEBHOOK,
    "events": [],
    "created_at": "2026-09-01T08:00:00Z",
}

INVOICE: dict[str, Any] = {
    "issue_date": "2026-09-01",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {"name": "Dupain", "postal_address": {"city_name": "Paris"}},
}


PERIODICITY = {
    "vat_regime": "simplified",
    "transaction_periodicity": "monthly",
    "payment_periodicity": "bimonthly",
}


async def fetched() -> str:
    return KEY


Key: TypeAlias = "str | Callable[[], Awaitable[str]]"
KEYS: list[Key] = [KEY, fetched]


def inside(thing: object) -> object:
    return vars(thing) if hasattr(thing, "__dict__") else repr(thing)


def shown(thing: object) -> Iterator[tuple[str, str]]:
    """All that a thing shows of itself, each with how."""
    yield "repr", repr(thing)
    yield "str", str(thing)
    yield "format", f"{thing}"
    yield "json", json.dumps(thing, default=inside)
    for copier in (copy.copy, copy.deepcopy):
        try:
            twin = copier(thing)
        except (TypeError, NotImplementedError) as error:
            yield copier.__name__, repr(error)
        else:
            yield copier.__name__, repr(twin)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        try:
            yield f"pickle {protocol}", pickle.dumps(thing, protocol).decode("latin-1")
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            yield f"pickle {protocol}", repr(error)
    if attrs.has(type(thing)):
        yield "asdict", repr(attrs.asdict(thing))  # type: ignore[arg-type] # it has, as asked above
        yield "astuple", repr(attrs.astuple(thing))  # type: ignore[arg-type]
    if hasattr(thing, "__dict__"):
        yield "vars", repr(vars(thing))


def check(thing: object, *, canaries: tuple[str, ...] = CANARIES) -> None:
    for how, text in shown(thing):
        for canary in canaries:
            assert canary not in text, f"{how} of {type(thing).__name__}: {text}"


def frames_of(error: BaseException, *, ours_only: bool) -> Iterator[str]:
    """The traceback of an error with all local variables, that of its causes and contexts too."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        found = todo.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        todo += [found.__cause__, found.__context__]
        stack = traceback.StackSummary.extract(traceback.walk_tb(found.__traceback__), capture_locals=True)
        for frame in stack:
            if not ours_only or "/seqino/" in frame.filename:
                yield f"{frame.filename}:{frame.lineno} {frame.name} {frame.locals}"


def check_error(error: BaseException, *, ours_only: bool = False) -> None:
    check(error)
    check("".join(traceback.format_exception(error)))
    told = list(frames_of(error, ours_only=ours_only))
    for text in told:
        for canary in CANARIES:
            if "tests/hostile" not in text.split(":")[0]:
                assert canary not in text


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        yield server


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever is logged by anybody, at any level."""
    caplog.set_level(logging.DEBUG)
    yield
    for record in caplog.records:
        told = [record.getMessage(), repr(vars(record)), caplog.handler.format(record)]
        for text in told:
            for canary in CANARIES:
                assert canary not in text, text


# --- The client and what it is made of


@pytest.mark.parametrize("key", KEYS)
async def test_a_client_shows_no_secret(server: FaultServer, key: Key) -> None:
    options = CallOptions(extra_headers={"X-Gateway": EXTRA})
    check_shown_by_name(options)
    headers = {"X-Gateway": EXTRA}
    async with SeqinoClient(
        key, client_id="c-1", base_url=server.url, extra_headers=headers, max_retries=0
    ) as client:
        server.plays(server_answer(PERIODICITY))
        await client.settings.get_periodicity(options=options)
        for made in (client, client.for_client("c-2"), client.with_options(timeout=3)):
            for how, text in shown(made):
                if how not in {"json", "vars"}:
                    # What is inside is looked at below, part by part.
                    assert "canary" not in text, how
            check_inside(made)
    assert f"Authorization: {KEY}\r\n".encode() in server.requests[0]
    assert f"X-Gateway: {EXTRA}\r\n".encode() in server.requests[0]


def server_answer(body: object, status: int = 200) -> Any:
    return answer(status, json.dumps(body).encode())


def check_shown_by_name(thing: object) -> None:
    assert "canary" not in repr(thing)
    assert "canary" not in str(thing)
    assert "X-Gateway" in repr(thing)


@pytest.mark.parametrize("take", [copy.copy, copy.deepcopy, pickle.dumps])
async def test_a_client_is_neither_copied_nor_pickled(take: Callable[[object], object]) -> None:
    async with SeqinoClient(fetched, base_url="http://localhost") as client:
        with pytest.raises(TypeError, match="with_options"):
            take(client)


def check_inside(client: SeqinoClient) -> None:
    """All that can be reached from a client, but what holds a secret in order to send it."""
    seen: set[int] = set()
    todo: list[object] = [client]
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(thing, (str, bytes, Secret, type)):
            continue
        seen.add(id(thing))
        if not type(thing).__module__.startswith("seqino"):
            continue
        for canary in CANARIES:
            assert canary not in repr(thing), type(thing)
        names = [*getattr(thing, "__dict__", {}), *getattr(type(thing), "__slots__", ())]
        todo += [getattr(thing, name, None) for name in names]
    assert len(seen) > 20


def test_a_configuration_shows_no_secret() -> None:
    config = Config(api_key=Secret(KEY), base_url="https://pdp.example", extra_headers={"X-Gateway": EXTRA})
    check(config, canaries=(KEY,))
    assert EXTRA not in repr(config)
    with pytest.raises(TypeError, match="a secret is not pickled"):
        pickle.dumps(config)


def test_a_secret_shows_itself_in_no_way() -> None:
    check(Secret(KEY))
    assert f"{Secret(KEY)!s:>20}|{Secret(KEY)!a}".count("<secret>") == 2
    with pytest.raises(TypeError):
        vars(Secret(KEY))


# --- What goes wrong where a client is made


MISTAKES: list[dict[str, Any]] = [
    {"api_key": KEY + "\n"},
    {"api_key": KEY.encode()},
    {"api_key": [KEY]},
    {"api_key": KEY, "base_url": "http://pdp.example"},
    {"api_key": KEY, "base_url": "https://a", "server": "dev"},
    {"api_key": KEY, "client_id": "a\nb"},
    {"api_key": KEY, "timeout": -1},
    {"api_key": KEY, "proxy": f"ftp://user:{PASSWORD}@proxy.example"},
    {"api_key": KEY, "proxy": f"http://a\nuser:{PASSWORD}@proxy.example"},
    {"api_key": KEY, "proxy": f"http://user:{PASSWORD}@proxy.example:port"},
    {"api_key": KEY, "proxy": PROXY + "1", "base_url": "http://localhost"},
    {"api_key": KEY, "proxy": PROXY + "1", "ssl": False},
    {"api_key": KEY, "extra_headers": {"Authorization": "x"}},
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=" ".join)
def test_a_mistake_is_told_without_a_secret(mistake: dict[str, Any]) -> None:
    with pytest.raises(SeqinoError) as caught:
        SeqinoClient(**mistake)
    check_error(caught.value)


def test_a_base_url_with_a_password_is_refused_without_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        SeqinoClient(KEY, base_url=f"https://user:{PASSWORD}@pdp.example")
    check(caught.value)
    # No place for a secret: only a traceback that shows variables shows what was given there.
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "variables",
    [
        {"SEQINO_API_KEY": KEY + "\t"},
        {"SEQINO_API_KEY": KEY, "SEQINO_BASE_URL": "nowhere"},
        {"SEQINO_API_KEY": KEY, "SEQINO_CLIENT_ID": "é"},
        {"SEQINO_API_KEY": KEY, "HTTPS_PROXY": f"socks5://user:{PASSWORD}@proxy.example"},
        {"SEQINO_API_KEY": KEY, "HTTPS_PROXY": f"user:{PASSWORD}@proxy.example:0"},
    ],
)
def test_a_mistake_in_the_environment_is_told_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        SeqinoClient(trust_env=True)
    check_error(caught.value)


async def test_a_fetched_key_that_cannot_be_sent_is_told_without_it(server: FaultServer) -> None:
    async def with_end_of_line() -> str:
        return KEY + "\n"

    async with SeqinoClient(with_end_of_line, base_url=server.url) as client:
        with pytest.raises(ConfigurationError) as caught:
            await client.clients.get("c-1")
    check_error(caught.value)
    assert server.begun == 0


# --- What goes wrong in calls


Call: TypeAlias = Callable[[SeqinoClient], Awaitable[object]]
CALLS: dict[str, Call] = {
    "a read": lambda client: client.drafts.get("d-1"),
    "a draft": lambda client: client.drafts.create(INVOICE),
    "a validation": lambda client: client.drafts.validate("d-1"),
    "a file": lambda client: client.invoicing.submit_file(File(name="a.xml", content=b"<a/>")),
    "a webhook": lambda client: client.webhooks.create({"url": "https://a.example", "events": []}),
    "a submission": lambda client: client.submit(INVOICE),
}

ECHO = json.dumps(
    {"error": f"no such key: {KEY}", "trace_id": f"t {KEY}", "detail": [{"msg": KEY, "loc": [KEY]}]}
)
"""What careless servers answer: what they were sent."""

PLAYS: dict[str, Any] = {
    "400": answer(400, b'{"error": "bad", "code": 1, "trace_id": "t"}'),
    "401 with the key": answer(401, ECHO.encode()),
    "422 with the key": answer(422, ECHO.encode()),
    "429": answer(429, Retry_After="0"),
    "500 with the key": answer(500, f"<html>Authorization: {KEY}</html>".encode()),
    "503": answer(503),
    "302": answer(302, Location="https://evil.example/"),
    "a success of another kind": answer(201, b'{"draft_id": [1], "status": {}}'),
    "no HTTP": "no-http",
    "closed": "close-after",
    "reset": "reset-after",
    "cut": "cut-body",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
@pytest.mark.parametrize("key", KEYS, ids=["given", "fetched"])
async def test_a_failed_call_shows_no_secret(
    monkeypatch: pytest.MonkeyPatch, server: FaultServer, key: Key, play: Any, call: Call
) -> None:
    monkeypatch.setattr("seqino.client.Runtime", Time().runtime)
    events: list[seqino.CallEvent] = []
    server.plays(play, play)
    async with SeqinoClient(
        key, client_id="c-1", base_url=server.url, max_retries=0, timeout=5, on_event=events.append
    ) as client:
        with pytest.raises(SeqinoError) as caught:
            await call(client)
    assert f"Authorization: {KEY}\r\n".encode() in server.requests[0]
    check_error(caught.value)
    assert events
    for event in events:
        check(event)
    token = getattr(caught.value, "token", None)
    assert (token is not None) == isinstance(caught.value, OutcomeUnknown)
    check(token)


@pytest.mark.parametrize("key", KEYS, ids=["given", "fetched"])
async def test_a_cancelled_call_shows_no_secret(server: FaultServer, key: Key) -> None:
    server.plays("hang-after")
    async with SeqinoClient(key, base_url=server.url, client_id="c-1") as client:
        task = asyncio.create_task(client.drafts.validate("d-1"))
        await server.arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    error = caught.value
    check_error(error)
    token = vars(error)["seqino_token"]
    assert isinstance(token, ResumeToken)
    check(token)


async def test_a_client_that_is_closed_or_elsewhere_shows_no_secret(server: FaultServer) -> None:
    client = SeqinoClient(KEY, base_url=server.url, extra_headers={"X-Gateway": EXTRA})
    await client.aclose()
    with pytest.raises(ConfigurationError) as caught:
        await client.clients.get("c-1")
    told = [text for text in frames_of(caught.value, ours_only=False) if "tests/hostile" not in text]
    assert not [text for text in told if KEY in text]


async def test_a_proxy_that_fails_shows_no_password(unused_port: int) -> None:
    async with SeqinoClient(
        KEY, base_url="https://pdp.example", proxy=f"{PROXY}{unused_port}", max_retries=0
    ) as client:
        check(client)
        with pytest.raises(SeqinoError) as caught:
            await client.clients.get("c-1")
    # aiohttp's own frames are not in it: its errors end in ours.
    check_error(caught.value)


async def test_a_trace_of_aiohttp_shows_no_key(server: FaultServer) -> None:
    told: list[str] = []

    async def note(_: Any, __: Any, parameters: Any) -> None:
        told.append(repr(parameters))

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    trace.on_request_end.append(note)
    server.plays(server_answer(PERIODICITY))
    async with (
        aiohttp.ClientSession(trace_configs=[trace]) as session,
        SeqinoClient(KEY, base_url=server.url, session=session, client_id="c-1") as client,
    ):
        await client.settings.get_periodicity()
    assert "canary" not in told[0]
    assert f"Authorization: {KEY}\r\n".encode() in server.requests[0]


# --- What comes back


async def test_a_webhooks_secret_is_given_and_not_shown(server: FaultServer) -> None:
    server.plays(server_answer(WEBHOOK_CREATED, 201), server_answer(WEBHOOK_CREATED, 201))
    wanted: dict[str, Any] = {"url": "https://a.example", "events": []}
    async with SeqinoClient(KEY, base_url=server.url) as client:
        webhook = await client.webhooks.create(wanted)
        response = await client.raw(client.webhooks.create(wanted))
    assert webhook.secret == WEBHOOK
    assert isinstance(response, Response)
    assert WEBHOOK in response.content.decode()
    for thing in (webhook, [webhook], response, copy.deepcopy(webhook), {"made": webhook}):
        for text in (repr(thing), str(thing), f"{thing}"):
            assert WEBHOOK not in text


async def test_a_webhook_that_cannot_be_read_keeps_its_secret_out_of_sight(server: FaultServer) -> None:
    for wrong in ({"url": 1}, {"created_at": "now"}, {"secret": [WEBHOOK]}, {"secret": {WEBHOOK: 1}}):
        server.plays(server_answer({**WEBHOOK_CREATED, **wrong}, 201))
        async with SeqinoClient(KEY, base_url=server.url) as client:
            with pytest.raises(errors.ResponseDecodeError) as caught:
                await client.webhooks.create({"url": "https://a.example", "events": []})
        error = caught.value
        for text in (repr(error), str(error), repr(error.faults), "".join(traceback.format_exception(error))):
            assert WEBHOOK not in text
        # It is told once, and whoever wants to save it finds it here.
        assert WEBHOOK.encode() in error.raw


def test_every_field_that_holds_a_secret_hides_it() -> None:
    named = [
        (model.__name__, field)
        for model in vars(models).values()
        if isinstance(model, type) and attrs.has(model)
        for field in attrs.fields(model)
        if any(word in field.name for word in ("secret", "password", "api_key", "private"))
    ]
    assert ("WebhookCreated", "secret") in [(name, field.name) for name, field in named]
    assert [(name, field.name) for name, field in named if field.repr] == []
