"""What reaches a terminal: safe characters, whole lines, and the language of labels."""

from __future__ import annotations

import codecs
import json
import os
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Literal, TypeAlias

from rich.console import Console
from rich.text import Text

from seqino.errors import InvalidInput
from seqino.identifiers import LENIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.statuses import StatusMeaning

__all__ = [
    "Language",
    "clean",
    "console",
    "escape_what_cannot_be_written",
    "label",
    "language",
    "one_line",
    "say",
]

Language: TypeAlias = Literal["fr", "en"]

_LENIENCE = "--no-check-digits lets test numbers through"

_WIDE = 200
"""Columns where nobody looks through a terminal: rows are not broken in a file or a pipe."""


def language(option: str | None, environ: Mapping[str, str]) -> Language:
    """Choose the language of labels: the option, else the locale of the environment, else English.

    Args:
        option: ``"fr"``, ``"en"`` or ``None``.
        environ: The environment, of which ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` are read in this order.

    Raises:
        InvalidInput: The option is neither.
    """
    if option not in (None, "fr", "en"):
        raise InvalidInput(f"--lang is fr or en, not {option}")
    name = option or next(filter(None, map(environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "fr" if name.lower().startswith("fr") else "en"


def clean(text: str) -> str:
    """Make a text safe for a terminal: what others wrote may hold control characters."""
    return "".join(char if char.isprintable() else " " for char in text)


def one_line(text: str) -> str:
    """Put the lines of a message on one, in the words of a command: it has options, and no arguments."""
    line, text = "", text.replace(LENIENCE, _LENIENCE)
    for part in filter(None, map(str.strip, text.splitlines())):
        line += part if not line else f" {part}" if line.endswith((".", ":")) else f"; {part}"
    return line


def console(*, stderr: bool = False) -> Console:
    """Return a console that breaks no row where no terminal is, and takes every text as it is."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _WIDE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def escape_what_cannot_be_written() -> None:
    """Let the streams write any text: what their encoding lacks is escaped as in JSON (RFC 8259 §7)."""
    codecs.register_error("seqino-escape", _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="seqino-escape")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def say(text: str, *, stderr: bool = False) -> None:
    """Write one line; a terminal may fold it, and copies it whole."""
    console(stderr=stderr).print(Text(clean(text)), soft_wrap=True)


def label(status: StatusMeaning | None, lang: Language) -> str:
    """Write a status as number and label: ``212 Encaissée``."""
    if status is None:
        return ""
    words = status.label_fr if lang == "fr" else status.label_en
    return words if status.number is None else f"{status.number} {words}"
