"""One logical call as a request that can be sent: URL, headers and bytes, all checked and made once. Pure."""

from __future__ import annotations

import datetime as dt
import enum
import platform
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import attrs

from seqino._core.config import check_client_id
from seqino._core.multipart import encode_multipart
from seqino._core.wire import UNSET, Encoded, Operation
from seqino.errors import ConfigurationError, InvalidInput
from seqino.identifiers import check
from seqino.options import check_header, names_only

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seqino._core.codec import Codec
    from seqino._core.config import Config
    from seqino._core.wire import JSON, Parameter

__all__ = ["Request", "build_request", "user_agent"]


@attrs.frozen(kw_only=True)
class Request:
    """A request, ready to be sent any number of times; only the key is added later.

    Args:
        operation: What is called.
        url: The whole URL, percent-encoded.
        headers: All headers but ``Authorization``.
        body: The body's bytes, or ``None``.
        client_id: The client on whose behalf the call is made, if any.
        parameters: What was given besides the client and the body, as text by Python name.
    """

    operation: Operation[Any]
    url: str
    headers: Mapping[str, str] = attrs.field(repr=names_only)
    body: bytes | None = attrs.field(repr=lambda body: "None" if body is None else f"<{len(body)} bytes>")
    client_id: str | None
    parameters: Mapping[str, str]


def build_request(
    operation: Operation[Any],
    *,
    config: Config,
    codec: Codec,
    parameters: Mapping[str, Any],
    body: Any = UNSET,
    extra_body: Mapping[str, JSON] | None = None,
) -> Request:
    """Check what the caller gave and make a request of it.

    Args:
        operation: What is called.
        config: The client's configuration, with the options of the call in it.
        codec: Encodes a JSON body.
        parameters: Values by Python name; ``None`` and UNSET are left out.
        body: The body, or UNSET.
        extra_body: Members added to a JSON body.

    Raises:
        InvalidInput: If a parameter or the body cannot be sent.
    """
    given = {name: value for name, value in parameters.items() if value is not None and value is not UNSET}
    own = {"Accept": "application/json", "User-Agent": user_agent()}
    places = _Places(operation.name, operation.path, own, query=[], shown={})
    client_id: str | None = None
    missing: list[str] = []
    for parameter in operation.parameters:
        value = given.pop(parameter.name, UNSET)
        if parameter.scope:
            client_id = _client_id(value, parameter, config, operation=operation.name)
            if client_id is not None:
                places.headers[parameter.wire] = client_id
        elif value is not UNSET:
            if parameter.identifier is not None:
                where = f"{operation.name}: {parameter.name}"
                value = check(parameter.identifier, value, where=where, check_digits=config.check_digits)
            places.put(parameter, value)
        elif parameter.required:
            missing.append(parameter.name)
    if given:
        raise InvalidInput(f"{operation.name} has no parameter {', '.join(sorted(given))}")
    if missing:
        raise InvalidInput(f"{operation.name} needs {', '.join(missing)}")
    content, content_type = _body(operation, codec, body, extra_body)
    if content_type is not None:
        places.headers["Content-Type"] = content_type
    return Request(
        operation=operation,
        url=_base(operation, config.base_url) + places.target(),
        headers=_extended(places.headers, config.extra_headers),
        body=content,
        client_id=client_id,
        parameters=places.shown,
    )


@attrs.define
class _Places:
    """Where parameters go in a request."""

    operation: str
    path: str
    headers: dict[str, str]
    query: list[str]
    shown: dict[str, str]

    def put(self, parameter: Parameter, value: Any) -> None:
        where = f"{self.operation}: {parameter.name}"
        self.shown[parameter.name] = str(value)
        if parameter.location == "path":
            self.path = self.path.replace(f"{{{parameter.wire}}}", _segment(value, where=where))
        elif parameter.location == "query":
            name = _quote(parameter.wire)
            self.query.extend(f"{name}={item}" for item in _query_items(value, where=where))
        else:
            self.headers[parameter.wire] = check_header(where, _text(value, where=where))

    def target(self) -> str:
        return f"{self.path}?{'&'.join(self.query)}" if self.query else self.path


def _client_id(value: Any, scope: Parameter, config: Config, *, operation: str) -> str | None:
    """The client on whose behalf the call is made: the call's own, or the configured one."""
    if value is not UNSET:
        try:
            return check_client_id(value, source=f"{operation}: {scope.name}")
        except ConfigurationError as error:
            raise InvalidInput(str(error)) from None
    if config.client_id is None and scope.required:
        raise InvalidInput(
            f"{operation}: {scope.name} says on whose behalf the call is made: give {scope.name} to the call "
            "or to the client, or set SEQINO_CLIENT_ID"
        )
    return config.client_id


def _base(operation: Operation[Any], base_url: str) -> str:
    # /health hangs beside the API: at https://host/health where the API is https://host/api.
    return base_url.removesuffix("/api") if operation.outside_api else base_url


def _body(
    operation: Operation[Any], codec: Codec, body: Any, extra: Mapping[str, JSON] | None
) -> tuple[bytes | None, str | None]:
    if operation.body is None:
        if body is not UNSET or extra:
            raise InvalidInput(f"{operation.name} has no body")
        return None, None
    if body is UNSET:
        if operation.body.required or extra:
            raise InvalidInput(f"{operation.name} needs a body")
        return None, None
    if operation.body.kind == "multipart":
        if extra:
            raise InvalidInput(f"{operation.name}: extra_body adds to a JSON body, and this one is a form")
        return encode_multipart(body, operation.body.type, operation=operation.name)
    try:
        if isinstance(body, Encoded) and not extra:
            return body.content, "application/json"
        return codec.encode(body, operation.body.type, extra=extra), "application/json"
    except InvalidInput as error:
        raise InvalidInput(f"{operation.name}: {error.args[0]}", faults=error.faults) from None


def _extended(headers: dict[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """Headers with extra ones, which replace those of the same name in any case; checked before."""
    if not extra:
        return headers
    replaced = {name.lower() for name in extra}
    kept = {name: value for name, value in headers.items() if name.lower() not in replaced}
    return {**kept, **extra}


@cache
def user_agent() -> str:
    """What the SDK calls itself towards the platform."""
    # Not needed to import this package: left to the first call.
    from importlib.metadata import version  # noqa: PLC0415

    return f"seqino/{version('seqino')} python/{platform.python_version()}"


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _segment(value: Any, *, where: str) -> str:
    """A path parameter, percent-encoded; what would name another path is refused."""
    text = _text(value, where=where)
    if text in {"", ".", ".."} or _CONTROL.search(text) is not None:
        raise InvalidInput(f"{where} cannot be a part of a path: {text!r}")
    return _quote(text, where=where)


def _query_items(value: Any, *, where: str) -> Iterator[str]:
    items = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,)
    for item in items:
        yield _quote(_text(item, where=where), where=where)


def _quote(text: str, *, where: str = "") -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise InvalidInput(f"{where} is no valid Unicode text: {text!r}") from None


def _text(value: Any, *, where: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case enum.Enum():
            return str(value.value)
        case str() | int() | Decimal() | uuid.UUID():
            return str(value)
        case dt.date():
            return value.isoformat()
        case _:
            raise InvalidInput(f"{where} must be text, a number, a date or a value of an enum, not {value!r}")
