"""A submission that is cancelled leaves a trace of an invoice that may exist."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, Mock

import attrs
import pytest

from seqino._core.config import resolve
from seqino._core.outcome import Outcome
from seqino._core.runtime import Runtime
from seqino.client.submitting import Submitter
from seqino.errors import ClientClosed, OutcomeUnknown, ResumeToken, UnprocessableContent
from seqino.models import DraftCreated
from seqino.submission import Verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

INVOICE = {"issue_date": "2026-09-01"}
OWN = ResumeToken(
    operation="validate_draft",
    parameters={"draft_id": "d-1"},
    base_url="",
    attempts=1,
    first_sent_at=0,
    last_sent_at=0,
)
LOST = OutcomeUnknown("lost", operation="validate_draft", outcome=Outcome.UNKNOWN)


class Platform:
    """Takes a draft, and then does what each operation is to do."""

    def __init__(self, **replies: Any) -> None:
        self.replies = {"create_draft": DraftCreated(draft_id="d-1"), **replies}

    async def call(self, operation: Any, **_: object) -> Any:
        reply = self.replies[operation.name]
        if isinstance(reply, BaseException):
            raise reply
        return reply


async def cancelled_sleep(_: float) -> None:
    raise asyncio.CancelledError


async def no_sleep(_: float) -> None:
    pass


def submitter(platform: Platform, sleep: Callable[[float], Awaitable[None]]) -> Submitter:
    runtime = Runtime(monotonic=lambda: 0.0, wall=lambda: 100.0, sleep=sleep)
    config = resolve(base_url="http://localhost", client_id="c", environ={})
    return Submitter(caller=platform, config=config, runtime=runtime)


async def cancelled(platform: Platform) -> ResumeToken | None:
    with pytest.raises(asyncio.CancelledError) as caught:
        await submitter(platform, cancelled_sleep).submit(INVOICE)
    token: ResumeToken | None = vars(caught.value).get("seqino_token")
    return token


async def test_a_cancellation_between_looks_leaves_a_token() -> None:
    token = await cancelled(Platform(validate_draft=LOST))
    assert token is not None
    assert token.operation == "validate_draft"
    assert token.parameters == {"draft_id": "d-1"}
    assert (token.client_id, token.attempts, token.last_sent_at) == ("c", 1, 100.0)


async def test_a_cancellation_before_anything_could_come_of_it_leaves_none() -> None:
    assert await cancelled(Platform(create_draft=asyncio.CancelledError())) is None
    assert await cancelled(Platform(validate_draft=asyncio.CancelledError())) is None


async def test_the_token_of_the_call_itself_is_kept() -> None:
    error = asyncio.CancelledError()
    vars(error)["seqino_token"] = OWN
    assert await cancelled(Platform(validate_draft=error)) is OWN


async def test_a_cancellation_while_a_refusal_is_confirmed_leaves_none() -> None:
    refused = UnprocessableContent("no", operation="validate_draft", outcome=Outcome.REJECTED, status=422)
    assert await cancelled(Platform(validate_draft=refused, get_draft=asyncio.CancelledError())) is None


async def test_a_cancellation_while_an_unnamed_invoice_is_looked_for_leaves_a_token() -> None:
    platform = Platform(validate_draft=None, get_draft=asyncio.CancelledError())
    assert await cancelled(platform) is not None


# A look that cannot be made


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ClientClosed("this client was closed: make a new one"), "this client was closed: make a new one."),
        (KeyError("secret"), "KeyError came out of it."),
        (RuntimeError("secret"), "RuntimeError came out of it."),
        (ExceptionGroup("secret", [OSError()]), "ExceptionGroup came out of it."),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_a_look_that_cannot_be_made_leaves_the_doubt_and_its_token(error: Exception, told: str) -> None:
    platform = Platform(validate_draft=LOST, get_draft=error)
    with pytest.raises(OutcomeUnknown) as caught:
        await submitter(platform, no_sleep).submit(INVOICE)
    assert str(caught.value).endswith(f"client.resume(error.token) looks further. {told}")
    assert caught.value.token is not None
    assert caught.value.token.parameters == {"draft_id": "d-1"}
    assert caught.value.__cause__ is error


async def test_what_is_known_without_the_look_that_cannot_be_made_is_told() -> None:
    refused = UnprocessableContent("no", operation="validate_draft", outcome=Outcome.REJECTED, status=422)
    closed = ClientClosed("this client was closed")
    with pytest.raises(UnprocessableContent):
        await submitter(Platform(validate_draft=refused, get_draft=closed), no_sleep).submit(INVOICE)
    taken = await submitter(Platform(validate_draft=None, get_draft=closed), no_sleep).submit(INVOICE)
    assert taken.verdict is Verdict.ACCEPTED_UNIDENTIFIED


async def test_who_takes_up_a_doubt_is_told_what_keeps_a_look_from_being_made() -> None:
    closed = ClientClosed("this client was closed")
    with pytest.raises(ClientClosed) as caught:
        await submitter(Platform(get_draft=closed), no_sleep).resume(OWN)
    assert vars(caught.value)["seqino_token"].parameters == OWN.parameters


async def test_what_keeps_a_look_from_being_made_ends_what_is_written_down() -> None:
    closed = ClientClosed("this client was closed")
    journal = AsyncMock(interrupted=Mock())
    journaled = attrs.evolve(
        submitter(Platform(validate_draft=LOST, get_draft=closed), no_sleep), journal=journal
    )
    with pytest.raises(ClientClosed):
        await journaled.submit(INVOICE)
    journal.interrupted.assert_called_once_with(closed)
