from __future__ import annotations

import asyncio
import json

import attrs
import pytest

from seqino.cli.tokens import can_be_settled, read_tokens, token_of, token_text
from seqino.errors import InvalidInput, OutcomeUnknown, ResumeToken

TOKEN = ResumeToken(
    operation="validate_draft",
    client_id="c\x1b[31m",
    parameters={"draft_id": "draft_é"},
    base_url="http://127.0.0.1:8052",
    attempts=1,
    first_sent_at=1.5,
    last_sent_at=2,
)
SOUGHT = attrs.evolve(TOKEN, operation="create_client", parameters={}, sought={"external_ref": "a"})
PLAIN = attrs.asdict(TOKEN)


def test_a_token_survives_a_shell() -> None:
    text = token_text(TOKEN)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert read_tokens(f" {text}\n") == [TOKEN]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(PLAIN),
        json.dumps(PLAIN, indent=2),
        json.dumps({"token": PLAIN}),
        json.dumps({"token": token_text(TOKEN)}),
        json.dumps({"end": "paid", "token": None}) + "\n\n" + json.dumps({"token": token_text(TOKEN)}),
        '{"end": "paid"}\n[]\n' + json.dumps(PLAIN),
    ],
)
def test_a_token_is_found_in_the_lines_of_a_command(text: str) -> None:
    assert read_tokens(text) == [TOKEN]


def test_all_tokens_of_a_file_are_found() -> None:
    lines = [{"token": token_text(TOKEN)}, {"token": token_text(SOUGHT)}]
    assert read_tokens("\n".join(map(json.dumps, lines))) == [TOKEN, SOUGHT]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no token"),
        ("no token", "neither a token"),
        ("é", "neither a token"),
        (token_text(TOKEN)[:40], "cut off"),
        ("W10", "no token"),
        ('{"end": "paid"}', "nothing in it is in doubt"),
        ('{"end": "paid"}\n{', "cut off"),
        ('{"token": 7}', "no token"),
        ('{"operation": "validate_draft"}', "missing required field `base_url`"),
        (json.dumps({**PLAIN, "attempts": "1"}), "attempts"),
    ],
)
def test_what_is_no_token_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        read_tokens(text)


def test_a_doubt_has_its_token_whatever_passes_through() -> None:
    cancelled = asyncio.CancelledError()
    assert token_of(cancelled) is None
    vars(cancelled)["seqino_token"] = TOKEN
    assert token_of(cancelled) is TOKEN
    assert token_of(OutcomeUnknown("a", token=TOKEN, operation="x")) is TOKEN


def test_only_what_can_be_looked_up_can_be_settled() -> None:
    assert can_be_settled(TOKEN)
    assert can_be_settled(SOUGHT)
    assert not can_be_settled(attrs.evolve(TOKEN, parameters={}))
