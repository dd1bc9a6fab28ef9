"""The fixtures that pytest-asyncio runs: one of each kind for every scope that a loop can have.

A module of its own, since it can be imported only where pytest-asyncio is installed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

import pytest_asyncio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from seqino.client import SeqinoClient
    from seqino.sandbox import Sandbox
    from seqino.testing.webhooks import Webhooks

__all__: list[str] = []

_SCOPES: tuple[Literal["function", "class", "module", "package", "session"], ...] = (
    "function",
    "class",
    "module",
    "package",
    "session",
)

# What a test has to import, it imports: these modules are loaded by every run of pytest.
# ruff: noqa: PLC0415


def _sandbox() -> Any:
    async def running(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
        from seqino.testing.marker import keep_faults, make_sandbox, opening

        sandbox = make_sandbox(request.node)
        with opening():
            await sandbox.start()
        try:
            loop = asyncio.get_running_loop()

            async def plan(name: str) -> None:
                sandbox.faults.plan(name)

            # Between the fixtures and the test the loop does not run, and a fault may need it.
            keep_faults(request.node, lambda name: loop.run_until_complete(plan(name)))
            yield sandbox
        finally:
            await sandbox.stop()

    return running


def _client() -> Any:
    async def bound(request: pytest.FixtureRequest, seqino_sandbox: Sandbox) -> AsyncIterator[SeqinoClient]:
        from seqino.testing.client import SandboxClient
        from seqino.testing.marker import options

        asked = options(request.node)
        client_id = next(iter(asked.get("clients", ())), "sandbox-client-seqino")
        async with SandboxClient(
            seqino_sandbox, api_key=asked.get("api_key") or "sandbox-key", client_id=client_id
        ) as client:
            yield client

    return bound


def _webhooks() -> Any:
    async def receiving(seqino_sandbox: Sandbox, seqino_client: SeqinoClient) -> AsyncIterator[Webhooks]:
        from seqino.sandbox import Receiver
        from seqino.testing.webhooks import Webhooks

        async with Receiver() as receiver:
            registered = await seqino_client.webhooks.create({"url": receiver.url})
            receiver.secret = registered.secret
            yield Webhooks(seqino_sandbox, receiver)

    return receiving


for _scope in _SCOPES:
    for _what, _make in (("sandbox", _sandbox), ("client", _client), ("webhooks", _webhooks)):
        _name = f"_seqino_{_what}_on_{_scope}_loop"
        # pytest-asyncio writes the scope onto the function, so that each needs one of its own.
        globals()[_name] = pytest_asyncio.fixture(_make(), loop_scope=_scope, name=_name)
