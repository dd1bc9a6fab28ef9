"""The only room with aiohttp in it: one session, one attempt at a time, every fault in our own words."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import aiohttp
import attrs
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.payload import BytesPayload, Payload
from yarl import URL

from seqino._core.network import Network
from seqino._core.outcome import FaultKind
from seqino._core.sending import SendMark, Unsent
from seqino.errors import CallError, ClientClosed, ConfigurationError, WrongEventLoop
from seqino.errors.facts import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp.abc import AbstractStreamWriter

    from seqino._core.config import Config, Secret
    from seqino._core.request import Request

__all__ = ["Answer", "Broken", "Middleware", "SendMark", "Session", "Transport"]

Session: TypeAlias = aiohttp.ClientSession
Middleware: TypeAlias = aiohttp.ClientMiddlewareType

KEEP_ALIVE = 4.0
"""Seconds an idle connection is kept: less than servers keep theirs (uvicorn: 5 s), as a connection that the
server closes under a request leaves the request in doubt."""

_CHUNK = 256 * 1024


@attrs.frozen(kw_only=True)
class Answer:
    """A complete answer.

    Args:
        status: Its HTTP status.
        headers: Its headers, found in any case.
        body: Its body, whole.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=lambda body: f"<{len(body)} bytes>")


@attrs.frozen(kw_only=True)
class Broken:
    """No complete answer.

    Args:
        kind: Why, in our own words.
        detail: Why, in aiohttp's; without URLs and headers, which may hold secrets.
    """

    kind: FaultKind
    detail: str = ""


Result: TypeAlias = Answer | Broken


class _MarkedPayload(BytesPayload):
    """A body that marks the moment it is written.

    aiohttp asks a payload to write itself only once it holds a connection, and the head of the request leaves
    together with the body's first bytes. This is far cheaper than tracing, and holds for an empty body too.
    """

    def __init__(self, value: bytes, mark: SendMark) -> None:
        # Payload's own: BytesPayload's warns of a large body, which is written in pieces here.
        Payload.__init__(self, value, content_type="application/octet-stream")
        self._size = len(value)
        self._mark = mark

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        if self._mark.is_guarded:
            await self._mark.prepare(writer.transport)
        self._mark.begin(writer.transport)
        if len(self._value) <= _CHUNK:
            await super().write_with_length(writer, content_length)
            return
        # aiohttp took the length from this payload: there is nothing to cut off.
        content = memoryview(self._value)
        for start in range(0, len(content), _CHUNK):
            await writer.write(content[start : start + _CHUNK])


class _AttemptFailed(Exception):  # noqa: N818 - never leaves this module
    """Stands for an aiohttp error that would make aiohttp send the request a second time by itself."""

    def __init__(self, result: Broken) -> None:
        super().__init__()
        self.result = result


class _SendOnce:
    """Middleware, the outermost: every send is ours, counted and budgeted. It brings the key.

    Given to aiohttp earlier, the key would be in its variables, which tracebacks may show, and in its traces.
    """

    __slots__ = ("_key",)

    def __init__(self, key: Secret | None) -> None:
        self._key = key

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self._key is not None:
            request.headers["Authorization"] = self._key.reveal()
        try:
            return await handler(request)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise _AttemptFailed(_broken(error)) from None


class _OneSend:
    """Middleware, the innermost: one attempt is one send, whatever the caller's middlewares do.

    A second one would be neither counted nor decided by what the operation bears.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._was_used = False
        self._response: aiohttp.ClientResponse | None = None

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self._was_used:
            if self._response is not None:
                self._response.close()
            raise _AttemptFailed(Broken(kind=FaultKind.REPEATED))
        if self._session.closed:
            raise ClientClosed("the client's session was closed while a middleware held a request back")
        self._was_used = True
        self._response = await handler(request)
        return self._response


class Transport:
    """Sends single attempts over one aiohttp session.

    Args:
        config: The client's configuration.
        network: The way to the server, for a session of our own.
        session: A session to use and leave open; otherwise one is made when first needed, and closed by us.
        middlewares: aiohttp middlewares of the caller, run inside our own. An injected session's own are not
            run: give them here.
    """

    def __init__(
        self,
        config: Config,
        *,
        network: Network | None = None,
        session: Session | None = None,
        middlewares: Sequence[Middleware] = (),
    ) -> None:
        self._config = config
        self._network = network or Network()
        self._session = session
        self._owned = session is None
        self._middlewares = tuple(middlewares)
        self._closed = False
        self._reading: set[aiohttp.ClientResponse] = set()
        self._loop: asyncio.AbstractEventLoop | None = getattr(session, "_loop", None)
        # Our own session has it from the start; the limits of another's would end calls given longer here.
        self._settings: dict[str, Any] = {} if session is None else {"timeout": _timeout(config)}
        if session is not None and "Expect" in session.headers:
            raise ConfigurationError(
                "the session sends 'Expect' with every request, which hides whether one was sent: remove it"
            )

    async def send(self, request: Request, *, key: Secret | None, mark: SendMark | None) -> Result:
        """Send a request once.

        Args:
            request: What to send.
            key: The API key, or ``None`` for an open operation.
            mark: Told when the request begins to leave; ``None`` for a request without a body whose effect is
                safe, where that does not matter.

        Raises:
            ClientClosed: If the client or the session was closed.
            WrongEventLoop: If the running loop is not the client's.
            Exception: What the mark's guard raised, unless it is ``Unsent``; nothing was sent.
        """
        session = self._open_session()
        try:
            response = await session.request(
                request.operation.method,
                URL(request.url, encoded=True),
                headers=request.headers,
                data=None if mark is None else _MarkedPayload(request.body or b"", mark),
                # aiohttp would guess one for an empty body.
                skip_auto_headers=("Content-Type",) if request.body is None and mark is not None else None,
                allow_redirects=False,
                raise_for_status=False,
                auto_decompress=True,
                middlewares=self._around(key, session),
                **self._settings,
            )
            result = await _read(response, limit=self._config.max_answer_bytes, reading=self._reading)
        # What is told of these errors is plain: they hold the request's headers, and with them the key.
        except _AttemptFailed as failed:
            result = failed.result
        # A call that a middleware makes itself fails in our own words: its end is not that of this one.
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError, CallError) as error:
            result = _broken(error)
        finally:
            # aiohttp may leave the task that writes alive behind an answer that came too early.
            if mark is not None:
                mark.give_up()
        return result if mark is None or mark.sent else _unsent(result, mark)

    def _around(self, key: Secret | None, session: Session) -> tuple[Middleware, ...]:
        """The middlewares of one attempt."""
        ours = _SendOnce(key)
        return (ours, *self._middlewares, _OneSend(session)) if self._middlewares else (ours,)

    def _open_session(self) -> Session:
        if self._closed:
            raise ClientClosed("this client was closed: make a new one, or keep it open while it is used")
        self._check_loop()
        if self._session is None:
            self._loop = asyncio.get_running_loop()
            self._session = _make_session(self._config, self._network)
        elif self._session.closed:
            raise ClientClosed(
                "the session given to this client was closed: keep it open while the client is used"
            )
        return self._session

    def _check_loop(self) -> None:
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            raise WrongEventLoop(
                "this client belongs to another event loop: make it inside the coroutine that uses it, "
                "with 'async with SeqinoClient(...)', one for each asyncio.run()"
            )

    async def aclose(self) -> None:
        """Close our own session; an injected one stays open. May be called twice.

        Raises:
            WrongEventLoop: If the running loop is not the client's.
        """
        if self._closed:
            return
        self._check_loop()
        self._closed = True
        if self._session is not None and self._owned:
            # aiohttp would leave who reads them to wait for what cannot come any more.
            for response in tuple(self._reading):
                response.close()
            await self._session.close()


def _unsent(result: Result, mark: SendMark) -> Result:
    """Say how an attempt ended whose request never left."""
    if isinstance(mark.refusal, Unsent):
        return Broken(kind=FaultKind.WITHHELD, detail=str(mark.refusal))
    if mark.refusal is not None:
        raise mark.refusal
    return _UNASKED if mark.is_guarded and isinstance(result, Answer) else result


_UNASKED = Broken(kind=FaultKind.DISCONNECTED, detail="the server answered before it was asked")
"""As servers do that close idle connections with a 408: it answers nothing of ours."""


def _timeout(config: Config) -> aiohttp.ClientTimeout:
    # No total: one timer of our own covers an attempt, more cheaply.
    return aiohttp.ClientTimeout(total=None, sock_connect=config.connect_timeout)


def _make_session(config: Config, network: Network) -> Session:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=config.max_connections,
            ttl_dns_cache=300,
            keepalive_timeout=KEEP_ALIVE,
            ssl=True if network.tls is None else network.tls,
        ),
        # Not aiohttp's own trust_env: it looks for a proxy before each request, and takes a login in ~/.netrc
        # where there is no key.
        proxy=None if network.proxy is None else network.proxy.reveal(),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=_timeout(config),
    )


async def _read(response: aiohttp.ClientResponse, *, limit: int, reading: set[Any]) -> Result:
    """Read an answer to its end: only a whole one proves anything."""
    pieces: list[bytes] = []
    size = response.content_length or 0
    reading.add(response)
    try:
        if size <= limit:
            size = 0
            if response.content.total_bytes and response.content.at_eof():
                # A middleware has read it, and aiohttp keeps what was read.
                pieces.append(await response.read())
                size = len(pieces[0])
            while piece := await response.content.readany():
                size += len(piece)
                if size > limit:
                    break
                pieces.append(piece)
    except RuntimeError as error:
        # aiohttp's word for a connection that was closed on this side, together with its session.
        return _broken(error)
    finally:
        reading.discard(response)
        # Still held: what is left of the answer, or of our own upload, is not waited for.
        if response.connection is not None:
            response.close()
    if size > limit:
        return Broken(kind=FaultKind.TOO_LARGE, detail=f"more than {limit} bytes")
    return Answer(status=response.status, headers=response.headers, body=b"".join(pieces))


def _broken(error: Exception) -> Broken:
    return Broken(kind=_kind(error), detail=_detail(error))


_PASSING_STATUSES = frozenset({429, 502, 503, 504})


def _kind(error: Exception) -> FaultKind:  # noqa: PLR0911 - a table, the special before the general
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ServerFingerprintMismatch():
            return FaultKind.INSECURE
        case aiohttp.ClientConnectorSSLError():
            # A handshake that was cut may succeed next time; one that was refused will not.
            return FaultKind.UNREACHABLE if _was_cut(error) else FaultKind.INSECURE
        case aiohttp.ClientHttpProxyError():
            # The proxy's status, not the platform's: the tunnel was never opened.
            return FaultKind.UNREACHABLE if error.status in _PASSING_STATUSES else FaultKind.INSECURE
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return FaultKind.UNREACHABLE
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return FaultKind.UNUSABLE
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError() | HttpProcessingError():
            # aiohttp invents status=400 for an answer that is no HTTP: it is not read here.
            return FaultKind.BROKEN_ANSWER
        case TimeoutError():
            return FaultKind.TIMED_OUT
        case ValueError():
            return FaultKind.UNUSABLE
        case _:
            return FaultKind.DISCONNECTED


def _was_cut(error: Exception) -> bool:
    return isinstance(error.__cause__, ssl.SSLEOFError | ssl.SSLZeroReturnError)


_LONGEST_DETAIL = 200

_USER_INFO = re.compile(r"//[^/\s]*@")
"""Name and password in a URL."""


def _detail(error: Exception) -> str:
    """The fault in aiohttp's words, without what str() adds to them: URLs may hold a proxy's password."""
    match error:
        case aiohttp.ClientConnectorError():
            cause = error.os_error
            text = cause.strerror or str(cause) or type(cause).__name__
        case aiohttp.ClientResponseError() | HttpProcessingError():
            text = error.message
        case aiohttp.InvalidURL():
            text = "invalid URL"
        case aiohttp.ServerDisconnectedError() if not isinstance(error.message, str):  # but the head itself
            text = "the answer ended in its head"
        case _:
            text = str(error)
    name, words = type(error).__name__, _USER_INFO.sub("//", " ".join(text.split()))
    return f"{name}: {one_line(words, most=_LONGEST_DETAIL)}" if words else name
