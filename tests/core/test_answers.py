from __future__ import annotations

import pytest

from seqino._core.answers import unwrapped


@pytest.mark.parametrize(
    "body", [b'{"client":{"a":1},"message":"m"}', b' {"message": "m", "client" : {"a":1} } ']
)
def test_an_answer_beside_other_things_is_taken_out(body: bytes) -> None:
    assert unwrapped(body, "client") == (b'{"a":1}', "$.client")


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1}',
        b'{"client":"c-1"}',
        b'{"client":null}',
        b'{"other":{"a":1}}',
        b'[{"client":{}}]',
        b"null",
        b"",
        b"<html>",
        b'{"client":{"a":1}',
        b'{"\xff":{}}',
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_anything_else_stands_for_itself(body: bytes) -> None:
    assert unwrapped(body, "client") == (body, "$")


def test_an_answer_that_is_never_wrapped_is_not_looked_into() -> None:
    assert unwrapped(b'{"client":{"a":1}}', None) == (b'{"client":{"a":1}}', "$")
