from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from seqino.sandbox.description import SHIPPED
from seqino.sandbox.signing import NAME, Scheme, SignatureError

SECRET = "5e" * 32
BODY = '{"event_type":"webhook.test","data":"é"}'.encode()
NOW = 1_788_249_600.5

FACTS: dict[str, Any] = json.loads(SHIPPED.read_bytes())[NAME]
SCHEME = Scheme.read({NAME: FACTS})


def scheme(**changes: Any) -> Scheme:
    return Scheme.read(
        {NAME: {**FACTS, **{name.replace("_", "-"): value for name, value in changes.items()}}}
    )


def test_the_signature_is_what_the_description_says() -> None:
    expected = hmac.new(SECRET.encode(), b"1788249600." + BODY, hashlib.sha256).hexdigest()
    assert SCHEME.sign(SECRET, BODY, at=NOW) == {
        FACTS["timestamp-header"]: "1788249600",
        FACTS["header"]: expected,
    }


def test_another_way_of_signing_is_a_change_of_data() -> None:
    other = scheme(
        header="Sig",
        timestamp_header="At",
        timestamp_format="unix-milliseconds",
        algorithm="hmac-sha512",
        encoding="base64",
        prefix="v1=",
        signed_content="{body}|{timestamp}|é",
    )
    headers = other.sign(SECRET, BODY, at=NOW)
    digest = hmac.new(SECRET.encode(), BODY + b"|1788249600500|" + "é".encode(), hashlib.sha512).digest()
    assert headers == {"At": "1788249600500", "Sig": "v1=" + base64.b64encode(digest).decode()}
    other.verify([SECRET], headers, BODY, now=NOW)


def test_what_was_signed_is_verified_whatever_the_case_of_the_headers() -> None:
    headers = SCHEME.sign(SECRET, BODY, at=NOW)
    SCHEME.verify([SECRET], headers, BODY, now=NOW)
    SCHEME.verify([SECRET], {name.upper(): value for name, value in headers.items()}, BODY, now=NOW)


def test_two_secrets_are_good_while_one_is_being_changed() -> None:
    SCHEME.verify(["older", SECRET], SCHEME.sign(SECRET, BODY, at=NOW), BODY, now=NOW)
    both = SCHEME.sign("older", BODY, at=NOW)
    both[SCHEME.header] += ", " + SCHEME.sign(SECRET, BODY, at=NOW)[SCHEME.header]
    SCHEME.verify([SECRET], both, BODY, now=NOW)


def test_without_a_separator_a_header_holds_one_signature() -> None:
    alone = scheme(separator="")
    alone.verify([SECRET], alone.sign(SECRET, BODY, at=NOW), BODY, now=NOW)


@pytest.mark.parametrize(
    ("secrets", "body", "changes", "message"),
    [
        ([SECRET], BODY + b" ", {}, "another secret, or another body"),
        (["other"], BODY, {}, "another secret, or another body"),
        ([], BODY, {}, "another secret, or another body"),
        ([SECRET], BODY, {SCHEME.header: ""}, "another secret, or another body"),
        ([SECRET], BODY, {SCHEME.header: "\udcff"}, "another secret, or another body"),
        ([SECRET], BODY, {SCHEME.timestamp_header: "1788249601"}, "another secret, or another body"),
        ([SECRET], BODY, {SCHEME.timestamp_header: "yesterday"}, "cannot be read"),
        ([SECRET], BODY, {SCHEME.timestamp_header: "-1"}, "cannot be read"),
        ([SECRET], BODY, {SCHEME.timestamp_header: "\N{ARABIC-INDIC DIGIT ONE}"}, "cannot be read"),
        ([SECRET], BODY, {SCHEME.header: None}, f"{SCHEME.header} is missing"),
        ([SECRET], BODY, {SCHEME.timestamp_header: None}, f"{SCHEME.timestamp_header} is missing"),
    ],
)
def test_what_is_not_signed_is_refused(
    secrets: list[str], body: bytes, changes: dict[str, str | None], message: str
) -> None:
    headers = {**SCHEME.sign(SECRET, BODY, at=NOW), **changes}
    with pytest.raises(SignatureError, match=message):
        SCHEME.verify(
            secrets, {name: value for name, value in headers.items() if value is not None}, body, now=NOW
        )


@pytest.mark.parametrize(("at", "message"), [(699, "301 s old; 300 s are allowed"), (1301, "301 s ahead")])
def test_a_timestamp_too_far_from_now_is_refused(at: int, message: str) -> None:
    with pytest.raises(SignatureError, match=message):
        SCHEME.verify([SECRET], SCHEME.sign(SECRET, BODY, at=at), BODY, now=1000)


@pytest.mark.parametrize("at", [700, 1300])
def test_a_timestamp_at_the_edge_of_the_tolerance_is_good(at: int) -> None:
    SCHEME.verify([SECRET], SCHEME.sign(SECRET, BODY, at=at), BODY, now=1000)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "does not say how webhook deliveries are signed"),
        ({NAME: {**FACTS, "algorithm": "md5"}}, "algorithm 'md5' is not known here; known: hmac-sha256"),
        ({NAME: {**FACTS, "encoding": "rot13"}}, "encoding 'rot13' is not known"),
        ({NAME: {**FACTS, "timestamp-format": "roman"}}, "timestamp-format 'roman' is not known"),
        ({NAME: {"header": "Sig"}}, "needs 'timestamp-header'"),
    ],
)
def test_a_scheme_that_cannot_be_followed_is_refused_at_once(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Scheme.read(document)
