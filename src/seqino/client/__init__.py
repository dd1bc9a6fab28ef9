"""The client: configuration, lifetime, scoping; it hands out the resources and submits invoices."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from seqino import resources
from seqino._core.config import Secret, check_client_id, concealed, resolve
from seqino._core.raw import listen
from seqino._core.runtime import Runtime
from seqino._core.wire import UNSET, File
from seqino._generated.operations import VALIDATE_DRAFT, health_check
from seqino.client.content import InvoiceFile, load_file
from seqino.client.making import Way, engine_of
from seqino.client.reach import journaled, limited, load_of, submitter_of, time_limit
from seqino.errors import InvalidInput
from seqino.options import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT, CallOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence
    from ssl import SSLContext
    from typing import Self

    from seqino._core.call import CallEngine
    from seqino._core.config import ApiKey
    from seqino._core.events import EventHook
    from seqino._core.raw import Response
    from seqino._core.telemetry import Telemetry
    from seqino._core.transport import Middleware, Session
    from seqino._core.wire import JSON, Operation, PageAnswer
    from seqino.client.resuming import Resumed
    from seqino.errors import ResumeToken
    from seqino.models import InvoiceDraft
    from seqino.submission import Submission

__all__ = ["InvoiceFile", "SeqinoClient", "journaled", "limited", "load_of", "time_limit"]

T = TypeVar("T")


class SeqinoClient:
    """A client of the platform; use it with ``async with``, in one event loop, from any number of tasks.

    Arguments outrank the environment, and the environment outranks defaults.

    Args:
        api_key: The key, or an async function that fetches it; else ``SEQINO_API_KEY``.
        client_id: The client on whose behalf calls are made; else ``SEQINO_CLIENT_ID``.
        base_url: URL below which the paths of the API hang; else ``SEQINO_BASE_URL``.
        server: The same by the name of a published server (``dev``, the default, or ``local``).
        timeout: Seconds for one call with all its attempts and pauses; ``math.inf`` waits for ever.
        max_retries: How often a failed attempt is repeated where a repetition is safe.
        extra_headers: Added to every request.
        on_event: Called with every attempt, delay and verdict; it must be quick.
        max_connections: How many connections may be open at a time.
        max_concurrency: Adapt to what the platform bears: begin with a few requests at a time, go up to this
            many, and down again while answers are slow or refused. ``None`` sets no such limit.
        requests_per_second: How many requests may begin in a second, 0.001 to 1,000,000; ``None`` for any
            number.
        allow_insecure_http: Send the key over ``http://`` to another machine, readable for anyone between.
        check_digits: Refuse identifiers (SIREN, SIRET) with a wrong check digit before anything is sent; a
            platform's own test numbers may have one.
        proxy: URL of a proxy, such as ``http://user:password@proxy.example:3128``; it is never shown.
        trust_env: Without a ``proxy``, take that of the environment (``HTTPS_PROXY``, ``NO_PROXY``).
        ssl: Which certificates are trusted, and which is shown to the server; those of the system by default.
        session: An aiohttp session to use and leave open. Its own middlewares are not run: give them here.
        middlewares: aiohttp middlewares to run around each attempt, the first outermost; none may send twice.
        telemetry: Observes calls: ``seqino.integrations.otel.OpenTelemetry()``.

    Raises:
        ConfigurationError: A key, a client id, a URL or a proxy cannot be used.
        InvalidInput: A number or a header is out of its range.
    """

    def __init__(
        self,
        api_key: ApiKey | None = None,
        *,
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
        proxy: str | None = None,
        trust_env: bool = False,
        ssl: SSLContext | None = None,
        session: Session | None = None,
        middlewares: Sequence[Middleware] = (),
        telemetry: Telemetry | None = None,
    ) -> None:
        # Not as they were given: a traceback that shows variables would show them.
        key, secret_proxy = concealed(api_key), None if proxy is None else Secret(proxy)
        del api_key, proxy
        config = resolve(
            api_key=key,
            client_id=client_id,
            base_url=base_url,
            server=server,
            timeout=timeout,
            max_retries=max_retries,
            extra_headers=extra_headers,
            on_event=on_event,
            max_connections=max_connections,
            max_concurrency=max_concurrency,
            requests_per_second=requests_per_second,
            allow_insecure_http=allow_insecure_http,
            check_digits=check_digits,
        )
        way = Way(
            proxy=secret_proxy, trust_env=trust_env, tls=ssl, session=session, middlewares=tuple(middlewares)
        )
        runtime = self._make_runtime()
        engine = engine_of(
            config, way, allow_insecure_http=allow_insecure_http, telemetry=telemetry, runtime=runtime
        )
        self._set_up(engine, runtime)

    def _make_runtime(self) -> Runtime:
        """Clock and pauses of a new client; that of the pytest plugin has its own."""
        return Runtime()

    def _set_up(self, engine: CallEngine, runtime: Runtime) -> None:
        self._engine = engine
        self._runtime = runtime
        self.clients = resources.Clients(self)
        self.directory = resources.Directory(self)
        self.drafts = resources.Drafts(self)
        self.invoicing = resources.Invoicing(self)
        self.lifecycle = resources.Lifecycle(self, runtime)
        self.mandates = resources.Mandates(self, runtime)
        self.reporting = resources.Reporting(self)
        self.settings = resources.Settings(self)
        self.usage = resources.Usage(self)
        self.webhooks = resources.Webhooks(self)

    def __repr__(self) -> str:
        if not hasattr(self, "_engine"):
            # In a traceback that shows variables: an argument was refused.
            return "<SeqinoClient that was not made>"
        return f"SeqinoClient(base_url={self.base_url!r}, client_id={self.client_id!r})"

    def __reduce__(self) -> NoReturn:
        # Also what copy and deepcopy ask for: they would take connections and the loop apart.
        raise TypeError(
            "a client is neither pickled nor copied this way: with_options() and for_client() make copies "
            "that share its connections, and another process makes its own"
        )

    @property
    def base_url(self) -> str:
        """URL below which the paths of the API hang."""
        return self._engine.config.base_url

    @property
    def client_id(self) -> str | None:
        """The client on whose behalf calls are made."""
        return self._engine.config.client_id

    @property
    def check_digits(self) -> bool:
        """Whether identifiers with a wrong check digit are refused before anything is sent."""
        return self._engine.config.check_digits

    @property
    def timeout(self) -> float:
        """Seconds that a call has with all its attempts and pauses, unless it is told otherwise."""
        return self._engine.config.timeout

    # --- Lifetime and copies

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the session and with it all copies; closing a copy does nothing."""
        await self._engine.aclose()

    def for_client(self, client_id: str) -> SeqinoClient:
        """Return a copy that calls on behalf of another client, over the same session.

        Args:
            client_id: That client's id, sent as ``X-PDP-Client-Id``.

        Raises:
            ConfigurationError: The id is empty or cannot be sent.
        """
        return self._copy(self._engine.scoped(check_client_id(client_id, source="client_id")))

    def with_options(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
        check_digits: bool | None = None,
    ) -> SeqinoClient:
        """Return a copy with other options, over the same session; what is left out stays.

        Args:
            timeout: Seconds for one call with all its attempts and pauses.
            max_retries: How often a failed attempt is repeated where a repetition is safe.
            extra_headers: Added to every request, besides those that are added already.
            check_digits: Whether identifiers with a wrong check digit are refused.
        """
        engine = self._engine.with_options(
            timeout=timeout, max_retries=max_retries, extra_headers=extra_headers, check_digits=check_digits
        )
        return self._copy(engine)

    def _copy(self, engine: CallEngine) -> SeqinoClient:
        copy = SeqinoClient.__new__(type(self))
        copy._set_up(engine, self._runtime)  # noqa: SLF001 - of the same class
        return copy

    # --- Calls

    async def call(
        self,
        operation: Operation[T],
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Any = UNSET,
        options: CallOptions | None = None,
    ) -> T:
        """Perform an operation of the API; what the functions in ``seqino.api`` use.

        Args:
            operation: What is called.
            parameters: Values by Python name; ``None`` and UNSET are left out.
            body: A model or a mapping.
            options: What this call does otherwise than the client.

        Raises:
            InvalidInput: Something cannot be sent, and nothing was.
            CallError: The call failed.
        """
        return await self._engine.call(operation, parameters=parameters, body=body, options=options)

    async def call_page(
        self,
        operation: Operation[Any],
        *,
        parameters: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
        position: str | None = None,
    ) -> PageAnswer:
        """Read one page of a list; what ``seqino.pagination.Pager`` uses.

        Args:
            operation: One whose list comes in pages.
            parameters: Values by Python name; ``None`` and UNSET are left out.
            options: What this call does otherwise than the client.
            position: Where the page begins, as the page before said; ``None`` for the first.

        Raises:
            InvalidInput: Something cannot be sent, and nothing was.
            CallError: The call failed, or says nothing of the next page that can be followed.
        """
        return await self._engine.call_page(
            operation, parameters=parameters, options=options, position=position
        )

    async def health(self, *, options: CallOptions | None = None) -> JSON:
        """Ask whether the platform is up, without a key; what it answers is any JSON, ``None`` included."""
        return await health_check(self, options=options)

    async def raw(self, awaitable: Awaitable[T]) -> Response[T]:
        """Perform a call, and return the platform's answer as it came beside what it means.

        Works for whatever makes calls: methods of the resources, functions of ``seqino.api``, ``submit``,
        ``to_list()`` of a list. Where it makes several calls, the last complete answer is given.

        Args:
            awaitable: The call, not yet awaited: ``client.drafts.get("…")``.

        Raises:
            InvalidInput: It is no call, or one that was started elsewhere (a task).
            ConfigurationError: It ended without a complete answer of the platform.
            SeqinoError: What the call itself raises; a ``CallError`` keeps its answer in ``raw``.
        """
        return await listen(awaitable)

    # --- Invoices, each sent once

    async def submit(
        self,
        invoice: InvoiceDraft | Mapping[str, Any],
        *,
        client_id: str | None = None,
        revalidate: bool = False,
        options: CallOptions | None = None,
    ) -> Submission:
        """Submit an invoice, once: create a draft, validate it, and find out what became of it.

        Args:
            invoice: The invoice, as a model or as a mapping with the names of the wire.
            client_id: On whose behalf; the client's own where it is left out.
            revalidate: After a lost answer, validate the draft again even where the platform does not show
                whether it became an invoice. Only safe where the server is known to refuse that for a draft
                that did: the sandbox does; of the platform nobody has proved it.
            options: What this does otherwise than the client; ``timeout`` covers all of it.

        Returns:
            The invoice that the platform took. Its ``invoice_id`` is ``None`` where none was shown.

        Raises:
            InvalidInput: The invoice cannot be sent, and nothing was.
            Rejected: The platform refused it; no invoice exists.
            OutcomeUnknown: An invoice may exist. Never submit it again before it is settled; ``resume`` the
                error's ``token``.
            CallError: Nothing was submitted.
        """
        return await submitter_of(self, client_id, options, revalidate=revalidate).submit(invoice)

    async def submit_draft(
        self,
        draft_id: str,
        *,
        client_id: str | None = None,
        revalidate: bool = False,
        options: CallOptions | None = None,
    ) -> Submission:
        """Submit an invoice whose draft was created before, once, and find out what became of it.

        Args:
            draft_id: The draft. One that became an invoice already is found to be one, and stays as it is.
            client_id: On whose behalf; the client's own where it is left out.
            revalidate: As for ``submit``.
            options: What this does otherwise than the client; ``timeout`` covers all of it.

        Returns:
            The invoice that the platform took.

        Raises:
            Rejected: The platform refused it; the draft is left as it was.
            OutcomeUnknown: An invoice may exist; ``resume`` the error's ``token``.
            CallError: Nothing was submitted.
        """
        submitter = submitter_of(self, client_id, options, revalidate=revalidate)
        return await submitter.take_up(draft_id, ever_unknown=False)

    async def submit_file(
        self,
        file: InvoiceFile,
        *,
        name: str | None = None,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Submission:
        """Submit an invoice as a file, byte for byte, once.

        Args:
            file: UBL or CII XML, or Factur-X PDF. It is recognised before anything is sent.
            name: Name to send it under; the file's own where it has one.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this does otherwise than the client.

        Returns:
            The invoice that the platform took.

        Raises:
            InvalidInput: It is no invoice, and nothing was sent.
            OSError: It cannot be read, and nothing was sent.
            Rejected: The platform refused it.
            OutcomeUnknown: An invoice may exist, and no file can be looked up: do not send it again.
            ResponseDecodeError: It was taken, and the answer cannot be read: do not send it again.
            CallError: Nothing was submitted.
        """
        # Reading and recognising may take a while, during which the loop goes on.
        content, document = await asyncio.to_thread(load_file, file, name)
        upload = File(name=document.name, content=content, content_type=document.media_type)
        return await submitter_of(self, client_id, options).submit_file(upload, number=document.number)

    async def resume(
        self, token: ResumeToken, *, revalidate: bool = False, options: CallOptions | None = None
    ) -> Resumed:
        """Find out what became of a call that ended in doubt.

        An invoice's draft is looked at, and validated where it is proven to be unused. What another operation
        was to make is looked for by its key, and never sent again.

        Args:
            token: The ``token`` of an ``OutcomeUnknown``, or ``seqino_token`` of an interrupted call.
            revalidate: As for ``submit``.
            options: What this does otherwise than the client; ``timeout`` covers all of it.

        Returns:
            Of an invoice a ``Submission``, otherwise what the call would have returned: ``isinstance`` tells.

        Raises:
            InvalidInput: The token says too little, or is of another server.
            OutcomeUnknown: Still nobody can tell; of an uploaded file or a report, nobody ever can.
            CallError: It was found, but not as it was sent.
        """
        if token.base_url != self.base_url:
            raise InvalidInput(f"the token is of {token.base_url}, and this client calls {self.base_url}")
        if token.operation == VALIDATE_DRAFT.name:
            return await submitter_of(self, token.client_id, options, revalidate=revalidate).resume(token)
        made: Resumed = await self._engine.resume(token, options=options)
        return made
