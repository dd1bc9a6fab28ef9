"""Answers of the running sandbox that are whole and wrong, and that tell when to come again."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox.description import Description
from seqino.sandbox.mangle import (
    UNKNOWN_FIELD,
    UNKNOWN_VALUE,
    empty,
    invalid_json,
    truncated_json,
    unknown_enum,
    unknown_field,
    wrong_type,
)
from seqino.sandbox.replies import Form, Reply
from tests.sandbox.wires import FAULT, attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from seqino.sandbox import Sandbox


async def test_an_html_page_can_have_any_status(
    sandbox: Sandbox, session: aiohttp.ClientSession, draft: Callable[..., Any]
) -> None:
    for asked, status in (("html", 502), ("html-after; status=200", 200), ("html; status=599", 599)):
        seen, headers, body = await attempt(session, sandbox, draft(), asked)
        assert (seen, headers["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize(
    "name", ["invalid-json", "truncated-json", "invalid-json-before", "truncated-json-before"]
)
async def test_what_is_no_json_cannot_be_read(
    sandbox: Sandbox, session: aiohttp.ClientSession, draft: Callable[..., Any], name: str
) -> None:
    _, headers, body = await attempt(session, sandbox, draft(), name)
    assert headers["Content-Type"] == "application/json"
    with pytest.raises(ValueError, match=r"line 1|delimiter"):
        json.loads(body)


async def test_an_empty_body_is_empty(
    sandbox: Sandbox, session: aiohttp.ClientSession, draft: Callable[..., Any]
) -> None:
    status, headers, body = await attempt(session, sandbox, draft(), "empty-body")
    assert (status, headers["Content-Length"], body) == (201, "0", b"")


async def test_an_enormous_answer_is_as_large_as_was_asked_for(
    sandbox: Sandbox, session: aiohttp.ClientSession, draft: Callable[..., Any]
) -> None:
    _, _, body = await attempt(session, sandbox, draft(), "huge; bytes=1000000")
    assert len(body) == 1_000_000
    assert "draft_id" in json.loads(body)


OPERATIONS = [
    "POST /drafts",
    "GET /drafts/{draft_id}",
    "GET /clients",
    "GET /lifecycle-events",
    "GET /invoicing/invoice_data/{invoice_id}",
]


@pytest.mark.parametrize("key", OPERATIONS)
@pytest.mark.parametrize("name", ["unknown-enum", "unknown-field", "wrong-type"])
async def test_what_an_answer_says_is_changed_where_the_description_says(
    call: Any, sandbox: Sandbox, draft: Callable[..., Any], name: str, key: str
) -> None:
    description = Description()
    operation = description.operation(key)
    places = {"draft_id": await call.create(), "invoice_id": await call.issue()}
    method, path = key.split()
    options: dict[str, Any] = {"json": draft()} if method == "POST" else {}
    reply = await call(method, path.format(**places), headers={FAULT: name}, judged=False, **options)
    schema = operation.responses[reply.status]
    assert schema is not None
    is_valid = description.validator(schema).is_valid(reply.body)
    text = json.dumps(reply.body)
    if name == "unknown-field":
        assert is_valid
        assert UNKNOWN_FIELD in text
    else:
        assert not is_valid
        assert (UNKNOWN_VALUE in text) == (name == "unknown-enum")
    assert sandbox.counters.faults == 1


async def test_an_answer_that_holds_nothing_to_change_comes_as_it_is(call: Any, sandbox: Sandbox) -> None:
    reply = await call("GET", "/lifecycle-events", headers={FAULT: "unknown-enum"})
    assert (reply.status, reply.body) == (200, [])
    assert sandbox.counters.faults == 0


async def test_a_fault_passes_over_what_cannot_have_it(call: Any, sandbox: Sandbox) -> None:
    sandbox.faults.plan("unknown-enum")
    sandbox.faults.rate("unknown-field", 1)
    assert (await call("GET", "/health")).body is None
    assert sandbox.counters.faults == 0


COLOR: dict[str, Any] = {"$ref": "color"}
COLORS: dict[str, Any] = {"type": "array", "items": COLOR}
NAMED: dict[str, dict[str, Any]] = {"color": {"enum": ["red"]}, "box": {"properties": {"color": COLOR}}}
FORM = Form(
    {"anyOf": [COLORS, {"properties": {"color": COLOR, "all": COLORS, "in": {"$ref": "box"}}}]},
    lambda schema: NAMED.get(str(schema.get("$ref")), schema),
)
ALTERS = [empty, invalid_json, truncated_json, unknown_enum, unknown_field, wrong_type]


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ({"color": "red", "size": 1}, {"color": UNKNOWN_VALUE, "size": 1}),
        ({"all": ["red", "red"]}, {"all": [UNKNOWN_VALUE]}),
        ({"in": {"color": "red"}, "all": []}, {"in": {"color": UNKNOWN_VALUE}, "all": []}),
        ({"size": 1}, {"size": 1, "color": UNKNOWN_VALUE}),
        (["red"], [UNKNOWN_VALUE]),
        ([], None),
        (None, None),
    ],
)
def test_enums_are_found_by_the_description(body: Any, seen: Any) -> None:
    altered = unknown_enum(Reply(body=json.dumps(body).encode(), form=FORM))
    assert (altered and json.loads(altered.body)) == seen


def test_what_is_not_described_has_no_enum_and_no_field_that_is_unknown() -> None:
    assert unknown_enum(Reply()) is None
    assert unknown_field(Reply()) is None


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (b'{"a": 1, "b": {}, "c": []}', {"a": [1], "b": "something else", "c": "something else"}),
        (b'[{"a": null}, 2]', [{"a": [None]}, [2]]),
        (b"[]", "none"),
        (b"null", [None]),
    ],
)
def test_every_type_becomes_another(body: bytes, seen: Any) -> None:
    altered = wrong_type(Reply(body=body))
    assert altered is not None
    assert json.loads(altered.body) == seen


@pytest.mark.parametrize("alter", ALTERS)
def test_where_there_is_no_body_there_is_nothing_to_alter(alter: Callable[[Reply], Reply | None]) -> None:
    assert alter(Reply(status=204, body=b"", form=FORM)) is None


async def test_an_answer_without_a_body_stays_one(call: Any, sandbox: Sandbox) -> None:
    for asked in ("slow; seconds=0", "early-hints", "stale"):
        draft_id = await call.create()
        reply = await call("DELETE", f"/drafts/{draft_id}", headers={FAULT: asked})
        assert (reply.status, reply.body) == (204, None)
    assert (sandbox.counters.drafts_deleted, sandbox.counters.faults) == (3, 3)
    reply = await call("DELETE", "/drafts/1", headers={FAULT: "cut-body"})
    assert "the answer of DELETE /drafts/{draft_id} holds no body" in reply.body["error"]


# When to come again


@pytest.mark.parametrize("status", [413, 429, 503])
@pytest.mark.parametrize(
    "value", ["3", "1.5", "nan", "inf", "-1", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", ""]
)
async def test_a_caller_is_told_when_to_come_again_in_any_words(call: Any, status: int, value: str) -> None:
    reply = await call("GET", "/clients", headers={FAULT: f"status-{status}; retry-after={value}"})
    assert reply.headers["Retry-After"] == value


async def test_a_caller_is_told_a_date_or_milliseconds(call: Any) -> None:
    asked = "status-429; retry-after=date+90; retry-after-ms=1500"
    reply = await call("GET", "/clients", headers={FAULT: asked})
    told, now = map(parsedate_to_datetime, (reply.headers["Retry-After"], reply.headers["Date"]))
    assert (told - now).total_seconds() == 90
    assert reply.headers["retry-after-ms"] == "1500"
    reply = await call("GET", "/clients", headers={FAULT: "status-503; retry-after=date-90"})
    assert parsedate_to_datetime(reply.headers["Retry-After"]) < now
