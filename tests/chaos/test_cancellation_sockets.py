"""The same over real connections: a cancelled call gives back its connection and its tasks."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import seqino
from seqino.client import SeqinoClient
from tests.chaos.loop import Stepped
from tests.chaos.platform import INVOICE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine


FILE = (Path(seqino.__file__).parent / "sandbox/invoices/01-it-services-ubl.xml").read_bytes()
SCOPE = "X-PDP-Client-Id"
POINTS = 100
TURNS = 8


@attrs.define(eq=False)
class Server:
    """Takes drafts, validates them, and counts for whom."""

    url: str = ""
    keeps_alive: bool = True
    """Whether a connection serves more than one request."""
    taken: Counter[str] = attrs.field(factory=Counter[str])
    """How often an invoice was taken, by the client on whose behalf."""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/drafts", self._create)
        app.router.add_get("/api/drafts/{id}", self._look)
        app.router.add_post("/api/drafts/{id}/validate", self._take)
        app.router.add_post("/api/invoicing/files/submit", self._take)
        return app

    async def _create(self, request: web.Request) -> web.Response:
        await request.read()
        return self._answer({"draft_id": "d-1"}, status=201)

    async def _look(self, _: web.Request) -> web.Response:
        return self._answer({**INVOICE, "status": "draft"})

    def _answer(self, content: Any, *, status: int = 200) -> web.Response:
        response = web.json_response(content, status=status)
        if not self.keeps_alive:
            response.force_close()
        return response

    async def _take(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.taken[request.headers[SCOPE]] += 1
        response = web.StreamResponse(status=201, headers={"Content-Type": "application/json"})
        if not self.keeps_alive:
            response.force_close()
        # In pieces, so that there is a point between head and body too.
        with contextlib.suppress(ConnectionResetError):
            await response.prepare(request)
            await response.write(b'{"invoice_id": "inv-1", "status": "submitted", ')
            await asyncio.sleep(0)
            await response.write(b'"file_name": "f", "file_size": 1}')
        return response


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    async with TestServer(made.app()) as running:
        made.url = str(running.make_url("/api"))
        yield made


WORKS: dict[str, Callable[[SeqinoClient, str], Coroutine[Any, Any, object]]] = {
    "submit": lambda client, item: client.submit(INVOICE, client_id=item),
    "submit_file": lambda client, item: client.submit_file(FILE, name="i.xml", client_id=item),
    "validate": lambda client, item: client.drafts.validate("d-1", client_id=item),
    "create": lambda client, item: client.drafts.create(INVOICE, client_id=item),
    "get": lambda client, item: client.drafts.get("d-1", client_id=item),
}


def leftovers(client: SeqinoClient) -> list[str]:
    """Connections that are not given back, and tasks that are neither ours nor the server's."""
    engine: Any = vars(client)["_engine"]
    connector: Any = engine._shared.transport._session.connector
    own = asyncio.current_task()
    tasks = [repr(task) for task in asyncio.all_tasks() if task is not own]
    return [
        *(name for name in tasks if "RequestHandler.start" not in name),
        *(f"held: {connection}" for connection in connector._acquired),
    ]


async def cancel_at(
    point: int, work: Coroutine[Any, Any, object], *, turns: int
) -> tuple[bool, asyncio.CancelledError | None]:
    """Run a call and cancel it some turns of the loop after its n-th suspension.

    Returns:
        Whether there was anything left to cancel, and how it ended.
    """
    loop = asyncio.get_running_loop()
    requested: list[bool] = []

    def cancel(turns: int) -> None:
        if turns:
            loop.call_soon(cancel, turns - 1)
        else:
            requested.append(task.cancel())

    def on_suspension(number: int) -> None:
        if number == point:
            loop.call_soon(cancel, turns)

    task = asyncio.Task(Stepped(work, on_suspension), loop=loop)
    try:
        await task
    except asyncio.CancelledError as error:
        return True, error
    return requested == [True], None


async def test_a_cancellation_anywhere_gives_back_connection_and_tasks(server: Server) -> None:
    points, told = 0, dict[str, object]()
    async with SeqinoClient("key-1", base_url=server.url) as client:
        for name, keeps_alive, turns in itertools.product(WORKS, (False, True), range(TURNS)):
            server.keeps_alive = keeps_alive
            for point in itertools.count(1):
                item = f"{name}-{keeps_alive}-{turns}-{point}"
                # On a connection that is open already, or on a new one.
                await client.drafts.get("d-1", client_id="before")
                reached, error = await cancel_at(point, WORKS[name](client, item), turns=turns)
                if not reached:
                    break
                points += 1
                assert error is not None, f"{item}: the cancellation was swallowed"
                told[item] = vars(error).get("seqino_token")
                await client.drafts.get("d-1", client_id="after")
                assert leftovers(client) == [], item
    assert points >= POINTS
    # Without a token nothing came of it; with one it may have.
    assert [item for item in server.taken if item in told and told[item] is None] == []
    assert any(told.values())
    assert max(server.taken.values()) == 1
