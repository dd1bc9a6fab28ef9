"""Cancelling at every point: what is left afterwards, and whether a doubt was told."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs

from seqino._core.outcome import Outcome, classify_status
from seqino._core.retry import RetryBudget
from seqino._core.transport import Answer
from seqino._generated.operations import VALIDATE_DRAFT, create_draft
from seqino.errors import CallError, OutcomeUnknown, ResumeToken
from seqino.options import CallOptions
from tests.chaos.chance import draw_traits
from tests.chaos.loop import Stepped
from tests.chaos.platform import INVOICE, REPEATABLE, Draft, SimulatedTransport, item_of
from tests.chaos.rounds import CALLS, Work, call, draw_work, submit_properly
from tests.chaos.world import HEALTHY, World, build_world

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from seqino._core.config import Secret
    from seqino._core.request import Request
    from seqino._core.transport import Result, SendMark
    from seqino.submission import Submission

__all__ = ["Cancelled", "cancel_at", "count_points"]

ITEM = "item-0"

_RESUMED = 4
"""A doubt is looked into after one of so many points."""


class _Budget(RetryBudget):
    """Remembers what each task has paid for a retry that it has not sent yet."""

    def __init__(self, transport: _Transport) -> None:
        super().__init__()
        self._transport = transport

    def take(self, cost: int) -> bool:
        taken = super().take(cost)
        if taken:
            self._transport.paid[asyncio.current_task()] += cost
        return taken

    def give_back(self, amount: int) -> None:
        super().give_back(amount)
        self._transport.paid[asyncio.current_task()] -= amount


@attrs.define(kw_only=True)
class _Transport(SimulatedTransport):
    """Knows whether what it sent of the item to be cancelled is in doubt."""

    doubtful: bool = False
    paid: Counter[asyncio.Task[Any] | None] = attrs.field(factory=Counter[Any])

    async def send(self, request: Request, *, key: Secret | None, mark: SendMark | None) -> Result:
        self.paid.pop(asyncio.current_task(), None)
        if item_of(request) != ITEM:
            return await super().send(request, key=key, mark=mark)
        before, left = self.doubtful, self.platform.left[ITEM]
        try:
            result = await super().send(request, key=key, mark=mark)
        finally:
            self.doubtful |= self.platform.left[ITEM] > left
        proof = classify_status(result.status).outcome if isinstance(result, Answer) else None
        if proof in (Outcome.REJECTED, Outcome.THROTTLED):
            self.doubtful = before
        return result


@attrs.define(kw_only=True)
class Cancelled:
    """What one cancellation left behind."""

    seed: int
    point: int
    work: Work
    reached: bool = False
    """Whether there was anything left to cancel."""
    faults: list[str] = attrs.field(factory=list[str])


class _Trial:
    """One run of one seed, cancelled at one point."""

    def __init__(self, seed: int, point: int) -> None:
        rng = random.Random(seed)  # noqa: S311 - a seed has to bring the same again
        self.work: Work = draw_work(rng)
        # A gateway's own repetitions and answers without a word are beyond what a cancellation can tell.
        traits = attrs.evolve(draw_traits(rng), items=1, gateway=False, hollow=False)
        if self.work == "call":
            traits = attrs.evolve(traits, refuses=None)
        self.world: World = build_world(rng, traits)
        self.transport = _Transport(platform=self.world.platform)
        self.budget = _Budget(self.transport)
        shared: Any = vars(self.world.engine)["_shared"]
        shared.transport, shared.budget = self.transport, self.budget
        self.world.transport = self.transport
        self._operation = rng.choice(CALLS)
        if self.work == "call":
            self.world.platform.drafts["d-1"] = Draft(item=ITEM)
        # Half of the cancellations come at once, the others while whatever was begun goes on.
        self._delay = 0.0 if rng.random() < 0.5 else rng.choice((0.0005, 0.125, 0.25, 3.0, 15.0))
        self._meets_timer = rng.random() < 0.2
        self._has_company = rng.random() < 0.4
        self._point = point
        self.requested = False
        self.error: asyncio.CancelledError | None = None
        self.task: asyncio.Task[Any] | None = None
        self.company: asyncio.Task[None] | None = None
        self.stepped: Stepped[Any] = Stepped(self._noticing(), self._on_suspension)

    def run(self) -> asyncio.Task[Any]:
        if self._has_company:
            self.company = self.world.loop.create_task(self._beside())
        self.task = self.world.loop.create_task(self.stepped)
        self.world.loop.run_until(self.task)
        return self.task

    async def _beside(self) -> None:
        """Another submission by the same client, which nobody cancels."""
        with contextlib.suppress(CallError):
            await submit_properly(self.world, "submit", "beside")

    async def _noticing(self) -> Any:
        try:
            return await self._main()
        except asyncio.CancelledError as error:
            self.error = error
            raise

    def _main(self) -> Coroutine[Any, Any, Any]:
        if self.work == "call":
            return call(self.world, *self._operation)
        return self._submission()

    async def _submission(self) -> Submission:
        try:
            return await submit_properly(self.world, self.work, ITEM)
        except OutcomeUnknown as error:
            if self.work == "file" or error.token is None:
                raise
            return await self.world.submitter(ITEM, timeout=HEALTHY).resume(error.token)

    def _on_suspension(self, number: int) -> None:
        if number != self._point:
            return
        if self._meets_timer and self.world.armed:
            # The caller's cancellation and the attempt's own timer, at one moment.
            first = min(handle.when() for handle in self.world.armed)
            self.world.loop.call_at(first, self._cancel)
        elif self._delay:
            self.world.loop.call_later(self._delay, self._cancel)
        else:
            self.world.loop.call_soon(self._cancel)

    def _cancel(self) -> None:
        assert self.task is not None
        self.requested = self.task.cancel()

    @property
    def may_be_repeated(self) -> bool:
        return self.work == "call" and self._operation[0].name in REPEATABLE


def count_points(seed: int) -> int:
    """How often the run of a seed is suspended when nobody cancels it."""
    trial = _Trial(seed, 0)
    task = trial.run()
    if not task.cancelled():
        task.exception()
    trial.world.loop.drain()
    return trial.stepped.suspensions


def cancel_at(seed: int, point: int) -> Cancelled:
    """Run a seed, cancel it at its n-th suspension or soon after, and look at what is left.

    Args:
        seed: Everything that happens follows from it.
        point: Number of the suspension, from 1.
    """
    trial = _Trial(seed, point)
    told = Cancelled(seed=seed, point=point, work=trial.work)
    task = trial.run()
    told.reached = trial.requested
    if trial.requested and not task.cancelled():
        told.faults.append(f"the cancellation was swallowed: {task!r}")
    if not task.cancelled():
        task.exception()
    _look_around(trial, told)
    token = None if trial.error is None else vars(trial.error).get("seqino_token")
    if trial.requested:
        _check_token(trial, told, token)
    trial.world.loop.drain()
    if trial.requested and trial.world.platform.made[ITEM] and token is None and not trial.may_be_repeated:
        told.faults.append("an invoice exists, and nobody was told of it")
    _go_on(trial, told, token)
    return told


def _look_around(trial: _Trial, told: Cancelled) -> None:
    at_once = {
        "exchanges": trial.transport.in_flight[ITEM],
        "tokens": trial.requested and trial.transport.paid[trial.task] > 0,
    }
    if any(at_once.values()):
        told.faults.append(f"left behind at once: {at_once}")
    if trial.company is not None:
        trial.world.loop.run_until(trial.company)
        if trial.company.cancelled():
            told.faults.append("another task was cancelled with it")
    left = trial.world.leftovers()
    if left:
        told.faults.append(f"left behind: {left}")


def _check_token(trial: _Trial, told: Cancelled, token: ResumeToken | None) -> None:
    if trial.may_be_repeated:
        return
    left = trial.world.platform.left[ITEM]
    if trial.transport.doubtful and token is None:
        told.faults.append("in doubt, and no token tells it")
    if token is not None and not left:
        told.faults.append("a token of something that never left")
    heard = any(event.token is not None for event in trial.world.events)
    if token is not None and trial.work == "call" and not heard:
        told.faults.append("no event tells of the doubt")


def _go_on(trial: _Trial, told: Cancelled, token: ResumeToken | None) -> None:
    """The same client goes on: its next call works, and the doubt can be looked into."""
    world = trial.world
    world.heal(shows_all=True)
    world.platform.traits = attrs.evolve(world.platform.traits, refuses=None)
    options = CallOptions(timeout=HEALTHY)
    _complete(world, told, create_draft(world.engine, INVOICE, client_id="next", options=options))
    # Looking takes many calls: enough to do it after some of the points.
    if token is not None and token.operation == VALIDATE_DRAFT.name and told.point % _RESUMED == 0:
        _complete(world, told, world.submitter(ITEM, timeout=HEALTHY).resume(token))
        if world.platform.made[ITEM] != 1:
            told.faults.append(f"{world.platform.made[ITEM]} invoices after resuming")
    world.loop.drain()
    if any(made > 1 for made in world.platform.made.values()):
        told.faults.append(f"made twice: {dict(world.platform.made)}")


def _complete(world: World, told: Cancelled, following: Coroutine[Any, Any, object]) -> None:
    try:
        world.loop.complete(following)
    except CallError as error:
        told.faults.append(f"fails afterwards: {error!r}")
