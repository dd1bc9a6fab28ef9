"""Hostile answers over a real socket: the same as from memory, and what only a socket can do."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from seqino import SeqinoClient
from seqino.errors import CallError, NotSent, ResponseDecodeError
from tests.fault_server import FaultServer, answer
from tests.hostile.bodies import Body, bodies
from tests.hostile.fakes import OPERATIONS
from tests.hostile.samples import document

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FORM = OPERATIONS["get_client_details"].responses[200]
SAMPLE = document(FORM)
# One of each hundred, and all that are made of a whole document.
BODIES = [
    body
    for number, body in enumerate(bodies(SAMPLE, seed=5, number=2000))
    if number < 30 or number % 100 == 0
]


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        yield server
    assert server.unexpected == []


@pytest.fixture
async def client(server: FaultServer) -> AsyncIterator[SeqinoClient]:
    async with SeqinoClient("key", base_url=server.url, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.what)
async def test_a_hostile_body_ends_in_our_error_and_the_next_call_works(
    server: FaultServer, client: SeqinoClient, body: Body
) -> None:
    server.plays(answer(200, body.text), answer(500, body.text), answer(200, SAMPLE.text))
    try:
        await client.clients.get("c-1")
    except ResponseDecodeError as error:
        assert (error.outcome, error.raw) == ("done", body.text)  # noqa: PT017 - it need not be raised
    else:
        assert not body.is_wrong
    with pytest.raises(CallError) as caught:
        await client.clients.get("c-1")
    assert (caught.value.status, caught.value.raw) == (500, body.text)
    assert await client.clients.get("c-1") is not None
    assert server.connections == 1


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(SAMPLE.text)[:-100]),
        ("gzip", b"not gzip"),
        ("deflate", zlib.compress(SAMPLE.text)[:10]),
        ("br", b"\xff" * 100),
        ("gzip, gzip", gzip.compress(SAMPLE.text)),
        ("unheard-of", SAMPLE.text[:-1]),
        ("", SAMPLE.text[:-1]),
    ],
)
async def test_an_encoding_that_lies_ends_in_our_error(
    server: FaultServer, client: SeqinoClient, encoding: str, body: bytes
) -> None:
    server.plays(answer(200, body, Content_Encoding=encoding))
    with pytest.raises(CallError):
        await client.clients.get("c-1")


async def test_a_body_that_grows_without_end_when_unpacked_is_given_up(
    server: FaultServer, client: SeqinoClient
) -> None:
    bomb = gzip.compress(b" " * 200_000_000, compresslevel=1)
    server.plays(answer(200, bomb, Content_Encoding="gzip"))
    with pytest.raises(CallError, match="larger than the limit"):
        await client.clients.get("c-1")


ODD_HEADERS: list[dict[str, Any]] = [
    {"Content_Type": "text/html; charset=iso-8859-1"},
    {"Content_Type": "application/json; charset=utf-16"},
    {"Content_Type": ";;=;"},
    {"Content_Type": "é"},
    {"X_Trace_Id": "\x80\xff"},
    {"X_Trace_Id": "t" * 7000},
    {"Retry_After": "soon"},
    {"Set_Cookie": "=;=;;; Max-Age=-1; Domain=evil.example"},
    {"Link": '<https://evil.example/>; rel="next"'},
    {"Connection": "upgrade", "Upgrade": "h2c"},
]


@pytest.mark.parametrize("headers", ODD_HEADERS, ids=str)
@pytest.mark.parametrize("status", [200, 400, 503])
async def test_odd_headers_change_nothing(
    server: FaultServer, client: SeqinoClient, headers: dict[str, Any], status: int
) -> None:
    server.plays(answer(status, SAMPLE.text, **headers))
    if status == 200:
        assert await client.clients.get("c-1") is not None
        return
    with pytest.raises(CallError) as caught:
        await client.clients.get("c-1")
    assert caught.value.status in {status, None}
    assert len(str(caught.value)) < 2000


async def test_a_middleware_that_refuses_a_request_is_told_as_not_sent(server: FaultServer) -> None:
    async def refuse(_: aiohttp.ClientRequest, __: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        raise ValueError("not this one")

    async with SeqinoClient("key", base_url=server.url, middlewares=[refuse]) as client:
        with pytest.raises(NotSent, match="cannot be put on the wire"):
            await client.drafts.validate("d-1", client_id="c-1")
    assert server.begun == 0


async def test_the_key_outranks_what_a_given_session_sends(server: FaultServer) -> None:
    server.plays(answer(200, SAMPLE.text))
    headers: Any = {"Authorization": "another"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        SeqinoClient("the-key", base_url=server.url, session=session) as client,
    ):
        await client.clients.get("c-1")
    assert server.requests[0].count(b"Authorization: ") == 1
    assert b"Authorization: the-key\r\n" in server.requests[0]
