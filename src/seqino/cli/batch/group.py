"""How a command of ``seqino batch`` is made: its own options, and those that all have."""

# Annotations are read at run time by typer, so that none of them is postponed here or in a command's file.

import functools
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Concatenate

import attrs
import typer

from seqino.batch.errors import LedgerUnusable
from seqino.cli.batch.session import Session
from seqino.cli.common import complain, leave, one_line_errors, spliced
from seqino.cli.result import ExitCode
from seqino.cli.running import carry_out

__all__ = ["AsJson", "Paths", "RunNumber", "batch", "command"]

Body = Callable[Concatenate[Session, ...], Awaitable[ExitCode]]

batch = typer.Typer(name="batch", no_args_is_help=True, rich_markup_mode=None)

Paths = Annotated[
    list[Path],
    typer.Argument(
        help="Invoice files, rows in JSON or JSON Lines, and folders of them.",
        exists=True,
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines, for machines.")]
RunNumber = Annotated[
    int | None, typer.Option("--run", min=1, help="Only this run, by its number.", show_default=False)
]


@batch.callback()
def about() -> None:
    """Send many invoices, each once, with a ledger: stop at any moment, and resume.

    Exit codes: 0 done; 1 failed or interrupted; 2 wrong usage or input, or a ledger that cannot be used;
    3 some were rejected, cannot be sent, are dead or were not delivered; 4 some are in doubt.
    """


def _place(
    *,
    server: Annotated[
        str | None, typer.Option(help="A published server by name: dev, local.", show_default=False)
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="URL of the API. Else SEQINO_BASE_URL.", show_default=False)
    ] = None,
    sponsor: Annotated[
        str, typer.Option(help="Your own name for whom the API key belongs to; kept in the ledger.")
    ] = "default",
    ledger: Annotated[
        Path | None,
        typer.Option(
            help="File of the ledger, on a local disk. Else in the user's data folder.", show_default=False
        ),
    ] = None,
) -> Session:
    return Session(server=server, base_url=base_url, sponsor=sponsor, ledger=ledger)


def _target(
    *,
    client_id: Annotated[
        str | None, typer.Option(help="On whose behalf to call. Else SEQINO_CLIENT_ID.", show_default=False)
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(help="File that holds the API key alone. Else SEQINO_API_KEY.", show_default=False),
    ] = None,
    no_check_digits: Annotated[
        bool, typer.Option("--no-check-digits", help="Let test numbers through: wrong check digits.")
    ] = False,
) -> dict[str, Any]:
    return {"client_id": client_id, "api_key_file": api_key_file, "check_digits": not no_check_digits}


_PLACE = tuple(inspect.signature(_place).parameters.values())
_TARGET = tuple(inspect.signature(_target).parameters.values())


def command(name: str, *, calls: bool = False) -> Callable[[Body], Body]:
    """Make a command of a coroutine, or of a plain function that does what blocks and returns one.

    It gets a ``Session`` first, and its own arguments and options; it returns the exit code.

    Args:
        name: Name of the command.
        calls: Whether it calls the platform, and so needs a key.
    """

    def make(body: Body) -> Body:
        added = (*_PLACE, *_TARGET) if calls else _PLACE

        @spliced(body, dropped=1, added=added)
        def run(**given: Any) -> None:
            session = _place(**{option.name: given.pop(option.name) for option in _PLACE})
            if calls:
                target = {option.name: given.pop(option.name) for option in _TARGET}
                session = attrs.evolve(session, **_target(**target))
            with one_line_errors():
                leave(_carry_out(functools.partial(body, session, **given)))

        batch.command(name)(run)
        return body

    return make


def _carry_out(begin: Callable[[], Awaitable[ExitCode]]) -> ExitCode:
    code = ExitCode.FAILURE

    async def carry(work: Awaitable[ExitCode]) -> None:
        nonlocal code
        code = await work

    try:
        if carry_out(carry(begin())):
            complain("interrupted")
    except LedgerUnusable as error:
        complain(str(error))
        return ExitCode.INPUT
    return code
