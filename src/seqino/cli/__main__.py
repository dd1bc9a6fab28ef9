"""The way in to the ``seqino`` command; says politely which extra is missing where one is."""

from __future__ import annotations

import sys

from seqino.errors import MissingExtra

__all__ = ["main"]

_BROUGHT_BY_THE_EXTRA = frozenset({"typer", "rich", "click"})


def main() -> None:
    """Run the command that the command line names, and leave with its exit code."""
    try:
        from seqino.cli.app import app  # noqa: PLC0415 - may be missing, and is slow to load
        from seqino.cli.terminal import escape_what_cannot_be_written  # noqa: PLC0415 - needs the extra too
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in _BROUGHT_BY_THE_EXTRA:
            raise
        sys.stderr.write(f"error: {MissingExtra('cli', purpose='the seqino command')}\n")
        sys.exit(2)
    escape_what_cannot_be_written()
    app()


if __name__ == "__main__":  # pragma: no cover - run in a child process by a test
    main()
