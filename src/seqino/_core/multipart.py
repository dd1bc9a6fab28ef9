"""A multipart/form-data body as bytes (RFC 7578), made once and sent the same in every attempt. Pure."""

from __future__ import annotations

import enum
import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from seqino._core.typegraph import members
from seqino._core.wire import UNSET, File
from seqino.errors import InvalidInput
from seqino.options import check_header

__all__ = ["encode_multipart"]


def encode_multipart(value: object, form: Any, *, operation: str) -> tuple[bytes, str]:
    """Return a body and its content type; files are in it byte for byte.

    Args:
        value: An instance of the form's class, or its fields by name.
        form: The form's attrs class.
        operation: Name of the operation, for messages.

    Raises:
        InvalidInput: If a field is missing, unknown or of a kind no form can carry; all faults are named.
    """
    faults: list[tuple[str, str]] = []
    fields = _fields(value, form, faults)
    parts: list[bytes] = []
    for name, content in fields.items():
        try:
            parts.append(_part(name, content))
        except InvalidInput as error:
            faults.append((f"$.{name}", error.args[0]))
    if faults:
        raise InvalidInput(f"{operation}: the form cannot be sent", faults=faults)
    # 128 random bits: no file holds them by chance.
    boundary = f"seqino-{secrets.token_hex(16)}"
    mark = f"--{boundary}\r\n".encode()
    body = b"".join([piece for part in parts for piece in (mark, part, b"\r\n")])
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _fields(value: object, form: Any, faults: list[tuple[str, str]]) -> dict[str, Any]:
    """The given fields by name; what is missing, unknown or no form at all goes to the faults."""
    known = {member.name: member for member in members(form)}
    given: dict[str, Any]
    if isinstance(value, form):
        given = {name: getattr(value, name) for name in known}
    elif isinstance(value, Mapping):
        given = dict(cast("Mapping[str, Any]", value))
    else:
        faults.append(("$", f"expected {form.__name__} or its fields by name, got {type(value).__name__}"))
        return {}
    given = {name: content for name, content in given.items() if content is not UNSET and content is not None}
    faults.extend((f"$.{name}", "is no field of this form") for name in given if name not in known)
    faults.extend(
        (f"$.{name}", "is required")
        for name, member in known.items()
        if member.required and name not in given
    )
    return given


def _part(name: str, content: object) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    if isinstance(content, File):
        head = (
            f'{disposition}; filename="{_quoted(_file_name(content.name))}"\r\n'
            f"Content-Type: {check_header('content_type', content.content_type)}\r\n\r\n"
        )
        return head.encode() + content.content
    return f"{disposition}\r\n\r\n{_text(content)}".encode()


def _file_name(name: str) -> str:
    if not name or name in {".", ".."}:
        raise InvalidInput("the file needs a name, such as invoice.xml")
    if "/" in name or "\\" in name:
        raise InvalidInput(f"give the file's name without its folder, not {name!r}")
    if any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in name):  # noqa: PLR2004
        raise InvalidInput(f"the file's name holds a control character: {name!r}")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"the file's name is no valid Unicode text: {name!r}") from None
    return name


def _quoted(text: str) -> str:
    """A name as browsers write it: UTF-8 as it is, and what would end the quoting percent-encoded.

    RFC 7578 §4.2 forbids ``filename*``; this is what servers read (WHATWG HTML, multipart/form-data).
    """
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _text(content: object) -> str:
    match content:
        case bool():
            return "true" if content else "false"
        case enum.Enum():
            return str(content.value)
        case str() | int() | Decimal():
            return str(content)
        case _:
            raise InvalidInput(f"a form cannot carry {type(content).__name__}: give a File or text")
