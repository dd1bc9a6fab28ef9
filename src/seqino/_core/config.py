"""The configuration of a client: arguments over environment over defaults."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn, TypeAlias
from urllib.parse import SplitResult, urlsplit

import attrs

from seqino._core.events import EventHook
from seqino.errors import ConfigurationError, InvalidInput
from seqino.options import (
    DEFAULT_MAX_RETRIES,
    DEFAULT_SERVER,
    DEFAULT_TIMEOUT,
    SERVERS,
    CallOptions,
    check_count,
    check_header,
    check_headers,
    check_timeout,
    is_header_value,
    names_only,
)

__all__ = [
    "API_KEY",
    "BASE_URL",
    "CLIENT_ID",
    "URL_CHARACTERS",
    "ApiKey",
    "Config",
    "LookedIntoOptions",
    "Secret",
    "check_client_id",
    "check_key",
    "concealed",
    "is_this_machine",
    "resolve",
]

API_KEY = "SEQINO_API_KEY"
CLIENT_ID = "SEQINO_CLIENT_ID"
BASE_URL = "SEQINO_BASE_URL"

ApiKey: TypeAlias = str | Callable[[], Awaitable[str]]
"""An API key, or what fetches one: it is called before each attempt, so that keys may rotate."""


_SHORTEST = 8
"""Characters of a secret that is looked for in answers: a shorter one is found everywhere, and is none."""


class Secret:
    """A text that shows in no repr, message, log or pickle.

    No variable of ours holds it otherwise, all the way to where it is sent: tracebacks may show variables.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself; only the transport asks for it."""
        return self._value

    def is_in(self, data: bytes) -> bool:
        """Whether the secret shows in what a server sent."""
        return len(self._value) >= _SHORTEST and self._value.encode() in data

    def hidden_in(self, data: bytes) -> bytes:
        """Return what a server sent, with the secret left out."""
        return data.replace(self._value.encode(), b"<secret>")

    def __repr__(self) -> str:
        return "<secret>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled: give the API key where the client is made")


@attrs.frozen(kw_only=True)
class LookedIntoOptions(CallOptions):
    """Options of a call whose unclear end the caller looks into, in what is left of the same time."""

    @classmethod
    def of(cls, options: CallOptions) -> LookedIntoOptions:
        """Return the same options for such a call."""
        return cls(**attrs.asdict(options, recurse=False))


@attrs.frozen(kw_only=True)
class Config:
    """What a client knows; made by ``resolve``.

    Args:
        api_key: The key, what fetches it, or ``None`` where only open operations are called.
        client_id: The client on whose behalf calls are made, unless a call names another.
        base_url: Where the paths of the API hang, without a slash at the end.
        timeout: Seconds for one call with all its attempts and pauses.
        max_retries: How often a failed attempt is repeated where a repetition is safe.
        extra_headers: Added to every request.
        on_event: Told of every attempt, delay and verdict.
        attempt_timeout: Seconds for one attempt, except the last, which may take what is left.
        connect_timeout: Seconds for a connection to be made.
        max_connections: How many connections may be open at a time.
        max_answer_bytes: How large an answer may be.
        max_concurrency: How many requests the adaptive limit may let be under way; ``None`` for no limit.
        requests_per_second: How many requests may begin in a second; ``None`` for any number.
        check_digits: Whether identifiers with a wrong check digit are refused before anything is sent.
        is_looked_into: Whether the caller looks into an unclear end: no attempt takes all the time left.
    """

    api_key: Secret | Callable[[], Awaitable[str]] | None = attrs.field(
        default=None, repr=lambda key: "<secret>" if key is not None else "None"
    )
    client_id: str | None = None
    base_url: str
    timeout: float = DEFAULT_TIMEOUT
    max_retries: int = DEFAULT_MAX_RETRIES
    extra_headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=names_only)
    on_event: EventHook | None = attrs.field(default=None, repr=False)
    attempt_timeout: float = 20.0
    connect_timeout: float = 5.0
    max_connections: int = 100
    max_answer_bytes: int = 64 * 1024 * 1024
    max_concurrency: int | None = None
    requests_per_second: float | None = None
    check_digits: bool = True
    is_looked_into: bool = False

    def with_options(self, options: CallOptions) -> Config:
        """Return a copy with the options of a call, which outrank the client's."""
        timeout, retries, headers = options.timeout, options.max_retries, options.extra_headers
        return attrs.evolve(
            self,
            timeout=self.timeout if timeout is None else timeout,
            max_retries=self.max_retries if retries is None else retries,
            extra_headers={**self.extra_headers, **(headers or {})},
            check_digits=self.check_digits if options.check_digits is None else options.check_digits,
            is_looked_into=isinstance(options, LookedIntoOptions),
        )


def resolve(
    *,
    api_key: ApiKey | Secret | None = None,
    client_id: str | None = None,
    base_url: str | None = None,
    server: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    max_retries: int = DEFAULT_MAX_RETRIES,
    extra_headers: Mapping[str, str] | None = None,
    on_event: EventHook | None = None,
    max_connections: int = 100,
    max_concurrency: int | None = None,
    requests_per_second: float | None = None,
    allow_insecure_http: bool = False,
    check_digits: bool = True,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Make a configuration of arguments, environment and defaults, in this order.

    Args:
        api_key: The key, or an async function that fetches it; else ``SEQINO_API_KEY``.
        client_id: The client on whose behalf calls are made; else ``SEQINO_CLIENT_ID``.
        base_url: URL below which the paths of the API hang; else ``SEQINO_BASE_URL``.
        server: The same by the name of a published server (``dev``, ``local``), or a URL.
        timeout: Seconds for one call with all its attempts and pauses; ``math.inf`` waits for ever.
        max_retries: How often a failed attempt is repeated where a repetition is safe.
        extra_headers: Added to every request.
        on_event: Told of every attempt, delay and verdict.
        max_connections: How many connections may be open at a time, 1 or more.
        max_concurrency: How many requests the adaptive limit may let be under way, 1 or more; ``None`` for no
            such limit.
        requests_per_second: How many requests may begin in a second, 0.001 to 1,000,000; ``None`` for any
            number.
        allow_insecure_http: Send the key over ``http://`` to another machine, readable for anyone between.
        check_digits: Whether identifiers (SIREN, SIRET) with a wrong check digit are refused.
        environ: The environment; the process's own where it is left out.

    Raises:
        ConfigurationError: If a key, a client id or a URL cannot be used.
        InvalidInput: If a number or a header is out of its range.
    """
    if base_url is not None and server is not None:
        raise ConfigurationError("base_url and server name the same thing: give one of them")
    key = _key(api_key, environ)
    url = _url(base_url, server, environ)
    if key is not None and not allow_insecure_http:
        _refuse_clear_text(url)
    return Config(
        api_key=key,
        client_id=_client_id(client_id, environ),
        base_url=url,
        timeout=check_timeout("timeout", timeout),
        max_retries=check_count("max_retries", max_retries, least=0),
        extra_headers=check_headers(extra_headers or {}),
        on_event=on_event,
        max_connections=check_count("max_connections", max_connections, least=1),
        max_concurrency=(
            None if max_concurrency is None else check_count("max_concurrency", max_concurrency, least=1)
        ),
        requests_per_second=None if requests_per_second is None else _check_rate(requests_per_second),
        check_digits=check_digits,
    )


def _check_rate(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.001 <= value <= 1e6:  # noqa: PLR2004
        raise InvalidInput(f"requests_per_second must be a number from 0.001 to 1,000,000, not {value!r}")
    return float(value)


def concealed(key: ApiKey | Secret | None) -> Secret | Callable[[], Awaitable[str]] | None:
    """Return an API key as it was given, but so that it does not show."""
    return key if key is None or isinstance(key, Secret) or callable(key) else Secret(key)


def check_key(key: Secret, *, source: str) -> Secret:
    """Return an API key that a header can carry; its text is never shown.

    Args:
        key: What was given or fetched.
        source: Where it comes from, for the message.

    Raises:
        ConfigurationError: If it is empty, no text, or holds characters that no header may hold.
    """
    if not _is_text(key.reveal()):
        raise ConfigurationError(f"{source} is not a text with an API key in it")
    if not is_header_value(key.reveal()):
        raise ConfigurationError(
            f"{source} holds a line break, a blank at an end or another character that no API key has: "
            "was it read from a file with the end of its line?"
        )
    return key


def _is_text(value: object) -> bool:
    """Whether a value is a text that is not empty."""
    return isinstance(value, str) and value != ""


def _variable(name: str, environ: Mapping[str, str] | None) -> str | None:
    """A variable of the environment; ``None`` where it is not set, or empty."""
    return (os.environ if environ is None else environ).get(name) or None


def _key(
    given: ApiKey | Secret | None, environ: Mapping[str, str] | None
) -> Secret | Callable[[], Awaitable[str]] | None:
    key = concealed(given)
    if isinstance(key, Secret):
        return check_key(key, source="api_key")
    if key is None:
        key = concealed(_variable(API_KEY, environ))
        return check_key(key, source=API_KEY) if isinstance(key, Secret) else None
    return key


def _client_id(given: str | None, environ: Mapping[str, str] | None) -> str | None:
    if given is None:
        found = _variable(CLIENT_ID, environ)
        return None if found is None else check_client_id(found, source=CLIENT_ID)
    return check_client_id(given, source="client_id")


def check_client_id(client_id: object, *, source: str) -> str:
    """Return a client id that a header can carry.

    Args:
        client_id: What was given.
        source: Where it comes from, for the message.

    Raises:
        ConfigurationError: If it is empty or cannot be sent.
    """
    try:
        value = check_header(source, client_id)
    except InvalidInput as error:
        raise ConfigurationError(str(error)) from None
    if not value:
        raise ConfigurationError(f"{source} is empty: leave it out, or name a client")
    return value


def _url(base_url: str | None, server: str | None, environ: Mapping[str, str] | None) -> str:
    if base_url is not None:
        return _checked_url(base_url, source="base_url")
    if server is not None:
        return _checked_url(server, source="server")
    found = _variable(BASE_URL, environ)
    if found is not None:
        return _checked_url(found, source=BASE_URL)
    return SERVERS[DEFAULT_SERVER]


URL_CHARACTERS = re.compile(r"[!-~]+")
"""What a URL may consist of; what of it stands where is another question."""


def _checked_url(value: object, *, source: str) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"{source} must be a URL or the name of a server, not {value!r}")
    if value in SERVERS:
        return SERVERS[value]
    fault = _url_fault(value)
    if fault is not None:
        names = ", ".join(SERVERS)
        # A password may stand in what is refused: only its kind is shown.
        raise ConfigurationError(
            f"{source} {fault}: give a URL like https://pdp.seqino.dev/api, or one of the names {names}"
        )
    return value.rstrip("/")


def _url_fault(value: str) -> str | None:
    """Say what is wrong with a base URL, or ``None``."""
    if not value:
        return "is empty"
    if URL_CHARACTERS.fullmatch(value) is None:
        return "holds blanks or characters that no URL has"
    try:
        parts = urlsplit(value)
        port_is_wrong = parts.port == 0
    except ValueError:
        return "is no URL that can be read"
    faults: dict[str, bool] = {
        "does not begin with http:// or https://": parts.scheme not in {"http", "https"},
        "names no host": not parts.hostname,
        "holds a user name or password": "@" in parts.netloc,
        "holds a query or a fragment": "?" in value or "#" in value,
        "holds a backslash": "\\" in value,
        "holds a segment . or ..": bool({".", ".."}.intersection(parts.path.split("/"))),
        "names port 0": port_is_wrong,
    }
    return next((text for text, found in faults.items() if found), None)


def _refuse_clear_text(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_this_machine(parts):
        raise ConfigurationError(
            f"the API key would travel to {parts.hostname} unencrypted: use https://, "
            "or allow_insecure_http=True where nobody can listen"
        )


def is_this_machine(parts: SplitResult) -> bool:
    """Whether a URL leads no further than to this machine.

    Args:
        parts: The URL, split.
    """
    host = parts.hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
