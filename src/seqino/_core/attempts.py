"""One logical call: a request sent until an answer settles it, or until nothing more may follow.

Nothing is sent twice unless the operation's effect allows it, and whatever ends a call after its first byte
left - a timeout, a cancellation, a fault of foreign code - leaves a trace that says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING, Any, Literal, cast

import attrs

from seqino._core.answers import form_of, lost, read_answer
from seqino._core.codec import DecodeFault
from seqino._core.events import CallEvent
from seqino._core.failures import (
    Ending,
    crowded_out,
    failure,
    find_trace_id,
    held_back,
    is_in_doubt,
    undecodable,
)
from seqino._core.outcome import Attempt, FaultKind, Outcome, classify_status
from seqino._core.raw import listening
from seqino._core.retry import (
    HARMLESS,
    LEAST_TIME,
    Fail,
    Retry,
    RetryBudget,
    Situation,
    decide,
    lengthen,
    read_retry_after,
)
from seqino._core.runtime import AttemptTimer
from seqino._core.sending import SendMark
from seqino._core.shared import Shared, key_for
from seqino._core.transport import Answer
from seqino._core.wire import Effect
from seqino.errors import CallError, Fault, ResponseDecodeError, ResumeToken

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from seqino._core.config import Config
    from seqino._core.gate import Gate
    from seqino._core.request import Request
    from seqino._core.sending import SendGuard
    from seqino._core.telemetry import Telemetry

__all__ = ["LogicalCall"]


class LogicalCall:
    """The attempts of one logical call, and what is known of them.

    Args:
        request: What to send.
        config: The client's configuration.
        shared: What the client and its copies have in common.
        guard: Asked before each attempt may leave; not for a plain read, which may always.
    """

    def __init__(
        self, request: Request, config: Config, shared: Shared, *, guard: SendGuard | None = None
    ) -> None:
        self._request = request
        self._operation = request.operation
        self._config = config
        self._shared = shared
        self._guard = guard
        self._runtime = shared.runtime
        self._began = self._runtime.monotonic()
        self._number = 0
        self._spent = 0
        # Tokens taken for a retry that has not begun yet.
        self._reserved = 0
        self._last: Attempt | None = None
        self._answer: Answer | None = None
        self._retry_after: float | None = None
        # Whether an attempt before the last one may have had its effect.
        self._may_be_done = False
        self._first_sent_at = self._last_sent_at = self._runtime.wall()

    async def run(self) -> Any:
        """Perform the call, and return what its answer says.

        Raises:
            CallError: If it failed, or if it may have been done although no answer says so.
        """
        answer = await self._settle()
        self._shared.budget.give_back(self._spent or RetryBudget.REWARD)
        return self._decode(answer)

    async def fetch(self) -> Answer:
        """Perform a call that reads, and return its answer as it came.

        Raises:
            CallError: If it failed.
        """
        answer = await self._settle()
        self._tell("verdict", self._last)
        # Only a deletion is done without an answer.
        return cast("Answer", answer)

    async def _settle(self) -> Answer | None:
        """Make attempts until one settles the call; ``None`` where its answer has nothing to decode."""
        try:
            return await self._repeat()
        finally:
            # A retry may be called off while it is waited for, in whatever way: nothing was sent for these.
            self._shared.budget.give_back(self._reserved)

    async def _repeat(self) -> Answer | None:
        while True:
            if self._shared.pace.not_before:
                await self._wait_for_turn()
            gate = self._shared.gate
            attempt = await (self._once() if gate is None else self._attempt_in_turn(gate))
            if attempt.outcome is Outcome.DONE:
                return self._answer
            decision = decide(attempt, self._situation(), uniform=self._runtime.uniform)
            if isinstance(decision, Retry):
                if self._shared.budget.take(decision.cost):
                    self._reserved = decision.cost
                    await self._pause(decision.delay)
                    self._may_be_done |= attempt.outcome is Outcome.UNKNOWN
                    continue
                decision = Fail("too many calls of this client failed lately (its retry budget is used up)")
            return await self._give_up(attempt, decision.reason) if isinstance(decision, Fail) else None

    async def _give_up(self, attempt: Attempt, reason: str) -> Answer:
        """End the call after an attempt that none may follow."""
        raise self._failure(attempt, reason)

    async def _attempt_in_turn(self, gate: Gate) -> Attempt:
        """Make an attempt as soon as the client's own limits allow it."""
        await self._enter(gate)
        began = self._runtime.monotonic()
        attempt: Attempt | None = None
        try:
            attempt = await self._once()
            return attempt
        finally:
            gate.leave(self._operation.name, attempt, began=began)

    def _once(self) -> Awaitable[Attempt]:
        """Make an attempt, observed where somebody observes."""
        telemetry = self._shared.telemetry
        return self._attempt() if telemetry is None else self._observed_attempt(telemetry)

    async def _observed_attempt(self, telemetry: Telemetry) -> Attempt:
        request = self._request
        with telemetry.attempt(request, number=self._number + 1) as observed:
            self._request = observed.request
            try:
                attempt = await self._attempt()
            finally:
                self._request = request
            observed.ended(attempt)
            return attempt

    async def _attempt(self) -> Attempt:
        """Send the request once, under a timer, and say what that proves."""
        self._number += 1
        self._spent += self._reserved
        self._reserved = 0
        self._answer, self._retry_after = None, None
        # A plain read needs no mark: whether it was sent changes nothing.
        is_plain = self._operation.effect is Effect.SAFE and self._request.body is None
        mark = None if is_plain else SendMark(self._guard)
        settled = False
        timer = AttemptTimer(self._shared.alarm, self._attempt_limit())
        try:
            attempt = await self._send(mark)
            settled = True
        except asyncio.CancelledError:
            if not timer.was_the_cause():
                raise
            attempt = lost(FaultKind.TIMED_OUT, mark)
            settled = True
        finally:
            timer.stop()
            self._last_sent_at = self._runtime.wall()
            if not settled:
                self._leave_trace(lost(FaultKind.ABANDONED, mark))
        self._last = attempt
        self._hear_pause(attempt)
        self._tell("attempt", attempt)
        return attempt

    async def _send(self, mark: SendMark | None) -> Attempt:
        try:
            key = await key_for(self._operation, self._config)
        except CallError as error:
            # Of a call that api_key() makes: its end must not pass for that of this one.
            return lost(FaultKind.WITHHELD, mark, detail=f"api_key() raised {type(error).__name__}")
        result = await self._shared.transport.send(self._request, key=key, mark=mark)
        if isinstance(result, Answer):
            attempt = classify_status(result.status)
            if key is not None and attempt.outcome is not Outcome.DONE and key.is_in(result.body):
                # As pages for finding errors do, with all that they were sent.
                result = attrs.evolve(result, body=key.hidden_in(result.body))
            self._answer = result
            listener = listening()
            if listener is not None:
                listener.hear(result, self._number, self._runtime.monotonic() - self._began)
            return attempt
        return lost(result.kind, mark, detail=result.detail)

    def _attempt_limit(self) -> float:
        """Seconds for the next attempt; one that is the last once it was sent gets all that is left."""
        config = self._config
        is_harmless = self._operation.effect in HARMLESS
        may_be_followed = config.is_looked_into or (is_harmless and self._number <= config.max_retries)
        return min(config.attempt_timeout, self._remaining()) if may_be_followed else self._remaining()

    def _situation(self) -> Situation:
        operation = self._operation
        gone_is_done = operation.method == "DELETE" and None in operation.responses.values()
        return Situation(
            effect=operation.effect,
            number=self._number,
            max_retries=self._config.max_retries,
            remaining=self._remaining(),
            retry_after=self._retry_after,
            absence_is_success=gone_is_done and self._may_be_done,
        )

    def _remaining(self) -> float:
        return self._began + self._config.timeout - self._runtime.monotonic()

    # Pauses

    def _hear_pause(self, attempt: Attempt) -> None:
        """Read what the server asks to wait; all calls of the client keep to it."""
        answer = self._answer
        if answer is None or attempt.status not in _PAUSING:
            return
        told = read_retry_after(answer.headers, now=self._runtime.wall())
        self._retry_after = told
        if told is not None and attempt.status != 413:  # noqa: PLR2004 - 413 is about this body alone
            self._shared.pace.hold(told, now=self._runtime.monotonic())

    async def _wait_for_turn(self) -> None:
        """Wait until the server wants to be called again."""
        while (told := self._shared.pace.wait(now=self._runtime.monotonic())) > 0:
            pause = lengthen(told, uniform=self._runtime.uniform)
            if pause + LEAST_TIME > self._remaining():
                raise self._held_back(told)
            await self._pause(pause)

    async def _enter(self, gate: Gate) -> None:
        """Wait for a place among the requests under way."""
        while await gate.enter(patience=self._remaining() - LEAST_TIME):
            if self._shared.pace.wait(now=self._runtime.monotonic()) <= 0:
                return
            # The server asked for rest meanwhile: that is not waited for in a place that others could use.
            gate.withdraw()
            await self._wait_for_turn()
        raise self._crowded_out()

    async def _pause(self, delay: float) -> None:
        self._tell("delay", None, delay=delay)
        await self._runtime.sleep(delay)

    # Endings

    def _failure(self, attempt: Attempt, reason: str) -> CallError:
        ending = self._ending(attempt, reason=reason)
        error = failure(ending)
        self._tell("verdict", attempt, error=error, token=ending.token)
        return error

    def _ending(self, attempt: Attempt, *, reason: str = "") -> Ending:
        answer = self._answer
        return Ending(
            operation=self._operation,
            attempt=attempt,
            attempts=self._number,
            reason=reason,
            base_url=self._config.base_url,
            headers={} if answer is None else answer.headers,
            raw=b"" if answer is None else answer.body,
            retry_after=self._retry_after,
            token=self._token() if is_in_doubt(attempt, self._operation.effect) else None,
            may_be_done=self._may_be_done,
        )

    def _held_back(self, told: float) -> CallError:
        """The server's pause outlasts the call."""
        if self._last is not None:
            return self._failure(self._last, f"the server asked this client to wait {told:.1f} s more")
        error = held_back(self._operation, told)
        self._tell("verdict", Attempt(outcome=Outcome.NOT_SENT), error=error)
        return error

    def _crowded_out(self) -> CallError:
        """The client's own limits left no room in time."""
        if self._last is not None:
            return self._failure(self._last, "this client's own limits left no room for that in time")
        error = crowded_out(self._operation, self._config.timeout)
        self._tell("verdict", Attempt(outcome=Outcome.NOT_SENT), error=error)
        return error

    def _leave_trace(self, attempt: Attempt) -> None:
        """Leave a trace of an attempt that an exception is passing through: a cancellation, as a rule.

        Called while it passes; nothing may be awaited here.
        """
        token = self._token() if is_in_doubt(attempt, self._operation.effect) else None
        error = sys.exception()
        self._tell("verdict", attempt, error=error, token=token)
        if token is not None and error is not None:
            vars(error)["seqino_token"] = token
            # Frozen exceptions take no notes.
            with contextlib.suppress(AttributeError, TypeError):
                error.add_note(f"{self._operation.name} may have been done: see its attribute seqino_token")

    def _token(self) -> ResumeToken:
        return ResumeToken(
            operation=self._operation.name,
            client_id=self._request.client_id,
            parameters=self._request.parameters,
            base_url=self._config.base_url,
            attempts=self._number,
            first_sent_at=self._first_sent_at,
            last_sent_at=self._last_sent_at,
        )

    def _decode(self, answer: Answer | None) -> Any:
        """Turn a complete 2xx into what the operation returns; it was done even if it cannot be read."""
        form = None if answer is None else form_of(self._operation, answer.status)
        if answer is None or form is None:
            # Also where the last attempt was refused, because an earlier one had done it.
            self._tell("verdict", self._last and attrs.evolve(self._last, outcome=Outcome.DONE))
            return None
        try:
            value = read_answer(self._shared.codec, self._operation, answer.body, form)
        except DecodeFault as fault:
            faults = fault.faults
        else:
            self._tell("verdict", self._last)
            return value
        error = self._unreadable(answer, faults)
        self._tell("verdict", self._last, error=error)
        raise error

    def _unreadable(self, answer: Answer, faults: tuple[Fault, ...]) -> ResponseDecodeError:
        return undecodable(self._ending(classify_status(answer.status)), faults=faults)

    def _tell(
        self,
        kind: Literal["attempt", "delay", "verdict"],
        attempt: Attempt | None,
        *,
        delay: float | None = None,
        error: BaseException | None = None,
        token: ResumeToken | None = None,
    ) -> None:
        events = self._shared.events
        if token is None and delay is None and not events.hears_everything:
            return
        if isinstance(error, CallError):
            trace_id = error.trace_id
        else:
            trace_id = None if self._answer is None else find_trace_id(None, self._answer.headers)
        events.emit(
            CallEvent(
                kind=kind,
                operation=self._operation.name,
                attempt=self._number,
                outcome=None if attempt is None else attempt.outcome,
                status=None if attempt is None else attempt.status,
                fault=None if attempt is None else attempt.fault,
                error=None if error is None else type(error).__name__,
                delay=delay,
                elapsed=self._runtime.monotonic() - self._began,
                trace_id=trace_id,
                client_id=self._request.client_id,
                token=token,
                leftover=self._may_have_left_something(attempt),
            )
        )

    def _may_have_left_something(self, attempt: Attempt | None) -> bool:
        is_unclear = attempt is not None and attempt.outcome is Outcome.UNKNOWN
        return self._operation.effect is Effect.DISPOSABLE and (self._may_be_done or is_unclear)


_PAUSING = frozenset({413, 429, 503})
"""Statuses whose Retry-After is read."""
