"""What is put on the wire, and what is refused before."""

from __future__ import annotations

import datetime as dt
import enum
import re
import uuid
from decimal import Decimal
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import unquote, urlsplit

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqino._core.codec import Codec
from seqino._core.config import Config
from seqino._core.multipart import encode_multipart
from seqino._core.request import Request, build_request
from seqino._core.wire import UNSET, Body, File, Operation, Parameter, UnsetType
from seqino.errors import InvalidInput

BASE = "https://pdp.example/api"


class Colour(enum.StrEnum):
    RED = "red one"


@attrs.define(kw_only=True)
class Note:
    text: str


@attrs.define(kw_only=True)
class Upload:
    file: File
    label: str | UnsetType = UNSET
    kind: Any = UNSET


OPERATION: Operation[Any] = Operation(
    name="put_note",
    operation_id="put_note",
    tag="notes",
    method="PUT",
    path="/notes/{note_id}/of/{owner}",
    parameters=(
        Parameter(name="note_id", wire="note_id", location="path", required=True),
        Parameter(name="owner", wire="owner", location="path", required=True),
        Parameter(name="since", wire="since date", location="query"),
        Parameter(name="tag", wire="X-Tag", location="header"),
        Parameter(name="client_id", wire="X-PDP-Client-Id", location="header", required=True, scope=True),
    ),
    body=Body(kind="json", type=Note, required=False),
    responses={200: None},
)


def built(
    operation: Operation[Any] = OPERATION,
    *,
    body: Any = UNSET,
    extra_body: Any = None,
    config: dict[str, Any] | None = None,
    **parameters: Any,
) -> Request:
    settings: dict[str, Any] = {"base_url": BASE, "client_id": "acme", **(config or {})}
    if operation is OPERATION:
        parameters = {"note_id": "n1", "owner": "o1", **parameters}
    return build_request(
        operation,
        config=Config(**settings),
        codec=Codec(),
        parameters=parameters,
        body=body,
        extra_body=extra_body,
    )


# URLs


def test_path_and_query_are_percent_encoded() -> None:
    request = built(note_id="a/b c?é%", owner=7, since="x&y=é +")
    assert request.url == f"{BASE}/notes/a%2Fb%20c%3F%C3%A9%25/of/7?since%20date=x%26y%3D%C3%A9%20%2B"
    assert request.parameters == {"note_id": "a/b c?é%", "owner": "7", "since": "x&y=é +"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (Colour.RED, "red%20one"),
        (12, "12"),
        (Decimal("1.50"), "1.50"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), "2026-01-02T03%3A04%3A00%2B00%3A00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("", ""),
    ],
)
def test_values_are_written_as_the_api_reads_them(value: Any, text: str) -> None:
    assert built(since=value).url.endswith(f"?since%20date={text}")


def test_several_values_of_one_parameter_are_repeated() -> None:
    assert built(since=["a", "b"]).url.endswith("?since%20date=a&since%20date=b")
    assert built(since=()).url.endswith("/of/o1")


def test_absent_values_are_left_out() -> None:
    assert built(since=None, tag=UNSET).url == f"{BASE}/notes/n1/of/o1"


@pytest.mark.parametrize("value", ["", ".", "..", "a\nb", "\x00", "\x7f", "\x85", "\ud800"])
def test_what_would_name_another_path_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="put_note: note_id"):
        built(note_id=value)


@pytest.mark.parametrize("value", [1.5, b"x", object(), {"a": 1}])
def test_values_that_no_url_carries_are_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="since must be text, a number, a date or a value of an enum"):
        built(since=value)


@given(st.text(), st.text())
def test_any_text_arrives_as_it_was_or_is_refused(note_id: str, since: str) -> None:
    try:
        request = built(note_id=note_id, since=since)
    except InvalidInput:
        return
    parts = urlsplit(request.url)
    assert request.url.isascii()
    assert not re.search(r"\s", request.url)
    segments = parts.path.split("/")
    assert len(segments) == 6
    assert unquote(segments[3]) == note_id
    assert unquote(parts.query.removeprefix("since%20date=")) == since


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://pdp.example/api", "https://pdp.example/health"),
        ("https://pdp.example/v2/api", "https://pdp.example/v2/health"),
        ("https://pdp.example/api/api", "https://pdp.example/api/health"),
        ("https://pdp.example/myapi", "https://pdp.example/myapi/health"),
        ("http://localhost:8052", "http://localhost:8052/health"),
    ],
)
def test_what_hangs_beside_the_api_drops_one_trailing_segment(base: str, url: str) -> None:
    health: Operation[Any] = Operation(
        name="health", operation_id="h", tag="h", method="GET", path="/health", responses={}, outside_api=True
    )
    assert built(health, config={"base_url": base}).url == url


# Parameters


def test_unknown_and_missing_parameters_are_named() -> None:
    with pytest.raises(InvalidInput, match="put_note has no parameter colour, size"):
        built(size=1, colour=2)
    with pytest.raises(InvalidInput, match="put_note needs note_id, owner"):
        built(note_id=None, owner=UNSET)


def test_the_client_is_the_calls_own_or_the_clients() -> None:
    assert built().headers["X-PDP-Client-Id"] == "acme"
    request = built(client_id="other")
    assert (request.client_id, request.headers["X-PDP-Client-Id"]) == ("other", "other")
    assert "client_id" not in request.parameters


def test_a_call_on_behalf_of_nobody_is_refused_with_the_cure() -> None:
    with pytest.raises(
        InvalidInput, match=r"give client_id to the call or to the client, or set SEQINO_CLIENT_ID"
    ):
        built(config={"client_id": None})


def test_an_optional_client_may_be_left_out() -> None:
    *others, scope = OPERATION.parameters
    optional = attrs.evolve(OPERATION, parameters=(*others, attrs.evolve(scope, required=False)))
    request = built(optional, note_id="n", owner="o", config={"client_id": None})
    assert "X-PDP-Client-Id" not in request.headers
    assert request.client_id is None


def test_a_client_in_the_path_is_a_parameter_like_others() -> None:
    details: Operation[Any] = Operation(
        name="get_client",
        operation_id="g",
        tag="clients",
        method="GET",
        path="/clients/{client_id}",
        parameters=(Parameter(name="client_id", wire="client_id", location="path", required=True),),
        responses={200: None},
    )
    request = built(details, client_id="c9")
    assert (request.url, request.client_id) == (f"{BASE}/clients/c9", None)
    assert request.parameters == {"client_id": "c9"}
    assert "X-PDP-Client-Id" not in request.headers


@pytest.mark.parametrize("value", ["", "a\r\nX: y", "é", " a", 5])
def test_a_client_id_that_no_header_carries_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="put_note: client_id"):
        built(client_id=value)


# Headers


def test_headers_say_who_calls_and_what_is_expected() -> None:
    headers = built(tag=Colour.RED).headers
    assert headers["Accept"] == "application/json"
    assert re.fullmatch(r"seqino/\S+ python/3\.\S+", headers["User-Agent"])
    assert headers["X-Tag"] == "red one"
    assert "Content-Type" not in headers
    assert "Authorization" not in headers


def test_a_header_parameter_cannot_break_the_message() -> None:
    with pytest.raises(InvalidInput, match="put_note: tag must be text of visible ASCII"):
        built(tag="a\r\nX: y")


def test_extra_headers_replace_ours_in_any_case() -> None:
    headers = built(config={"extra_headers": {"user-agent": "mine", "X-More": "1"}}).headers
    assert headers["user-agent"] == "mine"
    assert "User-Agent" not in headers
    assert headers["X-More"] == "1"


# Bodies


def test_a_body_is_json_and_may_be_extended() -> None:
    request = built(body=Note(text="é"), extra_body={"new": 1})
    assert request.headers["Content-Type"] == "application/json"
    assert request.body is not None
    assert Codec().decode(request.body, Any) == {"text": "é", "new": 1}


def test_an_optional_body_may_be_left_out_but_not_extended() -> None:
    assert built().body is None
    with pytest.raises(InvalidInput, match="put_note needs a body"):
        built(extra_body={"new": 1})


@pytest.mark.parametrize("given_body", [{"body": {}}, {"extra_body": {"a": 1}}])
def test_a_body_that_nobody_reads_is_refused(given_body: Any) -> None:
    with pytest.raises(InvalidInput, match="put_note has no body"):
        built(attrs.evolve(OPERATION, body=None), note_id="n", owner="o", **given_body)


FORM = attrs.evolve(OPERATION, path="/files", parameters=(), body=Body(kind="multipart", type=Upload))


def test_a_form_is_sent_as_one() -> None:
    request = built(FORM, body=Upload(file=File(name="a.xml", content=b"<a/>")))
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    with pytest.raises(InvalidInput, match="extra_body adds to a JSON body"):
        built(FORM, body=Upload(file=File(name="a.xml", content=b"")), extra_body={"a": 1})


def parts(value: Any) -> dict[str, Any]:
    """A form as another library reads it: content by name, and the file's name and type."""
    body, content_type = encode_multipart(value, Upload, operation="upload")
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    found: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        found[str(name)] = (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
    return found


@pytest.mark.parametrize("content", [b"", b"\r\n", b"--\r\n--", bytes(range(256)), b"\xef\xbb\xbf<a/>\n\n"])
def test_a_file_is_sent_byte_for_byte(content: bytes) -> None:
    body, content_type = encode_multipart(
        {"file": File(name="a.xml", content=content, content_type="text/xml")}, Upload, operation="upload"
    )
    boundary = content_type.partition("boundary=")[2]
    assert (
        body
        == (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="file"; filename="a.xml"\r\n'
            "Content-Type: text/xml\r\n\r\n"
        ).encode()
        + content
        + f"\r\n--{boundary}--\r\n".encode()
    )


def test_two_forms_never_share_a_boundary() -> None:
    form = {"file": File(name="a", content=b"x")}
    assert (
        encode_multipart(form, Upload, operation="u")[1] != encode_multipart(form, Upload, operation="u")[1]
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", b"a"),
        (True, b"true"),
        (False, b"false"),
        (Decimal("1.50"), b"1.50"),
        (3, b"3"),
        (Colour.RED, b"red one"),
    ],
)
def test_other_fields_are_text(value: Any, text: bytes) -> None:
    found = parts(Upload(file=File(name="a.xml", content=b"<a/>"), kind=value))
    assert found["file"] == ("a.xml", "application/octet-stream", b"<a/>")
    assert found["kind"][2] == text
    assert "label" not in found


@pytest.mark.parametrize(
    ("name", "quoted"),
    [('a"b.xml', "a%22b.xml"), ("facture n° 7 (été).pdf", "facture n° 7 (été).pdf"), ("请.xml", "请.xml")],
)
def test_names_of_files_are_quoted_as_browsers_do(name: str, quoted: str) -> None:
    body, _ = encode_multipart({"file": File(name=name, content=b"")}, Upload, operation="upload")
    assert f'filename="{quoted}"\r\n'.encode() in body


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/etc/passwd", "a/b", "a\\b", "a\r\nb", "a\x00b", "a\x7f", "\x85", "\ud800"]
)
def test_a_name_that_could_break_the_form_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"(?s)upload: the form cannot be sent.*\$\.file: "):
        encode_multipart({"file": File(name=name, content=b"")}, Upload, operation="upload")


def test_every_fault_of_a_form_is_named() -> None:
    with pytest.raises(InvalidInput) as info:
        encode_multipart({"label": [1], "other": 1}, Upload, operation="upload")
    assert dict(info.value.faults) == {
        "$.other": "is no field of this form",
        "$.file": "is required",
        "$.label": "a form cannot carry list: give a File or text",
    }
    with pytest.raises(InvalidInput, match=r"\$: expected Upload or its fields by name, got bytes"):
        encode_multipart(b"<a/>", Upload, operation="upload")
    with pytest.raises(InvalidInput, match="content_type must be text of visible ASCII"):
        encode_multipart(
            {"file": File(name="a", content=b"", content_type="a\r\nb")}, Upload, operation="upload"
        )
