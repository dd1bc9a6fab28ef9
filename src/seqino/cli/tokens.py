"""Tokens of calls in doubt, as text that survives a shell, a log and a file. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, cast

import attrs
import msgspec

from seqino.errors import InvalidInput, OutcomeUnknown, ResumeToken

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["can_be_settled", "read_tokens", "token_of", "token_text"]


def token_of(error: BaseException) -> ResumeToken | None:
    """Return what tells of a call that may have been done; a cancellation carries it as well."""
    return error.token if isinstance(error, OutcomeUnknown) else getattr(error, "seqino_token", None)


def can_be_settled(token: ResumeToken) -> bool:
    """Whether a token says what to look for; of an uploaded file or a report nothing can be looked up."""
    return "draft_id" in token.parameters or token.sought is not None


def token_text(token: ResumeToken) -> str:
    """Write a token as letters, digits, ``-`` and ``_`` alone."""
    return base64.urlsafe_b64encode(json.dumps(attrs.asdict(token)).encode()).decode().rstrip("=")


def read_tokens(text: str) -> list[ResumeToken]:
    """Read tokens: one as ``token_text`` writes it, or all that JSON lines of these commands hold.

    Args:
        text: A token; or JSON, of which each line is a token or has one as its member ``token``. Lines of
            what is not in doubt are passed over.

    Raises:
        InvalidInput: It holds no token, or one that cannot be read.
    """
    stripped = text.strip()
    if not stripped.startswith("{"):
        return [_token(_loads(_decoded(stripped)))]
    found = [_token(value) for value in _objects(stripped)]
    if not found:
        raise InvalidInput("nothing in it is in doubt: no line has a token")
    return found


def _decoded(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        raise InvalidInput(
            "this is neither a token, as a command that ended in doubt prints it, nor a file with one"
        ) from None


def _objects(text: str) -> Iterator[object]:
    """Yield what stands in the place of tokens: in one object on several lines, or in one object a line."""
    try:
        values: list[Any] = [json.loads(text)]
    except ValueError:
        values = [_loads(line) for line in text.splitlines() if line.strip()]
    for value in values:
        members = cast("dict[str, object]", value) if isinstance(value, dict) else {}
        token = members if "operation" in members else members.get("token")
        if token is not None:
            yield _loads(_decoded(token)) if isinstance(token, str) else token


def _loads(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput("this is no token: it is cut off, or no JSON") from None


def _token(value: object) -> ResumeToken:
    try:
        return msgspec.convert(value, ResumeToken)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"this is no token: {error}") from None
