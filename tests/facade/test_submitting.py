"""The steps of a submission against a platform in memory, on a clock that moves when somebody sleeps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import attrs
import pytest

from seqino._core.config import LookedIntoOptions, resolve
from seqino._core.outcome import Outcome
from seqino._core.wire import UNSET, File, Operation
from seqino.client.endings import text
from seqino.client.submitting import Submitter
from seqino.errors import (
    AuthenticationFailed,
    CallError,
    ConnectionFailed,
    DeadlineExceeded,
    ErrorBody,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Rejected,
    ResponseDecodeError,
    ResumeToken,
    ServerError,
    UnexpectedAnswer,
    UnprocessableContent,
)
from seqino.models import (
    DraftCreated,
    DraftValidated,
    InvoiceDraft,
    InvoiceFileSubmission,
    InvoiceFileSubmitted,
    InvoiceStatus,
    ValidationMessage,
)
from seqino.options import CallOptions
from seqino.submission import Verdict

if TYPE_CHECKING:
    from seqino._core.runtime import Runtime

INVOICE = {"issue_date": "2026-09-01"}
FILE = File(name="f.xml", content=b"<Invoice/>")
CREATED = DraftCreated(draft_id="d-1")
ACCEPTED = DraftValidated(
    invoice_id="inv-1", invoice_number="F-1", status=InvoiceStatus.SUBMITTED, draft_id="d-1"
)


class VirtualClock(Protocol):
    now: float
    slept: list[float]

    def runtime(self) -> Runtime: ...


MakeDraft = Callable[..., InvoiceDraft]


def failed(kind: type[CallError], outcome: Outcome, **details: Any) -> CallError:
    return kind("it failed", operation="x", outcome=outcome, **details)


def lost(**details: Any) -> CallError:
    return failed(OutcomeUnknown, Outcome.UNKNOWN, **details)


def refused() -> CallError:
    return failed(UnprocessableContent, Outcome.REJECTED, status=422)


def missing() -> CallError:
    return failed(NotFound, Outcome.REJECTED, status=404)


def down() -> CallError:
    return failed(ServerError, Outcome.UNKNOWN, status=503)


def unsent() -> CallError:
    return failed(ConnectionFailed, Outcome.NOT_SENT)


def unreadable() -> CallError:
    return failed(ResponseDecodeError, Outcome.DONE, status=200, raw=b"<html>")


class Series:
    """Several replies, the last one for ever."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)

    def next(self) -> Any:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@attrs.define
class Platform:
    """Answers each operation with what is scripted for it, and notes the calls."""

    clock: VirtualClock
    script: Mapping[str, Any]
    takes: float = 0.0
    calls: list[tuple[str, Mapping[str, Any], Any, CallOptions]] = attrs.field(
        factory=list[tuple[str, Mapping[str, Any], Any, CallOptions]]
    )

    async def call(
        self,
        operation: Operation[Any],
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Any = UNSET,
        options: CallOptions | None = None,
    ) -> Any:
        assert options is not None
        self.calls.append((operation.name, parameters or {}, body, options))
        self.clock.now += self.takes
        reply = self.script[operation.name]
        if isinstance(reply, Series):
            reply = reply.next()
        if isinstance(reply, Exception):
            raise reply
        return reply

    @property
    def names(self) -> list[str]:
        return [name for name, *_ in self.calls]


Submit = Callable[..., tuple[Submitter, Platform]]


@pytest.fixture
def submitter(clock: VirtualClock) -> Submit:
    def make(
        *, takes: float = 0.0, options: CallOptions | None = None, **script: Any
    ) -> tuple[Submitter, Platform]:
        platform = Platform(clock, script, takes=takes)
        config = resolve(api_key="k", client_id="c", base_url="http://localhost:1", environ={})
        runtime = clock.runtime()
        chosen = options or CallOptions()
        return Submitter(caller=platform, config=config, runtime=runtime, options=chosen), platform

    return make


async def test_an_invoice_is_created_validated_and_named(submitter: Submit, clock: VirtualClock) -> None:
    submit, platform = submitter(create_draft=CREATED, validate_draft=ACCEPTED)
    result = await submit.submit(INVOICE)
    assert result.verdict is Verdict.ACCEPTED
    assert (result.invoice_id, result.invoice_number, result.draft_id) == ("inv-1", "F-1", "d-1")
    assert (result.status, result.answer) == ("submitted", ACCEPTED)
    assert type(result.status) is str
    assert platform.names == ["create_draft", "validate_draft"]
    assert platform.calls[0][2] is INVOICE
    assert platform.calls[1][1]["draft_id"] == "d-1"
    assert clock.slept == []


async def test_client_and_options_go_with_every_call_and_extra_members_with_the_draft_alone(
    submitter: Submit, make_draft: MakeDraft
) -> None:
    options = CallOptions(extra_headers={"X-A": "1"}, extra_body={"new": 1}, max_retries=7, timeout=10)
    submit, platform = submitter(
        options=options, create_draft=CREATED, validate_draft=lost(), get_draft=make_draft(invoice_id="i-9")
    )
    result = await attrs.evolve(submit, client_id="other").submit(INVOICE)
    assert result.invoice_id == "i-9"
    for _, parameters, _, used in platform.calls:
        assert parameters["client_id"] == "other"
        assert (used.extra_headers, used.max_retries) == ({"X-A": "1"}, 7)
    assert [used.extra_body for *_, used in platform.calls] == [{"new": 1}, None, None]
    assert [used.timeout for *_, used in platform.calls] == [10, 10, 9]


async def test_no_attempt_of_a_validation_takes_all_the_time_so_that_some_is_left_to_look(
    submitter: Submit,
) -> None:
    submit, platform = submitter(
        takes=3, options=CallOptions(timeout=math.inf), create_draft=CREATED, validate_draft=ACCEPTED
    )
    await submit.submit(INVOICE)
    assert [used.timeout for *_, used in platform.calls] == [math.inf, math.inf]
    assert [isinstance(used, LookedIntoOptions) for *_, used in platform.calls] == [False, True]


async def test_a_draft_that_was_created_before_is_validated_only(submitter: Submit) -> None:
    submit, platform = submitter(validate_draft=ACCEPTED)
    result = await submit.take_up("d-1", ever_unknown=False)
    assert (result.verdict, result.invoice_id, result.draft_id) == (Verdict.ACCEPTED, "inv-1", "d-1")
    assert platform.names == ["validate_draft"]


async def test_a_draft_that_became_an_invoice_before_is_found_to_be_one(
    submitter: Submit, make_draft: MakeDraft
) -> None:
    submit, platform = submitter(
        validate_draft=lost(status=409), get_draft=make_draft(invoice_id="inv-1", status="submitted")
    )
    assert (await submit.take_up("d-1", ever_unknown=False)).invoice_id == "inv-1"
    assert platform.names == ["validate_draft", "get_draft"]


async def test_a_draft_without_a_name_is_not_validated(submitter: Submit) -> None:
    submit, platform = submitter()
    with pytest.raises(InvalidInput, match="draft_id is empty"):
        await submit.take_up("", ever_unknown=False)
    assert platform.names == []


# --- The creation


@pytest.mark.parametrize(
    "error",
    [
        failed(ServerError, Outcome.UNKNOWN, status=503),
        failed(DeadlineExceeded, Outcome.UNKNOWN),
        refused(),
        unsent(),
        failed(AuthenticationFailed, Outcome.REJECTED, status=401),
        failed(RateLimited, Outcome.THROTTLED, status=429),
        InvalidInput("a float"),
    ],
)
async def test_a_creation_that_failed_is_told_as_it_is(submitter: Submit, error: Exception) -> None:
    submit, platform = submitter(create_draft=error)
    with pytest.raises(type(error)) as caught:
        await submit.submit(INVOICE)
    assert caught.value is error
    assert platform.names == ["create_draft"]


@pytest.mark.parametrize("answer", [DraftCreated(), DraftCreated(draft_id=""), None])
async def test_a_draft_without_a_name_is_of_no_use(submitter: Submit, answer: DraftCreated | None) -> None:
    submit, platform = submitter(create_draft=answer)
    with pytest.raises(
        UnexpectedAnswer, match=r"answer does not name the draft.*submitting again is harmless"
    ):
        await submit.submit(INVOICE)
    assert platform.names == ["create_draft"]


async def test_a_draft_whose_answer_cannot_be_read_is_no_submission_that_must_not_be_repeated(
    submitter: Submit,
) -> None:
    error = failed(
        ResponseDecodeError,
        Outcome.DONE,
        status=201,
        trace_id="t-1",
        raw=b"<html>",
        attempts=2,
        faults=[("$", "is no JSON")],
    )
    submit, platform = submitter(create_draft=error)
    with pytest.raises(
        UnexpectedAnswer, match=r"answered 201, but not as described\). Nothing was"
    ) as caught:
        await submit.submit(INVOICE)
    told = caught.value
    assert told.__cause__ is error
    assert (told.status, told.trace_id, told.raw, told.attempts) == (201, "t-1", b"<html>", 2)
    assert [tuple(fault) for fault in told.faults] == [("$", "is no JSON")]
    assert (told.operation, told.outcome) == ("create_draft", "not_sent")
    assert platform.names == ["create_draft"]


async def test_time_that_ran_out_in_the_creation_leaves_nothing_submitted(submitter: Submit) -> None:
    submit, platform = submitter(takes=59.8, create_draft=CREATED)
    with pytest.raises(DeadlineExceeded, match="before anything was submitted") as caught:
        await submit.submit(INVOICE)
    assert (caught.value.operation, caught.value.outcome) == ("create_draft", "not_sent")
    assert platform.names == ["create_draft"]


async def test_a_validation_that_never_left_is_told_as_it_is(submitter: Submit) -> None:
    error = unsent()
    submit, platform = submitter(create_draft=CREATED, validate_draft=error)
    with pytest.raises(ConnectionFailed) as caught:
        await submit.submit(INVOICE)
    assert caught.value is error
    assert platform.names == ["create_draft", "validate_draft"]


# --- Refusals


async def test_a_refusal_is_confirmed_by_one_look(submitter: Submit, make_draft: MakeDraft) -> None:
    error = refused()
    submit, platform = submitter(
        create_draft=CREATED, validate_draft=error, get_draft=make_draft(status=InvoiceStatus.DRAFT)
    )
    with pytest.raises(UnprocessableContent) as caught:
        await submit.submit(INVOICE)
    assert caught.value is error
    assert caught.value.__notes__ == ["The draft d-1 is left as it was."]
    assert platform.names == ["create_draft", "validate_draft", "get_draft"]


@pytest.mark.parametrize("look", [missing(), down(), failed(Rejected, Outcome.REJECTED, status=410), None])
async def test_a_first_refusal_stands_where_the_look_tells_nothing(submitter: Submit, look: Any) -> None:
    submit, _ = submitter(create_draft=CREATED, validate_draft=refused(), get_draft=look)
    with pytest.raises(UnprocessableContent):
        await submit.submit(INVOICE)


async def test_a_refusal_of_what_somebody_validated_before_is_acceptance(
    submitter: Submit, make_draft: MakeDraft
) -> None:
    consumed = make_draft(invoice_id="inv-7", invoice_number="F-7", status=InvoiceStatus.VALIDATED)
    submit, _ = submitter(create_draft=CREATED, validate_draft=refused(), get_draft=consumed)
    result = await submit.submit(INVOICE)
    assert (result.invoice_id, result.invoice_number, result.status) == ("inv-7", "F-7", "validated")
    assert result.answer is consumed


async def test_a_2xx_with_errors_is_a_rejection_that_names_them(
    submitter: Submit, make_draft: MakeDraft
) -> None:
    errors = [
        ValidationMessage(path="lines[0].vat_rate", rule="BR-S-05", message="too low", suggestion="20"),
        ValidationMessage(message="no buyer"),
        ValidationMessage(),
    ]
    answer = DraftValidated(status=InvoiceStatus.REJECTED, errors=errors)
    submit, _ = submitter(
        create_draft=CREATED, validate_draft=answer, get_draft=make_draft(status=InvoiceStatus.DRAFT)
    )
    with pytest.raises(Rejected, match=r"status rejected.*No invoice exists") as caught:
        await submit.submit(INVOICE)
    assert [tuple(fault) for fault in caught.value.faults] == [
        ("lines[0].vat_rate", "BR-S-05: too low: 20"),
        ("$", "no buyer"),
        ("$", "is not valid"),
    ]
    assert (caught.value.outcome, caught.value.operation) == ("rejected", "validate_draft")


@pytest.mark.parametrize("look", [missing(), failed(Rejected, Outcome.REJECTED, status=410)])
async def test_a_rejection_that_the_draft_does_not_confirm_is_in_doubt(
    submitter: Submit, look: CallError
) -> None:
    answer = DraftValidated(status=InvoiceStatus.REJECTED)
    submit, platform = submitter(create_draft=CREATED, validate_draft=answer, get_draft=look)
    with pytest.raises(OutcomeUnknown, match="status rejected"):
        await submit.submit(INVOICE)
    # What is not shown stays not shown: no further look.
    assert platform.names.count("get_draft") == 1


# --- Doubt


async def test_a_lost_reply_is_settled_by_what_the_draft_shows(
    submitter: Submit, make_draft: MakeDraft, clock: VirtualClock
) -> None:
    looks = Series(down(), make_draft(status=InvoiceStatus.DRAFT), make_draft(invoice_id="inv-1"))
    submit, platform = submitter(create_draft=CREATED, validate_draft=lost(), get_draft=looks)
    result = await submit.submit(INVOICE)
    assert (result.verdict, result.invoice_id, result.draft_id) == (Verdict.ACCEPTED, "inv-1", "d-1")
    assert result.status is None
    assert platform.names.count("validate_draft") == 1
    assert clock.slept == [1, 2, 4]


async def test_a_reply_lost_before_its_effect_is_sent_again_when_everything_has_settled(
    submitter: Submit, make_draft: MakeDraft, clock: VirtualClock
) -> None:
    submit, platform = submitter(
        create_draft=CREATED,
        validate_draft=Series(lost(), ACCEPTED),
        get_draft=make_draft(status=InvoiceStatus.DRAFT),
    )
    assert (await submit.submit(INVOICE)).invoice_id == "inv-1"
    assert clock.slept == [1, 2, 4, 8, 15]
    assert platform.names[-1] == "validate_draft"


async def test_a_doubt_is_told_with_a_token(submitter: Submit, clock: VirtualClock) -> None:
    error = lost(status=502, trace_id="t-1", raw=b"bad")
    submit, platform = submitter(takes=0.25, create_draft=CREATED, validate_draft=error, get_draft=missing())
    with pytest.raises(
        OutcomeUnknown, match=r"draft d-1: the platform answered 502.*client\.resume"
    ) as caught:
        await submit.submit(INVOICE)
    doubt = caught.value
    assert doubt.__cause__ is error
    assert (doubt.status, doubt.trace_id, doubt.raw, doubt.attempts) == (502, "t-1", b"bad", 1)
    assert doubt.token is not None
    assert attrs.asdict(doubt.token) == {
        "operation": "validate_draft",
        "client_id": "c",
        "parameters": {"draft_id": "d-1"},
        "base_url": "http://localhost:1",
        "attempts": 1,
        "first_sent_at": 1_000_000.25,
        "last_sent_at": 1_000_000.25,
        "sought": None,
    }
    assert platform.names.count("validate_draft") == 1
    assert clock.now < 40


async def test_a_doubt_tells_until_when_it_may_have_been_sent_after_pauses(submitter: Submit) -> None:
    token = ResumeToken(
        operation="validate_draft", base_url="b", attempts=2, first_sent_at=1_000_000, last_sent_at=1_000_045
    )
    submit, _ = submitter(create_draft=CREATED, validate_draft=lost(token=token), get_draft=missing())
    with pytest.raises(OutcomeUnknown) as caught:
        await submit.submit(INVOICE)
    assert caught.value.token is not None
    assert (caught.value.token.first_sent_at, caught.value.token.last_sent_at) == (1_000_000, 1_000_045)


async def test_a_doubt_tells_the_platforms_own_words(submitter: Submit) -> None:
    error = lost(status=503, body=ErrorBody(message="down for maintenance"))
    submit, _ = submitter(create_draft=CREATED, validate_draft=error, get_draft=missing())
    with pytest.raises(OutcomeUnknown, match=r"the platform answered 503 \(down for maintenance\), and"):
        await submit.submit(INVOICE)


async def test_a_doubt_without_any_answer_says_so(submitter: Submit) -> None:
    submit, _ = submitter(create_draft=CREATED, validate_draft=lost(), get_draft=missing())
    with pytest.raises(OutcomeUnknown, match="no complete answer came, and"):
        await submit.submit(INVOICE)


@pytest.mark.parametrize(("value", "plain"), [("a", "a"), ("", None), (None, None), (UNSET, None), (3, None)])
def test_a_field_that_says_nothing_is_none(value: object, plain: str | None) -> None:
    assert text(value) == plain


async def test_failing_looks_end_with_the_time_given(submitter: Submit, clock: VirtualClock) -> None:
    submit, _ = submitter(create_draft=CREATED, validate_draft=lost(), get_draft=down())
    with pytest.raises(OutcomeUnknown):
        await submit.submit(INVOICE)
    # 1, 2, 4, 8, 15, 15: a look at 60 s would not be answered in time, and is not waited for.
    assert clock.now == 45


async def test_a_look_that_is_refused_is_told_with_the_doubt_at_once(
    submitter: Submit, clock: VirtualClock
) -> None:
    barred = PermissionDenied("not for this client.", operation="get_draft", outcome="rejected", status=403)
    submit, platform = submitter(create_draft=CREATED, validate_draft=lost(status=502), get_draft=barred)
    with pytest.raises(OutcomeUnknown, match="the platform answered 502, and what became of it") as caught:
        await submit.submit(INVOICE)
    assert str(caught.value).endswith(
        "once this is mended, client.resume(error.token) looks further. not for this client."
    )
    assert caught.value.token is not None
    assert platform.names == ["create_draft", "validate_draft", "get_draft"]
    assert clock.slept == [1]


async def test_a_look_that_is_refused_may_be_allowed_with_the_next_key(
    submitter: Submit, make_draft: MakeDraft
) -> None:
    async def fetch_key() -> str:
        return "k"

    wrong = failed(AuthenticationFailed, Outcome.REJECTED, status=401)
    looks = Series(wrong, make_draft(invoice_id="inv-1"))
    submit, _ = submitter(create_draft=CREATED, validate_draft=lost(), get_draft=looks)
    fetching = attrs.evolve(submit, config=attrs.evolve(submit.config, api_key=fetch_key))
    assert (await fetching.submit(INVOICE)).invoice_id == "inv-1"


async def test_an_answer_that_cannot_be_read_is_looked_at(submitter: Submit, make_draft: MakeDraft) -> None:
    submit, platform = submitter(
        create_draft=CREATED, validate_draft=unreadable(), get_draft=make_draft(invoice_id="inv-1")
    )
    assert (await submit.submit(INVOICE)).invoice_id == "inv-1"
    assert platform.names.count("validate_draft") == 1


async def test_an_undescribed_status_is_in_doubt_with_its_text(submitter: Submit) -> None:
    answer = DraftValidated(invoice_id="inv-1", status=InvoiceStatus("teleported"))
    submit, platform = submitter(create_draft=CREATED, validate_draft=answer, get_draft=missing())
    with pytest.raises(OutcomeUnknown, match="status teleported") as caught:
        await submit.submit(INVOICE)
    assert caught.value.__cause__ is None
    assert platform.names.count("validate_draft") == 1


@pytest.mark.parametrize("answer", [DraftValidated(), None])
async def test_an_acceptance_without_id_is_a_result_and_no_error(
    submitter: Submit, answer: DraftValidated | None
) -> None:
    submit, platform = submitter(create_draft=CREATED, validate_draft=answer, get_draft=missing())
    result = await submit.submit(INVOICE)
    assert (result.verdict, result.invoice_id, result.draft_id) == (
        Verdict.ACCEPTED_UNIDENTIFIED,
        None,
        "d-1",
    )
    assert result.answer is answer
    assert platform.names == ["create_draft", "validate_draft", "get_draft"]


# --- Resuming


async def token_of_a_doubt(submitter: Submit) -> ResumeToken:
    submit, _ = submitter(create_draft=CREATED, validate_draft=lost(), get_draft=down())
    with pytest.raises(OutcomeUnknown) as caught:
        await submit.submit(INVOICE)
    assert caught.value.token is not None
    return caught.value.token


async def test_a_doubt_is_resumed_by_looking(submitter: Submit, make_draft: MakeDraft) -> None:
    token = await token_of_a_doubt(submitter)
    resumed, platform = submitter(get_draft=make_draft(invoice_id="inv-1", invoice_number="F-1"))
    result = await resumed.resume(token)
    assert (result.invoice_id, result.invoice_number, result.draft_id) == ("inv-1", "F-1", "d-1")
    assert platform.names == ["get_draft"]


async def test_a_doubt_resumed_in_vain_keeps_its_history(submitter: Submit) -> None:
    token = await token_of_a_doubt(submitter)
    resumed, _ = submitter(get_draft=missing())
    with pytest.raises(OutcomeUnknown) as caught:
        await resumed.resume(token)
    assert caught.value.token == token


async def test_a_resumed_draft_that_is_unused_is_validated(submitter: Submit, make_draft: MakeDraft) -> None:
    token = await token_of_a_doubt(submitter)
    unused = make_draft(status=InvoiceStatus.DRAFT)
    resumed, platform = submitter(get_draft=unused, validate_draft=lost(), options=CallOptions(timeout=40))
    with pytest.raises(OutcomeUnknown) as caught:
        await resumed.resume(token)
    again = caught.value.token
    assert again is not None
    assert (again.attempts, again.first_sent_at) == (2, token.first_sent_at)
    assert again.last_sent_at > token.last_sent_at
    assert platform.names.count("validate_draft") == 1


# --- Files


def taken(status: str = "submitted", invoice_id: str = "inv-1") -> InvoiceFileSubmitted:
    return InvoiceFileSubmitted(
        invoice_id=invoice_id, status=InvoiceStatus(status), file_name="f.xml", file_size=10
    )


async def test_a_file_is_sent_once_and_named(submitter: Submit) -> None:
    submit, platform = submitter(submit_invoice_file=taken())
    result = await submit.submit_file(FILE, number="F-1")
    assert (result.verdict, result.invoice_id, result.invoice_number) == (Verdict.ACCEPTED, "inv-1", "F-1")
    assert (result.draft_id, result.status) == (None, "submitted")
    assert platform.names == ["submit_invoice_file"]
    assert platform.calls[0][2] == InvoiceFileSubmission(file=FILE)
    assert platform.calls[0][3].timeout == 60


async def test_a_file_that_is_taken_without_an_id_is_a_result(submitter: Submit) -> None:
    for answer in (None, taken(invoice_id="")):
        submit, _ = submitter(submit_invoice_file=answer)
        result = await submit.submit_file(FILE, number="F-1")
        assert (result.verdict, result.invoice_id) == (Verdict.ACCEPTED_UNIDENTIFIED, None)


async def test_a_file_refused_in_a_2xx_is_rejected(submitter: Submit) -> None:
    submit, _ = submitter(submit_invoice_file=taken("rejected"))
    with pytest.raises(Rejected, match=r"submit_invoice_file.*status rejected") as caught:
        await submit.submit_file(FILE, number=None)
    assert caught.value.faults == ()
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("error", [lost(), unreadable(), refused(), unsent()])
async def test_a_file_is_never_sent_again(submitter: Submit, error: CallError) -> None:
    submit, platform = submitter(submit_invoice_file=error)
    with pytest.raises(type(error)) as caught:
        await submit.submit_file(FILE, number=None)
    assert caught.value is error
    assert len(platform.calls) == 1


async def test_a_file_with_an_undescribed_status_is_in_doubt(submitter: Submit) -> None:
    submit, _ = submitter(submit_invoice_file=taken("draft"))
    with pytest.raises(OutcomeUnknown, match=r"of the file: .*status draft") as caught:
        await submit.submit_file(FILE, number=None)
    assert "resume" not in str(caught.value)
    assert caught.value.token is not None
    assert (caught.value.token.operation, caught.value.token.parameters) == ("submit_invoice_file", {})
