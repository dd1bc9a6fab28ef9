"""Writing: what is checked before anything is sent, and how it is written."""

from __future__ import annotations

import datetime as dt
import enum
import json
import types
import uuid
from decimal import Context, Decimal, localcontext
from typing import Any, Literal

import attrs
import pytest

from seqino._core.codec import Codec
from seqino._core.constraints import Constraint
from seqino._core.shortcuts import fill_in_defaults
from seqino._core.wire import JSON, UNSET, OpenEnum, UnsetType
from seqino.errors import InvalidInput


class Unit(OpenEnum):
    HOUR = "HUR"


class Level(enum.IntEnum):
    ONE = 1


@attrs.define(kw_only=True)
class Line:
    quantity: Decimal
    price: Decimal | UnsetType | None = UNSET
    unit: Unit | UnsetType = UNSET
    note: str | UnsetType | None = UNSET


@attrs.define(kw_only=True)
class Order:
    number: str
    lines: list[Line] | UnsetType = UNSET
    due: dt.date | UnsetType = UNSET
    sent: dt.datetime | UnsetType = UNSET
    at: dt.time | UnsetType = UNSET
    copies: int | UnsetType = UNSET
    share: float | UnsetType = UNSET
    urgent: bool | UnsetType = UNSET
    custom: dict[str, JSON] | UnsetType = UNSET
    anything: Any = UNSET
    reference: uuid.UUID | UnsetType = UNSET
    kind: Literal["a", "b"] | UnsetType = UNSET
    level: Level | UnsetType = UNSET
    parent: Order | UnsetType = UNSET
    either: list[Line] | Line | UnsetType | None = UNSET
    wish: dict[str, Decimal] | Decimal | str | UnsetType = UNSET


ZONELESS = "a date and time needs its offset from UTC: give it a tzinfo, such as datetime.timezone.utc"
LIMITS = {
    Order: {
        "number": Constraint(min_length=1, max_length=5, pattern="^[A-Z0-9]+$"),
        "lines": Constraint(min_items=1, max_items=2),
        "copies": Constraint(minimum=1, maximum=9),
        "either": Constraint(max_items=1),
        "level": Constraint(maximum=5),
        "anything": Constraint(max_length=20),
    },
    Line: {
        "quantity": Constraint(exclusive_minimum=0, exclusive_maximum=Decimal("99.5")),
        "note": Constraint(pattern="a|b\\$"),
        "unit": Constraint(max_length=3),
    },
}


def written(value: Any, form: Any = Order, **options: Any) -> Any:
    return json.loads(Codec(LIMITS).encode(value, form, **options))


def faults(value: Any, form: Any = Order, **options: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput, match="nothing was sent") as caught:
        Codec(LIMITS).encode(value, form, **options)
    return dict(caught.value.faults)


def line(**fields: Any) -> Line:
    return Line(quantity=fields.pop("quantity", Decimal(1)), **fields)


def test_a_model_and_its_mapping_are_written_alike() -> None:
    moment = dt.datetime(2026, 1, 31, 8, 30, tzinfo=dt.UTC)
    order = Order(
        number="A1", lines=[line(price=None, unit=Unit.HOUR)], due=dt.date(2026, 1, 31), sent=moment,
        at=dt.time(8), copies=2, urgent=False, custom={"a": [1, None, True, "x"]}, kind="a", share=1.5,
        level=Level.ONE,
    )  # fmt: skip
    expected = {
        "number": "A1", "lines": [{"quantity": "1", "price": None, "unit": "HUR"}], "due": "2026-01-31",
        "sent": "2026-01-31T08:30:00Z", "at": "08:00:00", "copies": 2, "share": 1.5, "urgent": False,
        "custom": {"a": [1, None, True, "x"]}, "kind": "a", "level": 1,
    }  # fmt: skip
    assert written(order) == expected
    assert written(expected) == expected
    codec = Codec()
    assert codec.encode(order, Order) == codec.encode(order, Order)


def test_open_members_of_a_model() -> None:
    values: tuple[Any, ...] = (
        {"a": [1, {"b": Decimal("1.50")}]},
        {"a": {}, "b": "x", "c": None, "d": 7},
        {"a": (1,)},
        {"a": Level.ONE},
    )
    assert written(Order(number="A", anything=None)) == {"number": "A", "anything": None}
    assert written({"number": "A", "anything": None}) == {"number": "A", "anything": None}
    for custom in values:
        read = written(Order(number="A", custom=custom, anything=[custom]))
        assert read["anything"] == [read["custom"]]
    assert faults(Order(number="A", anything=10**100)) == {"$.anything": "has more than 100 digits"}
    assert faults(Order(number="A", anything={"a": {1: 1}})).keys() == {"$.anything.a"}
    assert faults(Order(number="A", anything=[Order(number="A")])).keys() == {"$.anything[0]"}


def test_a_model_within_a_model_of_its_kind() -> None:
    for parent in ({"number": "B", "new": 1}, Order(number="B")):
        assert written({"number": "A", "parent": parent})["parent"]["number"] == "B"
    assert faults({"number": "A", "parent": {"number": 1}}).keys() == {"$.parent.number"}


def test_what_is_absent_is_left_out() -> None:
    assert written(Order(number="A")) == {"number": "A"}
    assert written({"number": "A", "due": UNSET, "custom": {"a": UNSET, "b": 1}, "new": UNSET}) == {
        "number": "A",
        "custom": {"b": 1},
    }


@pytest.mark.parametrize(
    ("number", "text"),
    [("1E+2", "100"), ("1.50", "1.50"), ("0E-10", "0.0000000000"), ("-0.0", "-0.0"), ("1E-7", "0.0000001")],
)
def test_decimals_are_written_in_plain_notation(number: str, text: str) -> None:
    assert written({"a": Decimal(number)}, dict[str, Decimal]) == {"a": text}
    assert written(line(price=Decimal(number)), Line)["price"] == text
    assert written({"number": "A", "anything": Decimal(number)}) == {"number": "A", "anything": text}


def test_the_notation_does_not_depend_on_the_context() -> None:
    with localcontext(Context(capitals=0)):
        assert written(line(price=Decimal("1E+2")), Line)["price"] == "100"


def test_subclasses_and_other_collections_are_written_as_what_they_are() -> None:
    class Text(str):
        __slots__ = ()

    class Money(Decimal):
        pass

    assert written(
        {
            "number": Text("A"),
            "lines": ({"quantity": Money("1.50")},),
            "custom": types.MappingProxyType({"a": (Level.ONE,)}),
        }
    ) == {"number": "A", "lines": [{"quantity": "1.50"}], "custom": {"a": [1]}}


def test_whole_numbers_and_plain_text_pass_for_amounts() -> None:
    assert written(line(price=3), Line)["price"] == 3
    assert written(line(price="3.00"), Line)["price"] == "3.00"
    assert written(line(price="1E+2"), Line)["price"] == "100"


def test_members_that_the_description_does_not_know_are_sent() -> None:
    assert written({"number": "A", "invented": {"x": [Decimal("1.0")]}})["invented"] == {"x": ["1.0"]}


def test_unknown_values_of_open_enums_are_sent() -> None:
    assert written(line(unit=Unit("XYZ")), Line)["unit"] == "XYZ"
    assert written(line(unit="XYZ"), Line)["unit"] == "XYZ"


def test_one_or_many_or_something_else() -> None:
    assert written(Order(number="A", either=line()))["either"] == {"quantity": "1"}
    assert written(Order(number="A", either=[line()]))["either"] == [{"quantity": "1"}]
    assert written(Order(number="A", either=None))["either"] is None
    assert written(Order(number="A", wish="free text"))["wish"] == "free text"
    assert written(Order(number="A", wish={"x": Decimal(1)}))["wish"] == {"x": "1"}
    assert written({"a": (None, "x"), "b": None}, dict[str, str | Any]) == {"a": [None, "x"], "b": None}


def test_every_fault_is_named_with_its_place() -> None:
    value = {
        "number": "",
        "lines": [
            {"quantity": 1.5, "unit": 3},
            {"price": Decimal("NaN"), "note": "c"},
            {"quantity": True},
            7,
        ],
        "due": dt.datetime(2026, 1, 31, tzinfo=dt.UTC),
        "sent": dt.datetime(2026, 1, 31),  # noqa: DTZ001 - the fault
        "at": "25:00",
        "copies": 0,
        "share": float("inf"),
        "urgent": "yes",
        "custom": {"f": 0.1, "b": b"x", "d": {1: 2}},
        "reference": "12",
        "kind": "c",
        "level": 7,
        "parent": [],
        "either": 3,
        "wish": [],
        "new": float("nan"),
        "anything": object(),
    }
    assert faults(value) == {
        "$.number": "does not match the pattern ^[A-Z0-9]+$",
        "$.lines[0].quantity": 'a float does not hold decimal digits exactly: write Decimal("1.5")',
        "$.lines[0].unit": "expected one of Unit, found a whole number",
        "$.lines[1].price": "must be finite and have at most 100 digits on each side of the point",
        "$.lines[1].note": "does not match the pattern a|b\\$",
        "$.lines[1].quantity": "is missing",
        "$.lines[2].quantity": "expected a decimal number, found true or false",
        "$.lines[3]": "expected Line or a mapping, found a whole number",
        "$.due": "expected a date such as 2026-01-31, found a date and time",
        "$.sent": ZONELESS,
        "$.at": "expected a time such as 08:30:00, found '25:00'",
        "$.copies": "must be 1 or more",
        "$.share": "inf is no JSON number",
        "$.urgent": "expected true or false, found text",
        "$.custom.f": 'a float does not hold decimal digits exactly: write Decimal("0.1")',
        "$.custom.b": "is no JSON: bytes",
        "$.custom.d": "names of members must be text, found 1",
        "$.reference": "expected a UUID, found '12'",
        "$.kind": "expected 'a' or 'b', found text",
        "$.level": "expected one of Level, found a whole number",
        "$.parent": "expected Order or a mapping, found a list",
        "$.either": "expected a list or an object or null, found a whole number",
        "$.wish": "expected an object or a decimal number or text, found a list",
        "$.new": "nan is no JSON number",
        "$.anything": "is no JSON: object",
    }


def test_null_only_where_the_description_allows_it() -> None:
    assert faults(Order(number="A", due=None)) == {  # type: ignore[arg-type] # the fault
        "$.due": "must not be null; to leave it out, give UNSET or nothing"
    }
    assert faults({"number": None}).keys() == {"$.number"}


def test_limits_of_the_description() -> None:
    limits = Codec(LIMITS)
    assert limits.encode(Order(number="A1", copies=9, level=Level.ONE, either=[line()]), Order)
    assert faults(Order(number="ABCDEF")) == {"$.number": "has 6 characters, and at most 5 are allowed"}
    assert faults(Order(number="A\n")) == {"$.number": "does not match the pattern ^[A-Z0-9]+$"}
    assert faults(Order(number="A", lines=[])) == {"$.lines": "has 0 items, and needs at least 1"}
    assert faults(Order(number="A", lines=[line()] * 3)) == {
        "$.lines": "has 3 items, and at most 2 are allowed"
    }
    assert faults(Order(number="A", copies=10)) == {"$.copies": "must be 9 or less"}
    assert faults(line(quantity=Decimal(0)), Line) == {"$.quantity": "must be more than 0"}
    assert faults(line(quantity=Decimal("NaN")), Line).keys() == {"$.quantity"}
    assert faults(line(quantity="99.5"), Line) == {"$.quantity": "must be less than 99.5"}
    assert written(line(unit=Unit.HOUR), Line)["unit"] == "HUR"
    assert faults(line(unit=Unit("HOURS")), Line) == {"$.unit": "has 5 characters, and at most 3 are allowed"}
    assert faults(Order(number="A", anything="x" * 21)) == {
        "$.anything": "has 21 characters, and at most 20 are allowed"
    }
    assert faults({"number": ""})["$.number"] == "does not match the pattern ^[A-Z0-9]+$"


def test_dates_and_times_are_not_confused() -> None:
    assert faults(Order(number="A", sent=dt.date(2026, 1, 31))) == {  # type: ignore[arg-type] # the fault
        "$.sent": "expected a date and time such as 2026-01-31T08:30:00+01:00, found a date"
    }
    naive = dt.datetime(2026, 1, 31)  # noqa: DTZ001 - the fault
    assert faults(Order(number="A", sent=naive)) == {"$.sent": ZONELESS}
    assert faults({"number": "A", "sent": "2026-01-31T08:30:00"})["$.sent"].startswith(
        "a date and time needs"
    )
    assert "$.custom.x" in faults({"number": "A", "custom": {"x": dt.datetime(2026, 1, 1)}})  # noqa: DTZ001 - as above


def test_kinds_that_python_takes_for_one_another_are_told_apart() -> None:
    assert faults({"number": "A", "level": True}).keys() == {"$.level"}
    assert faults({"number": "A", "level": Decimal(1)}).keys() == {"$.level"}
    assert faults({"number": "A", "copies": True}).keys() == {"$.copies"}
    assert faults({"number": 1}) == {"$.number": "expected text, found a whole number"}
    assert faults({"number": "A", "lines": {}}) == {"$.lines": "expected a list, found an object"}
    assert faults({"number": "A", "custom": []}) == {"$.custom": "expected an object, found a list"}
    assert faults({"number": "A", "share": "1"}) == {"$.share": "expected a number, found text"}
    assert written({"number": "A", "share": 1})["share"] == 1
    assert written({"number": Unit.HOUR})["number"] == "HUR"


def test_half_a_character_is_a_fault() -> None:
    told = "is no valid Unicode text: a lone surrogate at character 1"
    assert faults(Order(number="A", wish="a\ud800")) != {}
    assert faults(line(note="a\ud800"), Line) == {"$.note": told}
    assert faults({"a\ud800": 1}, dict[str, JSON]) == {"$": told}


def test_numbers_too_long_are_faults() -> None:
    assert faults(Order(number="A", copies=10**100)).keys() == {"$.copies"}
    assert faults(line(price=Decimal("1E+100")), Line).keys() == {"$.price"}
    assert faults(line(price=10**100), Line) == {"$.price": "has more than 100 digits"}
    assert faults(line(price="1_000"), Line) == {
        "$.price": "expected a plain decimal number such as 12.50, found '1_000'"
    }


def test_a_deleted_field_is_named() -> None:
    order = Order(number="A")
    del order.number
    assert faults(order) == {"$.number": "is missing"}


def test_a_value_within_itself_is_refused() -> None:
    order = Order(number="A")
    order.parent = order
    with pytest.raises(InvalidInput, match="contains itself"):
        Codec().encode(order, Order)
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidInput, match="contains itself"):
        Codec().encode(Order(number="A", anything=endless), Order)


def test_the_faults_of_a_huge_value_are_counted_not_listed() -> None:
    told = faults({"number": "A", "custom": {"x": [1.5] * 5_000}})
    assert len(told) == 101
    assert told["$"] == "and 4900 more"


def test_extra_members_are_added() -> None:
    assert written(Order(number="A"), extra={"later": [Decimal("1.0")]}) == {"number": "A", "later": ["1.0"]}
    assert written({"number": "A", "due": UNSET}, extra={"due": "2026-01-31"})["due"] == "2026-01-31"
    assert written(Order(number="A"), extra={}) == {"number": "A"}


def test_extra_members_replace_nothing() -> None:
    assert faults(Order(number="A"), extra={"number": "B", "x": 1.5}) == {
        "$.number": "is given twice: in the body and as an extra member",
        "$.x": 'a float does not hold decimal digits exactly: write Decimal("1.5")',
    }
    assert faults([1], list[int], extra={"x": 1}) == {"$": "extra members can be added to an object only"}


def test_filled_in_defaults_do_not_touch_what_a_program_makes() -> None:
    field: Any = attrs.field
    fields = {f"f{number}": field(default=UNSET, type=str | UnsetType) for number in range(9)}
    model = attrs.make_class("Wide", fields | {"many": field(factory=list, type=list[str])}, kw_only=True)
    frozen = attrs.make_class("Frozen", fields, kw_only=True, frozen=True)
    narrow = attrs.make_class("Narrow", {"a": field(default=1, type=int)})
    for each in (model, frozen, narrow, model):
        fill_in_defaults(each)
    assert "__attrs_pre_init__" in vars(model)
    assert "__attrs_pre_init__" not in vars(frozen)
    assert "__attrs_pre_init__" not in vars(narrow)
    codec = Codec()
    assert codec.decode(b'{"f3":"x"}', model) == model(f3="x")
    wide: Any = attrs.make_class("Wider", fields, kw_only=True)
    codec.decode(b"{}", dict[str, wide])
    assert "__attrs_pre_init__" in vars(wide)
    assert codec.decode(b"{}", model).many is not codec.decode(b"{}", model).many
    assert codec.decode(b'{"f3":"x"}', frozen) == frozen(f3="x")
