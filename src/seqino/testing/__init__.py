"""The pytest plugin: a sandbox for each test, a client bound to it, and hands on what happens in both.

It is found by pytest once ``seqino[test]`` is installed, and loads nothing before a test asks for it::

    @pytest.mark.seqino(scenario="refused")
    async def test_a_refused_invoice_is_told(seqino_client, seqino_clock):
        ...

Asynchronous tests are run by pytest-asyncio, in either mode and on a loop of any scope; a synchronous test
takes ``seqino_sandbox_thread``.
"""

from __future__ import annotations

import functools
import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seqino.client import SeqinoClient
    from seqino.sandbox import Sandbox
    from seqino.sandbox.clock import Clock
    from seqino.sandbox.faults import Faults
    from seqino.testing.thread import SandboxThread
    from seqino.testing.webhooks import Webhooks

__all__ = ["Clock", "Faults", "Sandbox", "SandboxThread", "Webhooks"]

_HOME = {
    "Clock": "seqino.sandbox.clock",
    "Faults": "seqino.sandbox.faults",
    "Sandbox": "seqino.sandbox",
    "SandboxThread": "seqino.testing.thread",
    "Webhooks": "seqino.testing.webhooks",
}
"""The module of each name that tests import: the types of what the fixtures give, and the thread."""

_MARKER = (
    "seqino(*, scenario, speed, faults, seed, show_inferred, ...): configure the sandbox of a test. Takes "
    "what seqino.sandbox.Sandbox takes, and faults: the names of faults for the requests of the test, in "
    "their order. The clock stands still unless speed is given. The mark next to the test goes before those "
    "of its class and module."
)


BEGIN = pytest.StashKey["Callable[[], None]"]()
"""What is done with the sandbox of a test once all is prepared, just before the test itself."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and what pytest-asyncio runs, if it is there."""
    config.addinivalue_line("markers", _MARKER)
    asyncio_plugin = sys.modules.get("pytest_asyncio.plugin")
    if asyncio_plugin is not None and config.pluginmanager.is_registered(asyncio_plugin):
        loops = importlib.import_module("seqino.testing.loops")
        config.pluginmanager.register(loops, "seqino-loops")


def pytest_runtest_call(item: pytest.Item) -> None:
    """Plan the faults of a test that uses a sandbox."""
    begin = item.stash.get(BEGIN, None)
    if begin is not None:
        begin()


@pytest.fixture
def seqino_sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """A running sandbox (``seqino.sandbox.Sandbox``) on the loop of an asynchronous test.

    Its clock stands still: it moves when the test steps it (``seqino_clock``), and when ``seqino_client``
    pauses. The marker ``seqino`` configures it.
    """
    sandbox: Sandbox = _on_the_loop_of_the_test(request, "sandbox")
    return sandbox


@pytest.fixture
def seqino_client(request: pytest.FixtureRequest) -> SeqinoClient:
    """A ``SeqinoClient`` of ``seqino_sandbox``, whose pauses take no real time.

    A pause between attempts or looks, or for a Retry-After, is over as soon as none of the client's requests
    is under way; the sandbox's clock is stepped by as much. What waits for the network itself, such as the
    timeout of an attempt, is as long as ever: give a call that is to run into it a short ``timeout``.
    """
    client: SeqinoClient = _on_the_loop_of_the_test(request, "client")
    return client


@pytest.fixture
def seqino_scenario(seqino_sandbox: Sandbox) -> Callable[[str], None]:
    """Set what buyers do with the invoices that come from now on: ``seqino_scenario("refused")``."""

    def set_scenario(name: str) -> None:
        seqino_sandbox.scenario = name

    return set_scenario


@pytest.fixture
def seqino_faults(seqino_sandbox: Sandbox) -> Faults:
    """Plan what goes wrong: ``seqino_faults.plan("reset-after", operation="POST /drafts")``."""
    return seqino_sandbox.faults


@pytest.fixture
def seqino_clock(seqino_sandbox: Sandbox) -> Clock:
    """The sandbox's clock: ``seqino_clock.advance(60)`` lets a minute pass at once."""
    return seqino_sandbox.clock


@pytest.fixture
def seqino_webhooks(request: pytest.FixtureRequest) -> Webhooks:
    """What a webhook receives, verified: ``await seqino_webhooks.next("invoice.status_updated")``.

    A receiver on this machine, registered by ``seqino_client`` for events of every type. An event comes when
    the clock says so: step it before.
    """
    webhooks: Webhooks = _on_the_loop_of_the_test(request, "webhooks")
    return webhooks


@pytest.fixture
def seqino_sandbox_thread(request: pytest.FixtureRequest) -> Iterator[SandboxThread]:
    """A running sandbox on a thread of its own (``seqino.testing.SandboxThread``), for synchronous tests.

    Its clock stands still until ``seqino_sandbox_thread.advance(60)``. The marker ``seqino`` configures it.
    """
    thread_room = _import(request, "seqino.testing.thread")
    marker = _import(request, "seqino.testing.marker")
    thread = thread_room.SandboxThread(marker.make_sandbox(request.node))
    with marker.opening():
        thread.start()
    try:
        marker.keep_faults(request.node, functools.partial(thread.call, thread.sandbox.faults.plan))
        yield thread
    finally:
        thread.stop()


def _on_the_loop_of_the_test(request: pytest.FixtureRequest, what: str) -> Any:
    """Return what runs on the very loop of the test, whatever the scope of that loop.

    A fixture of pytest-asyncio has one loop scope for good, so that there is one for each scope, and the
    test's own decides which.
    """
    _import(request, "seqino.testing.marker")
    scope = _import(request, "seqino.testing.runners").loop_scope(request)
    return request.getfixturevalue(f"_seqino_{what}_on_{scope}_loop")


def _import(request: pytest.FixtureRequest, module: str) -> Any:
    """Import what a test needs now, and nobody needed before."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "seqino":
            raise
        from seqino.errors import MissingExtra  # noqa: PLC0415 - loaded for a test that needs it, not before

        message = MissingExtra("test", purpose=f"the fixture {request.fixturename}")
        raise pytest.fail.Exception(f"{message} ({error})", pytrace=False) from None


# A type checker that saw this would take every misspelt name for one that exists.
if not TYPE_CHECKING:  # pragma: no branch - at run time it never is

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_HOME[name]), name)
