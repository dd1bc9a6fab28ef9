"""What the commands share: options, the client they make of them, errors as one line."""

# Annotations are read at run time by typer, so that none of them is postponed here or in a command's file.

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import attrs
import typer

from seqino.cli.result import ExitCode
from seqino.cli.show import clean, one_line
from seqino.client import SeqinoClient
from seqino.errors import ConfigurationError, InvalidInput, SeqinoError

__all__ = [
    "ApiKeyFile",
    "BaseUrl",
    "ClientId",
    "Lang",
    "Server",
    "Target",
    "complain",
    "leave",
    "one_line_errors",
]

BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="URL of the API. Else SEQINO_BASE_URL.", show_default=False)
]
Server = Annotated[
    str | None, typer.Option("--server", help="A published server by name: dev, local.", show_default=False)
]
ClientId = Annotated[
    str | None,
    typer.Option("--client-id", help="On whose behalf to call. Else SEQINO_CLIENT_ID.", show_default=False),
]
ApiKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--api-key-file",
        help="File that holds the API key alone. Else SEQINO_API_KEY. No option takes the key itself, which "
        "others could read then.",
        show_default=False,
    ),
]
Lang = Annotated[
    str | None,
    typer.Option("--lang", help="Labels in fr or en. Else as the locale.", show_default=False),
]

_LONGEST_KEY = 10_000


@attrs.frozen(kw_only=True)
class Target:
    """Whom to call, as given on the command line."""

    base_url: str | None = None
    server: str | None = None
    client_id: str | None = None
    api_key_file: Path | None = None

    def client(self) -> SeqinoClient:
        """Make the client.

        Raises:
            ConfigurationError: The key cannot be read, or something given cannot be used.
        """
        return SeqinoClient(
            api_key=None if self.api_key_file is None else _key(self.api_key_file),
            client_id=self.client_id,
            base_url=self.base_url,
            server=self.server,
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


def complain(message: str, *, kind: str = "error") -> None:
    """Write one line to the error stream."""
    sys.stderr.write(f"{kind}: {clean(one_line(message))}\n")


def leave(code: ExitCode) -> NoReturn:
    """End the command with an exit code."""
    raise typer.Exit(code)


@contextmanager
def one_line_errors() -> Generator[None]:
    """Turn what a user can cause, or a network, into one line and an exit code; a bug keeps its traceback."""
    try:
        yield
    except (InvalidInput, ConfigurationError) as error:
        complain(str(error))
        leave(ExitCode.INPUT)
    except (SeqinoError, OSError) as error:
        complain(str(error) or type(error).__name__)
        leave(ExitCode.FAILURE)
    except KeyboardInterrupt:
        complain("interrupted")
        leave(ExitCode.FAILURE)
