"""Identifiers of the parties of an invoice: which are checked, and how a wrong one is told."""

from __future__ import annotations

import copy
import json
from typing import Any

import attrs
import pytest

from seqino import identifiers
from seqino._core import constraints
from seqino._core.codec import Codec
from seqino._core.constraints import Constraint
from seqino._core.wire import UNSET, UnsetType
from seqino._generated.tables import CONSTRAINTS, WIRE_NAMES
from seqino.errors import Fault, InvalidInput
from seqino.models import InvoiceDraft

SIREN, SIRET, VAT = "552100554", "55210055400013", "FR96552100554"
PLACE = {"city_name": "Nantes", "country_code": "FR"}

CODEC = Codec(CONSTRAINTS, WIRE_NAMES)


def draft(**parties: Any) -> dict[str, Any]:
    seller = {"name": "Atelier Bois", "postal_address": PLACE, **parties.pop("seller", {})}
    parties = {
        role: {"name": "Librairie", "postal_address": PLACE, **members} if role == "buyer" else members
        for role, members in parties.items()
    }
    return {
        "issue_date": "2026-11-20",
        "type_code": "380",
        "currency_code": "EUR",
        "seller": seller,
        **parties,
    }


def faults(given: Any, *, codec: Codec = CODEC) -> list[Fault]:
    """What is wrong with a draft; the same whether it is a mapping or a model, and at the second time."""
    found: list[list[Fault]] = []
    for value in (given, CODEC.convert(given, InvoiceDraft)) * 2:
        try:
            codec.encode(value, InvoiceDraft)
        except InvalidInput as error:
            found.append(list(error.faults))
        else:
            found.append([])
    assert all(one == found[0] for one in found)
    return found[0]


ADDRESS = "may hold letters without accents, digits, '-', '_' and '.' only, not"
DIGIT = "has a wrong check digit: was a digit mistyped?"


@pytest.mark.reconstruction
@pytest.mark.parametrize(
    ("role", "members", "path", "said", "term"),
    [
        (
            "seller",
            {
                "seller_legal_registration_identifier": "552100555",
                "seller_legal_registration_identifier_scheme": "0002",
            },
            "seller_legal_registration_identifier",
            f"'552100555' {DIGIT}",
            "BT-30",
        ),
        (
            "buyer",
            {
                "buyer_legal_registration_identifier": "12",
                "buyer_legal_registration_identifier_scheme": "0002",
            },
            "buyer_legal_registration_identifier",
            "'12' is not a SIREN, which has 9 digits",
            "BT-47",
        ),
        (
            "buyer",
            {
                "buyer_legal_registration_identifier": SIREN,
                "buyer_legal_registration_identifier_scheme": "0009",
            },
            "buyer_legal_registration_identifier",
            f"'{SIREN}' is not a SIRET, which has 14 digits",
            "BT-47",
        ),
        (
            "seller",
            {"seller_vat_identifier": "FR00552100554"},
            "seller_vat_identifier",
            f"'FR00552100554' {DIGIT}",
            "BT-31",
        ),
        (
            "buyer",
            {"buyer_vat_identifier": "FRXX"},
            "buyer_vat_identifier",
            "'FRXX' is not a French VAT number",
            "BT-48",
        ),
        (
            "buyer",
            {"buyer_vat_identifier": "fr 96 552 100 554"},
            "buyer_vat_identifier",
            f"'fr 96 552 100 554' must be written '{VAT}'",
            "BT-48",
        ),
        (
            "seller",
            {"electronic_address": {"scheme_id": "0225", "value": f"{SIREN}_é é"}},
            "electronic_address.value",
            f"'{SIREN}_é é' {ADDRESS} 'é'",
            "BT-34",
        ),
        (
            "buyer",
            {"electronic_address": {"scheme_id": "0225", "value": "999 !! garbage"}},
            "electronic_address.value",
            f"'999 !! garbage' {ADDRESS} '!'",
            "BT-49",
        ),
        (
            "seller",
            {"seller_identifier": "55210055400014", "seller_identifier_scheme": "0009"},
            "seller_identifier",
            f"'55210055400014' {DIGIT}",
            "BT-29",
        ),
        (
            "buyer",
            {"buyer_identifiers": [{"scheme_id": "0088", "value": "1"}, {"scheme_id": "0002", "value": "1"}]},
            "buyer_identifiers[1].value",
            "'1' is not a SIREN",
            "BT-46",
        ),
        ("seller", {"identifier": "1", "identifier_scheme": "0002"}, "identifier", "'1' is not a SIREN", ""),
        (
            "seller",
            {"tax_registrations": [{"scheme_id": "VA", "value": "FR1"}]},
            "tax_registrations[0].value",
            "'FR1' is not a French VAT number",
            "",
        ),
        (
            "payee",
            {
                "payee_legal_registration_identifier": "1",
                "payee_legal_registration_identifier_scheme": "0002",
            },
            "payee_legal_registration_identifier",
            "'1' is not a SIREN",
            "BT-61",
        ),
        (
            "tax_representative",
            {"tax_representative_vat_identifier": "FR1"},
            "tax_representative_vat_identifier",
            "'FR1' is not a French VAT number",
            "BT-63",
        ),
    ],
)
def test_a_wrong_identifier_is_told_with_its_place_and_its_term(
    role: str, members: dict[str, Any], path: str, said: str, term: str
) -> None:
    [fault] = faults(draft(**{role: members}))
    assert fault.path == f"$.{role}.{path}"
    assert fault.message.startswith(said)
    assert fault.message.endswith(f"({term})") == bool(term)


@pytest.mark.reconstruction
@pytest.mark.parametrize(
    "seller",
    [
        {},
        {"seller_vat_identifier": VAT},
        {"seller_vat_identifier": "FRK7399859412"},
        {"seller_vat_identifier": "DE 12"},
        {"seller_vat_identifier": None},
        {"seller_legal_registration_identifier": "12"},
        {
            "seller_legal_registration_identifier": "HRB 12",
            "seller_legal_registration_identifier_scheme": None,
        },
        {
            "seller_legal_registration_identifier": "HRB 12",
            "seller_legal_registration_identifier_scheme": "0204",
        },
        {"seller_legal_registration_identifier_scheme": "0002"},
        {"seller_legal_registration_identifier": None, "seller_legal_registration_identifier_scheme": "0002"},
        {
            "seller_legal_registration_identifier": SIREN,
            "seller_legal_registration_identifier_scheme": "0002",
        },
        {"seller_identifier": SIRET, "seller_identifier_scheme": "0009"},
        {"electronic_address": {"scheme_id": "0088", "value": "1234567890123"}},
        {"electronic_address": {"value": "é"}},
        {"electronic_address": {"scheme_id": "0002", "value": "é"}},
        {"electronic_address": {"scheme_id": "0225", "value": f"{SIREN}_{SIRET}_A.B"}},
        {"electronic_address": {"scheme_id": "0225"}},
        {"tax_registrations": [{"scheme_id": "FC", "value": "FR1"}, {"scheme_id": "VA", "value": "BE 1"}]},
    ],
)
def test_what_is_right_foreign_or_not_there_yet_passes(seller: dict[str, Any]) -> None:
    assert faults(draft(seller=seller)) == []


@pytest.mark.reconstruction
def test_test_numbers_pass_where_check_digits_do_not_count_and_nothing_else() -> None:
    number = {
        "seller_legal_registration_identifier": "123456789",
        "seller_legal_registration_identifier_scheme": "0002",
        "seller_vat_identifier": "FR00123456789",
        "electronic_address": {"scheme_id": "0225", "value": "123456789_12345678900011"},
    }
    assert len(faults(draft(seller=number))) == 3
    assert faults(draft(seller=number), codec=CODEC.lenient) == []
    number["electronic_address"] = {"scheme_id": "0225", "value": "123456789_é"}
    [fault] = faults(draft(seller=number), codec=CODEC.lenient)
    assert "(BT-34)" in fault.message
    # What was right there is still wrong here.
    assert len(faults(draft(seller=number))) == 3


# --- Where the scheme stands


@attrs.define(kw_only=True)
class Party:
    number: str | UnsetType | None = UNSET
    class_: str | UnsetType = UNSET


BY_CLASS = Codec(
    {Party: {"number": Constraint(by_scheme={"0002": "siren"}, scheme="class_")}},
    {Party: {"class_": "class"}},
)


@pytest.mark.parametrize(
    "value", [{"number": "1", "class": "0002"}, Party(number="1", class_="0002")], ids=["mapping", "model"]
)
def test_the_scheme_is_found_under_its_name_on_the_wire(value: Any) -> None:
    with pytest.raises(InvalidInput, match="'1' is not a SIREN"):
        BY_CLASS.encode(value, Party)
    assert json.loads(BY_CLASS.encode(Party(number="1", class_="0003"), Party)) == {
        "number": "1",
        "class": "0003",
    }


@pytest.mark.parametrize("scheme", [["0002"], {"0002": 1}, 2])
def test_a_scheme_of_a_wrong_type_is_the_one_fault(scheme: Any) -> None:
    wrong = {"number": "1", "class": scheme}
    with pytest.raises(InvalidInput) as caught:
        BY_CLASS.encode(wrong, Party)
    assert [fault.path for fault in caught.value.faults] == ["$.class"]
    model = CODEC.convert(draft(), InvoiceDraft)
    model.seller.seller_identifier, model.seller.seller_identifier_scheme = "1", scheme
    with pytest.raises(InvalidInput) as caught:
        CODEC.encode(model, InvoiceDraft)
    assert [fault.path for fault in caught.value.faults] == ["$.seller.seller_identifier_scheme"]


def test_a_verdict_is_remembered_for_so_many_identifiers_at_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered: dict[Any, set[str]] = {}
    monkeypatch.setattr(constraints, "_RIGHT", remembered)
    monkeypatch.setattr(constraints, "_MOST_REMEMBERED", 2)
    codec = Codec({Party: {"number": Constraint(identifier="siren")}})
    asked: list[str] = []

    def noted(kind: Any, text: str, *, check_digits: bool) -> str:
        asked.append(text)
        return identifiers.fault(kind, text, check_digits=check_digits)

    monkeypatch.setattr(constraints, "fault", noted)
    for number in (SIREN, SIREN, "303265045", SIREN, "812345676", SIREN):
        codec.encode(Party(number=number), Party)
    assert asked == [SIREN, "303265045", "812345676", SIREN]
    assert remembered == {("siren", True): {"812345676", SIREN}}
    with pytest.raises(InvalidInput):
        codec.encode(Party(number="1" * 9), Party)
    assert remembered == {("siren", True): {"812345676", SIREN}}


def test_a_draft_is_not_changed_by_being_checked() -> None:
    given = draft(seller={"seller_vat_identifier": VAT})
    before = copy.deepcopy(given)
    assert faults(given) == []
    assert given == before
