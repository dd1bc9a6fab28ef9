"""Whatever text stands in a header: it is read as the standard says, or sent as it is, or refused."""

from __future__ import annotations

import datetime as dt
import math
import os
import time
from collections.abc import Callable
from email.utils import format_datetime
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from seqino._core.config import Config, resolve
from seqino._core.request import build_request
from seqino._core.retry import Pace, lengthen, read_retry_after
from seqino._generated.operations import GET_DRAFT
from seqino.errors import ConfigurationError, InvalidInput
from seqino.options import CallOptions
from tests.hostile.fakes import CODEC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seqino._core.request import Request

some = settings(max_examples=150 * int(os.environ.get("SEQINO_EXAMPLES", "1")), deadline=None)

NOW = 1_800_000_000.0
TOO_LATE = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


def told(**headers: str) -> float | None:
    return read_retry_after(
        CIMultiDict({name.replace("_", "-"): text for name, text in headers.items()}), now=NOW
    )


# --- Retry-After

blanks = st.text(" \t", max_size=3)
moments = st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2099, 12, 31)).map(  # noqa: DTZ001 - a zone follows
    lambda moment: moment.replace(microsecond=0, tzinfo=dt.UTC)
)


@pytest.fixture(params=["UTC", "Pacific/Kiritimati", "America/Caracas"])
def zone(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = str(request.param)
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@some
@given(st.integers(0, 10**19), blanks, blanks)
def test_whole_seconds_are_read(seconds: int, before: str, behind: str) -> None:
    assert told(Retry_After=f"{before}{seconds}{behind}") == float(seconds)


@some
@given(st.decimals(0, 10**9, places=3))
def test_parts_of_seconds_are_read(seconds: object) -> None:
    assert told(Retry_After=f"{seconds}") == float(f"{seconds}")


@some
@given(st.decimals(0, 10**9, places=3), st.text(max_size=10))
def test_milliseconds_outrank_seconds(milliseconds: object, other: str) -> None:
    assert told(retry_after_ms=f"{milliseconds}", Retry_After=other) == float(f"{milliseconds}") / 1000


def imf_fixdate(moment: dt.datetime) -> str:
    return format_datetime(moment, usegmt=True)


def asctime(moment: dt.datetime) -> str:
    return moment.strftime(f"%a %b {moment.day:2d} %H:%M:%S %Y")


def rfc850(moment: dt.datetime) -> str:
    return moment.strftime("%A, %d-%b-%y %H:%M:%S GMT")


Form: TypeAlias = Callable[[dt.datetime], str]
FORMS = st.sampled_from([imf_fixdate, asctime, rfc850])


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("form", [imf_fixdate, asctime, rfc850])
@pytest.mark.parametrize("form_of_date", [imf_fixdate, asctime, rfc850])
@pytest.mark.parametrize("moment", [dt.datetime(1994, 11, 6, 8, 49, 37, tzinfo=dt.UTC)])
def test_all_forms_of_a_date_mean_the_same_moment_everywhere(
    moment: dt.datetime, form: Form, form_of_date: Form
) -> None:
    later = moment + dt.timedelta(seconds=90)
    assert told(Retry_After=form(later), Date=form_of_date(moment)) == 90


@some
@given(moments, st.integers(1, 10**7), FORMS)
def test_a_date_is_read_against_the_servers_own_clock(moment: dt.datetime, seconds: int, form: Form) -> None:
    # Two digits of a year mean 1969 to 2068 (POSIX, and Python).
    assume(form is not rfc850 or moment.year < 2068)
    until = moment + dt.timedelta(seconds=seconds)
    assert told(Retry_After=form(until), Date=imf_fixdate(moment)) == seconds
    assert told(Retry_After=form(moment), Date=imf_fixdate(until)) is None


@some
@given(st.text())
@example("nan")
@example("inf")
@example("-1")
@example("1e3")
@example("1_0")
@example("0x1")
@example("١٢")
@example("1,5")
@example("9" * 400)
@example("Sun, 06 Nov 1994 08:49:37 -9999")
@example("31 Dec 9999 23:59:59 -2359")
@example("1 Jan 0001 00:00:00 +2359")
@example("0 0 0 0 0 0")
@example("Mon, 99 Foo 99999 99:99:99 GMT")
@example(", 1 Jan 2026 1:1")
def test_any_text_is_seconds_that_can_be_slept_or_nothing(text: str) -> None:
    for seconds in (told(Retry_After=text), told(retry_after_ms=text), told(Retry_After=text, Date=text)):
        assert seconds is None or (0 <= seconds < math.inf)
        if seconds is not None:
            pace = Pace()
            pace.hold(seconds, now=5.0)
            assert 5.0 <= pace.not_before <= 65.0
            assert lengthen(seconds, uniform=max) >= seconds


words = st.sampled_from(
    [
        "Sun",
        ",",
        "06",
        "Nov",
        "-Nov-",
        "1994",
        "94",
        "08:49:37",
        "8:49",
        "GMT",
        "+9999",
        "-0000",
        "EST",
        ":",
        "",
    ]
)


@some
@given(st.lists(words, max_size=9), st.sampled_from([" ", "", "-"]))
def test_scrambled_dates_are_seconds_or_nothing(parts: list[str], between: str) -> None:
    seconds = told(Retry_After=between.join(parts))
    assert seconds is None or 0 <= seconds < math.inf


def test_the_last_date_there_is_can_be_read() -> None:
    seconds = told(Retry_After=imf_fixdate(TOO_LATE))
    assert seconds is not None
    assert seconds > 10**9


# --- What is sent

CONFIG = Config(base_url="https://pdp.example/api", client_id="own")

VISIBLE = frozenset(map(chr, range(0x21, 0x7F)))


def may_be_sent(text: str) -> bool:
    """What every server reads alike: visible ASCII, with blanks inside only."""
    return text == text.strip(" \t") and set(text) <= VISIBLE | {" ", "\t"}


def request(config: Config = CONFIG, **parameters: object) -> Request:
    return build_request(GET_DRAFT, config=config, codec=CODEC, parameters={"draft_id": "d", **parameters})


header_text = st.text() | st.text(st.characters(max_codepoint=0x180)) | st.text("ab \t\r\n\0:\x7f\x80é")


@some
@given(header_text)
@example("a\r\nX-Evil: 1")
@example("a\n")
@example("\x85")
@example("")
def test_a_client_id_is_sent_as_it_is_or_refused(client_id: str) -> None:
    if client_id and may_be_sent(client_id):
        assert request(client_id=client_id).headers["X-PDP-Client-Id"] == client_id
        assert resolve(client_id=client_id, environ={}).client_id == client_id
    else:
        with pytest.raises(InvalidInput):
            request(client_id=client_id)
        with pytest.raises(ConfigurationError):
            resolve(client_id=client_id, environ={})


@some
@given(header_text)
@example("a\r\nX-Evil: 1")
@example("a ")
def test_an_extra_header_is_sent_as_it_is_or_refused(value: str) -> None:
    if may_be_sent(value):
        config = CONFIG.with_options(CallOptions(extra_headers={"X-Extra": value}))
        assert request(config).headers["X-Extra"] == value
        assert resolve(extra_headers={"X-Extra": value}, environ={}).extra_headers == {"X-Extra": value}
    else:
        with pytest.raises(InvalidInput):
            CallOptions(extra_headers={"X-Extra": value})
        with pytest.raises(InvalidInput):
            resolve(extra_headers={"X-Extra": value}, environ={})


@some
@given(st.text() | st.text("aZ0-_!\r\n :\0é"))
@example("")
@example("X: Y")
@example("X\r\nEvil")
@example("Content-Length")
def test_the_name_of_an_extra_header_is_sent_as_it_is_or_refused(name: str) -> None:
    token = set(name) <= VISIBLE - set('()<>@,;:\\"/[]?={}') and name != ""
    try:
        headers = CallOptions(extra_headers={name: "v"}).extra_headers
    except InvalidInput:
        assert not token or name.lower() in OWN
    else:
        assert token
        assert headers == {name: "v"}
        assert name.lower() not in OWN


OWN = frozenset(
    {
        "authorization",
        "x-pdp-client-id",
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
    }
    | {"content-type", "content-encoding", "expect", "te", "trailer", "keep-alive"}
)
"""What the message is framed by, and what is set in another way."""


@pytest.mark.parametrize("name", sorted(OWN))
def test_an_extra_header_never_frames_the_message_nor_replaces_the_key(name: str) -> None:
    for spelling in (name, name.upper(), name.title()):
        with pytest.raises(InvalidInput):
            CallOptions(extra_headers={spelling: "v"})


@some
@given(header_text, header_text)
@example("", "\n")
@example(" ", "")
def test_a_key_is_taken_as_it_is_or_refused_without_being_shown(before: str, behind: str) -> None:
    key = f"{before}canary-7{behind}"
    if may_be_sent(key):
        assert "canary" not in repr(resolve(api_key=key, environ={}))
    else:
        with pytest.raises(ConfigurationError) as caught:
            resolve(api_key=key, environ={})
        assert "canary" not in str(caught.value)
