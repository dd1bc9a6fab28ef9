"""A sandbox on a thread of its own: for synchronous tests, and for commands that run their own loops."""

from __future__ import annotations

import asyncio
import copy
import inspect
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from typing import Self

    from seqino.sandbox import Sandbox
    from seqino.sandbox.world.counters import Counters

__all__ = ["SandboxThread"]

P = ParamSpec("P")
T = TypeVar("T")


class SandboxThread:
    """Runs a sandbox on a thread, from ``start`` to ``stop``; use it with ``with``.

    >>> from seqino.sandbox import Sandbox
    >>> with SandboxThread(Sandbox(speed=0)) as thread:
    ...     thread.scenario = "refused"
    ...     _ = thread.advance(60)  # all that happens within a minute has happened
    ...     thread.url
    'http://127.0.0.1:...'

    Args:
        sandbox: What to run. While it runs, touch it by ``call`` only: it belongs to the thread.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def __repr__(self) -> str:
        return f"SandboxThread({self.sandbox!r})"

    @property
    def url(self) -> str:
        """Address of the API, such as ``http://127.0.0.1:8052``.

        Raises:
            RuntimeError: It is not running.
        """
        return self.sandbox.url

    @property
    def counters(self) -> Counters:
        """The effects counted since the start, as they are now: what follows changes nothing in it."""
        return self.call(copy.deepcopy, self.sandbox.counters)

    @property
    def scenario(self) -> str:
        """What buyers do from now on; set it to another of ``SCENARIOS``."""
        return self.sandbox.scenario

    @scenario.setter
    def scenario(self, name: str) -> None:
        self.call(setattr, self.sandbox, "scenario", name)

    def advance(self, seconds: float) -> None:
        """Step the clock by ``seconds`` (0 or more)."""
        self.call(self.sandbox.clock.advance, seconds)

    @overload
    def call(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T: ...

    @overload
    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T: ...

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function on the thread: ``thread.call(thread.sandbox.faults.plan, "reset-after")``.

        Args:
            function: A function, or a coroutine function.
            args: Its arguments.
            kwargs: Its arguments by name.

        Returns:
            What it returns.

        Raises:
            RuntimeError: The sandbox is not running.
        """

        async def work() -> Any:
            value = function(*args, **kwargs)
            return await value if inspect.isawaitable(value) else value

        if self._loop is None:
            raise RuntimeError("the sandbox is not running: use it in `with`, or call start()")
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result()

    def start(self) -> None:
        """Start the thread, and wait until the sandbox listens.

        Raises:
            SandboxError: The port is in use, or the address is not this machine's.
            RuntimeError: It is running already.
        """
        if self._thread is not None:
            raise RuntimeError("the sandbox is running already")
        started: Future[None] = Future()
        # A daemon, so that one that nobody stopped does not keep the process from ending.
        thread = threading.Thread(
            target=lambda: asyncio.run(self._run(started)), name="seqino-sandbox", daemon=True
        )
        thread.start()
        try:
            started.result()
        except BaseException:
            thread.join()
            raise
        self._thread = thread

    async def _run(self, started: Future[None]) -> None:
        try:
            await self.sandbox.start()
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits is told
            started.set_exception(error)
            return
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        started.set_result(None)
        try:
            await self._stopping.wait()
        finally:
            await self.sandbox.stop()

    def stop(self) -> None:
        """Stop the sandbox and wait for the end of its thread; twice is harmless."""
        if self._thread is not None and self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._thread = self._loop = self._stopping = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
