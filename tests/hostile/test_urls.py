"""Whatever text is a parameter: it arrives as it was given, below the API, or is refused."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from yarl import URL

from seqino._core.config import Config
from seqino._core.request import build_request
from seqino._core.wire import Effect, Operation, Parameter
from seqino.errors import InvalidInput
from tests.hostile.fakes import CODEC, OPERATIONS

if TYPE_CHECKING:
    from seqino._core.request import Request

some = settings(max_examples=200 * int(os.environ.get("SEQINO_EXAMPLES", "1")), deadline=None)

HOST = "https://pdp.example"
BASE = f"{HOST}/api/v1"

THING: Operation[Any] = Operation(
    name="get_thing",
    operation_id="get_thing",
    tag="things",
    method="GET",
    path="/things/{a}/parts/{b}",
    effect=Effect.SAFE,
    parameters=(
        Parameter(name="a", wire="a", location="path", required=True),
        Parameter(name="b", wire="b", location="path", required=True),
        Parameter(name="q", wire="q[x]", location="query"),
        Parameter(name="r", wire="r", location="query"),
        Parameter(name="h", wire="X-H", location="header"),
    ),
    responses={200: None},
)


def request(operation: Operation[Any] = THING, /, **parameters: object) -> Request:
    return build_request(operation, config=Config(base_url=BASE), codec=CODEC, parameters=parameters)


def is_refused_in_a_path(text: str) -> bool:
    """What would name another path, or what servers and proxies are known to read differently."""
    return text in {"", ".", ".."} or any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text)


texts = (
    st.text()
    | st.text("./\\%2eEfF?#&=;@:+ \0\r\n\t", max_size=8)
    | st.text(st.characters(categories=["Cs", "Cc", "Cf", "Zl"]), max_size=4)
)

tricks = [
    "..",
    "../admin",
    "..%2fadmin",
    "%2e%2e",
    "..;/admin",
    "a/../../admin",
    "//evil.example",
    "\\\\evil.example",
    "a?b=c#d",
    "a&b=c",
    "{b}",
    "{a}",
    "\u2024\u2024",
    "\uff0e\uff0e\uff0f",
    "a\r\nHost: evil.example",
    "a b+c%20d",
    "é\u0301\U0001f600",
    "\ud800",
    "x" * 5000,
]


def with_tricks(test: Any) -> Any:
    for trick in tricks:
        test = example(trick)(test)
    return test


@some
@with_tricks
@given(texts)
def test_a_path_parameter_is_one_segment_below_the_api_or_refused(text: str) -> None:
    if is_refused_in_a_path(text):
        with pytest.raises(InvalidInput):
            request(a=text, b="b")
        with pytest.raises(InvalidInput):
            request(a="a", b=text)
        return
    for given_values in ({"a": text, "b": "b"}, {"a": "a", "b": text}, {"a": text, "b": text}):
        url = request(**given_values).url
        # What goes on the wire is what yarl makes of it.
        for sent in (url, str(URL(url, encoded=True))):
            parts = urlsplit(sent)
            assert f"{parts.scheme}://{parts.netloc}" == HOST
            assert (parts.query, parts.fragment) == ("", "")
            segments = parts.path.split("/")
            assert segments[:4] == ["", "api", "v1", "things"]
            assert [unquote(segments[4], errors="strict"), segments[5], unquote(segments[6])] == [
                given_values["a"],
                "parts",
                given_values["b"],
            ]
            assert len(segments) == 7
            assert sent.isascii()
        assert URL(url, encoded=True).raw_path_qs == urlsplit(url).path


@some
@with_tricks
@given(texts)
def test_a_query_parameter_arrives_as_it_was_given_or_is_refused(text: str) -> None:
    try:
        url = request(a="a", b="b", q=text, r="r").url
    except InvalidInput:
        assert any(unicodedata.category(letter) == "Cs" for letter in text)
        return
    for sent in (url, str(URL(url, encoded=True))):
        parts = urlsplit(sent)
        assert (parts.netloc, parts.path, parts.fragment) == ("pdp.example", "/api/v1/things/a/parts/b", "")
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True, errors="strict")
        assert pairs == [("q[x]", text), ("r", "r")]
        assert sent.isascii()
        assert sent.isprintable()


@some
@given(st.lists(texts.filter(lambda text: not is_refused_in_a_path(text)), min_size=1, max_size=4))
def test_a_list_in_a_query_is_one_pair_for_each_item(items: list[str]) -> None:
    url = request(a="a", b="b", q=items).url
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == [("q[x]", item) for item in items]


@some
@with_tricks
@given(texts)
def test_a_header_parameter_is_sent_as_it_is_or_refused(text: str) -> None:
    try:
        value = request(a="a", b="b", h=text).headers["X-H"]
    except InvalidInput:
        assert not text.isascii() or not text.isprintable() or text != text.strip()
    else:
        assert value == text
        assert text.isascii()
        assert not {"\r", "\n", "\0"}.intersection(text)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda each: each.name)
@pytest.mark.parametrize("text", ["../../admin", "a/b?c=d#e", "%2e%2e", "{client_id}", "è ü"])
def test_no_operation_lets_a_parameter_out_of_its_place(operation: Operation[Any], text: str) -> None:
    names = {each.name: text for each in operation.parameters if each.location in {"path", "query"}}
    scope = {each.name: "c-1" for each in operation.parameters if each.scope}
    # Identifiers refuse such texts before; even if they did not, each would stay in its place.
    parameters = tuple(attrs.evolve(each, identifier=None) for each in operation.parameters)
    bare: Operation[Any] = Operation(
        name=operation.name,
        operation_id="",
        tag="",
        method=operation.method,
        path=operation.path,
        parameters=parameters,
        responses={},
        outside_api=operation.outside_api,
    )
    parts = urlsplit(request(bare, **names, **scope).url)
    template = operation.path.split("/")
    segments = parts.path.removeprefix("/api/v1").split("/")
    assert len(segments) == len(template)
    for found, wanted in zip(segments, template, strict=True):
        assert unquote(found) == (text if wanted.startswith("{") else wanted)
    queried = [each.wire for each in operation.parameters if each.location == "query"]
    assert parse_qsl(parts.query) == [(name, text) for name in queried]
