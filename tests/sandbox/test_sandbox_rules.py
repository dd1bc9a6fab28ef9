"""The rules of EN 16931 that an invoice is judged by, and who its parties are."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import Sandbox
from seqino.sandbox.operations.base import buyer_of, seller_of
from seqino.sandbox.rules import JUDGED, breaches, party_key, siren_of
from seqino.sandbox.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

KNOWN = {"BT-44", "BG-25"}
SOUND: dict[str, Any] = {
    "BT-44": "Canal",
    "BG-25": [{"BT-131": "100.00"}, {"BT-131": Decimal("60.005")}],
    "BG-20": [{"BT-92": "15"}, {"BT-92": "5"}],
    "BG-21": [{"BT-99": "10"}],
    "BG-23": [{"BT-117": "20"}, {"BT-117": "10.00"}],
    "BT-106": "160.01",
    "BT-107": "20.00",
    "BT-108": "10.00",
    "BT-109": "150.01",
    "BT-110": "30.00",
    "BT-112": "180.01",
    "BT-113": "80.01",
    "BT-114": "0.40",
    "BT-115": "100.40",
}


def rules(terms: dict[str, Any]) -> list[str]:
    return [breach.rule for breach in breaches(terms, KNOWN)]


def test_a_sound_invoice_breaks_no_rule() -> None:
    assert rules(SOUND) == []


@pytest.mark.parametrize(
    ("term", "value", "broken"),
    [
        ("BT-44", "", ["BR-07"]),
        ("BG-25", [], ["BR-16"]),
        ("BT-106", "160.00", ["BR-CO-10", "BR-CO-13"]),
        ("BT-107", "19.99", ["BR-CO-11", "BR-CO-13"]),
        ("BT-108", "9.99", ["BR-CO-12", "BR-CO-13"]),
        ("BT-109", "150.00", ["BR-CO-13", "BR-CO-15"]),
        ("BT-110", "30.01", ["BR-CO-14", "BR-CO-15"]),
        ("BT-112", "180.00", ["BR-CO-15", "BR-CO-16"]),
        ("BT-113", "80.00", ["BR-CO-16"]),
        ("BT-114", "0.41", ["BR-CO-16"]),
        ("BT-115", "100.41", ["BR-CO-16"]),
        ("BT-115", "much", ["BR-CO-16"]),
        ("BT-115", "1e999", ["BR-CO-16"]),
        ("BT-115", [], ["BR-CO-16"]),
        ("BG-20", [{"BT-92": "Infinity"}], ["BR-CO-11"]),
    ],
)
def test_a_wrong_value_breaks_the_rules_that_speak_of_it(term: str, value: Any, broken: list[str]) -> None:
    assert rules({**SOUND, term: value}) == broken


@pytest.mark.parametrize("absent", ["BT-106", "BT-107", "BT-109", "BT-110", "BT-112", "BT-115", "BG-23"])
def test_a_rule_whose_terms_are_absent_is_not_judged(absent: str) -> None:
    terms = {term: value for term, value in SOUND.items() if term != absent}
    if absent == "BT-107":
        terms["BT-109"], terms["BT-112"], terms["BT-115"] = "170.01", "200.01", "120.40"
    if absent == "BT-110":
        terms["BT-112"], terms["BT-115"] = "150.01", "70.40"
    assert rules(terms) == []


def test_a_part_without_an_amount_leaves_its_sum_unjudged() -> None:
    assert rules({**SOUND, "BG-25": [{"BT-131": "1"}, {}]}) == []


def test_an_api_without_a_place_for_a_term_cannot_ask_for_it() -> None:
    assert list(breaches({}, ())) == []


@pytest.mark.parametrize(
    ("terms", "siren"),
    [
        ({"BT-30": "812345676"}, "812345676"),
        ({"BT-30": "812 345 676"}, "812345676"),
        ({"BT-30": "81234567600017"}, "812345676"),
        ({"BT-30": "812345675", "BT-31": "FR19812345676"}, "812345676"),
        ({"BT-30": "812345677"}, None),
        ({"BT-30": "HRB 123"}, None),
        ({"BT-30": "8123456760"}, None),
        ({"BT-31": "DE812345676"}, None),
        ({"BT-34": "812345676_81234567600017", "BT-34-1": "0225"}, "812345676"),
        ({"BT-34": "812345676", "BT-34-1": "0088"}, None),
        ({"BT-30": "٨١٢٣٤٥٦٧٦"}, None),
        ({}, None),
    ],
)
def test_a_siren_is_found_where_a_party_may_state_it(terms: dict[str, Any], siren: str | None) -> None:
    assert siren_of(terms, legal="BT-30", vat="BT-31", address="BT-34") == siren


def test_a_seller_without_a_siren_is_told_by_what_it_states() -> None:
    terms = {"BT-27": " De Koksmaat ", "BT-31": ""}
    assert party_key(terms, siren="812345676", others=("BT-31", "BT-27")) == "812345676"
    assert party_key(terms, siren=None, others=("BT-31", "BT-27")) == "de koksmaat"
    assert party_key({}, siren=None, others=("BT-31",)) == ""


class Watched(dict[str, Any]):
    """Terms that remember which of them were asked for."""

    def __init__(self, terms: Mapping[str, Any], asked: set[str]) -> None:
        super().__init__(terms)
        for group in ("BG-20", "BG-21", "BG-23", "BG-25"):
            if group in terms:
                self[group] = [Watched(one, asked) for one in terms[group]]
        self.asked = asked

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


def test_the_terms_that_are_read_of_a_draft_are_those_that_the_rules_ask_for() -> None:
    asked: set[str] = set()
    parties = {"BT-30": "812345676", "BT-47": "812345676", "BT-34": "812345676", "BT-49": "812345676"}
    assert list(breaches(Watched({**SOUND, **parties}, asked), KNOWN)) == []
    assert asked == JUDGED


def test_the_parties_of_a_draft_are_read_from_each_of_their_terms() -> None:
    data = Sandbox().operations.data
    for party, who in (("seller", seller_of), ("buyer", buyer_of)):
        for field in (
            {f"{party}_legal_registration_identifier": "812345676"},
            {f"{party}_vat_identifier": "FR19812345676"},
            {"electronic_address": {"value": "812345676", "scheme_id": "0225"}},
        ):
            full, read = data.draft.terms({party: field}), data.terms({party: field})
            assert full, field
            assert (who(read), who(full)) == ("812345676", "812345676"), field
    assert seller_of(data.terms({"seller": {"name": "De Koksmaat"}})) == "de koksmaat"


def test_a_part_of_a_shape_reads_its_terms_alone() -> None:
    line = Shape(fields={"id": ("BT-126", Shape()), "net": ("BT-131", Shape())})
    place = Shape(fields={"city": ("BT-37", Shape())})
    shape = Shape(
        fields={
            "number": ("BT-1", Shape()),
            "seller": ("BG-4", place),
            "lines": ("BG-25", Shape(items=line)),
            "notes": ("BG-1", Shape(items=Shape(fields={"text": ("BT-22", Shape())}))),
        }
    )
    invoice = {
        "number": "1",
        "seller": {"city": "Lille"},
        "lines": [{"id": "1", "net": "2"}, {}],
        "notes": [{"text": ""}],
    }
    assert shape.only({"BG-25", "BT-131"}).terms(invoice) == {"BG-25": [{"BT-131": "2"}, {}]}
    assert shape.only({"BT-37"}).terms(invoice) == {"BT-37": "Lille"}
    assert shape.only({"BG-25"}).terms(invoice) == {"BG-25": [{}, {}]}


def test_a_field_without_a_term_holds_none() -> None:
    shape = Shape(
        fields={"tags": (None, Shape(items=Shape())), "colour": (None, Shape()), "id": ("BT-1", Shape())}
    )
    assert shape.terms({"tags": [{}], "colour": "red", "id": "F-1", "unknown": 1}) == {"BT-1": "F-1"}
    assert shape.carry({"BT-1": "F-1"}) == {"id": "F-1"}
