"""``seqino events`` against a real sandbox, and following against a feed of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino.cli.events import Feed, Follower
from seqino.cli.lifecycle import (
    event_line,
    event_members,
    parted,
    reason_text,
    show_events,
    state_label,
)
from seqino.cli.output import Output
from seqino.cli.plain import Found
from seqino.cli.result import ExitCode
from seqino.errors import Fault
from seqino.models import LifecycleEvent, LifecycleStatusCode
from seqino.resources.histories import fetch_events
from seqino.statuses import Backoff, LocalState, UnreadableEvent, Until
from tests.cli.results import one_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from seqino._core.wire import JSON
    from seqino.cli.command import Session
    from tests.cli.conftest import Platform
    from tests.cli.results import Result

    Command = Callable[..., Result]

BEGIN = datetime(2026, 10, 2, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "seqino.cli.events.PACE", Backoff(first=timedelta(milliseconds=1), longest=timedelta(seconds=1))
    )


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def event(status: str, minute: int = 0, **details: Any) -> LifecycleEvent:
    code = LifecycleStatusCode(status if "." in status else f"InvoiceLifecycleStatus.{status}")
    moment = BEGIN + timedelta(minutes=minute)
    return LifecycleEvent(status_code=code, timestamp=moment, emitter="PDPE", **details)


@pytest.fixture
def refused_id(on_platform: Command, samples: Path) -> str:
    """An invoice that its buyer refuses."""
    (sent,) = lines(on_platform("submit", "--json", samples / "17-buyer-refuses-ubl.xml").stdout)
    identifier: str = sent["invoice_id"]
    return identifier


@pytest.fixture
def paid_id(on_platform: Command, samples: Path) -> str:
    (sent,) = lines(on_platform("submit", "--json", samples / "01-it-services-ubl.xml").stdout)
    identifier: str = sent["invoice_id"]
    return identifier


# --- once


def test_events_are_a_table_of_80_columns(on_platform: Command, refused_id: str) -> None:
    result = on_platform("events", "--object-type", "invoice", "--object-id", refused_id, "--lang", "fr")
    assert result.exit_code == ExitCode.OK
    heads, *rows = result.stdout.splitlines()
    assert heads.split() == ["date", "statut", "émetteur", "motif"]
    assert max(map(len, [heads, *rows])) <= 80
    assert [row.split()[1] for row in rows if row.startswith("20")] == [
        "200",
        "201",
        "202",
        "203",
        "204",
        "210",
    ]
    assert "Refusée" in result.stdout
    assert "TX_TVA_ERR" in result.stdout


def test_the_language_is_that_of_the_locale(on_platform: Command, refused_id: str) -> None:
    arguments = ("events", "--type", "invoice", "--id", refused_id)
    assert "Refusée" in on_platform(*arguments, LANG="fr_FR.UTF-8").stdout
    assert "Refused" in on_platform(*arguments, LANG="de_DE.UTF-8").stdout
    assert "Refused" in on_platform(*arguments, LANG="fr_FR.UTF-8", LC_ALL="en_GB.UTF-8").stdout


@pytest.mark.usefixtures("refused_id")
def test_events_are_lines_for_machines(on_platform: Command) -> None:
    assert 210 in [line["number"] for line in lines(on_platform("events", "--json").stdout)]
    assert on_platform("events", "--type", "mandate", "--json").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--object-id", "inv_1"), "object_id needs object_type"),
        (("--until", "settled"), "need --follow"),
        (("--follow-timeout", "1"), "need --follow"),
        (("--follow", "--until", "settled"), "needs one invoice"),
        (("--follow", "--until", "settled", "--type", "mandate", "--id", "m"), "needs one invoice"),
        (("--follow", "--until", "paid", "--type", "invoice", "--id", "i"), "settled or approved"),
        (("--lang", "de"), "fr or en, not de"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_sent(
    on_platform: Command, platform: Platform, arguments: tuple[str, ...], complaint: str
) -> None:
    result = on_platform("events", *arguments)
    assert result.exit_code == ExitCode.INPUT
    assert complaint in one_error(result)
    assert platform.sandbox.counters.requests == 0


# --- followed


@pytest.mark.parametrize("goal", ["settled", "approved"])
def test_an_invoice_is_followed_to_its_goal(on_platform: Command, paid_id: str, goal: str) -> None:
    result = on_platform("events", "--type", "invoice", "--id", paid_id, "--follow", "--until", goal)
    assert result.exit_code == ExitCode.OK
    assert "205 Approved" in result.stdout
    assert result.stderr == "paid, after 1 request\n"


def test_a_refusal_ends_it_and_is_told_to_the_shell(on_platform: Command, refused_id: str) -> None:
    arguments = ("--type", "invoice", "--id", refused_id, "--follow", "--until", "settled", "--json")
    result = on_platform("events", *arguments)
    assert result.exit_code == ExitCode.REJECTED
    assert [line["number"] for line in lines(result.stdout)][-1] == 210
    assert result.stderr.startswith("refused, rejected or cancelled, after ")


def test_a_refused_second_delivery_ends_it_as_a_duplicate(on_platform: Command, samples: Path) -> None:
    file = samples / "01-it-services-ubl.xml"
    first, second = (lines(on_platform("submit", "--json", file).stdout)[0] for _ in range(2))
    assert (first["end"], second["end"]) == ("paid", "duplicate")
    arguments = ("--type", "invoice", "--id", second["invoice_id"], "--follow", "--until", "settled")
    result = on_platform("events", *arguments)
    assert result.exit_code == ExitCode.REJECTED
    assert result.stderr == "delivery refused: the invoice is there already, after 1 request\n"


def test_time_that_runs_out_before_the_goal_is_a_failure(
    on_platform: Command, platform: Platform, samples: Path
) -> None:
    platform.sandbox.scenario = "silent"
    sent = on_platform("submit", "--json", "--no-follow", samples / "01-it-services-ubl.xml")
    (line,) = lines(sent.stdout)
    arguments = ("--type", "invoice", "--id", line["invoice_id"], "--follow", "--follow-timeout", "0.05")
    assert on_platform("events", *arguments, "--until", "settled").exit_code == ExitCode.FAILURE
    endless = on_platform("events", *arguments)
    assert (endless.exit_code, endless.stderr.split()[0]) == (ExitCode.OK, "stopped,")


def test_following_goes_on_through_a_failure_that_passes(
    on_platform: Command, platform: Platform, paid_id: str
) -> None:
    platform.sandbox.faults.plan("status-503-before", operation="GET /lifecycle-events", times=5)
    arguments = ("--type", "invoice", "--id", paid_id, "--follow", "--until", "settled", "--timeout", "1")
    result = on_platform("events", *arguments)
    assert result.exit_code == ExitCode.OK
    assert result.stderr.startswith("error: ")
    assert "and it goes on" in result.stderr


def test_a_wrong_key_ends_following(
    on_platform: Command, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQINO_API_KEY", "invalid")
    result = on_platform("events", "--follow")
    assert result.exit_code == ExitCode.FAILURE
    assert "401" in one_error(result)
    assert platform.sandbox.counters.requests == 1


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_following_with_130(platform: Platform, paid_id: str, stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "seqino.cli", "events", "--follow", "--json", *platform.arguments]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(  # noqa: S603 - this very package
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(stop)
        _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (ExitCode.INTERRUPTED, "")
    assert paid_id


def test_ctrl_c_is_told_to_the_shell(on_platform: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr("seqino.cli.events.watch", interrupted)
    assert on_platform("events", "--follow").exit_code == ExitCode.INTERRUPTED


class Turns:
    """A feed that shows one list after the other."""

    def __init__(self, *turns: list[LifecycleEvent | UnreadableEvent], object_id: str | None) -> None:
        self._turns = iter(turns)
        self.object_id = object_id
        self.lang = "en"
        self.said: list[LifecycleEvent] = []
        self.odd: list[UnreadableEvent] = []

    async def fetch(self) -> tuple[list[Found[LifecycleEvent]], list[UnreadableEvent]]:
        return parted([Found(event, {}) for event in next(self._turns)])

    def say_unreadable(self, events: Sequence[UnreadableEvent]) -> None:
        self.odd += events

    def say(self, found: Found[LifecycleEvent]) -> None:
        self.said.append(found.value)


SENT, DEPOSITED_TOO, PAID = event("DEPOSITED"), event("DEPOSITED"), event("COLLECTED", 9)


def follower(feed: Turns, goal: Until | None = None) -> Follower:
    return Follower(feed, goal=goal)  # type: ignore[arg-type] # has what is asked of a feed


async def test_of_one_object_an_event_is_said_once_however_often_it_comes() -> None:
    feed = Turns([SENT, DEPOSITED_TOO], [SENT], [PAID, SENT, SENT], object_id="inv_1")
    watching = follower(feed, Until.END)
    looks = [await watching.look() for _ in range(3)]
    assert feed.said == [SENT, PAID]
    assert [(look.is_news, look.is_over) for look in looks] == [(True, False), (False, False), (True, True)]


async def test_in_the_feed_of_all_the_same_event_twice_is_two_objects() -> None:
    feed = Turns([SENT], [SENT, DEPOSITED_TOO], [], [SENT, DEPOSITED_TOO], object_id=None)
    watching = follower(feed)
    looks = [await watching.look() for _ in range(4)]
    assert feed.said == [SENT, SENT]
    assert [look.is_news for look in looks] == [True, True, False, False]
    assert not any(look.is_over for look in looks)


ODD = UnreadableEvent(raw=b'{"status_code": "\xff\x1b[2J"}', faults=(Fault("$.timestamp", "is missing"),))


@pytest.mark.parametrize(("object_id", "said"), [("inv_1", 1), (None, 3)])
async def test_what_cannot_be_read_is_said_once_and_keeps_nothing_else(
    object_id: str | None, said: int
) -> None:
    feed = Turns([SENT, ODD, ODD], [SENT, ODD, ODD], [PAID, SENT, ODD, ODD, ODD], object_id=object_id)
    watching = follower(feed)
    looks = [await watching.look() for _ in range(3)]
    assert (feed.said, feed.odd) == ([SENT, PAID], [ODD] * said)
    assert [look.is_news for look in looks] == [True, False, True]


async def test_news_of_what_cannot_be_read_are_news() -> None:
    watching = follower(Turns([SENT], [SENT, ODD], object_id="inv_1"))
    assert [(await watching.look()).is_news for _ in range(2)] == [True, True]


def test_commands_show_what_cannot_be_read_and_all_else(
    on_platform: Command, platform: Platform, paid_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def poisoned(*given: Any, **more: Any) -> Any:
        return [*await fetch_events(*given, **more), ODD]

    monkeypatch.setattr("seqino.resources.lifecycle.fetch_events", poisoned)
    problem = "an event that cannot be read ($.timestamp is missing): {"
    for options in ((), ("--follow", "--until", "settled")):
        result = on_platform("events", "--type", "invoice", "--id", paid_id, *options)
        assert result.exit_code == ExitCode.OK
        assert "212 Payment received" in result.stdout
        assert problem in result.stderr
        assert "\x1b" not in result.stderr
    french = on_platform("events", "--type", "invoice", "--id", paid_id, "--lang", "fr").stderr
    assert "avertissement : un événement illisible ($.timestamp is missing) : {" in french
    machine = lines(on_platform("events", "--type", "invoice", "--id", paid_id, "--json").stdout)
    assert machine[-1]["unreadable"] == "$.timestamp is missing"
    assert machine[-2]["number"] == 212
    assert problem in on_platform("invoices", "show", paid_id).stdout
    (shown,) = lines(on_platform("invoices", "show", paid_id, "--json").stdout)
    assert [one["unreadable"] for one in shown["unreadable"]] == ["$.timestamp is missing"]
    assert platform.sandbox.counters.requests > 0


# --- what is said


def test_in_english_the_heads_are_english(capsys: pytest.CaptureFixture[str]) -> None:
    show_events([event("REFUSED")], "en")
    heads, _ = capsys.readouterr().out.splitlines()
    assert heads.split() == ["time", "status", "emitter", "reason"]


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "no events; an id that"), ("fr", "aucun événement ; un id")]
)
def test_no_events_are_said_and_shown_as_no_empty_table(on_platform: Command, lang: str, said: str) -> None:
    result = on_platform("events", "--type", "invoice", "--id", "nope", "--lang", lang)
    assert result.exit_code == ExitCode.OK
    (line,) = result.stdout.splitlines()
    assert line.startswith(said)


def test_an_unknown_kind_of_object_is_refused_before_anything_is_sent(
    on_platform: Command, platform: Platform
) -> None:
    result = on_platform("events", "--type", "bogus")
    assert result.exit_code == ExitCode.INPUT
    assert "'bogus' is not one of invoice, mandate" in result.stderr
    assert platform.sandbox.counters.requests == 0


def test_an_event_has_number_label_emitter_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    refused = event("REFUSED", rejection_reason="TX_TVA_ERR", reason="10 %\x1b[2J")
    assert reason_text(refused, "fr") == "TX_TVA_ERR (Taux de TVA erroné): 10 %\x1b[2J"
    assert reason_text(refused, "en") == "TX_TVA_ERR (Wrong VAT rate): 10 %\x1b[2J"
    assert reason_text(event("REFUSED", rejection_reason="see TX_TVA_ERR"), "fr") == "see TX_TVA_ERR"
    assert reason_text(event("REFUSED"), "fr") == ""
    show_events([refused], "fr")
    said = capsys.readouterr().out
    assert "2026-10-02T08:00:00Z  210 Refusée  PDPE      TX_TVA_ERR (Taux de TVA erroné): 10 % [2J" in said


def test_a_line_of_a_growing_list_is_aligned() -> None:
    assert (
        event_line(event("MADE_AVAILABLE"), "fr")
        == "2026-10-02T08:00:00Z  203 Mise à disposition        PDPE"
    )
    assert event_line(event("Some.THING", reason="x"), "fr").endswith(
        "Some.THING                    PDPE   x"
    )


def test_an_event_for_machines_keeps_what_nobody_described() -> None:
    paid = event("COLLECTED", reason="tout\npayé")
    raw: JSON = {"status_code": "COLLECTED", "reason": "tout\npayé", "new": 1}
    assert event_members(Found(paid, raw), "fr") == {
        "timestamp": "2026-10-02T08:00:00+00:00",
        "status_code": "InvoiceLifecycleStatus.COLLECTED",
        "number": 212,
        "label": "Encaissée",
        "emitter": "PDPE",
        "reason": "tout\npayé",
        "rejection_reason": None,
        "is_mandatory": False,
        "new": 1,
    }
    assert event_members(Found(paid, raw), "en")["label"] == "Payment received"


@pytest.mark.parametrize("state", [None, *LocalState])
def test_each_state_has_a_label_in_both_languages(state: LocalState | None) -> None:
    assert state_label(state, "fr") != state_label(state, "en")


def test_a_feed_says_an_event_to_people_or_to_machines(capsys: pytest.CaptureFixture[str]) -> None:
    @attrs.frozen
    class Saying:
        out: Output

    def say(*, as_json: bool) -> str:
        session: Session = Saying(Output(as_json=as_json))  # type: ignore[assignment] # has what is asked of it
        Feed(session=session, object_type=None, object_id=None, lang="fr").say(Found(PAID, {}))
        return capsys.readouterr().out

    assert say(as_json=False) == "2026-10-02T08:09:00Z  212 Encaissée                 PDPE\n"
    assert json.loads(say(as_json=True))["label"] == "Encaissée"
