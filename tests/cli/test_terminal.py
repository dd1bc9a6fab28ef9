from __future__ import annotations

import io
import json
import sys

import pytest

from seqino.cli.terminal import (
    clean,
    console,
    escape_what_cannot_be_written,
    label,
    language,
    one_line,
    say,
)
from seqino.errors import InvalidInput
from seqino.models import LifecycleStatusCode

PAID = LifecycleStatusCode("InvoiceLifecycleStatus.COLLECTED")


@pytest.mark.parametrize(
    ("option", "environ", "expected"),
    [
        ("fr", {"LANG": "en_US"}, "fr"),
        ("en", {"LANG": "fr_FR"}, "en"),
        (None, {"LANG": "fr_FR.UTF-8"}, "fr"),
        (None, {"LC_ALL": "C", "LANG": "fr_FR.UTF-8"}, "en"),
        (None, {"LC_ALL": "", "LC_MESSAGES": "fr_BE", "LANG": "C"}, "fr"),
        (None, {}, "en"),
    ],
)
def test_labels_follow_the_option_then_the_locale(
    option: str | None, environ: dict[str, str], expected: str
) -> None:
    assert language(option, environ) == expected


def test_a_language_without_labels_is_refused() -> None:
    with pytest.raises(InvalidInput, match="fr or en, not de"):
        language("de", {})


def test_a_label_has_its_number_where_there_is_one() -> None:
    assert label(PAID, "fr") == "212 Encaissée"
    assert label(PAID, "en") == "212 Payment received"
    assert label(LifecycleStatusCode("New.THING"), "en") == "New.THING"
    assert label(None, "en") == ""


@pytest.mark.parametrize(
    ("text", "line"),
    [("a", "a"), ("a.\n  b\n\nc:\nd", "a. b; c: d"), ("", "")],
)
def test_a_message_of_several_lines_is_put_on_one(text: str, line: str) -> None:
    assert one_line(text) == line


def test_control_characters_reach_no_terminal() -> None:
    assert clean("a\x1b]0;x\x07b\r\n\u202ec") == "a ]0;x b   c"


def test_rows_are_not_broken_where_no_terminal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert console().width == 200
    assert console(stderr=True).width == 200
    monkeypatch.setenv("COLUMNS", "70")
    assert console().width == 70


def test_a_line_is_written_as_it_is_and_never_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    say("[red]a[/red] :warning: " + "x" * 40 + "\x1b[2J\rb")
    say("why", stderr=True)
    said = capsys.readouterr()
    assert said.out == "[red]a[/red] :warning: " + "x" * 40 + " [2J b\n"
    assert said.err == "why\n"


def test_a_console_takes_every_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    console().print("[b]a[/b] :warning: 1")
    assert capsys.readouterr().out == "[b]a[/b] :warning: 1\n"


def test_no_colours_reach_what_is_no_terminal_or_does_not_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    assert console().color_system is None
    monkeypatch.setenv("NO_COLOR", "1")
    assert console().no_color


def test_what_an_encoding_lacks_is_escaped_as_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    escape_what_cannot_be_written()
    say('{"name": "Étagère 🪑"}')
    sys.stdout.flush()
    assert json.loads(written.getvalue()) == {"name": "Étagère 🪑"}


def test_only_writing_is_escaped() -> None:
    escape_what_cannot_be_written()
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode(errors="seqino-escape")
