"""What a server wrote cannot pass for our words: not in messages, not in logs."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from seqino._core.events import CallEvent, Emitter
from seqino.errors import CallError, InvalidInput
from seqino.errors.facts import one_line
from tests.hostile.fakes import OPERATIONS, FakeTransport, arguments, engine

FORGED = "x\r\n2026-01-01 CRITICAL forged\x1b[2J\x07\u202e\u2028end"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain words", "plain words"),
        (" n°\u00a012 :\t\r\n né\u2028le ", "n° 12 : né le"),
        ("a\x1b[2Jb\x00", "a\\x1b[2Jb\\x00"),
        ("\u202eevil\ud800", "\\u202eevil\\ud800"),
        ("é" * 501, "é" * 500 + "…"),
        ("", ""),
    ],
)
def test_a_foreign_text_is_shown_on_one_line(given: str, shown: str) -> None:
    assert one_line(given) == shown


BODIES: list[Any] = [
    {"error": FORGED, "code": 1, "trace_id": FORGED},
    {"detail": FORGED},
    {"message": FORGED},
    {"detail": [{"loc": ["body", FORGED, 1], "msg": FORGED}, {"loc": [FORGED], "msg": 1}]},
    {"detail": [{"loc": ["body", *["x" * 5000] * 20], "msg": "m" * 100_000}] * 5},
    {"detail": [{}] * 100_000},
    {"error": "e" * 900_000, "trace_id": "t" * 90_000},
    {"error": " \n ", "trace_id": "\t"},
]


@pytest.mark.parametrize("body", BODIES)
async def test_an_error_answer_is_shown_briefly_and_on_one_line(
    body: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "seqino")
    raw = json.dumps(body).encode()
    caller = engine(FakeTransport(status=422, body=raw, headers={"X-Request-Id": FORGED}))
    operation = OPERATIONS["create_draft"]
    with pytest.raises(CallError) as caught:
        await caller.call(operation, **arguments(operation))
    shown = str(caught.value)
    assert len(shown) < 25_000
    # One line, and one for each fault that is listed, and one that says how many are not.
    assert len(shown.splitlines()) <= 1 + 21
    assert caught.value.raw == raw
    assert len(caught.value.faults) <= 100
    assert all(len(part) <= 501 for fault in caught.value.faults for part in fault)
    records = [record for record in caplog.records if record.name == "seqino"]
    assert records
    for text in (shown, *(record.getMessage() for record in records)):
        assert "\x1b" not in text
        assert "\r" not in text
        assert "\u202e" not in text
    for record in records:
        assert len(record.getMessage()) < 2000
        assert "\n" not in record.getMessage()


async def test_an_error_answer_of_more_than_a_million_bytes_is_not_read() -> None:
    raw = json.dumps({"error": "wrong", "detail": "x" * 1_000_000}).encode()
    caller = engine(FakeTransport(status=400, body=raw))
    with pytest.raises(CallError) as caught:
        await caller.call(OPERATIONS["get_draft"], parameters={"draft_id": "d"})
    assert caught.value.body is None
    assert caught.value.raw == raw


def test_what_is_refused_is_shown_on_one_line_too() -> None:
    error = InvalidInput("nothing was sent:", faults=[("$." + FORGED, FORGED)])
    assert len(str(error).splitlines()) == 2


def test_ids_that_the_platform_chose_forge_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "seqino")
    Emitter().emit(
        CallEvent(
            kind="look", operation="submit", attempt=1, elapsed=1.0, draft_id=FORGED, invoice_id="i" * 9000
        )
    )
    [record] = caplog.records
    assert record.getMessage().isprintable()
    assert len(record.getMessage()) < 2000
