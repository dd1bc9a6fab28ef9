"""What an answer says of the next page."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqino._core.paging import PageFault, is_target, read_page
from seqino._core.wire import UNSET, PageAnswer, Pagination, UnsetType

BASE = "https://pdp.example/api"
URL = f"{BASE}/things?kind=a"

LINKED = Pagination(link="next")


@attrs.define
class Meta:
    next: str | int | UnsetType | None = UNSET


@attrs.define
class Answer:
    data: list[int] | UnsetType = UNSET
    meta: Meta | dict[str, Any] | None = None


WITH_CURSOR = Pagination(items=("data",), cursor=("meta", "next"), parameter="cursor")


def linked(header: str | None, *, url: str = URL, base_url: str = BASE) -> str | None:
    return read_page(LINKED, [1], link=header, position=None, url=url, base_url=base_url).next


def test_without_a_link_a_page_is_the_last() -> None:
    page = read_page(LINKED, [1], link=None, position=None, url=URL, base_url=BASE)
    assert page == PageAnswer(items=[1], position="/things?kind=a", next=None)


@pytest.mark.parametrize(
    "header",
    [
        '<https://pdp.example/api/things?page=2>; rel="next"',
        "<https://pdp.example/api/things?page=2>;rel=next",
        "<https://PDP.example:443/api/things?page=2>; rel=NEXT",
        '</api/things?page=2>; rel="next"',
        "<?page=2>; rel=next",
        "<things?page=2>; rel=next",
        '<?page=2#top>; rel="next"',
        '< ?page=2 > ; title="a;b<,>\\"c" ; rel = "last  next"',
        '<?page=9>; rel="last", <?page=2>; rel="next"',
        '<?page=9>; rel=prev; rel=next, <?page=2>; rel="next"',
        '<?page=9>; rel=next; anchor="#other", <?page=2>; rel="next"',
        '<?page=2>; rel="next", <?page=2>; rel=next',
        "<?page=9>, <?page=2>; rel=next",
        '<?page=9>; title*=UTF-8\'\'a%20b; rel="last", <?page=2>; crossorigin; rel="next"',
    ],
)
def test_a_link_is_followed_however_it_is_written(header: str) -> None:
    assert linked(header) == "/things?page=2"


@pytest.mark.parametrize(
    "header", ["", "nonsense", "<?page=2", "<?page=2>", '<?page=2>; rel="prev"', "?page=2; rel=next"]
)
def test_a_header_without_such_a_link_ends_the_list(header: str) -> None:
    assert linked(header) is None


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/api/things?page=2",
        "https://pdp.example.evil.example/api/things",
        "http://pdp.example/api/things?page=2",
        "https://pdp.example:8443/api/things",
        "https://key@pdp.example/api/things",
        "//evil.example/api/things",
        "https://pdp.example/apix/things",
        "https://pdp.example/api",
        "/other?page=2",
        "../other?page=2",
        "/api/../other",
        "/api/%2e%2e/other",
        "/api/things%2F..%2Fother",
        "/api/th\\ings",
        "ftp://pdp.example/api/things",
        "javascript:alert(1)",
    ],
)
def test_a_link_to_elsewhere_is_refused_and_not_shown(target: str) -> None:
    with pytest.raises(PageFault, match=f"elsewhere than below {BASE}") as caught:
        linked(f"<{target}>; rel=next")
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("target", ["/api/thi ngs", "/api/thé", "https://[::1/api/x", "https://h:x/api/x"])
def test_a_link_that_is_no_url_is_refused(target: str) -> None:
    with pytest.raises(PageFault, match="is no URL"):
        linked(f"<{target}>; rel=next")


def test_links_to_several_pages_are_refused() -> None:
    with pytest.raises(PageFault, match="several pages"):
        linked("<?page=2>; rel=next, <?page=3>; rel=next")


def test_a_base_url_without_a_path_and_with_a_port() -> None:
    base = "http://localhost:8052"
    assert linked("</things?p=2>; rel=next", url=f"{base}/things", base_url=base) == "/things?p=2"


ODD = st.text(st.sampled_from('<>;,="\\ relnxt/.%2e?#@:'), max_size=80)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60) | ODD)
def test_whatever_a_header_says_a_page_is_below_the_base_url(header: str) -> None:
    try:
        target = linked(header)
    except PageFault:
        return
    assert target is None or is_target(target)


@pytest.mark.parametrize(
    "text", ["", "things", "https://evil.example/", "/a#b", "/a\\b", "/a/../b", "/a/%2E./b", "/a b", "/é"]
)
def test_what_is_no_path_below_the_base_url_is_no_target(text: str) -> None:
    assert not is_target(text)
    assert is_target("/things?next=../..")


# --- Cursors


@pytest.mark.parametrize(
    ("answer", "following"),
    [
        (Answer([1], Meta("c2")), "c2"),
        (Answer([1], Meta(7)), "7"),
        (Answer([1], Meta("é /&")), "é /&"),
        (Answer([1], {"next": "c2"}), "c2"),
        ({"data": [1], "meta": {"next": "c2"}}, "c2"),
        (Answer([1], Meta(0)), "0"),
        (Answer([1], Meta("")), None),
        (Answer([1], Meta(None)), None),
        (Answer([1], Meta()), None),
        (Answer([1], {}), None),
        (Answer([1]), None),
    ],
)
def test_a_cursor_is_read_where_it_stands(answer: Any, following: str | None) -> None:
    page = read_page(WITH_CURSOR, answer, link="<?p=2>; rel=next", position="c1", url=URL, base_url=BASE)
    assert page == PageAnswer(items=[1], position="c1", next=following)


@pytest.mark.parametrize("cursor", [True, 1.5, ["c2"], {"a": 1}])
def test_a_cursor_that_is_no_text_is_refused(cursor: Any) -> None:
    with pytest.raises(PageFault, match=r"its cursor \(meta/next\) is neither"):
        read_page(
            WITH_CURSOR, Answer([1], {"next": cursor}), link=None, position=None, url=URL, base_url=BASE
        )


def test_a_position_that_fits_into_no_request_is_refused() -> None:
    for value in (json.loads(f'"{"c" * 9000}"'), "c" * 8193):
        with pytest.raises(PageFault, match="8192 characters"):
            read_page(WITH_CURSOR, Answer([], Meta(value)), link=None, position=None, url=URL, base_url=BASE)
    with pytest.raises(PageFault, match="8192 characters"):
        linked(f"<?{'c' * 9000}>; rel=next")


def test_items_that_are_not_there_are_nothing() -> None:
    page = read_page(WITH_CURSOR, Answer(), link=None, position=None, url=URL, base_url=BASE)
    assert page.items is None
