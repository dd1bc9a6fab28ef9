"""Keys, digests and addresses in one form."""

from __future__ import annotations

import datetime as dt

import pytest

from seqino.batch.keys import canonical, check_name, digest, file_key, normalise_server
from seqino.documents import Document
from seqino.errors import ConfigurationError, InvalidInput, MissingExtra

DOCUMENT = Document(
    name="f.xml", syntax="ubl", number="F/1", issue_date=dt.date(2026, 9, 1), seller="123456782"
)


def test_the_order_of_members_makes_no_other_draft() -> None:
    one = canonical(b'{"b":{"y":1,"x":["2.00"]},"a":null}')
    assert one == canonical(b'{"a":null,"b":{"x":["2.00"],"y":1}}') == b'{"a":null,"b":{"x":["2.00"],"y":1}}'
    assert digest(one) != digest(canonical(b'{"a":null,"b":{"x":["2.0"],"y":1}}'))


def test_a_files_key_is_seller_number_and_year() -> None:
    assert file_key(DOCUMENT) == "123456782/F/1/2026"


def test_a_file_that_lacks_them_needs_a_key_of_the_caller() -> None:
    with pytest.raises(InvalidInput, match="has no seller and number from which a key"):
        file_key(Document(name="f.xml", syntax="ubl", issue_date=dt.date(2026, 9, 1)))


def test_a_pdf_that_cannot_be_read_names_the_extra() -> None:
    with pytest.raises(MissingExtra):
        file_key(Document(name="f.pdf", syntax="factur-x", unread=True))


@pytest.mark.parametrize("value", ["", "x" * 256, "a\nb", "a\x00b", None, 5, b"k"])
def test_a_key_is_a_printable_text(value: object) -> None:
    with pytest.raises(InvalidInput, match="key must be a printable text of 1 to 255 characters"):
        check_name("key", value)


@pytest.mark.parametrize("value", [" a", "a "])
def test_a_key_has_no_blanks_around_it(value: str) -> None:
    with pytest.raises(InvalidInput, match="blanks around"):
        check_name("key", value)


def test_a_key_may_hold_any_letters() -> None:
    assert check_name("key", "Facture n° 12/é") == "Facture n° 12/é"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("dev", "https://pdp.seqino.dev/api"),
        ("local", "http://localhost:8052"),
        ("HTTPS://PDP.Seqino.DEV:443/api/", "https://pdp.seqino.dev/api"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:8052/", "http://[::1]:8052"),
        ("https://user:secret@pdp.example/api", "https://pdp.example/api"),
    ],
)
def test_one_server_has_one_address(given: str, expected: str) -> None:
    assert normalise_server(given) == expected


@pytest.mark.parametrize("given", ["", "prod", "ftp://x", "http://", "http://x:port", "http://[::1"])
def test_what_is_no_server_is_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match="the server must be one of dev, local"):
        normalise_server(given)


def test_a_password_in_an_address_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        normalise_server("ftp://user:hidden-word@pdp.example")
    assert "hidden-word" not in str(caught.value)
