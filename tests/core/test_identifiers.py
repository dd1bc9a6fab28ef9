"""French identifiers, alone and on the way out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seqino import api, identifiers, models
from seqino._core.codec import Codec
from seqino._core.constraints import Constraint
from seqino._generated.tables import CONSTRAINTS
from seqino.client import SeqinoClient
from seqino.errors import InvalidInput
from seqino.identifiers import (
    AddressForm,
    FrenchAddress,
    check,
    check_address,
    check_routing_code,
    check_siren,
    check_siret,
    check_suffix,
    check_vat_number,
    siren_of_vat_number,
    vat_number_of_siren,
)

if TYPE_CHECKING:
    from seqino._core.wire import IdentifierKind

SIREN, SIRET = "552100554", "55210055400013"


@pytest.mark.parametrize("text", ["552100554", " 552 100 554 ", "552.100.554", "552\u00a0100\u202f554"])
def test_a_siren_is_read_as_people_write_it(text: str) -> None:
    assert check_siren(text) == SIREN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "siren: '' is not a SIREN, which has 9 digits"),
        ("55210055", "9 digits"),
        ("5521005544", "9 digits"),
        ("55210055A", "9 digits"),
        ("FR552100554", "9 digits"),
        ("\uff15\uff15\uff12\uff11\uff10\uff10\uff15\uff15\uff14", "9 digits"),
        ("552100555", "has a wrong check digit: was a digit mistyped\\? check_digits=False"),
        ("123456789", "wrong check digit"),
        ("5" * 90, "'5555555555555555555555555555555555555555' is not"),
    ],
)
def test_what_is_no_siren_is_refused_with_what_to_do(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        check_siren(text)


def test_a_number_is_refused_as_it_would_lose_its_zeros() -> None:
    number: Any = 5560070
    with pytest.raises(InvalidInput, match="buyer must be text, not 5560070"):
        check_siren(number, where="buyer")


def test_a_test_number_is_let_through_but_no_other_text() -> None:
    assert check_siren("123456789", check_digits=False) == "123456789"
    with pytest.raises(InvalidInput, match="9 digits"):
        check_siren("12345678", check_digits=False)


@pytest.mark.parametrize(
    "text",
    [
        SIRET,
        "552 100 554 00013",
        "35600000000048",  # La Poste, head office: an ordinary check digit
        "35600000049837",  # La Poste, a post office: sum of digits divisible by 5
    ],
)
def test_a_siret_is_read_that_of_a_post_office_too(text: str) -> None:
    assert check_siret(text) == text.replace(" ", "")


@pytest.mark.parametrize(
    "text", ["55210055400014", "35600000049838", "5521005540001", "35600000000049", SIREN]
)
def test_what_is_no_siret_is_refused(text: str) -> None:
    with pytest.raises(
        InvalidInput, match=f"siret: '{text}' (is not a SIRET, which has 14|has a wrong check)"
    ):
        check_siret(text)


def test_a_siret_belongs_to_its_company() -> None:
    assert check_siret(SIRET, siren=SIREN) == SIRET
    with pytest.raises(InvalidInput, match=f"{SIRET} belongs to the company {SIREN}, not to 356000000"):
        check_siret(SIRET, siren="356000000")
    assert check_siret("55210055400014", check_digits=False) == "55210055400014"


def test_the_company_beside_it_is_read_as_people_write_it_and_has_to_be_one() -> None:
    assert check_siret(SIRET, siren="552 100 554") == SIRET
    assert check_address(f"{SIREN}_A", siren="552.100.554").siren == SIREN
    for wrong in ("", "5521", "552100555"):
        with pytest.raises(InvalidInput, match=f"^siren: '{wrong}'"):
            check_siret(SIRET, siren=wrong)
        with pytest.raises(InvalidInput, match=f"^siren: '{wrong}'"):
            check_address(SIREN, siren=wrong)
    test_number = "123456789"
    assert check_address(test_number, siren=test_number, check_digits=False).siren == test_number


@pytest.mark.parametrize("check_digits", [True, False])
def test_zeros_alone_are_nobody(check_digits: bool) -> None:  # noqa: FBT001 - a parameter of the test
    zeros: dict[IdentifierKind, str] = {"siren": "0" * 9, "siret": "0" * 14, "vat_number": "FR12000000000"}
    for kind, text in zeros.items():
        with pytest.raises(InvalidInput, match=f"'{text}' has zeros alone for a SIREN, which nobody has"):
            check(kind, text, where="x", check_digits=check_digits)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("FR40303265045", "FR40303265045"),
        ("fr 40 303 265 045", "FR40303265045"),
        ("FR-40.303.265.045", "FR40303265045"),
        ("FRK7399859412", "FRK7399859412"),
        ("FR4Z123456782", "FR4Z123456782"),
        ("FR53000004605", "FR53000004605"),  # Monaco
    ],
)
def test_a_vat_number_is_read_with_either_kind_of_key(text: str, normal: str) -> None:
    assert check_vat_number(text) == normal


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("40303265045", "which has FR"),
        ("DE303265045", "which has FR"),
        ("FRIO334175221", "which has FR"),
        ("FR4030326504", "which has FR"),
        ("FR41303265045", "wrong check digit"),
        ("FR84323140391", "wrong check digit"),
    ],
)
def test_what_is_no_french_vat_number_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        check_vat_number(text)


def test_a_company_and_its_vat_number() -> None:
    assert siren_of_vat_number("FR 40 303265045") == "303265045"
    assert siren_of_vat_number("FR53000004605") is None
    assert vat_number_of_siren("303 265 045") == "FR40303265045"
    assert check_vat_number("FR41303265045", check_digits=False) == "FR41303265045"


@given(st.integers(0, 10**8 - 1))
def test_every_company_has_a_vat_number_that_is_one(number: int) -> None:
    assume(number >= 100_000)  # below, it would be one of Monaco
    numbers = [f"{number:08}{digit}" for digit in range(10)]
    [siren] = [each for each in numbers if not identifiers.fault("siren", each)]
    assert siren_of_vat_number(vat_number_of_siren(siren)) == siren


# --- Electronic addresses


@pytest.mark.parametrize(
    ("text", "address", "form"),
    [
        (SIREN, FrenchAddress(siren=SIREN), AddressForm.SIREN),
        (f" {SIREN} ", FrenchAddress(siren=SIREN), AddressForm.SIREN),
        (f"{SIREN}_{SIRET}", FrenchAddress(siren=SIREN, siret=SIRET), AddressForm.SIREN_SIRET),
        (
            f"{SIREN}_{SIRET}_SERVICE-1.a_b",
            FrenchAddress(siren=SIREN, siret=SIRET, routing_code="SERVICE-1.a_b"),
            AddressForm.SIREN_SIRET_ROUTING,
        ),
        (f"{SIREN}_COMPTA", FrenchAddress(siren=SIREN, suffix="COMPTA"), AddressForm.SIREN_SUFFIX),
        (f"{SIREN}_a_b", FrenchAddress(siren=SIREN, suffix="a_b"), AddressForm.SIREN_SUFFIX),
        (f"{SIREN}_1234", FrenchAddress(siren=SIREN, suffix="1234"), AddressForm.SIREN_SUFFIX),
    ],
)
def test_an_address_is_taken_apart(text: str, address: FrenchAddress, form: AddressForm) -> None:
    found = check_address(text)
    assert (found, found.form, str(found)) == (address, form, text.strip())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("COMPTA", "must begin with a SIREN, and 'COMPTA' is not a SIREN"),
        ("552100555_A", "must begin with a SIREN, and '552100555' has a wrong check digit"),
        (f"{SIREN}_", "a SIRET or a suffix is missing"),
        (f"{SIREN}_{SIRET}_", "a routing code is missing"),
        (f"{SIREN}_55210055400014", "has a SIRET, '55210055400014', that has a wrong check digit"),
        (f"{SIREN}_35600000000048", "of another company than its SIREN"),
        (f"{SIREN}_COMPTÉ", "letters without accents"),
        (f"{SIREN}_A B", "letters without accents"),
        (f"{SIREN}_{'A' * 116}", "has 126 characters, and at most 125"),
        (f"0225:{SIREN}", "letters without accents"),
    ],
)
def test_what_is_no_address_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=f"BT-49: .*{said}"):
        check_address(text, where="BT-49")


def test_an_address_begins_with_its_company() -> None:
    assert check_address(f"{SIREN}_A", siren=SIREN).suffix == "A"
    with pytest.raises(InvalidInput, match=f"is of the company {SIREN}, not of 356000000"):
        check_address(SIREN, siren="356000000")
    assert check_address("123456789_A", check_digits=False).siren == "123456789"
    assert check_address("552.100.554").value == SIREN


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("552 100 554", SIREN),
        ("552.100.554_COMPTA", f"{SIREN}_COMPTA"),
        ("552100554_552.100.554.00013", f"{SIREN}_{SIRET}"),
        ("552100554 _ 552 100 554 00013_A.B", f"{SIREN}_{SIRET}_A.B"),
        ("552100554_1.2.3", f"{SIREN}_1.2.3"),
    ],
)
def test_blanks_and_dots_in_the_numbers_of_an_address_are_dropped(text: str, value: str) -> None:
    assert check_address(text).value == value


def test_a_blank_in_a_suffix_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"'-', '_' and '\.' only, not ' '"):
        check_address(f"{SIREN}_A B")


@pytest.mark.parametrize("text", [SIRET, f"{SIRET}_A", "55210055400014", "552.100.554.00013"])
def test_14_digits_are_never_a_suffix(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"begins with 14 digits, .*: give them as the SIRET"):
        check_suffix(text)
    assert check_suffix(text[:13]) == text[:13]
    assert check_suffix(f"{SIRET}0") == f"{SIRET}0"


PARTS = st.from_regex(r"\A[A-Za-z0-9._-]{1,100}\Z")


@given(PARTS)
def test_an_address_is_written_as_it_was_read(part: str) -> None:
    for head in (SIREN, f"{SIREN}_{SIRET}"):
        text = f"{head}_{part}"
        if identifiers.fault("address", text):
            # A suffix that looks like an establishment.
            assert part.partition("_")[0].replace(".", "").isdigit()
        else:
            assert check_address(text).value == text


@pytest.mark.parametrize(("kind", "most"), [("routing_code", 100), ("suffix", 115)])
def test_the_parts_of_an_address_fit_into_it(kind: Any, most: int) -> None:
    whole = check(kind, "A" * most, where="x")
    head = SIREN if kind == "suffix" else f"{SIREN}_{SIRET}"
    assert len(check_address(f"{head}_{whole}").value) == 125
    with pytest.raises(InvalidInput, match=f"at most {most}"):
        check(kind, "A" * (most + 1), where="x")
    assert check_suffix(" A ") == check_routing_code("A ") == "A"
    with pytest.raises(InvalidInput, match="leave it out where there is no suffix"):
        check_suffix(" ")


# --- On the way out


@attrs.define(kw_only=True)
class Line:
    siren: str | None = None


CODEC = Codec({Line: {"siren": Constraint(identifier="siren")}})


@pytest.mark.parametrize("value", [Line(siren="552 100 554"), {"siren": "552 100 554"}])
def test_in_a_body_an_identifier_is_not_corrected_but_refused_with_its_right_form(value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        CODEC.encode(value, Line)
    assert caught.value.faults == (("$.siren", f"'552 100 554' must be written '{SIREN}'"),)
    assert json.loads(CODEC.encode(Line(siren=SIREN), Line)) == {"siren": SIREN}
    assert json.loads(CODEC.encode(Line(), Line)) == {"siren": None}


def test_a_lenient_codec_lets_test_numbers_through_and_nothing_else() -> None:
    with pytest.raises(InvalidInput, match="wrong check digit"):
        CODEC.encode(Line(siren="123456789"), Line)
    assert CODEC.lenient is CODEC.lenient
    assert json.loads(CODEC.lenient.encode(Line(siren="123456789"), Line)) == {"siren": "123456789"}
    with pytest.raises(InvalidInput, match="9 digits"):
        CODEC.lenient.encode(Line(siren="12345678"), Line)


@pytest.mark.reconstruction
def test_the_identifiers_of_the_api_are_checked() -> None:
    kinds = {name: limits.identifier for name, limits in CONSTRAINTS[models.DirectoryEntry].items()}
    assert kinds == {
        "siren": "siren",
        "siret": "siret",
        "suffix": "suffix",
        "routing_identifier": "routing_code",
        "name": None,
    }
    assert CONSTRAINTS[models.PaymentRecord]["client_siren"].identifier == "siren"


def client(**more: Any) -> SeqinoClient:
    return SeqinoClient("key-1", client_id="c-1", base_url="http://127.0.0.1:1/api", max_retries=0, **more)


MANDATE: dict[str, Any] = {
    "start_date": "2026-09-01T08:00:00Z",
    "directory_entry": {"siren": "123456789", "name": "Dupain", "siret": SIRET, "suffix": "A B"},
}


async def test_a_bad_identifier_is_refused_before_anything_is_sent() -> None:
    async with client() as made:
        with pytest.raises(InvalidInput, match="get_directory_entry: siren: '12' is not a SIREN"):
            await made.directory.get("12")
        with pytest.raises(
            InvalidInput, match="get_directory_entries_by_siren: siren: '123456789' has a wrong"
        ):
            await made.mandates.list_directory_entries("123456789").to_list()
        with pytest.raises(InvalidInput, match="wrong check digit"):
            await api.directory.get_directory_entry(made, "123456789")
        with pytest.raises(InvalidInput) as caught:
            await made.mandates.create(MANDATE)
        assert [fault.path for fault in caught.value.faults] == [
            "$.directory_entry.siren",
            "$.directory_entry.suffix",
        ]
