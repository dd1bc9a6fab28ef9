"""Performs the steps of a submission in memory: each action is one call, and how it ends is one event."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import attrs

from seqino._core.config import Config, LookedIntoOptions, Secret
from seqino._core.retry import LEAST_TIME
from seqino._core.runtime import Runtime
from seqino._core.telemetry import Telemetry
from seqino._core.wire import Caller
from seqino._generated.operations import (
    create_draft,
    get_draft,
    submit_invoice_file,
    update_draft,
    validate_draft,
)
from seqino.client.endings import Seen
from seqino.client.journal import Journal
from seqino.client.reading import Reader
from seqino.client.telling import SubmissionEvents
from seqino.errors import (
    CallError,
    InvalidInput,
    OutcomeUnknown,
    ResumeToken,
)
from seqino.models import InvoiceFileSubmission
from seqino.options import CallOptions
from seqino.submission import (
    Action,
    Commit,
    Committed,
    Create,
    Done,
    Event,
    Look,
    Looked,
    Policy,
    Replace,
    Replaced,
    Route,
    State,
    Step,
    Submission,
    TimeUp,
    Validate,
    Verdict,
    next_step,
    resume,
    start,
    take_up,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino._core.wire import Encoded, File
    from seqino.models import InvoiceDraft

__all__ = ["Submitter"]


def _name(file: File | None, earlier: ResumeToken | None) -> str:
    """What the caller asked for."""
    if earlier is not None:
        return "resume"
    return "submit" if file is None else "submit_file"


@attrs.frozen(kw_only=True)
class Submitter:
    """Submits single invoices over a client.

    Args:
        caller: Performs the calls.
        config: The client's configuration.
        runtime: Clock and sleep.
        client_id: On whose behalf; the client's own where it is ``None``.
        options: What this submission does otherwise than its client; its ``timeout`` covers all of it.
        policy: How long and how often to look.
        telemetry: Observes submissions.
        journal: Told of each step; ``None`` where nobody needs to know afterwards.
        sender: Performs the calls of which an invoice could come; the caller does where it is left out.
        patience: Seconds that may be waited before a look; where one is due later, the time is over.
    """

    caller: Caller
    config: Config
    runtime: Runtime
    client_id: str | None = None
    options: CallOptions = attrs.field(factory=CallOptions)
    policy: Policy = attrs.field(factory=Policy)
    telemetry: Telemetry | None = None
    journal: Journal | None = None
    sender: Caller | None = None
    patience: float = math.inf

    async def submit(self, invoice: InvoiceDraft | Mapping[str, Any] | Encoded) -> Submission:
        """Submit an invoice as a draft."""
        return await self._drive(_Run(self, invoice=invoice), start(Route.DRAFT, policy=self.policy))

    async def submit_file(self, file: File, *, number: str | None) -> Submission:
        """Submit an invoice as a file."""
        run = _Run(self, file=file, number=number)
        return await self._drive(run, start(Route.FILE, policy=self.policy))

    async def take_up(self, draft_id: str, *, ever_unknown: bool) -> Submission:
        """Submit an invoice whose draft was created before."""
        if not draft_id:
            raise InvalidInput("draft_id is empty: it names the draft that is to become an invoice")
        step = take_up(draft_id, policy=self.policy, ever_unknown=ever_unknown)
        return await self._drive(_Run(self), step)

    async def resume(self, token: ResumeToken) -> Submission:
        """Find out what became of a draft that was validated with an unclear end."""
        draft_id = token.parameters.get("draft_id")
        if not draft_id:
            raise InvalidInput("the token does not name the draft: its parameters have no draft_id")
        step = resume(draft_id, now=self.runtime.monotonic(), policy=self.policy)
        return await self.look_into(token, step)

    async def look_into(
        self, token: ResumeToken, step: Step, *, invoice: Encoded | None = None
    ) -> Submission:
        """Go on with a submission whose end was unclear, from a step that looks.

        Args:
            token: What is known of it.
            step: The step.
            invoice: What its draft is replaced by, where it may hold another content.
        """
        return await self._drive(_Run(self, invoice=invoice, earlier=token), step)

    async def _drive(self, run: _Run, step: Step) -> Submission:
        if self.telemetry is None:
            return await run.drive(step)
        with self.telemetry.operation(run.name, client_id=run.client_id):
            return await run.drive(step)


class _Run:
    """One submission under way, and what was seen of it."""

    def __init__(
        self,
        submitter: Submitter,
        *,
        invoice: InvoiceDraft | Mapping[str, Any] | Encoded | None = None,
        file: File | None = None,
        number: str | None = None,
        earlier: ResumeToken | None = None,
    ) -> None:
        self._submitter = submitter
        self._runtime = submitter.runtime
        self._journal = submitter.journal
        self._sender = submitter.sender or submitter.caller
        self._invoice: Any = invoice
        self._file: Any = file
        self._number = number
        timeout = submitter.options.timeout or submitter.config.timeout
        self._deadline = self._runtime.monotonic() + timeout
        self.name = _name(file, earlier)
        self.client_id = submitter.client_id or submitter.config.client_id
        self._seen = Seen(
            is_file=file is not None,
            client_id=self.client_id,
            base_url=submitter.config.base_url,
            earlier=earlier,
            may_differ=earlier is not None and invoice is not None,
        )
        self._reader = Reader(
            seen=self._seen,
            now=self._runtime.monotonic,
            key_is_fixed=isinstance(submitter.config.api_key, Secret),
        )
        self._events = SubmissionEvents(
            self.name, config=submitter.config, runtime=submitter.runtime, client_id=self.client_id
        )

    async def drive(self, step: Step) -> Submission:
        """Go from step to step until the end."""
        concluded = False
        try:
            while not isinstance(step.action, Done):
                event = await self._perform(step.action)
                if isinstance(event, Looked):
                    self._events.looked(event, draft_id=step.state.draft_id)
                step = next_step(step.state, event)
                if self._journal is not None:
                    await self._journal.happened(event)
            ending = self._conclude(step.action, draft_id=step.state.draft_id or None)
            if self._journal is not None:
                cut_short = self._seen.out_of_time or self._seen.denied is not None
                await self._journal.concluded(step.action, ending, out_of_time=cut_short)
            concluded = True
        finally:
            if not concluded:
                self._interrupted(step.state)
        if isinstance(ending, CallError):
            raise ending
        return ending

    def _interrupted(self, state: State) -> None:
        """Leave a trace of a submission that an exception is passing through: a cancellation, as a rule."""
        error = sys.exception()
        token = None if error is None else self._noted(error, state)
        if self._journal is not None:
            self._journal.interrupted(error)
        verdict = None if token is None else Verdict.IN_DOUBT
        self._events.failed(
            error,
            sends=len(self._seen.sent_at),
            verdict=verdict,
            draft_id=state.draft_id or None,
            token=token,
        )

    def _noted(self, error: BaseException, state: State) -> ResumeToken | None:
        """Return the token that an exception has of this submission; it gets one where there is a doubt.

        A call under way notes its own doubt; of an earlier one, looked into just now, only this knows. One
        exception may end several submissions, and have the token of another one.
        """
        noted: ResumeToken | None = vars(error).get("seqino_token")
        if (
            noted is not None
            and noted.operation == self._seen.operation
            and noted.parameters.get("draft_id", "") == state.draft_id
        ):
            return noted
        if not state.is_in_doubt:
            return None
        token = vars(error)["seqino_token"] = self._seen.token(state.draft_id)
        return token

    # --- One step

    async def _perform(self, action: Action) -> Event:  # noqa: PLR0911 - one for each action
        match action:
            case Commit(draft_id):
                if self._journal is not None:
                    await self._journal.keep(draft_id)
                return Committed()
            case Look(draft_id, at):
                return await self._look(draft_id, at)
            case _ if self._remaining() < LEAST_TIME:
                return self._time_up()
            case Create():
                return await self._create()
            case Replace(draft_id):
                return await self._replace(draft_id)
            case Validate(draft_id):
                return await self._validate(draft_id)
            case _:
                return await self._send()

    def _time_up(self) -> TimeUp:
        self._seen.out_of_time = True
        return TimeUp()

    def _remaining(self) -> float:
        return self._deadline - self._runtime.monotonic()

    def _options(self, *, limit: float | None = None) -> CallOptions:
        """Options of the next call, with the time that is left."""
        left = self._remaining()
        timeout = left if limit is None else min(left, limit)
        return attrs.evolve(self._submitter.options, timeout=timeout, extra_body=None)

    async def _create(self) -> Event:
        options = attrs.evolve(self._options(), extra_body=self._submitter.options.extra_body)
        try:
            created = await create_draft(
                self._submitter.caller, self._invoice, client_id=self._submitter.client_id, options=options
            )
        except CallError as error:
            return self._reader.not_created(error)
        return self._reader.created(created)

    async def _replace(self, draft_id: str) -> Event:
        try:
            await update_draft(
                self._submitter.caller,
                draft_id,
                self._invoice,
                client_id=self._submitter.client_id,
                options=self._options(),
            )
        except CallError as error:
            return self._reader.not_replaced(error)
        self._seen.may_differ = False
        return Replaced()

    async def _validate(self, draft_id: str) -> Event:
        # All the time for the pauses that the server asks for, and some left to look in case it ends unclear.
        options = LookedIntoOptions.of(self._options())
        self._seen.sent_at.append(self._runtime.wall())
        try:
            answer = await validate_draft(
                self._sender, draft_id, client_id=self._submitter.client_id, options=options
            )
        except CallError as error:
            return self._reader.failed(error)
        return self._reader.validated(answer)

    async def _send(self) -> Event:
        self._seen.sent_at.append(self._runtime.wall())
        try:
            answer = await submit_invoice_file(
                self._sender,
                InvoiceFileSubmission(file=self._file),
                client_id=self._submitter.client_id,
                options=self._options(),
            )
        except CallError as error:
            return self._reader.failed(error)
        return self._reader.taken(answer, number=self._number)

    async def _look(self, draft_id: str, at: float) -> Event:
        latest = min(self._deadline - LEAST_TIME, self._runtime.monotonic() + self._submitter.patience)
        if at > latest:
            return self._time_up()
        await self._sleep_until(at)
        begun = self._runtime.monotonic()
        try:
            draft = await get_draft(
                self._submitter.caller,
                draft_id,
                client_id=self._submitter.client_id,
                options=self._options(limit=self._submitter.config.attempt_timeout),
            )
        except CallError as error:
            return self._reader.not_looked(error, begun=begun, left=self._remaining() - LEAST_TIME)
        except Exception as error:  # of foreign code, or of a client that was closed
            if self._journal is not None or not self._seen.sent_at:
                # The doubt is written down, or its token is in the caller's hands.
                raise
            return self._reader.prevented(error, begun=begun)
        return self._reader.looked(draft, begun=begun)

    async def _sleep_until(self, at: float) -> None:
        pause = at - self._runtime.monotonic()
        if pause > 0:
            await self._runtime.sleep(pause)

    # --- The end

    def _conclude(self, done: Done, *, draft_id: str | None) -> Submission | CallError:
        match done.verdict:
            case Verdict.ACCEPTED | Verdict.ACCEPTED_UNIDENTIFIED:
                submission = Submission(
                    verdict=done.verdict,
                    invoice_id=done.invoice_id,
                    invoice_number=done.invoice_number,
                    draft_id=draft_id,
                    status=self._seen.status,
                    answer=self._seen.answer,
                )
                self._events.concluded(submission, sends=len(self._seen.sent_at))
                return submission
            case Verdict.REJECTED:
                error = self._seen.rejection(draft_id)
            case Verdict.IN_DOUBT:
                error = self._seen.doubt(draft_id)
            case _:
                error = self._seen.nothing_submitted()
        token = error.token if isinstance(error, OutcomeUnknown) else None
        self._events.failed(
            error, sends=len(self._seen.sent_at), verdict=done.verdict, draft_id=draft_id, token=token
        )
        return error
