"""The engine that performs calls: it checks what was given, makes a request, hands it to a logical call.

The way through: ``CallEngine.call`` here → ``attempts.LogicalCall`` makes attempts → each is sent by
``transport`` and classified by ``outcome``; ``retry`` decides what follows, ``failures`` tells how it failed.
What a call in doubt made is looked for by ``looking`` where its operation says how.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import unquote

import attrs

from seqino._core.attempts import LogicalCall
from seqino._core.config import Secret
from seqino._core.events import Emitter
from seqino._core.gate import Gate
from seqino._core.limits import AdaptiveLimit, Pacing
from seqino._core.looking import ReadableCall
from seqino._core.outcome import Outcome
from seqino._core.paging import PageFault, is_target, read_page
from seqino._core.raw import listen
from seqino._core.reconcile import can_be_looked_up, refuse_twins
from seqino._core.request import Request, build_request
from seqino._core.runtime import Runtime
from seqino._core.shared import Shared, needs_key
from seqino._core.transport import Transport
from seqino._core.unsettled import not_to_be_looked_up
from seqino._core.wire import UNSET
from seqino.errors import BrokenPages, ConfigurationError, InvalidInput
from seqino.options import CallOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from seqino._core.codec import Codec
    from seqino._core.config import Config
    from seqino._core.network import Network
    from seqino._core.raw import Response
    from seqino._core.sending import SendGuard
    from seqino._core.telemetry import Telemetry
    from seqino._core.transport import Middleware, Session
    from seqino._core.wire import LookUp, Operation, PageAnswer
    from seqino.errors import ResumeToken

__all__ = ["CallEngine", "Load"]

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Load:
    """How many requests are under way, and what they wait for.

    Args:
        allowed: How many may be at present; ``None`` for any number.
        under_way: How many are, where that is limited.
        held_for: Seconds until the server wants to be called again; 0 for at once.
    """

    allowed: int | None
    under_way: int
    held_for: float


class CallEngine:
    """Performs logical calls; the way to the network for all generated functions.

    Args:
        config: The client's configuration.
        codec: Turns models into JSON and back.
        operations: All operations by name: what a call in doubt made is looked for by another of them.
        network: The way to the server, for a session of our own.
        session: An aiohttp session to use and leave open; otherwise one is made in the first call's loop.
        middlewares: aiohttp middlewares of the caller; an injected session's own are not run.
        telemetry: Observes calls and their attempts.
        runtime: Clock, sleep, timers and chance.
    """

    def __init__(
        self,
        config: Config,
        codec: Codec,
        *,
        operations: Mapping[str, Operation[Any]] | None = None,
        network: Network | None = None,
        session: Session | None = None,
        middlewares: Sequence[Middleware] = (),
        telemetry: Telemetry | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        self._config = config
        runtime = runtime or Runtime()
        self._shared = Shared(
            codec=codec,
            transport=Transport(config, network=network, session=session, middlewares=middlewares),
            runtime=runtime,
            operations=operations or {},
            events=Emitter(config.on_event),
            gate=_gate(config, runtime),
            telemetry=telemetry,
        )
        self._is_copy = False

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._config

    @property
    def telemetry(self) -> Telemetry | None:
        """What observes the calls, if anything."""
        return self._shared.telemetry

    def scoped(self, client_id: str | None) -> CallEngine:
        """Return a copy that calls on behalf of another client, over the same session.

        Args:
            client_id: That client's id, or ``None`` for none.
        """
        return self._copy(attrs.evolve(self._config, client_id=client_id))

    def with_options(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
        check_digits: bool | None = None,
    ) -> CallEngine:
        """Return a copy with other options, over the same session; what is left out stays.

        Args:
            timeout: Seconds for one call with all its attempts and pauses.
            max_retries: How often a failed attempt is repeated where a repetition is safe.
            extra_headers: Added to every request, besides those that are added already.
            check_digits: Whether identifiers with a wrong check digit are refused.
        """
        options = CallOptions(
            timeout=timeout, max_retries=max_retries, extra_headers=extra_headers, check_digits=check_digits
        )
        return self._copy(self._config.with_options(options))

    def limited(self, *, most: int, rate: float | None) -> CallEngine:
        """Return a copy whose requests wait for their turn among themselves, over the same session.

        Where the client is limited as strictly already, its requests share that limit.

        Args:
            most: How many may be under way at a time, at the most.
            rate: How many may begin in a second; ``None`` for no other limit than the client's.
        """
        own, rates = (
            self._config,
            [one for one in (self._config.requests_per_second, rate) if one is not None],
        )
        config = attrs.evolve(
            own,
            max_concurrency=min(most, own.max_concurrency or most),
            requests_per_second=min(rates, default=None),
        )
        twin = self._copy(config)
        if config != own:
            runtime = self._shared.runtime
            twin._shared = attrs.evolve(self._shared, gate=_gate(config, runtime))  # noqa: SLF001 - one of ours
        return twin

    @property
    def load(self) -> Load:
        """How many requests are under way, and what they wait for."""
        gate, shared = self._shared.gate, self._shared
        return Load(
            allowed=None if gate is None else gate.allowed,
            under_way=0 if gate is None else gate.under_way,
            held_for=max(0.0, shared.pace.wait(now=shared.runtime.monotonic())),
        )

    def _copy(self, config: Config) -> CallEngine:
        twin = copy.copy(self)
        twin._config = config  # noqa: SLF001 - one of ours
        twin._is_copy = True  # noqa: SLF001
        return twin

    async def aclose(self) -> None:
        """Close the session, if it is our own; closing a copy does nothing."""
        if not self._is_copy:
            await self._shared.transport.aclose()

    async def call(
        self,
        operation: Operation[T],
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Any = UNSET,
        options: CallOptions | None = None,
        guard: SendGuard | None = None,
    ) -> T:
        """Perform one logical call.

        Args:
            operation: What is called.
            parameters: Values by Python name; ``None`` and UNSET are left out.
            body: A model, a mapping, or UNSET.
            options: What this call does otherwise than its client.
            guard: Asked before each attempt may leave, when a connection is held for it; what it raises comes
                out of the call, and nothing was sent. A plain read is not guarded.

        Raises:
            InvalidInput: If a parameter or the body cannot be sent; nothing was sent.
            ConfigurationError: If the client cannot be used this way; nothing was sent.
            CallError: If the call failed.
            OutcomeUnknown: If it may have been done although no answer says so.
        """
        return cast(
            "T", await self._perform(*self._prepared(operation, parameters, body, options), guard=guard)
        )

    def _prepared(
        self,
        operation: Operation[Any],
        parameters: Mapping[str, Any] | None,
        body: Any,
        options: CallOptions | None,
    ) -> tuple[Request, Config]:
        """Make a request, and the configuration with which it is sent."""
        config = self._config if options is None else self._config.with_options(options)
        request = build_request(
            operation,
            config=config,
            codec=self._shared.codec if config.check_digits else self._shared.codec.lenient,
            parameters=parameters or {},
            body=body,
            extra_body=None if options is None else options.extra_body,
        )
        return request, config

    async def _perform(self, request: Request, config: Config, *, guard: SendGuard | None = None) -> Any:
        operation = request.operation
        _check_key_is_there(operation, config)
        look_up = self._look_up(operation)
        if look_up is None:
            call = LogicalCall(request, config, self._shared, guard=guard)
        else:
            refuse_twins(operation, look_up, request.body)
            call = ReadableCall(request, config, self._shared, look_up=look_up, guard=guard)
        if self._shared.telemetry is None:
            return await call.run()
        return await self._observed(call.run(), request)

    async def call_page(
        self,
        operation: Operation[Any],
        *,
        parameters: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
        position: str | None = None,
    ) -> PageAnswer:
        """Read one page of a list.

        Args:
            operation: One with ``pagination``.
            parameters: Values by Python name; ``None`` and UNSET are left out.
            options: What this call does otherwise than its client.
            position: Where the page begins, as the page before said; ``None`` for the first.

        Raises:
            InvalidInput: If a parameter or the position cannot be sent; nothing was sent.
            BrokenPages: If what the answer says of the next page cannot be followed.
            CallError: If the call failed.
        """
        paging = operation.pagination
        if paging is None:
            raise InvalidInput(f"{operation.name} answers with all at once: it has no pages")
        given = dict(parameters or {})
        if position is not None and paging.parameter is not None:
            given[paging.parameter] = position
        request, config = self._prepared(operation, given, UNSET, options)
        if position is not None and paging.link is not None:
            if not is_target(position):
                raise InvalidInput(
                    f"{operation.name}: the position is no path below the base URL: {position!r}"
                )
            request = attrs.evolve(request, url=config.base_url + position)
        response = await listen(self._perform(request, config))
        try:
            answer = read_page(
                paging,
                response.value,
                link=response.headers.get("Link"),
                position=position,
                url=request.url,
                base_url=config.base_url,
            )
            _refuse_key_in(answer, config)
        except PageFault as fault:
            raise _broken(fault, response, operation, config) from None
        return answer

    def _look_up(self, operation: Operation[Any]) -> LookUp | None:
        """How it is looked for what a call in doubt made, where that can be known again by its key."""
        look_up = operation.look_up if can_be_looked_up(operation) else None
        return look_up if look_up is not None and look_up.operation in self._shared.operations else None

    async def _observed(self, call: Awaitable[Any], request: Request) -> Any:
        telemetry = self._shared.telemetry
        if telemetry is None:
            return await call
        with telemetry.operation(request.operation.name, client_id=request.client_id):
            return await call

    async def resume(self, token: ResumeToken, *, options: CallOptions | None = None) -> Any:
        """Look for what a call that ended in doubt was to make; nothing is sent again.

        Args:
            token: Of that call.
            options: What this does otherwise than its client.

        Returns:
            What that call would have returned.

        Raises:
            InvalidInput: If the token does not say what to look for.
            ConfigurationError: If the client has no key to look with.
            OutcomeUnknown: If nobody can tell, as of an operation whose effect cannot be looked up.
            ReconcileMismatch: If something is there under the same key that is not what was sent.
            DuplicateDetected: If it is there more than once.
        """
        operation = self._shared.operations.get(token.operation)
        if operation is None:
            raise InvalidInput(f"the token is of {token.operation}, which is no operation of this API")
        look_up = self._look_up(operation)
        if look_up is None:
            raise not_to_be_looked_up(operation, token)
        if token.sought is None:
            raise InvalidInput(
                f"the token does not say what {token.operation} was to make: its sought is None"
            )
        config = self._config if options is None else self._config.with_options(options)
        _check_key_is_there(self._shared.operations[look_up.operation], config)
        request = Request(
            operation=operation,
            url="",
            headers={},
            body=None,
            client_id=token.client_id,
            parameters=token.parameters,
        )
        call = ReadableCall(request, config, self._shared, look_up=look_up)
        return await self._observed(call.resume(token), request)


def _refuse_key_in(answer: PageAnswer, config: Config) -> None:
    """Refuse a position that holds the API key: it would be stored with the token."""
    key, position = config.api_key, answer.next
    if isinstance(key, Secret) and position is not None and key.is_in(unquote(position).encode()):
        raise PageFault("it names the next page with the API key in it")


def _broken(
    fault: PageFault, response: Response[Any], operation: Operation[Any], config: Config
) -> BrokenPages:
    key = config.api_key
    return BrokenPages(
        f"{operation.name}: {config.base_url} answered, but {fault}. The platform's list is broken: "
        "report it.",
        operation=operation.name,
        attempts=response.attempts,
        outcome=Outcome.DONE,
        status=response.status,
        trace_id=response.trace_id,
        raw=key.hidden_in(response.content) if isinstance(key, Secret) else response.content,
    )


def _check_key_is_there(operation: Operation[Any], config: Config) -> None:
    if needs_key(operation) and config.api_key is None:
        raise ConfigurationError(
            f"{operation.name} needs an API key: give api_key to the client, or set SEQINO_API_KEY"
        )


def _gate(config: Config, runtime: Runtime) -> Gate | None:
    """Where requests wait for their turn; ``None`` where the client limits nothing."""
    most, rate = config.max_concurrency, config.requests_per_second
    if most is None and rate is None:
        return None
    limit = None if most is None else AdaptiveLimit(most)
    return Gate(runtime, limit=limit, pacing=None if rate is None else Pacing(rate))
