"""Names in Python for what the description names: operations, classes, members, parameters."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata

from codegen.problems import CodegenError

RESERVED_CLASSES = frozenset(
    {
        *(name for name in dir(builtins) if name[0].isupper()),
        *("Any", "Constraint", "Decimal", "File", "JSON", "Literal", "Mapping", "OpenEnum", "TypeAlias"),
        *("TYPE_CHECKING", "UNSET", "UUID", "UnsetType"),
    }
)
"""Names that the generated module of models uses itself."""

RESERVED_PARAMETERS = frozenset({"body", "client", "options"})
"""Names that every generated function uses itself."""


def ascii_words(text: str) -> list[str]:
    """Split text into its words: at anything but letters and digits, and where lower meets upper case.

    Accents are dropped. Letters that have no plain form count as separators.
    """
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", plain)
    return re.findall(r"[A-Za-z0-9]+", plain)


def operation_name(operation_id: str, *, path: str, method: str) -> str:
    """Return an operation's id without the path and method that FastAPI appends to it.

    Args:
        operation_id: Such as ``get_draft_drafts__draft_id__get``.
        path: Such as ``/drafts/{draft_id}``.
        method: Such as ``get``.

    Returns:
        Such as ``get_draft``.
    """
    suffix = re.sub(r"\W", "_", path) + "_" + method
    name = operation_id.removesuffix(suffix) or operation_id
    return identifier(name)


def identifier(text: str) -> str:
    """Return a name in snake case for a function or a parameter."""
    name = "_".join(ascii_words(text)).lower()
    if not name or name[0].isdigit():
        name = "_".join(filter(None, ("value", name)))
    return f"{name}_" if keyword.iskeyword(name) else name


def field_name(wire: str, *, place: str) -> str:
    """Return a field's name: the name on the wire wherever Python allows it.

    Raises:
        CodegenError: If the wire name has nothing that a name could be made of.
    """
    # Python reads names in the form NFKC, and attrs drops a leading underscore from the argument's name.
    if wire.isidentifier() and not wire.startswith("_") and unicodedata.normalize("NFKC", wire) == wire:
        return f"{wire}_" if keyword.iskeyword(wire) or wire == "self" else wire
    if not ascii_words(wire):
        raise CodegenError(f"the property {wire!r} has no letter to name a field after", place=place)
    return identifier(wire)


def class_name(text: str) -> str:
    """Return a class name: the text itself where it is one, else its words joined."""
    if re.fullmatch(r"[A-Z][A-Za-z0-9]*", text):
        return text
    name = "".join(word[0].upper() + word[1:] for word in ascii_words(text))
    return name if name[:1].isalpha() else f"Schema{name}"


def member_name(value: str, prefixes: dict[str, str]) -> str:
    """Return the name of an enum's member, made of its value alone.

    It never depends on the position, so that a value inserted before it renames nothing.

    Args:
        value: Value on the wire, such as ``380`` or ``InvoiceLifecycleStatus.DEPOSITED``.
        prefixes: What a beginning of the value becomes in the name; the longest that fits is taken.

    Returns:
        Such as ``CODE_380`` or ``INVOICE_DEPOSITED``.
    """
    head = max((prefix for prefix in prefixes if value.startswith(prefix)), key=len, default="")
    name = "_".join(ascii_words(value[len(head) :])).upper()
    if head:
        return (prefixes[head] + name).upper()
    if not name:
        return "EMPTY" if not value else "SIGN_" + "_".join(f"{ord(letter):X}" for letter in value)
    return name if name[0].isalpha() else f"CODE_{name}"
