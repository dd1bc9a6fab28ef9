"""Types, values and descriptions as Python source; a description is untrusted text and never becomes code."""

from __future__ import annotations

import textwrap
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from codegen.ir import Const, DictOf, ListOf, Named, Scalar, Type

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCALARS: Mapping[str, str] = {"date": "dt.date", "datetime": "dt.datetime", "time": "dt.time"}
_WIDTH = 100


def type_text(type_: Type, *, prefix: str = "", taken: frozenset[str] = frozenset()) -> str:
    """Return a type as an expression.

    Args:
        type_: The type.
        prefix: What stands before names of models, such as ``models.``.
        taken: Names that mean something else where the expression stands; builtins among them are qualified.

    Returns:
        Such as ``list[models.Client] | None``.
    """

    def text(inner: Type) -> str:
        match inner:
            case Scalar(name):
                name = _SCALARS.get(name, name)
                return f"builtins.{name}" if name in taken else name
            case Named(name):
                return prefix + name
            case ListOf(item):
                return f"{'builtins.' if 'list' in taken else ''}list[{text(item)}]"
            case DictOf(value):
                return f"{'builtins.' if 'dict' in taken else ''}dict[{text(Scalar('str'))}, {text(value)}]"
            case Const(value):
                return f"Literal[{literal(value)}]"
            case _:
                return " | ".join(text(member) for member in inner.members)

    return text(type_)


def literal(value: Any) -> str:
    """Return a value of JSON, or a decimal, as an expression."""
    if isinstance(value, Decimal):
        return f"Decimal({str(value)!r})"
    return ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)


def prose(text: str, *, indent: int = 0, first: int = 0, hang: int = 0) -> str:
    """Return untrusted text, safe inside a docstring and wrapped, its paragraphs kept.

    Backslashes and triple quotes are escaped; characters that control a terminal or the direction of text go.

    Args:
        text: Any text.
        indent: Columns before every line after the first.
        first: Columns that the first line has used already.
        hang: Columns added to every line after the first.

    Returns:
        Lines without a line break at the end; empty for text without content.
    """
    paragraphs = [_escape(" ".join(part.split())) for part in text.replace("\r\n", "\n").split("\n\n")]
    pad = " " * (indent + hang)
    out: list[str] = []
    for index, paragraph in enumerate(part for part in paragraphs if part):
        lines = textwrap.wrap(
            paragraph,
            width=_WIDTH,
            initial_indent=" " * first if index == 0 else pad,
            subsequent_indent=pad,
            break_long_words=False,
            break_on_hyphens=False,
        )
        out.append("\n".join(lines)[first if index == 0 else 0 :])
    return "\n\n".join(out)


def _escape(text: str) -> str:
    kept = "".join(
        letter for letter in text if letter.isspace() or not unicodedata.category(letter).startswith("C")
    )
    return kept.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').strip()


def sentence(text: str) -> str:
    """Return text that ends as a sentence does."""
    text = text.strip()
    return text if not text or text[-1] in ".!?:" else f"{text}."


def docstring(body: str, *, indent: int) -> str:
    """Return a docstring around escaped text.

    Args:
        body: Lines as ``prose`` returns them, indented but for the first.
        indent: Columns before the closing quotes, where they stand on a line of their own.

    Returns:
        The docstring, quotes included.
    """
    if "\n" not in body and not body.endswith('"'):
        return f'"""{body}"""'
    return f'"""{body}\n{" " * indent}"""'
