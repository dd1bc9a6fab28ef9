"""Looks for what a call in doubt was to make, until a look decides or can never, or the time is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from seqino._core.attempts import LogicalCall
from seqino._core.config import Secret
from seqino._core.events import CallEvent
from seqino._core.failed_looks import FailedLook, prevented, read_failed_look
from seqino._core.outcome import Attempt, Outcome
from seqino._core.reconcile import (
    SETTLE,
    Finding,
    Judgement,
    LookedUp,
    NoItems,
    Search,
    Sought,
    judge,
    read_items,
    sought,
)
from seqino._core.request import build_request
from seqino._core.retry import LEAST_TIME
from seqino._core.transport import Answer
from seqino._core.unsettled import answer_lost, unsettled
from seqino._core.wire import LookUp
from seqino.errors import CallError, OutcomeUnknown

if TYPE_CHECKING:
    from seqino._core.config import Config
    from seqino._core.request import Request
    from seqino._core.sending import SendGuard
    from seqino._core.shared import Shared
    from seqino._core.wire import JSON
    from seqino.errors import Fault, ResponseDecodeError, ResumeToken

__all__ = ["Looking", "ReadableCall"]

Fetch: TypeAlias = "Callable[[Mapping[str, JSON], float], Awaitable[Answer]]"
"""Performs one look: from parameters, and the seconds it may take, to a complete 2xx or a ``CallError``."""

_FAILED = Judgement(finding=Finding.FAILED)


@attrs.frozen(kw_only=True)
class Looking:
    """One search.

    Args:
        look_up: How the effect of the call is read back.
        sought: What it was to make.
        now: The monotonic clock.
        sleep: Waits for some seconds.
        deadline: When the time is over, on the monotonic clock.
        longest: Seconds that one look may take.
        fetch: Performs a look.
        tell: Told of each look: its number and what it showed.
        key_is_fixed: Whether each look is made with the same key.
    """

    look_up: LookUp
    sought: Sought
    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    deadline: float
    longest: float
    fetch: Fetch
    tell: Callable[[int, Finding], None]
    key_is_fixed: bool = True

    async def run(self, search: Search, *, at_once: bool) -> LookedUp:
        """Look until a look decides, is denied, or the time is over.

        Args:
            search: When to look, and what to conclude.
            at_once: Whether to begin without a pause.
        """
        judgement, looks = _FAILED, 0
        pause = 0.0 if at_once else search.pause()
        while pause + LEAST_TIME <= self.deadline - self.now():
            if pause:
                await self.sleep(pause)
                search = search.next()
            begun = self.now()
            judgement = await self._look()
            looks += 1
            self.tell(looks, judgement.finding)
            if judgement.finding is Finding.DENIED:
                break
            if search.decides(judgement.finding, begun=begun):
                return LookedUp(judgement=judgement, looks=looks, decided=True)
            pause = search.pause()
        return LookedUp(judgement=judgement, looks=looks, decided=False)

    async def _look(self) -> Judgement:
        try:
            answer = await self.fetch(self.sought.arguments, min(self.longest, self.deadline - self.now()))
            return judge(self.sought.objects, read_items(answer.body), self.look_up)
        except CallError as error:
            return self._failed(error)
        except NoItems:
            return _FAILED
        except Exception as error:  # noqa: BLE001 - of foreign code, or of a client that was closed
            return Judgement(finding=Finding.DENIED, why=prevented(error), fault=error)

    def _failed(self, error: CallError) -> Judgement:
        left = self.deadline - self.now() - LEAST_TIME
        match read_failed_look(error, left=left, key_is_fixed=self.key_is_fixed):
            case FailedLook.NOT_SHOWN:
                # An operation that finds nothing may say so with a status.
                return judge(self.sought.objects, (), self.look_up)
            case FailedLook.DENIED:
                return Judgement(finding=Finding.DENIED, why=str(error.args[0]))
            case _:
                return _FAILED


class ReadableCall(LogicalCall):
    """A logical call of which can be read back what it made.

    Args:
        request: What to send; of a call taken up again, what is known of it.
        config: The client's configuration.
        shared: What the client and its copies have in common.
        look_up: How it is read back.
        guard: Asked before each attempt may leave.
    """

    def __init__(
        self,
        request: Request,
        config: Config,
        shared: Shared,
        *,
        look_up: LookUp,
        guard: SendGuard | None = None,
    ) -> None:
        super().__init__(request, attrs.evolve(config, is_looked_into=True), shared, guard=guard)
        self._look_up = look_up
        self._earlier: ResumeToken | None = None
        self._was_found = False
        self._was_refused = False

    async def resume(self, token: ResumeToken) -> Any:
        """Look for what an earlier call was to make, and return it; nothing is sent again.

        Args:
            token: Of that call.

        Raises:
            CallError: If it is not there as it was sent, or still nobody can tell.
        """
        self._earlier, self._number = token, token.attempts
        settled_in = token.last_sent_at + SETTLE - self._runtime.wall()
        # A clock that was set back must not make it wait for longer than that.
        quiet_from = self._runtime.monotonic() + min(max(settled_in, 0.0), SETTLE)
        self._last = Attempt(outcome=Outcome.UNKNOWN)
        return self._decode(await self._look(self._last, Search(quiet_from=quiet_from), at_once=True))

    async def _give_up(self, attempt: Attempt, reason: str) -> Answer:
        if attempt.outcome is not Outcome.UNKNOWN:
            return await super()._give_up(attempt, reason)
        is_conflict = attempt.status == 409  # noqa: PLR2004 - RFC 9110 §15.5.10
        # The answer to the only send: what is there is of an earlier call.
        self._was_refused = is_conflict and self._number == 1
        quiet_from = self._runtime.monotonic() + SETTLE
        search = Search(quiet_from=quiet_from, after_conflict=is_conflict)
        return await self._look(attempt, search, at_once=is_conflict)

    async def _look(self, attempt: Attempt, search: Search, *, at_once: bool) -> Answer:
        """Look until it is there; what was found is then as good as the answer."""
        looking = Looking(
            look_up=self._look_up,
            sought=self._sought(),
            now=self._runtime.monotonic,
            sleep=self._pause,
            deadline=self._began + self._config.timeout,
            longest=self._config.attempt_timeout,
            fetch=self._fetch,
            tell=self._tell_look,
            key_is_fixed=isinstance(self._config.api_key, Secret),
        )
        ended = False
        try:
            result = await looking.run(search, at_once=at_once)
            if self._earlier is not None and result.judgement.fault is not None:
                # The token is in the caller's hands, who can mend this.
                raise result.judgement.fault
            ended = True
        finally:
            if not ended:
                self._leave_trace(attempt)
        if result.judgement.finding is not Finding.EQUAL:
            raise self._unsettled(attempt, result)
        self._was_found, self._last = True, Attempt(outcome=Outcome.DONE)
        status = next(iter(self._operation.responses))
        self._answer = Answer(status=status, headers={}, body=self._as_answered(result.judgement.found))
        return self._answer

    async def _fetch(self, arguments: Mapping[str, JSON], seconds: float) -> Answer:
        # On behalf of the same client as the call itself; a look that fails is followed by the next one.
        config = attrs.evolve(self._config, client_id=self._request.client_id, timeout=seconds, max_retries=0)
        request = build_request(
            self._shared.operations[self._look_up.operation],
            config=config,
            codec=self._shared.codec,
            parameters=arguments,
        )
        return await LogicalCall(request, config, self._shared).fetch()

    def _sought(self) -> Sought:
        earlier = self._earlier
        if earlier is not None and earlier.sought is not None:
            return Sought.from_data(earlier.sought)
        return sought(self._look_up, self._request.body)

    def _token(self) -> ResumeToken:
        return self._earlier or attrs.evolve(super()._token(), sought=self._sought().as_data())

    def _as_answered(self, found: tuple[bytes, ...]) -> bytes:
        return found[0] if self._look_up.each is None else b"[" + b",".join(found) + b"]"

    def _tell_look(self, number: int, finding: Finding) -> None:
        if self._shared.events.hears_everything:
            event = CallEvent(
                kind="look",
                operation=self._operation.name,
                attempt=number,
                elapsed=self._runtime.monotonic() - self._began,
                client_id=self._request.client_id,
                finding=finding,
            )
            self._shared.events.emit(event)

    def _unsettled(self, attempt: Attempt, result: LookedUp) -> CallError:
        ending = self._ending(attempt)
        error = unsettled(ending, result, look_up=self._look_up)
        error.__cause__ = result.judgement.fault
        token = error.token if isinstance(error, OutcomeUnknown) else None
        self._tell("verdict", attempt, error=error, token=token)
        return error

    def _unreadable(self, answer: Answer, faults: tuple[Fault, ...]) -> ResponseDecodeError:
        if not self._was_found:
            return super()._unreadable(answer, faults)
        ending = self._ending(Attempt(outcome=Outcome.DONE))
        return answer_lost(ending, faults=faults, look_up=self._look_up, was_refused=self._was_refused)
