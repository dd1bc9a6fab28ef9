"""One round: a world drawn from a seed, real calls in it, and what must be true at the end.

* duplicate: two invoices came of one item;
* silent loss: it was called done, and no invoice exists;
* false failure: it was called refused or not submitted, and an invoice exists, or appears later;
* broken promise: anything else, such as a doubt without a token, or a doubt where nothing ever left.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from seqino._generated.operations import (
    CREATE_CLIENT,
    CREATE_DRAFT,
    DELETE_DRAFT,
    GET_DRAFT,
    RECORD_PAYMENT,
    VALIDATE_DRAFT,
)
from seqino.errors import (
    CallError,
    DuplicateDetected,
    OutcomeUnknown,
    ReconcileMismatch,
    ResponseDecodeError,
)
from seqino.models import DraftCreated
from seqino.options import CallOptions
from seqino.submission import Submission, Verdict
from tests.chaos.chance import SURE_REFUSALS, Traits, draw_traits
from tests.chaos.platform import INVOICE, Draft
from tests.chaos.world import FILE, HEALTHY, World, build_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino._core.wire import Operation
    from seqino.errors import ResumeToken

__all__ = [
    "CALLS",
    "HOLLOW",
    "MASKED",
    "WORK",
    "Round",
    "Violation",
    "Work",
    "call",
    "draw_work",
    "play",
    "submit_properly",
]

Violation: TypeAlias = Literal["duplicate", "silent loss", "false failure", "broken promise"]
Work: TypeAlias = Literal["submit", "file", "call"]

WORK: tuple[Work, ...] = ("submit", "submit", "submit", "submit", "file", "call")

MASKED = "refused by a gateway"
"""The count of invoices that a gateway's own repetition called refused, and that no look could show."""

HOLLOW = "accepted by an empty 2xx"
"""The count of invoices that a 2xx without a word called accepted, that came to nothing, and that no look
could check; they are returned as not identified, and never as settled.
"""


@attrs.define(kw_only=True)
class Round:
    """What came of a seed."""

    seed: int
    work: Work
    traits: Traits
    violations: list[tuple[Violation, str]] = attrs.field(factory=list[Any])
    verdicts: Counter[str] = attrs.field(factory=Counter[str])
    trace: list[tuple[Any, ...]] = attrs.field(factory=list[Any])


Submit: TypeAlias = "Callable[[World, Work, str], Any]"
"""How an item is submitted, given its name: a coroutine that returns or raises."""


async def submit_properly(world: World, work: Work, item: str) -> Submission:
    """As the SDK does it."""
    submitter = world.submitter(item, timeout=world.platform.traits.timeout)
    if work == "file":
        return await submitter.submit_file(FILE, number="F-1")
    return await submitter.submit(INVOICE)


def draw_work(rng: random.Random) -> Work:
    return rng.choice(WORK)


def play(seed: int, *, submit: Submit = submit_properly, work: Work | None = None) -> Round:
    """Play one round.

    Args:
        seed: Everything that happens follows from it.
        submit: How an item is submitted.
        work: What is done; drawn where it is left out.
    """
    rng = random.Random(seed)  # noqa: S311 - a seed has to bring the same again
    drawn = draw_work(rng)
    traits = draw_traits(rng)
    work = work or drawn
    world = build_world(rng, traits)
    played = Round(seed=seed, work=work, traits=traits, trace=world.platform.trace)
    player = _Call(world, played) if work == "call" else _Submissions(world, played, submit)
    world.loop.complete(player.play())
    world.loop.drain()
    player.judge()
    leftovers = world.leftovers()
    if leftovers:
        played.violations.append(("broken promise", f"left behind: {leftovers}"))
    return played


class _Submissions:
    """Invoices submitted side by side, and those in doubt taken up again."""

    def __init__(self, world: World, played: Round, submit: Submit) -> None:
        self._world = world
        self._played = played
        self._submit = submit
        self._ends: list[tuple[str, Submission | CallError]] = []

    async def play(self) -> None:
        items = [f"item-{number}" for number in range(self._world.platform.traits.items)]
        tasks = [self._world.loop.create_task(self._one(item)) for item in items]
        for task in tasks:
            await task

    async def _one(self, item: str) -> None:
        world, traits = self._world, self._world.platform.traits
        began = world.loop.time()
        end = await _ended(self._submit(world, self._played.work, item))
        self._hurry(began, traits.timeout, item)
        self._note(item, end)
        token = self._token(item, end)
        if token is None:
            return
        if world.rng.random() < 0.5:
            # Taken up while things still go wrong.
            await self._resume(item, token, limit=traits.timeout)
        world.heal(shows_all=world.rng.random() < 0.7)
        last: Submission | CallError | None = None
        for pause in (world.rng.choice((0.0, 5.0, 1000.0)), 100.0):
            await asyncio.sleep(pause)
            last = await self._resume(item, token, limit=HEALTHY)
            if isinstance(last, Submission):
                return
        if world.platform.traits.shows == "all" and traits.refuses is None:
            self._violated("broken promise", f"{item}: in doubt for ever: {last}")

    async def _resume(self, item: str, token: ResumeToken, *, limit: float) -> Submission | CallError:
        end: Submission | CallError
        end = await _ended(self._world.submitter(item, timeout=limit).resume(token))
        self._note(item, end)
        if isinstance(end, CallError):
            self._token(item, end)
            if not isinstance(end, OutcomeUnknown):
                self._violated("broken promise", f"{item}: a doubt ended in {end!r}")
        return end

    def _note(self, item: str, end: Submission | CallError) -> None:
        self._ends.append((item, end))
        told = end.verdict if isinstance(end, Submission) else type(end).__name__
        self._played.verdicts[told] += 1
        self._world.platform.note("end", item, told)

    def _token(self, item: str, end: Submission | CallError) -> ResumeToken | None:
        """The token of a doubt, checked; ``None`` where there is nothing to resume."""
        if not isinstance(end, OutcomeUnknown):
            return None
        token = end.token
        if token is None:
            self._violated("broken promise", f"{item}: a doubt without a token")
            return None
        if not self._world.platform.left[item]:
            self._violated("broken promise", f"{item}: in doubt, although nothing ever left")
        if self._played.work == "file":
            return None
        draft = self._world.platform.drafts.get(token.parameters.get("draft_id", ""))
        if token.operation != VALIDATE_DRAFT.name or token.client_id != item or draft is None:
            self._violated("broken promise", f"{item}: the token leads nowhere: {token}")
            return None
        return token

    def _hurry(self, began: float, timeout: float, item: str) -> None:
        took = self._world.loop.time() - began
        if took > timeout + 0.01:
            self._violated("broken promise", f"{item}: took {took:.2f} s of {timeout} s")

    def judge(self) -> None:
        for item, end in self._ends:
            self._judge(item, end)
        for item, made in self._world.platform.made.items():
            if made > 1:
                self._violated("duplicate", f"{item}: {made} invoices")

    def _judge(self, item: str, end: Submission | CallError) -> None:
        platform = self._world.platform
        exists = platform.made[item] > 0
        if isinstance(end, Submission):
            if not exists and end.verdict is Verdict.ACCEPTED_UNIDENTIFIED and item in platform.hollow:
                # Taken at its word, since no look could be made: the verdict says that nothing is settled.
                self._played.verdicts[HOLLOW] += 1
            elif not exists:
                self._violated("silent loss", f"{item}: {end}")
            elif end.verdict is Verdict.ACCEPTED and end.invoice_id != platform.ids[item]:
                self._violated("broken promise", f"{item}: {end} instead of {platform.ids[item]}")
        elif exists and self._is_doubt(end):
            return
        elif exists and item in platform.masked - platform.shown:
            # Nothing that a client was told could have said otherwise: sending once ends at such a gateway.
            self._played.verdicts[MASKED] += 1
        elif exists:
            self._violated("false failure", f"{item}: {end!r}")

    def _is_doubt(self, error: CallError) -> bool:
        # An upload was done whose answer cannot be read; of a draft, that is no invoice.
        unread = isinstance(error, ResponseDecodeError) and self._played.work == "file"
        return unread or isinstance(error, OutcomeUnknown)

    def _violated(self, kind: Violation, what: str) -> None:
        self._played.violations.append((kind, what))


async def _ended(submission: Any) -> Any:
    """Its result, or the CallError that it raised; any other exception is a fault of ours."""
    try:
        return await submission
    except CallError as error:
        return error


CALLS: tuple[tuple[Operation[Any], str], ...] = (
    (RECORD_PAYMENT, "body"),
    (CREATE_CLIENT, "client"),
    (CREATE_DRAFT, "draft"),
    (VALIDATE_DRAFT, "path"),
    (DELETE_DRAFT, "path"),
    (GET_DRAFT, "path"),
)


class _Call:
    """One call of an operation of each effect, with nobody above the engine to look again."""

    def __init__(self, world: World, played: Round) -> None:
        self._world = world
        self._played = played
        self._operation, self._shape = world.rng.choice(CALLS)
        traits = world.platform.traits
        # What a bare call returns is an answer; what an answer means is read above.
        lies = traits.gateway and traits.consumed not in SURE_REFUSALS
        world.platform.traits = attrs.evolve(
            traits,
            refuses=None,
            answer="full",
            hollow=False,
            gateway=traits.gateway and not lies,
        )
        world.platform.drafts["d-1"] = Draft(item="item-0")
        if self._operation is CREATE_CLIENT:
            world.platform.rival = world.rng.choice((None, None, None, "same", "different"))
        self._ends: list[Any] = []

    async def play(self) -> None:
        world = self._world
        end = await _ended(call(world, self._operation, self._shape))
        self._note(end)
        if self._operation is not CREATE_CLIENT or not isinstance(end, OutcomeUnknown) or end.token is None:
            return
        if world.rng.random() < 0.5:
            self._note(await _ended(world.engine.resume(end.token)))
        world.heal(shows_all=True)
        await asyncio.sleep(world.rng.choice((0.0, 5.0, 1000.0)))
        last = await _ended(world.engine.resume(end.token, options=CallOptions(timeout=HEALTHY)))
        self._note(last)
        if isinstance(last, OutcomeUnknown) and world.platform.made["item-0"]:
            self._violated("broken promise", f"it is there, and in doubt for ever: {last}")

    def _note(self, end: Any) -> None:
        self._ends.append(end)
        told = type(end).__name__
        self._played.verdicts[f"{self._operation.effect} {told}"] += 1
        self._world.platform.note("end", self._operation.name, told)

    def judge(self) -> None:
        platform, name = self._world.platform, self._operation.name
        if platform.made["item-0"] > 1:
            self._violated("duplicate", f"{name}: {platform.made['item-0']} times")
        for end in self._ends:
            if self._operation is DELETE_DRAFT:
                is_lost = "d-1" in platform.drafts and not isinstance(end, CallError)
                if is_lost:
                    self._violated("silent loss", f"{name} is told as done")
            elif self._operation is not GET_DRAFT:
                self._judge(end)

    def _judge(self, end: Any) -> None:
        platform, name = self._world.platform, self._operation.name
        repeatable = self._operation is CREATE_DRAFT
        made = len(platform.drafts) - 1 if repeatable else platform.made["item-0"]
        if not isinstance(end, CallError):
            if not made and not self._says_nothing(end) and platform.rival != "same":
                self._violated("silent loss", f"{name} is told as done: {end}")
        elif isinstance(end, ReconcileMismatch | DuplicateDetected):
            self._judge_finding(end, made)
        elif end.outcome not in ("unknown", "done"):
            if made and not repeatable:
                self._violated("false failure", f"{name}: {end!r}")
        elif not repeatable:
            self._judge_doubt(end)

    @staticmethod
    def _says_nothing(end: Any) -> bool:
        """Whether the answer itself tells that nothing may have come of it."""
        if isinstance(end, DraftCreated):
            return end.draft_id is None
        status = str(getattr(end, "status", None))
        unsettled = status not in ("None", "submitted", "validated", "processed", "active")
        return unsettled or bool(getattr(end, "errors", None))

    def _judge_finding(self, error: CallError, made: int) -> None:
        rival = self._world.platform.rival
        is_twice = isinstance(error, DuplicateDetected)
        if rival != ("same" if is_twice else "different") or (is_twice and not made):
            self._violated("broken promise", f"{rival}, and made {made} times: {error!r}")

    def _judge_doubt(self, error: CallError) -> None:
        name = self._operation.name
        if isinstance(error, OutcomeUnknown):
            if error.token is None or error.token.operation != name:
                self._violated("broken promise", f"{name}: {error.token} of {error!r}")
            if not self._world.platform.left["item-0"]:
                self._violated("broken promise", f"{name}: in doubt, although nothing ever left")
        elif not isinstance(error, ResponseDecodeError):
            self._violated("broken promise", f"{name}: {error!r} is no doubt with a token")

    def _violated(self, kind: Violation, what: str) -> None:
        self._played.violations.append((kind, what))


async def call(world: World, operation: Operation[Any], shape: str) -> Any:
    """Call an operation about ``item-0`` and its draft ``d-1``."""
    bodies: dict[str, Any] = {
        "body": {"client_siren": "123456782", "payment_date": "2026-09-01", "amount": "10.00"},
        "client": {
            "organization_name": "Dupain",
            "contact_email": "paris@dupain.example",
            "external_ref": "item-0",
        },
        "draft": INVOICE,
    }
    parameters = {"draft_id": "d-1"} if shape == "path" else {}
    scope = {} if shape == "client" else {"client_id": "item-0"}
    if shape == "path":
        return await world.engine.call(operation, parameters={**parameters, **scope})
    return await world.engine.call(operation, parameters=scope, body=bodies[shape])
