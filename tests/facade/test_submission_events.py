"""What a submission tells the hook beyond its calls: each look, and one verdict."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import attrs
import pytest

from seqino._core.config import resolve
from seqino._core.outcome import Outcome
from seqino._core.wire import File
from seqino.client.submitting import Submitter
from seqino.errors import (
    ConfigurationError,
    ConnectionFailed,
    InvalidInput,
    OutcomeUnknown,
    ResumeToken,
    ServerError,
    UnprocessableContent,
)
from seqino.models import (
    DraftCreated,
    DraftValidated,
    InvoiceDraft,
    InvoiceFileSubmitted,
    InvoiceStatus,
    InvoiceTypeCode,
    PostalAddress,
    SellerParty,
)

if TYPE_CHECKING:
    from seqino._core.events import CallEvent
    from tests.facade.conftest import Clock

INVOICE = {"issue_date": "2026-09-01"}
ACCEPTED = DraftValidated(invoice_id="inv-1", status=InvoiceStatus.SUBMITTED, draft_id="d-1")
LOST = OutcomeUnknown("lost", operation="validate_draft", outcome=Outcome.UNKNOWN)
REFUSED = UnprocessableContent(
    "no", operation="validate_draft", outcome=Outcome.REJECTED, status=422, trace_id="t-1"
)
BAD_LOOK = ServerError("down", operation="get_draft", outcome=Outcome.UNKNOWN, status=503)


def draft(**fields: Any) -> InvoiceDraft:
    return InvoiceDraft(
        issue_date=dt.date(2026, 9, 1),
        type_code=InvoiceTypeCode.CODE_380,
        currency_code="EUR",
        seller=SellerParty(name="Boulangerie Dupain", postal_address=PostalAddress(city_name="Paris")),
        **fields,
    )


def token_of(draft_id: str) -> ResumeToken:
    return ResumeToken(
        operation="validate_draft",
        parameters={"draft_id": draft_id},
        base_url="",
        attempts=1,
        first_sent_at=0,
        last_sent_at=0,
    )


STILL_DRAFT = draft(status=InvoiceStatus.DRAFT)
CONSUMED = draft(status=InvoiceStatus.SUBMITTED, invoice_id="inv-1")


class Platform:
    """Gives each operation's replies in turn, the last one again and again."""

    def __init__(self, **replies: list[Any]) -> None:
        self.replies: defaultdict[str, deque[Any]] = defaultdict(deque)
        for name, each in {"create_draft": [DraftCreated(draft_id="d-1")], **replies}.items():
            self.replies[name] = deque(each)

    async def call(self, operation: Any, **_: object) -> Any:
        replies = self.replies[operation.name]
        reply = replies.popleft() if len(replies) > 1 else replies[0]
        if isinstance(reply, BaseException):
            raise reply
        return reply


class Heard:
    """A submitter, and the events that it emitted."""

    def __init__(self, clock: Clock, **replies: list[Any]) -> None:
        self.events: list[CallEvent] = []
        config = resolve(
            base_url="http://localhost", client_id="acme", on_event=self.events.append, environ={}
        )
        self.submitter = Submitter(caller=Platform(**replies), config=config, runtime=clock.runtime())

    def told(self) -> list[tuple[str, str, int, str | None, str | None]]:
        return [(each.kind, each.operation, each.attempt, each.outcome, each.finding) for each in self.events]


async def test_an_accepted_invoice_is_one_verdict(clock: Clock) -> None:
    heard = Heard(clock, validate_draft=[ACCEPTED])
    await heard.submitter.submit(INVOICE)
    assert heard.told() == [("verdict", "submit", 1, "done", "accepted")]
    event = heard.events[0]
    assert (event.draft_id, event.invoice_id, event.client_id) == ("d-1", "inv-1", "acme")
    assert (event.error, event.token, event.elapsed) == (None, None, 0.0)


async def test_each_look_tells_what_it_showed(clock: Clock) -> None:
    clock.now = 1000.0
    looks = [BAD_LOOK, STILL_DRAFT, CONSUMED]
    heard = Heard(clock, validate_draft=[LOST], get_draft=looks)
    await heard.submitter.submit(INVOICE)
    assert heard.told() == [
        ("look", "submit", 1, None, "failed"),
        ("look", "submit", 2, None, "still_draft"),
        ("look", "submit", 3, None, "consumed"),
        ("verdict", "submit", 1, "done", "accepted"),
    ]
    assert [each.invoice_id for each in heard.events] == [None, None, "inv-1", "inv-1"]
    assert [each.draft_id for each in heard.events] == ["d-1"] * 4
    assert [each.elapsed for each in heard.events] == [1.0, 3.0, 7.0, 7.0]


async def test_a_refusal_says_so_and_names_the_trace(clock: Clock) -> None:
    heard = Heard(clock, validate_draft=[REFUSED], get_draft=[STILL_DRAFT])
    with pytest.raises(UnprocessableContent):
        await heard.submitter.submit(INVOICE)
    assert heard.told() == [
        ("look", "submit", 1, None, "still_draft"),
        ("verdict", "submit", 1, "rejected", "rejected"),
    ]
    event = heard.events[-1]
    assert (event.error, event.trace_id, event.token) == ("UnprocessableContent", "t-1", None)


async def test_what_never_began_to_be_sent_is_not_submitted(clock: Clock) -> None:
    failed = ConnectionFailed("no", operation="create_draft", outcome=Outcome.NOT_SENT)
    heard = Heard(clock, create_draft=[failed])
    with pytest.raises(ConnectionFailed):
        await heard.submitter.submit(INVOICE)
    assert heard.told() == [("verdict", "submit", 0, "not_sent", "not_submitted")]
    assert heard.events[0].draft_id is None


async def test_a_doubt_is_a_warning_with_the_token_of_the_error(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard(clock, validate_draft=[LOST], get_draft=[BAD_LOOK])
    with pytest.raises(OutcomeUnknown) as caught:
        await heard.submitter.submit(INVOICE)
    event = heard.events[-1]
    assert (event.kind, event.outcome, event.finding) == ("verdict", "unknown", "in_doubt")
    assert event.token is not None
    assert event.token is caught.value.token
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        (
            "WARNING",
            (
                "submit attempt 1: verdict unknown error=OutcomeUnknown client_id=acme finding=in_doubt "
                "draft_id=d-1"
            ),
        )
    ]


async def test_a_file_and_a_resumption_have_names_of_their_own(clock: Clock) -> None:
    taken = InvoiceFileSubmitted(
        invoice_id="inv-2", status=InvoiceStatus.SUBMITTED, file_name="f.xml", file_size=1
    )
    heard = Heard(clock, submit_invoice_file=[taken], get_draft=[CONSUMED])
    await heard.submitter.submit_file(File(name="f.xml", content=b"<a/>"), number="F-1")
    token = ResumeToken(
        operation="validate_draft",
        parameters={"draft_id": "d-1"},
        base_url="http://localhost",
        attempts=2,
        first_sent_at=0,
        last_sent_at=0,
    )
    await heard.submitter.resume(token)
    assert heard.told() == [
        ("verdict", "submit_file", 1, "done", "accepted"),
        ("look", "resume", 1, None, "consumed"),
        ("verdict", "resume", 0, "done", "accepted"),
    ]


async def test_a_cancelled_submission_is_told_too(clock: Clock) -> None:
    heard = Heard(clock, validate_draft=[LOST], get_draft=[asyncio.CancelledError()])
    with pytest.raises(asyncio.CancelledError):
        await heard.submitter.submit(INVOICE)
    assert heard.told() == [("verdict", "submit", 1, "unknown", "in_doubt")]
    assert heard.events[0].error == "CancelledError"
    assert heard.events[0].token is not None


async def test_the_token_of_the_call_that_was_cancelled_is_kept_in_the_midst_of_a_doubt(clock: Clock) -> None:
    own = token_of("d-1")
    cancelled = asyncio.CancelledError()
    vars(cancelled)["seqino_token"] = own
    heard = Heard(clock, validate_draft=[LOST, cancelled], get_draft=[STILL_DRAFT])
    with pytest.raises(asyncio.CancelledError) as caught:
        await heard.submitter.submit(INVOICE)
    assert vars(caught.value)["seqino_token"] is own
    assert (heard.events[-1].token, heard.events[-1].attempt) == (own, 2)


async def test_what_is_refused_before_it_was_sent_leaves_nothing_in_doubt(clock: Clock) -> None:
    heard = Heard(clock, create_draft=[InvalidInput("no")])
    with pytest.raises(InvalidInput):
        await heard.submitter.submit(INVOICE)
    assert heard.told() == [("verdict", "submit", 0, None, None)]
    assert (heard.events[0].error, heard.events[0].token) == ("InvalidInput", None)


async def test_any_other_error_in_the_midst_of_a_doubt_leaves_a_token(clock: Clock) -> None:
    heard = Heard(
        clock, validate_draft=[LOST, ConfigurationError("the key is gone")], get_draft=[STILL_DRAFT]
    )
    with pytest.raises(ConfigurationError) as caught:
        await heard.submitter.submit(INVOICE)
    assert heard.events[-1].finding == "in_doubt"
    assert vars(caught.value)["seqino_token"] is heard.events[-1].token


@pytest.mark.parametrize("other", ["validate_draft", "submit_invoice_file"])
async def test_one_exception_that_ends_several_submissions_is_told_with_the_token_of_each(
    clock: Clock, other: str
) -> None:
    error = KeyError("as when all wait for one fetched key")
    vars(error)["seqino_token"] = attrs.evolve(token_of("d-0"), operation=other)
    heard = Heard(clock, validate_draft=[LOST, error], get_draft=[STILL_DRAFT])
    with pytest.raises(KeyError):
        await heard.submitter.submit(INVOICE)
    token = heard.events[-1].token
    assert token is not None
    assert (token.operation, token.parameters) == ("validate_draft", {"draft_id": "d-1"})


async def test_the_doubt_of_another_submission_is_none_of_this_one(clock: Clock) -> None:
    error = KeyError("as when all wait for one fetched key")
    vars(error)["seqino_token"] = token_of("d-0")
    heard = Heard(clock, validate_draft=[error])
    with pytest.raises(KeyError):
        await heard.submitter.submit(INVOICE)
    assert (heard.events[-1].token, heard.events[-1].finding) == (None, None)


async def test_where_nobody_listens_only_doubts_are_told(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[Any] = []

    def make(**details: Any) -> None:
        made.append(details["kind"])

    monkeypatch.setattr("seqino.client.telling.CallEvent", make)
    monkeypatch.setattr("seqino.client.telling.Emitter.emit", Mock())
    caplog.set_level(logging.INFO, "seqino")
    config = resolve(base_url="http://localhost", client_id="acme", environ={})
    platform = Platform(validate_draft=[LOST], get_draft=[BAD_LOOK])
    with pytest.raises(OutcomeUnknown):
        await Submitter(caller=platform, config=config, runtime=clock.runtime()).submit(INVOICE)
    assert made == ["verdict"]
