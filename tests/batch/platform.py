"""A platform over HTTP that counts what it did, and fails at a step of its own choosing.

It can hold a request after its effect, lose a reply, or answer without an id or with any status, at a step by
name: tests of single marks of the ledger are written so. What becomes of an invoice is the sandbox's to say.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Platform"]


class Platform:
    """A platform over HTTP that counts what it did, and loses replies on demand."""

    def __init__(self) -> None:
        self.url = ""
        self.drafts: dict[str, Any] = {}
        self.effects: Counter[str] = Counter()
        """How often each draft, or uploaded file, became an invoice."""
        self.uploads: list[tuple[str, str, bytes]] = []
        self.faults: defaultdict[str, list[str]] = defaultdict(list)
        """What goes wrong with the next requests to ``create``, ``validate``, ``look`` and ``upload``."""
        self.hides = False
        """Whether a draft that was consumed is no longer shown."""
        self.names_nothing = False
        """Whether a validation or an upload is answered without an id."""
        self.requests: Counter[str] = Counter()
        self.holds = ""
        """Which kind of request is held, once, after it had its effect, until ``release``."""
        self.held = asyncio.Event()
        self._let_go = asyncio.Event()

    def release(self) -> None:
        self._let_go.set()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/health", self._health)
        app.router.add_post("/api/drafts", self._create)
        app.router.add_get("/api/drafts/{id}", self._look)
        app.router.add_put("/api/drafts/{id}", self._replace)
        app.router.add_post("/api/drafts/{id}/validate", self._validate)
        app.router.add_post("/api/invoicing/files/submit", self._upload)
        return app

    async def _perform(
        self, name: str, request: web.Request, effect: Callable[[], web.Response]
    ) -> web.Response:
        self.requests[name] += 1
        fault = self.faults[name].pop(0) if self.faults[name] else ""
        if fault == "refuse":
            return web.json_response({"detail": [{"loc": ["body", "lines"], "msg": "no"}]}, status=422)
        if fault.isdigit():
            told = {"error": "no", "code": int(fault), "trace_id": "t"}
            return web.json_response(told, status=int(fault))
        response = web.Response() if fault == "lost before" else effect()
        if fault == "unreadable":
            return web.Response(status=201, body=b"<html>")
        if self.holds == name:
            self.holds = ""
            self.held.set()
            await self._let_go.wait()
        if fault.startswith("lost"):
            assert request.transport is not None
            request.transport.abort()
        return response

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response("up")

    async def _create(self, request: web.Request) -> web.Response:
        invoice = await request.json()

        def effect() -> web.Response:
            draft_id = f"draft-{len(self.drafts) + 1}"
            self.drafts[draft_id] = invoice
            return web.json_response({"draft_id": draft_id}, status=201)

        return await self._perform("create", request, effect)

    async def _replace(self, request: web.Request) -> web.Response:
        draft_id, invoice = request.match_info["id"], await request.json()

        def effect() -> web.Response:
            self.drafts[draft_id] = invoice
            return web.json_response({"draft_id": draft_id})

        return await self._perform("replace", request, effect)

    async def _validate(self, request: web.Request) -> web.Response:
        draft_id = request.match_info["id"]

        def effect() -> web.Response:
            if self.effects[draft_id]:
                return web.json_response({"error": "consumed", "code": 409, "trace_id": "t"}, status=409)
            self.effects[draft_id] += 1
            return web.json_response({} if self.names_nothing else self._invoice(draft_id))

        return await self._perform("validate", request, effect)

    async def _look(self, request: web.Request) -> web.Response:
        draft_id = request.match_info["id"]

        def effect() -> web.Response:
            shown = self.drafts[draft_id]
            if not self.effects[draft_id]:
                return web.json_response({**shown, "status": "draft"})
            if self.hides:
                return web.json_response({"error": "not found", "code": 404, "trace_id": "t"}, status=404)
            return web.json_response({**shown, **self._invoice(draft_id)})

        return await self._perform("look", request, effect)

    @staticmethod
    def _invoice(draft_id: str) -> dict[str, str]:
        number = draft_id.removeprefix("draft-")
        return {"invoice_id": f"inv-{number}", "invoice_number": f"F-{number}", "status": "submitted"}

    async def _upload(self, request: web.Request) -> web.Response:
        field = (await request.post())["file"]
        assert isinstance(field, web.FileField)
        name, content_type, content = field.filename, field.content_type, field.file.read()

        def effect() -> web.Response:
            self.effects[name] += 1
            self.uploads.append((name, content_type, content))
            taken = {"invoice_id": "" if self.names_nothing else "inv-f", "status": "submitted"}
            return web.json_response({**taken, "file_name": name, "file_size": len(content)}, status=201)

        return await self._perform("upload", request, effect)
