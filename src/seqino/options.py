"""What a caller may set: once for a client, or for one call."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from seqino._core.wire import JSON  # noqa: TC004 - nothing reads this type at run time

__all__ = [
    "DEFAULT_MAX_RETRIES",
    "DEFAULT_SERVER",
    "DEFAULT_TIMEOUT",
    "SERVERS",
    "CallOptions",
    "check_count",
    "check_header",
    "check_headers",
    "check_timeout",
    "checks_digits",
    "is_header_value",
    "names_only",
]

SERVERS: Mapping[str, str] = {
    "dev": "https://pdp.seqino.dev/api",
    "local": "http://localhost:8052",
}
"""Published servers by name; any URL may stand where a name does."""

DEFAULT_SERVER = "dev"
"""The only public server whose address the platform's documentation still shows."""

DEFAULT_TIMEOUT = 60.0
"""Seconds for one call with all its attempts and pauses."""

DEFAULT_MAX_RETRIES = 3
"""How often a failed attempt is repeated where a repetition is safe."""

_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""A token of RFC 9110 §5.6.2."""

_HEADER_VALUE = re.compile(r"[!-~](?:[ \t!-~]*[!-~])?|")
"""Visible ASCII, blanks inside: what every server reads alike (RFC 9110 §5.5)."""

_FRAMING = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive"}
    | {"te", "trailer", "transfer-encoding", "upgrade"}
)

_OWN_HEADERS: Mapping[str, str] = {
    "authorization": "the API key is set by api_key",
    "x-pdp-client-id": "the client is named by client_id",
    **dict.fromkeys(_FRAMING, "it frames the message, which is the SDK's own work"),
}


def check_timeout(name: str, value: object) -> float:
    """Return a number of seconds, or refuse what is none.

    Args:
        name: Name of the argument, for the message.
        value: What was given.

    Raises:
        InvalidInput: If it is no number above 0; ``math.inf`` is one.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or value <= 0:
        raise InvalidInput(f"{name} must be a number of seconds above 0, or math.inf, not {value!r}")
    return float(value)


def check_count(name: str, value: object, *, least: int) -> int:
    """Return a whole number, or refuse what is none.

    Args:
        name: Name of the argument, for the message.
        value: What was given.
        least: The smallest that makes sense.

    Raises:
        InvalidInput: If it is no whole number from ``least``.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidInput(f"{name} must be a whole number, {least} or more, not {value!r}")
    return value


def is_header_value(text: str) -> bool:
    """Whether a header can carry a text as it is."""
    return _HEADER_VALUE.fullmatch(text) is not None


def names_only(headers: Mapping[str, str] | None) -> str:
    """Show headers without their values, which may be secret."""
    return "None" if headers is None else f"<{', '.join(headers) or 'none'}>"


def check_header(name: str, value: object) -> str:
    """Return the value of a header, or refuse what could break the message.

    Args:
        name: Name of the header or argument, for the message.
        value: What was given; it is not shown in the message, as it may be secret.

    Raises:
        InvalidInput: If it is no text of visible ASCII characters.
    """
    if not isinstance(value, str) or not is_header_value(value):
        raise InvalidInput(
            f"{name} must be text of visible ASCII characters, without line breaks or blanks around it: "
            "it is sent as an HTTP header"
        )
    return value


def check_headers(headers: Mapping[Any, Any]) -> dict[str, str]:
    """Return extra headers, or refuse those that a message could not carry or that are the SDK's own.

    Args:
        headers: Values by name.

    Raises:
        InvalidInput: If a name or a value cannot be sent, or the header is set in another way.
    """
    for name in headers:
        if not isinstance(name, str) or _HEADER_NAME.fullmatch(name) is None:
            raise InvalidInput(f"extra_headers: {name!r} is not the name of a header")
        why = _OWN_HEADERS.get(name.lower())
        if why is not None:
            raise InvalidInput(f"extra_headers cannot set {name}: {why}")
    return {name: check_header(f"extra_headers[{name!r}]", value) for name, value in headers.items()}


def _optional_timeout(value: float | None) -> float | None:
    return None if value is None else check_timeout("timeout", value)


def _optional_max_retries(value: int | None) -> int | None:
    return None if value is None else check_count("max_retries", value, least=0)


def _optional_headers(value: Mapping[str, str] | None) -> Mapping[str, str] | None:
    return None if value is None else check_headers(value)


@attrs.frozen(kw_only=True)
class CallOptions:
    """What one call may do otherwise than its client; a field left ``None`` keeps the client's value.

    Args:
        timeout: Seconds for the whole logical call: waiting for a connection, attempts and pauses.
            ``math.inf`` waits for ever.
        max_retries: How often a failed attempt may be repeated, 0 or more; only where a repetition is safe.
        extra_headers: Added to the request; they cannot replace the key or the client id.
        check_digits: Whether identifiers (SIREN, SIRET) with a wrong check digit are refused before sending.
        extra_body: Members added to a JSON body, for fields that the description does not know yet.

    Raises:
        InvalidInput: If a value is out of its range.
    """

    timeout: float | None = attrs.field(default=None, converter=_optional_timeout)
    max_retries: int | None = attrs.field(default=None, converter=_optional_max_retries)
    extra_headers: Mapping[str, str] | None = attrs.field(
        default=None, converter=_optional_headers, repr=names_only
    )
    check_digits: bool | None = None
    extra_body: Mapping[str, JSON] | None = None


def checks_digits(options: CallOptions | None, *, default: bool) -> bool:
    """Return whether a call refuses identifiers with a wrong check digit.

    Args:
        options: What the call does otherwise than its client.
        default: What the client does.
    """
    told = None if options is None else options.check_digits
    return default if told is None else told
