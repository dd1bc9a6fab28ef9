"""Workers against a stand-in for the client, on a clock of their own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from seqino import errors
from seqino.cli.files import find
from seqino.cli.plan import make_plan
from seqino.cli.result import End, Result
from seqino.cli.work import Run
from seqino.errors import Fault
from seqino.models import LifecycleEvent, LifecycleStatusCode
from seqino.resources.histories import History
from seqino.statuses import Backoff, UnreadableEvent
from seqino.submission import Submission, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino._core.wire import File
    from seqino.client import SeqinoClient

TOKEN = errors.ResumeToken(
    operation="validate_draft",
    parameters={"draft_id": "draft_7"},
    base_url="http://platform.test",
    attempts=1,
    first_sent_at=0,
    last_sent_at=0,
)


def event(status: str) -> LifecycleEvent:
    return LifecycleEvent(
        status_code=LifecycleStatusCode(f"InvoiceLifecycleStatus.{status}"),
        timestamp=datetime(2026, 10, 2, tzinfo=UTC),
        emitter="PDPE",
    )


class Client:
    """Takes what is submitted, and answers events by turns."""

    def __init__(
        self,
        answer: Callable[[str], Exception | str | None] = lambda _: None,
        events: tuple[Any, ...] = (["COLLECTED"],),
    ) -> None:
        self._answer = answer
        self._events = events
        self.sent: list[str] = []
        self.asked: list[str] = []
        self.under_way = 0
        self.most_under_way = 0
        self.lifecycle = self

    async def submit_file(self, file: File) -> Submission:
        return await self._take(file.name)

    async def submit(self, invoice: dict[str, Any]) -> Submission:
        return await self._take(invoice["purchase_order_reference"])

    async def _take(self, name: str) -> Submission:
        self.sent.append(name)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            answer = self._answer(name)
        finally:
            self.under_way -= 1
        if isinstance(answer, BaseException):
            raise answer
        return Submission(verdict=Verdict.ACCEPTED, invoice_id=answer or f"inv_{name}", draft_id=None)

    async def history(self, object_id: str) -> History:
        turn = self.asked.count(object_id)
        self.asked.append(object_id)
        answer = self._events[min(turn, len(self._events) - 1)]
        if isinstance(answer, Exception):
            raise answer
        odd = UnreadableEvent(raw=b'"odd"', faults=(Fault("$", "is no event"),))
        return History(
            [event(status) for status in answer if status is not None],
            [odd for status in answer if status is None],
        )


def as_client(client: Client) -> SeqinoClient:
    return cast("SeqinoClient", client)


@pytest.fixture
def told() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture
def run(samples: Path, told: list[tuple[str, int, int]]) -> Run:
    plan = make_plan(find([samples]), read=Path.read_bytes)
    return Run(plan.invoices, workers=4, tell=lambda what, done, total: told.append((what, done, total)))


def by_end(run: Run) -> dict[End, int]:
    counts: dict[End, int] = {}
    for result in run.results:
        counts[result.end] = counts.get(result.end, 0) + 1
    return counts


def result_of(run: Run, name: str) -> Result:
    return next(result for result in run.results if Path(result.invoice.name).name.startswith(name))


class Clock:
    """Stands still but for sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def test_every_invoice_is_sent_once_and_no_more_than_allowed_at_a_time(
    run: Run, told: list[tuple[str, int, int]]
) -> None:
    client = Client()
    await run.submit(as_client(client))
    assert len(client.sent) == len(set(client.sent)) == len(run.results)
    assert 1 < client.most_under_way <= 4
    assert by_end(run) == {End.SUBMITTED: len(run.results)}
    assert told[-1] == ("submitting", len(run.results), len(run.results))


@pytest.mark.parametrize(
    ("error", "end", "reason"),
    [
        (errors.OutcomeUnknown("Unclear.", token=TOKEN, operation="x"), End.IN_DOUBT, "Unclear."),
        (errors.OutcomeUnknown("Unclear.", operation="x"), End.IN_DOUBT, "Unclear."),
        (errors.ResponseDecodeError("Unreadable.", operation="x"), End.IN_DOUBT, "Unreadable."),
        (errors.InvalidInput("Bad", faults=[("$.a", "b")]), End.REFUSED_BEFORE, "Bad; $.a: b"),
        (errors.UnprocessableContent("Bad", operation="x", status=422), End.TURNED_AWAY, "Bad"),
        (errors.RateLimited("Later", operation="x"), End.FAILED, "Later"),
        (errors.ServerError("", operation="x"), End.FAILED, "ServerError"),
        (errors.DeadlineExceeded("Late", operation="x"), End.FAILED, "Late"),
    ],
)
async def test_one_failure_never_stops_the_others(run: Run, error: Exception, end: End, reason: str) -> None:
    client = Client(lambda name: error if name.startswith("02") else None)
    await run.submit(as_client(client))
    assert len(client.sent) == len(run.results)
    assert result_of(run, "02").end is end
    assert result_of(run, "02").reason == reason
    assert by_end(run)[End.SUBMITTED] == len(run.results) - 1
    assert run.stopped is None


async def test_a_doubt_names_its_draft(run: Run) -> None:
    client = Client(lambda _: errors.OutcomeUnknown("Unclear.", token=TOKEN, operation="x"))
    await run.submit(as_client(client))
    assert by_end(run) == {End.IN_DOUBT: len(run.results)}
    assert {result.draft_id for result in run.results} == {"draft_7"}


@pytest.mark.parametrize(
    "error",
    [
        errors.AuthenticationFailed("No.", operation="x", status=401),
        errors.PermissionDenied("No.", operation="x", status=403),
        errors.NotFound("No such client.", operation="x", status=404),
        errors.ConnectionFailed("No.", operation="x"),
        errors.ConfigurationError("No."),
    ],
)
async def test_what_every_invoice_would_meet_stops_the_rest(
    run: Run, error: errors.SeqinoError, told: list[tuple[str, int, int]]
) -> None:
    client = Client(lambda _: error)
    await run.submit(as_client(client))
    assert run.stopped is error
    assert len(client.sent) <= 4
    assert by_end(run) == {End.NOT_SUBMITTED: len(run.results)}
    assert len(told) <= 4


async def test_a_file_that_changed_or_vanished_since_is_not_sent(samples: Path, tmp_path: Path) -> None:
    for name in ("01-it-services-ubl.xml", "04-training-exempt-ubl.xml"):
        (tmp_path / name).write_bytes((samples / name).read_bytes())
    plan = make_plan(find([tmp_path]), read=Path.read_bytes)
    (tmp_path / "01-it-services-ubl.xml").write_bytes(b"<other/>")
    (tmp_path / "04-training-exempt-ubl.xml").unlink()
    run = Run(plan.invoices, workers=1, tell=lambda _what, _done, _total: None)
    client = Client()
    await run.submit(as_client(client))
    assert client.sent == []
    assert [result.end for result in run.results] == [End.REFUSED_BEFORE] * 2
    assert "changed since it was read" in run.results[0].reason
    assert "No such file" in run.results[1].reason


class Stuck(Client):
    """Never answers; an interrupted call tells whether it had left."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()

    async def _take(self, name: str) -> Submission:
        self.sent.append(name)
        if len(self.sent) == 4:
            self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            if name.startswith("01"):
                vars(error)["seqino_token"] = TOKEN
            raise
        raise AssertionError


async def test_an_interruption_leaves_nothing_half_sent_unsaid(run: Run) -> None:
    client = Stuck()
    task = asyncio.create_task(run.submit(as_client(client)))
    await client.begun.wait()
    assert by_end(run)[End.IN_DOUBT] == 4
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert by_end(run) == {End.IN_DOUBT: 1, End.NOT_SUBMITTED: len(run.results) - 1}
    assert result_of(run, "01").draft_id == "draft_7"


async def follow(run: Run, client: Client, *, limit: float = 100) -> Clock:
    await run.submit(as_client(client))
    clock = Clock()
    pace = Backoff(first=timedelta(seconds=1), factor=2, longest=timedelta(seconds=8))
    await run.follow(as_client(client), pace=pace, limit=limit, clock=clock, sleep=clock.sleep)
    return clock


async def test_each_invoice_is_asked_for_until_its_end(run: Run, told: list[tuple[str, int, int]]) -> None:
    client = Client(events=([], ["DEPOSITED"], ["DEPOSITED", "REFUSED"], ["COLLECTED"]))
    clock = await follow(run, client)
    assert by_end(run) == {End.REFUSED: len(run.results)}
    assert clock.slept == [1, 2, 4]
    assert len(client.asked) == 3 * len(run.results)
    assert told[-1] == ("following", len(run.results), len(run.results))


async def test_following_ends_with_its_time_and_says_where_things_stand(run: Run) -> None:
    clock = await follow(run, Client(events=(["DEPOSITED", "APPROVED"],)), limit=10)
    assert clock.slept == [1, 2, 4]
    assert by_end(run) == {End.OPEN: len(run.results)}
    assert {result.status.number for result in run.results if result.status} == {205}


async def test_an_event_list_that_fails_is_asked_for_again(run: Run) -> None:
    failure = errors.NotFound("Not there yet.\nA second line.", operation="get_lifecycle_events")
    await follow(run, Client(events=(failure, ["COLLECTED"])))
    assert by_end(run) == {End.PAID: len(run.results)}
    assert {result.reason for result in run.results} == {""}


async def test_a_failure_to_the_end_is_said(run: Run) -> None:
    failure = errors.ServerError("Down.\nA second line.", operation="get_lifecycle_events")
    await follow(run, Client(events=(["DEPOSITED"], failure)), limit=5)
    assert by_end(run) == {End.OPEN: len(run.results)}
    assert {(result.reason, result.status.number if result.status else 0) for result in run.results} == {
        ("Down.", 200)
    }


async def test_a_key_that_stops_working_stops_following(run: Run) -> None:
    client = Client(events=(["DEPOSITED"], errors.AuthenticationFailed("No.", operation="x")))
    await follow(run, client)
    assert isinstance(run.stopped, errors.AuthenticationFailed)
    assert by_end(run) == {End.OPEN: len(run.results)}


async def test_without_an_id_there_is_nothing_to_follow(run: Run) -> None:
    for at, result in enumerate(run.results):
        run.results[at] = Result(invoice=result.invoice, end=End.SUBMITTED)
    clock = Clock()
    await run.follow(as_client(Client()), pace=Backoff(), limit=100, clock=clock, sleep=clock.sleep)
    assert by_end(run) == {End.SUBMITTED: len(run.results)}
    assert clock.slept == []


async def test_what_cannot_be_read_is_said_of_an_invoice_that_is_open(run: Run) -> None:
    await follow(run, Client(events=(["DEPOSITED", None],)), limit=1)
    assert {(result.end, result.reason) for result in run.results} == {
        (End.OPEN, 'an event that cannot be read ($ is no event): "odd"')
    }
