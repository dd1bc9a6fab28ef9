"""What the commands share: whom to call, how to wait and what to print, errors as one line."""

# Annotations are read at run time by typer, so that none of them is postponed here or in a command's file.

import functools
import inspect
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Concatenate, NoReturn

import attrs
import typer

from seqino.cli.result import ExitCode
from seqino.cli.terminal import clean, one_line
from seqino.cli.values import completing
from seqino.cli.verdicts import exit_code_of
from seqino.client import SeqinoClient
from seqino.errors import ConfigurationError, SeqinoError
from seqino.options import DEFAULT_TIMEOUT

__all__ = [
    "TARGET_OPTIONS",
    "Json",
    "Lang",
    "Target",
    "complain",
    "leave",
    "one_line_errors",
    "spliced",
    "take_target",
    "with_target",
]

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")]
Lang = Annotated[
    str | None,
    typer.Option(
        "--lang",
        help="Labels in fr or en. Else as the locale.",
        show_default=False,
        autocompletion=completing("fr", "en"),
    ),
]

_LONGEST_KEY = 10_000


@attrs.frozen(kw_only=True)
class Target:
    """Whom to call, as given on the command line."""

    base_url: str | None = None
    server: str | None = None
    client_id: str | None = None
    api_key_file: Path | None = None
    timeout: float = DEFAULT_TIMEOUT
    check_digits: bool = True

    def client(self) -> SeqinoClient:
        """Make the client.

        Raises:
            ConfigurationError: The key cannot be read, or something given cannot be used.
            InvalidInput: The timeout is out of its range.
        """
        return SeqinoClient(
            api_key=None if self.api_key_file is None else _key(self.api_key_file),
            client_id=self.client_id,
            base_url=self.base_url,
            server=self.server,
            timeout=self.timeout,
            check_digits=self.check_digits,
        )


def _key(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            key = file.read(_LONGEST_KEY).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise ConfigurationError(f"the API key file {path} cannot be read: {reason}") from None
    if not key:
        raise ConfigurationError(f"the API key file {path} is empty")
    return key


def _target_options(
    *,
    base_url: Annotated[
        str | None, typer.Option(help="URL of the API. Else SEQINO_BASE_URL.", show_default=False)
    ] = None,
    server: Annotated[
        str | None, typer.Option(help="A published server by name: dev, local.", show_default=False)
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(help="On whose behalf to call. Else SEQINO_CLIENT_ID.", show_default=False)
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            help="File that holds the API key alone. Else SEQINO_API_KEY. No option takes the key itself, "
            "which others could read then.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds for a call with all its attempts and looks.")
    ] = DEFAULT_TIMEOUT,
    no_check_digits: Annotated[
        bool, typer.Option("--no-check-digits", help="Let test numbers through: wrong check digits.")
    ] = False,
) -> Target:
    """Make a target of the options that say whom to call; the one place where these are written."""
    return Target(
        base_url=base_url,
        server=server,
        client_id=client_id,
        api_key_file=api_key_file,
        timeout=timeout,
        check_digits=not no_check_digits,
    )


TARGET_OPTIONS = tuple(inspect.signature(_target_options).parameters.values())
"""The options that say whom to call and how long to wait."""


def take_target(given: dict[str, Any]) -> Target:
    """Take the values of ``TARGET_OPTIONS`` out of what a command was given."""
    return _target_options(**{option.name: given.pop(option.name) for option in TARGET_OPTIONS})


def spliced(
    own: Callable[..., object], *, dropped: int, added: tuple[inspect.Parameter, ...]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a function look like another one with other parameters; typer reads options from that.

    Args:
        own: Whose name, help and parameters it gets.
        dropped: How many of the first parameters it has not.
        added: What it has besides, after them.
    """

    def dress(function: Callable[..., None]) -> Callable[..., None]:
        kept = tuple(inspect.signature(own).parameters.values())[dropped:]
        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*kept, *added)]
        functools.update_wrapper(function, own)
        del function.__dict__["__wrapped__"]
        function.__annotations__ = {each.name: each.annotation for each in parameters}
        function.__dict__["__signature__"] = inspect.Signature(parameters)
        return function

    return dress


def with_target(command: Callable[Concatenate[Target, ...], None]) -> Callable[..., None]:
    """Give a command the options that say whom to call, in the place of its first parameter."""

    @spliced(command, dropped=1, added=TARGET_OPTIONS)
    def with_options(**given: Any) -> None:
        command(take_target(given), **given)

    return with_options


def complain(message: str, *, kind: str = "error") -> None:
    """Write one line to the error stream."""
    sys.stderr.write(f"{kind}: {clean(one_line(message))}\n")


def leave(code: ExitCode) -> NoReturn:
    """End the command with an exit code."""
    raise typer.Exit(code)


@contextmanager
def one_line_errors(*, sends: bool = False) -> Generator[None]:
    """Turn what a user can cause, or a network, into one line and an exit code; a bug keeps its traceback.

    Args:
        sends: Whether what runs inside sends what must not be sent twice; see ``exit_code_of``.
    """
    try:
        yield
    except (SeqinoError, OSError) as error:
        complain(str(error) or type(error).__name__)
        leave(exit_code_of(error, sends=sends))
    except RecursionError as error:
        complain("the answer is nested too deeply to be shown; what was asked for was done")
        leave(exit_code_of(error, sends=sends))
    except KeyboardInterrupt:
        complain("interrupted")
        leave(ExitCode.FAILURE)
