"""How a request is judged: key, parameters, body, path."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from seqino.sandbox import Sandbox
from seqino.sandbox.app import LARGEST_BODY, App
from seqino.sandbox.description import SHIPPED, Description
from seqino.sandbox.judge import problems

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path", ["/health", "/api/health"])
async def test_health_needs_no_key_and_answers_null(call: Any, path: str) -> None:
    reply = await call("GET", path, headers={"Authorization": None, "X-PDP-Client-Id": None})
    assert (reply.status, reply.body) == (200, None)


@pytest.mark.parametrize(
    ("header", "message"),
    [(None, "no API key"), ("", "no API key"), ("Bearer a-key", "without Bearer"), ("invalid", "not valid")],
)
async def test_a_key_is_needed(call: Any, header: str | None, message: str) -> None:
    reply = await call("GET", "/lifecycle-events?object_type=parcel", headers={"Authorization": header})
    assert reply.status == 401
    assert reply.body["code"] == 401
    assert message in reply.body["error"]
    assert reply.body["trace_id"]


async def test_with_a_key_of_its_own_any_other_is_refused(calling: Callable[[Sandbox], Any]) -> None:
    async with Sandbox(api_key="only-this") as sandbox:
        call = calling(sandbox)
        assert (await call("GET", "/clients")).status == 401
        assert (await call("GET", "/clients", headers={"Authorization": "only-this"})).status == 200
        assert "only-this" not in repr(sandbox)


async def test_a_needed_client_header_is_missed(call: Any) -> None:
    reply = await call("GET", "/lifecycle-events", headers={"X-PDP-Client-Id": None})
    assert reply.status == 422
    assert reply.body == {
        "detail": [{"loc": ["header", "X-PDP-Client-Id"], "msg": "Field required", "type": "missing"}]
    }


async def test_the_client_header_has_no_case(call: Any) -> None:
    headers = {"X-PDP-Client-Id": None, "x-pdp-client-ID": "client_abc123"}
    assert (await call("GET", "/lifecycle-events", headers=headers)).status == 200


@pytest.mark.parametrize("prefix", ["", "/api"])
async def test_it_answers_at_the_root_and_under_api(call: Any, prefix: str) -> None:
    assert (await call("GET", f"{prefix}/clients")).status == 200


async def test_a_fixed_path_goes_before_a_template(call: Any) -> None:
    reply = await call("POST", "/drafts/validate-data", json={})
    assert reply.body["detail"] == [
        {"loc": ["body", "invoice_data"], "msg": "Field required", "type": "missing"}
    ]


async def test_an_id_may_hold_a_slash(call: Any) -> None:
    reply = await call("GET", "/drafts/a%2Fb")
    assert reply.status == 404
    assert "a/b" in reply.body["error"]


@pytest.mark.parametrize("path", ["/", "/nothing", "/drafts/1/2/3", "/api", "/api/api/clients"])
async def test_an_unknown_path_is_not_found(call: Any, path: str) -> None:
    reply = await call("GET", path)
    assert (reply.status, reply.body["code"]) == (404, 404)


async def test_a_wrong_method_is_told_the_right_ones(call: Any) -> None:
    reply = await call("PATCH", "/drafts/1")
    assert reply.status == 405
    assert reply.headers["Allow"] == "DELETE, GET, PUT"


@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        (b"", JSON, "missing"),
        (b"{", JSON, "json_invalid"),
        (b'{"a": NaN}', JSON, "json_invalid"),
        (b"\xff\xfe\xfd", JSON, "json_invalid"),
        (b"[" * 100_000, JSON, "json_invalid"),
        (b'{"a": "\\ud800"}', JSON, "json_invalid"),
        (b"[]", JSON, "dict_type"),
        (b"{}", {"Content-Type": "text/plain"}, "json_type"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(
    call: Any, body: bytes, headers: dict[str, str], kind: str
) -> None:
    reply = await call("POST", "/drafts", data=body, headers=headers)
    assert reply.status == 422
    assert reply.body["detail"][0]["loc"][0] == "body"
    assert reply.body["detail"][0]["type"] == kind


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.seqino+json"])
async def test_json_has_several_names(call: Any, draft: Callable[..., Any], kind: str) -> None:
    body = json.dumps(draft(note="\U0001f600")).encode()
    assert (await call("POST", "/drafts", data=body, headers={"Content-Type": kind})).status == 201


async def test_a_body_without_a_type_is_read_as_json(sandbox: Sandbox, draft: Callable[..., Any]) -> None:
    body = json.dumps(draft()).encode()
    answer = await raw(sandbox, _head("POST", "/drafts", length=len(body)) + body)
    assert b" 201 " in answer.splitlines()[0]


async def test_every_fault_of_a_body_is_named_with_its_place(call: Any, draft: Callable[..., Any]) -> None:
    sent = draft(type_code="999", due_date="tomorrow", total_vat_amount="ten", note=7, paid_amount=True)
    sent["lines"][1]["line_net_amount"] = []
    del sent["seller"]["postal_address"]["city_name"]
    reply = await call("POST", "/drafts", json=sent)
    assert reply.status == 422
    found = {(".".join(map(str, one["loc"])), one["type"]) for one in reply.body["detail"]}
    assert found == {
        ("body.type_code", "enum"),
        ("body.due_date", "date_parsing"),
        ("body.total_vat_amount", "string_pattern_mismatch"),
        ("body.note", "any_of"),
        ("body.paid_amount", "any_of"),
        ("body.lines.1.line_net_amount", "any_of"),
        ("body.seller.postal_address.city_name", "missing"),
    }


async def test_lengths_are_judged(call: Any) -> None:
    body = {"organization_name": "", "contact_email": "x" * 256, "external_ref": 5}
    reply = await call("POST", "/clients", json=body)
    assert {(one["loc"][-1], one["type"]) for one in reply.body["detail"]} == {
        ("organization_name", "string_too_short"),
        ("contact_email", "string_too_long"),
        ("external_ref", "string_type"),
    }


async def test_a_huge_body_is_refused(call: Any) -> None:
    reply = await call("POST", "/drafts", data=io.BytesIO(b" " * (LARGEST_BODY + 1)), headers=JSON)
    assert reply.status == 413


async def test_curl_is_told_to_go_on_with_a_large_body(sandbox: Sandbox, draft: Callable[..., Any]) -> None:
    body = json.dumps(draft()).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
    writer.write(_head("POST", "/drafts", "Expect: 100-continue", length=len(body)))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert b" 201 " in await reader.readline()
    writer.close()


async def test_bytes_that_are_no_text_in_a_header_are_answered(sandbox: Sandbox) -> None:
    request = _head("GET", "/lifecycle-events", length=0).replace(b"sandbox-client", b"sandbox\xff")
    answer = await raw(sandbox, request)
    assert b" 404 " in answer.splitlines()[0]


async def test_parameters_of_every_place_and_type_are_judged(
    tmp_path: Path, calling: Callable[[Sandbox], Any]
) -> None:
    document = json.loads(SHIPPED.read_bytes())
    document["paths"]["/lifecycle-events"]["parameters"] = [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 10}},
        {"name": "deep", "in": "query", "schema": {"oneOf": [{"type": ["boolean"]}, {"type": "null"}]}},
        {"name": "ratio", "in": "query", "schema": {"allOf": [{"type": "number", "minimum": 1}]}},
        {"name": "session", "in": "cookie", "schema": {"type": "string", "pattern": "^s"}},
    ]
    path = tmp_path / "description.json"
    path.write_text(json.dumps(document))
    async with Sandbox(description=path) as sandbox:
        call = calling(sandbox)
        good = await call(
            "GET", "/lifecycle-events?limit=10&deep=true&ratio=1.5", headers={"Cookie": "session=s1"}
        )
        assert good.status == 200
        bad = await call("GET", "/lifecycle-events?limit=11&deep=1&ratio=x", headers={"Cookie": "session=1"})
        assert {(*one["loc"], one["type"]) for one in bad.body["detail"]} == {
            ("query", "limit", "less_than_equal"),
            ("query", "deep", "one_of"),
            ("query", "ratio", "number_type"),
            ("cookie", "session", "string_pattern_mismatch"),
        }


def _head(method: str, path: str, *more: str, length: int) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: x",
        "Authorization: k",
        "X-PDP-Client-Id: sandbox-client-seqino",
        f"Content-Length: {length}",
        "Connection: close",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def raw(sandbox: Sandbox, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


def test_what_is_too_deep_for_a_schema_is_a_problem_and_no_failure() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    body = Description().operation("POST /drafts").body
    assert body is not None
    (problem,) = problems(body, {"x": deep}, ["body"])
    assert problem["type"] == "recursion_loop"


@pytest.mark.parametrize("path", ["/clients", "/_sandbox/clock"])
async def test_what_nobody_foresaw_is_answered_in_the_platform_s_shape_and_logged(
    call: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(type(sandbox.clock), "now", None)
        reply = await call("GET", path, judged=False)
    assert reply.status == reply.body["code"] == 500
    assert "NoneType" not in reply.body["error"]
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert path in record.getMessage()
    assert record.exc_info is not None
    assert (await call("GET", "/clients")).status == 200


async def test_a_parameter_that_is_given_twice_is_not_chosen_from(call: Any) -> None:
    reply = await call("GET", "/lifecycle-events?object_type=invoice&object_id=a&object_type=bogus")
    assert (reply.status, [one["loc"] for one in reply.body["detail"]]) == (422, [["query", "object_type"]])
    assert "more than once" in reply.body["detail"][0]["msg"]
    assert (await call("GET", "/lifecycle-events?object_type=invoice&nobody=1&nobody=2")).status == 200


async def test_where_even_a_failure_cannot_be_answered_the_connection_still_gets_a_500(
    call: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with aiohttp.ClientSession() as session:
        with monkeypatch.context() as patch:
            patch.setattr(type(sandbox.clock), "now", None)
            patch.setattr(App, "refuse", None)
            async with session.get(f"{sandbox.url}/_sandbox/clock") as response:
                assert response.status == 500
    assert len([one for one in caplog.records if one.levelname == "ERROR"]) == 2
    assert (await call("GET", "/clients")).status == 200
