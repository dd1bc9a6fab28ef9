"""What errors carry: single faults, the platform's words, and tokens to go on with; plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import attrs

__all__ = ["ErrorBody", "Fault", "PageToken", "ResumeToken", "one_line"]


def one_line(text: str, *, most: int = 500) -> str:
    """Make a text of unknown origin fit for a message or a log: on one line, without what steers a terminal.

    Args:
        text: Any text.
        most: How many characters of it are shown.
    """
    if len(text) > most:
        text = text[:most] + "…"
    words = " ".join(text.split())
    if words.isprintable():
        return words
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in words
    )


class Fault(NamedTuple):
    """One thing wrong with a value."""

    path: str
    """Where: ``$.lines[0].quantity`` in a JSON body, or the name of a parameter."""
    message: str
    """What is wrong, and what was expected."""


@attrs.frozen(kw_only=True)
class ErrorBody:
    """What the platform wrote in an error answer, as far as it could be read.

    Texts are on one line, and cut after 500 characters; the error's ``raw`` has them as they came.

    Args:
        message: The platform's own words, or ``None``.
        code: The platform's numeric code, whose meaning is not published.
        trace_id: What to quote to the platform's support.
        faults: The single faults of a 422 answer, with the path of each; 100 at most.
    """

    message: str | None = None
    code: int | None = None
    trace_id: str | None = None
    faults: tuple[Fault, ...] = ()


@attrs.frozen(kw_only=True)
class ResumeToken:
    """What is needed to find out later what became of a call, as plain data that may be stored.

    Args:
        operation: Name of the operation.
        client_id: The client on whose behalf it was called, if any.
        parameters: The call's own parameters by Python name, such as ``{"draft_id": "…"}``.
        base_url: The server that it was sent to.
        attempts: How many times it was sent, or may have been.
        first_sent_at: From when on it may have been sent, in seconds since 1970 (UTC).
        last_sent_at: Until when; nothing of it can have left later.
        sought: What to look for where it can be known again by its key: values of the request, no secret.
    """

    operation: str
    client_id: str | None = None
    parameters: Mapping[str, str] = attrs.field(factory=dict[str, str])
    base_url: str
    attempts: int
    first_sent_at: float
    last_sent_at: float
    sought: Mapping[str, Any] | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class PageToken:
    """Where the reading of a list goes on, as plain data that may be stored; ``Pager.after`` reads on there.

    Args:
        operation: Name of the operation that lists.
        client_id: The client on whose behalf it is called, if any.
        parameters: The list's own filters by Python name; the same have to be given when it goes on.
        base_url: The server.
        position: What the platform calls the place.
    """

    operation: str
    client_id: str | None = None
    parameters: Mapping[str, str] = attrs.field(factory=dict[str, str])
    base_url: str
    position: str
