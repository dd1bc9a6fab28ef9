"""How a command of a group is made: a coroutine that asks and says, with the options that all have."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Concatenate, TypeVar

import attrs
import typer

from seqino._core.wire import IdentifierKind
from seqino.cli.common import TARGET_OPTIONS, Json, leave, one_line_errors, spliced, take_target
from seqino.cli.output import Output
from seqino.cli.plain import Found, found_in_answer, found_in_list, read_answer
from seqino.cli.result import ExitCode
from seqino.cli.running import perform
from seqino.cli.tokens import token_of
from seqino.client import SeqinoClient
from seqino.errors import OutcomeUnknown
from seqino.identifiers import check
from seqino.pagination import Pager

__all__ = ["Session", "as_command", "command", "group"]

T = TypeVar("T")
Body = Callable[Concatenate["Session", ...], Awaitable[ExitCode | None]]
B = TypeVar("B", bound=Body)


@attrs.frozen(kw_only=True)
class Session:
    """What a command works with.

    Args:
        client: Whom it asks.
        out: Where it says what was found.
        now: The present moment.
    """

    client: SeqinoClient
    out: Output
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def identifier(self, kind: IdentifierKind, text: str | None, *, where: str) -> str | None:
        """Read an identifier as people write it; ``None`` where it was not given.

        Raises:
            InvalidInput: It is none.
        """
        return None if text is None else check(kind, text, where=where, check_digits=self.client.check_digits)

    async def ask(self, call: Awaitable[T]) -> Found[T]:
        """Perform a call, and return what it found with all that came."""
        response = await self.client.raw(call)
        return found_in_answer(response.value, read_answer(response.content))

    async def ask_all(self, pager: Pager[T]) -> list[Found[T]]:
        """Read a list whole, each item with all that came of it."""
        found: list[Found[T]] = []
        pages = aiter(pager.by_page())
        while True:
            try:
                page = await self.client.raw(anext(pages))
            except StopAsyncIteration:
                return found
            found += found_in_list(page.value.items, read_answer(page.content))


def group(name: str, summary: str) -> typer.Typer:
    """Make a group of commands."""
    return typer.Typer(name=name, help=summary, no_args_is_help=True, rich_markup_mode=None)


_JSON_OPTION = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json)


def as_command(*, sends: bool = False) -> Callable[[Body], Callable[..., None]]:
    """Make a command of a coroutine, or of a plain function that returns one.

    It gets a ``Session`` first, and its own arguments and options; whom to call, how long and ``--json`` are
    added to them. It returns the exit code, where that is not 0.

    Args:
        sends: Whether it sends what must not be sent twice; see ``exit_code_of``.
    """

    def make(body: Body) -> Callable[..., None]:
        @spliced(body, dropped=1, added=(*TARGET_OPTIONS, _JSON_OPTION))
        def run(**given: Any) -> None:
            with one_line_errors(sends=sends):
                client = take_target(given).client()
                out = Output(as_json=given.pop("as_json"))
                # A plain function does what blocks (a prompt, a file) before it returns its coroutine.
                work = body(Session(client=client, out=out), **given)
                code = perform(_run(work, client, out))
            leave(code)

        return run

    return make


def command(to: typer.Typer, name: str, *, sends: bool = False) -> Callable[[B], B]:
    """Add a command to a group; see ``as_command``.

    Args:
        to: The group.
        name: Name of the command.
        sends: Whether it sends what must not be sent twice.
    """

    def add(body: B) -> B:
        to.command(name)(as_command(sends=sends)(body))
        return body

    return add


async def _run(work: Awaitable[ExitCode | None], client: SeqinoClient, out: Output) -> ExitCode:
    try:
        async with client:
            return await work or ExitCode.OK
    except (OutcomeUnknown, asyncio.CancelledError) as error:
        token = token_of(error)
        if token is None:
            raise
        out.doubt(str(error) or f"{token.operation} was interrupted, and may have been done", token)
        return ExitCode.IN_DOUBT
