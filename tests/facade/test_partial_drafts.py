"""A draft that lacks what the description requires: it is not read, and changed only to lack it no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from seqino.client import SeqinoClient
from seqino.errors import InvalidInput, ResponseDecodeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SHOWN = {"draft_id": "d", "status": "draft", "issue_date": "2026-09-01", "x_erp": 7}
MISSING: dict[str, Any] = {
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {"name": "S", "postal_address": {"city_name": "Paris"}},
}


@pytest.fixture
def put() -> list[dict[str, Any]]:
    """What was put back."""
    return []


@pytest.fixture
async def client(put: list[dict[str, Any]]) -> AsyncIterator[SeqinoClient]:
    async def show(_: web.Request) -> web.Response:
        return web.json_response(SHOWN)

    async def take(request: web.Request) -> web.Response:
        put.append(json.loads(await request.read()))
        return web.json_response({"draft_id": "d"})

    app = web.Application()
    app.router.add_get("/drafts/d", show)
    app.router.add_put("/drafts/d", take)
    async with (
        TestServer(app) as server,
        SeqinoClient("key-1", client_id="c", base_url=str(server.make_url(""))) as client,
    ):
        yield client


async def test_it_cannot_be_read(client: SeqinoClient) -> None:
    with pytest.raises(ResponseDecodeError, match="seller: is missing"):
        await client.drafts.get("d")


async def test_a_change_that_leaves_it_so_is_refused_and_says_what_is_missing(
    client: SeqinoClient, put: list[dict[str, Any]]
) -> None:
    with pytest.raises(InvalidInput, match="seller: is missing"):
        await client.drafts.modify("d", {"note": "n"})
    assert put == []


async def test_a_change_that_adds_what_is_missing_keeps_the_rest(
    client: SeqinoClient, put: list[dict[str, Any]]
) -> None:
    await client.drafts.modify("d", MISSING)
    assert put == [{"issue_date": "2026-09-01", "x_erp": 7, **MISSING}]
