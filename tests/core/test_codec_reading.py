"""Reading: what is refused, and that everything wrong is named with its place."""

from __future__ import annotations

import datetime as dt
import enum
import json
import subprocess
import sys
import uuid
from decimal import Decimal
from typing import Any, Literal

import attrs
import msgspec
import pytest
from cattrs.fns import identity

from seqino import models
from seqino._core.codec import Codec, DecodeFault
from seqino._core.values import Mismatch
from seqino._core.wire import JSON, UNSET, OpenEnum, Operation, UnsetType
from seqino._generated import operations, tables
from seqino.errors import InvalidInput


class Unit(OpenEnum):
    HOUR = "HUR"


class Priority(enum.Enum):
    LOW = 1
    HIGH = 2


@attrs.define(kw_only=True)
class Line:
    quantity: Decimal
    unit: Unit | UnsetType = UNSET
    note: str | UnsetType | None = UNSET


@attrs.define(kw_only=True)
class Bill:
    number: str
    lines: list[Line] = attrs.field(factory=list[Line])
    issued: dt.date | None = None
    sent: dt.datetime | None = None
    copies: int = 1
    share: float | None = None
    paid: bool = False
    custom: dict[str, JSON] | UnsetType = UNSET
    reference: uuid.UUID | None = None
    kind: Literal["invoice", "credit"] = "invoice"
    priority: Priority | None = None
    parent: Bill | None = None
    either: list[Line] | Line | None = None
    a: str | UnsetType = UNSET


def faults(data: bytes | str, form: Any = Bill) -> dict[str, str]:
    with pytest.raises(DecodeFault) as caught:
        Codec().decode(data.encode() if isinstance(data, str) else data, form)
    return {path: message for path, message in caught.value.faults}  # noqa: C416 - pyright reads a Fault so


def test_absent_null_and_given_are_told_apart() -> None:
    lines = Codec().decode(
        b'[{"quantity":1},{"quantity":1,"note":null},{"quantity":1,"note":""}]', list[Line]
    )
    assert [line.note for line in lines] == [UNSET, None, ""]


@pytest.mark.parametrize("digits", ["1.10", "12345678901234567.89", "0.000", "-3", "1E+2", "100", "0.10e-3"])
def test_each_digit_is_kept_from_numbers_and_from_text(digits: str) -> None:
    for token in (digits, f'"{digits}"'):
        line = Codec().decode(f'{{"quantity":{token}}}'.encode(), Line)
        assert str(line.quantity) == str(Decimal(digits))


def test_what_xml_schema_calls_a_decimal_is_read() -> None:
    read = Codec().decode(b'["+1", ".5", "5.", "007.50"]', list[Decimal])
    assert list(map(str, read)) == ["1", "0.5", "5", "7.50"]


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "1_000",
        "_1",
        " 1",
        "1 ",
        "\u00a01",
        "٣",
        "1\n",
        "",
        "1,50",
        "0x1",
        "1e",
        "--1",
    ],
)
def test_text_that_is_no_plain_number_is_no_amount(text: str) -> None:
    for ascii_only in (True, False):
        data = json.dumps({"quantity": text}, ensure_ascii=ascii_only)
        assert "expected a plain decimal number" in faults(data, Line)["$.quantity"]


def test_escapes_hide_nothing() -> None:
    assert Codec().decode(rb'{"quantity":"\u0031\u002e5"}', Line).quantity == Decimal("1.5")
    assert "$.quantity" in faults(rb'{"quantity":"1\u005f000"}', Line)
    assert "$.quantity" in faults(rb'{"quantity":"\u004eaN"}', Line)


def test_fractions_in_members_of_unknown_type_keep_their_digits() -> None:
    bill = Codec().decode(b'{"number":"1","custom":{"a":[1.10,{"b":12345678901234567.89}],"c":7}}', Bill)
    assert repr(bill.custom) == "{'a': [Decimal('1.10'), {'b': Decimal('12345678901234567.89')}], 'c': 7}"
    assert Codec().decode(b"[1.0]", JSON) == [Decimal("1.0")]


@pytest.mark.parametrize(
    "number", ["1e400", "-1E-400", "1" + "0" * 400, "0." + "1" * 200, "1e99999999999999999999"]
)
def test_a_number_out_of_range_is_a_fault_wherever_it_stands(number: str) -> None:
    assert "out of range" in faults(f'{{"quantity":{number}}}', Line)["$.quantity"]
    assert (
        "out of range" in faults(f'{{"number":"1","lines":[{{"quantity":{number}}}]}}')["$.lines[0].quantity"]
    )
    assert faults(f'{{"number":"1","copies":{number}}}').keys() == {"$.copies"}
    assert faults(number, Decimal).keys() == {"$"}
    if "." in number or "e" in number.lower():
        assert (
            "out of range" in faults(f'{{"number":"1","custom":{{"a b":[{number}]}}}}')["$.custom['a b'][0]"]
        )


def test_a_float_may_be_larger_than_a_decimal_but_not_infinite() -> None:
    assert Codec().decode(b'{"number":"1","share":1e300}', Bill).share == 1e300
    assert Codec().decode(b'{"number":"1","share":3,"copies":2}', Bill).share == 3
    for number in ("1e400", "1" + "0" * 400):
        assert "out of range" in faults(f'{{"number":"1","share":{number}}}')["$.share"]


def test_every_fault_is_named_with_its_place() -> None:
    document = """{
        "lines": [{"quantity": "x"}, {"quantity": true, "unit": 5, "note": 1}, {}, 3, {"quantity": null}],
        "issued": "2026-02-30", "sent": "yesterday", "copies": "2", "share": "a", "paid": 0, "custom": [],
        "reference": "12", "kind": "draft", "priority": 9, "parent": {"number": 1, "lines": {}}, "either": "x"
    }"""
    assert faults(document) == {
        "$.number": "is missing",
        "$.lines[0].quantity": "expected a plain decimal number such as 12.50, found 'x'",
        "$.lines[1].quantity": "expected a decimal number, found true or false",
        "$.lines[1].unit": "expected one of Unit, found a whole number",
        "$.lines[1].note": "expected text or null, found a whole number",
        "$.lines[2].quantity": "is missing",
        "$.lines[3]": "expected an object, found a whole number",
        "$.lines[4].quantity": "expected a decimal number, found null",
        "$.issued": "expected a date such as 2026-01-31, found '2026-02-30'",
        "$.sent": "expected a date and time such as 2026-01-31T08:30:00+01:00, found 'yesterday'",
        "$.copies": "expected a whole number, found text",
        "$.share": "expected a number or null, found text",
        "$.paid": "expected true or false, found a whole number",
        "$.custom": "expected an object, found a list",
        "$.reference": "expected a UUID, found '12'",
        "$.kind": "expected 'invoice' or 'credit', found text",
        "$.priority": "expected one of Priority or null, found a whole number",
        "$.parent.number": "expected text, found a whole number",
        "$.parent.lines": "expected a list, found an object",
        "$.either": "expected a list or an object or null, found text",
    }


def test_an_unknown_value_of_an_open_enum_is_kept() -> None:
    line = Codec().decode(b'{"quantity":"1","unit":"XYZ"}', Line)
    assert line.unit == "XYZ"
    assert isinstance(line.unit, Unit)
    assert not line.unit.is_known


def test_unknown_members_and_repeated_names_are_no_faults() -> None:
    assert Codec().decode(b'{"quantity":1,"later":{"x":[1e400]},"quantity":"2.0"}', Line) == Line(
        quantity=Decimal(2)
    )


def test_lists_objects_and_texts_are_told_apart() -> None:
    assert faults('"1"', float) == {"$": "expected a number, found text"}
    assert faults("true", Priority) == {"$": "expected one of Priority, found true or false"}
    assert faults("1.0", Priority) == {"$": "expected one of Priority, found a number"}
    assert faults('{"a":{"b":1e400}}', JSON) == {"$.a.b": "number out of range: 1e400"}
    assert faults("{}", list[int]) == {"$": "expected a list, found an object"}
    assert faults("[]", dict[str, int]) == {"$": "expected an object, found a list"}
    assert faults('[1e400, 1, "a"]', list[str]) == {
        "$[0]": "expected text, found a number out of range",
        "$[1]": "expected text, found a whole number",
    }
    assert faults("[1e400, 1e400]", list[dt.date | Unit]).keys() == {"$[0]", "$[1]"}
    assert faults("1", list[Line] | Line | dict[str, Line]) == {
        "$": "expected a list or an object, found a whole number"
    }


def test_one_or_many_are_told_apart() -> None:
    read = Codec().decode(b'{"number":"1","either":{"quantity":"1"}}', Bill).either
    assert read == Line(quantity=Decimal(1))
    assert Codec().decode(b'{"number":"1","either":[]}', Bill).either == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"<!doctype html><html></html>", "is HTML or XML"),
        (b'\xef\xbb\xbf{"number":"1"}', "byte order mark"),
        ('{"number":"1"}'.encode("utf-16"), "byte order mark"),
        ('{"number":"1"}'.encode("utf-16-le"), "is not JSON"),
        ('{"number":"é"}'.encode("latin-1"), "is not UTF-8"),
        (b'{"number":"1"', "truncated"),
        (b'{"number":"1"}}', "is not JSON"),
        (b'{"number":NaN}', "is not JSON"),
        (b'{"share":-Infinity}', "is not JSON"),
        (b'{"number":"\\ud800"}', "is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"parent":' * 100_000, "nested too deeply"),
        (b'{"number":"1","custom":' + b'{"a":' * 100_000, "nested too deeply"),
        (b'{"number":"1","copies":' + b"1" * 5_000 + b"}", "out of range"),
        (
            b'{"number":"1","custom":{"a":' + b"1" * 5_000 + b"}}",
            "cannot be read: Integer value out of range",
        ),
        (b"null", "expected an object, found null"),
        (b"[]", "expected an object, found a list"),
        (b'"text"', "expected an object, found text"),
    ],
)
def test_what_is_no_document_gives_one_clear_fault(data: bytes, said: str) -> None:
    (message,) = faults(data).values()
    assert said in message


def test_a_deep_document_that_also_looks_odd_is_a_fault() -> None:
    assert "nested too deeply" in faults(b'{"copies":"1_0","number":' + b"[" * 100_000)["$"]


def test_the_faults_of_a_huge_document_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    class Counted(Mismatch):
        def __init__(self, text: str) -> None:
            super().__init__(text)
            made.append(text)

    monkeypatch.setattr("seqino._core.values.Mismatch", Counted)
    data = json.dumps({"number": "1", "lines": [{"quantity": "x", "unit": 1}] * 20_000}).encode()
    with pytest.raises(DecodeFault) as caught:
        Codec().decode(data, Bill)
    assert len(caught.value.faults) == 101
    assert caught.value.faults[-1] == ("$", "and more; the first 100 are listed")
    assert "$.lines[0].quantity: expected" in str(caught.value)
    # Nor are the others kept somewhere: each costs a kilobyte.
    assert len(made) < 500


@attrs.define(kw_only=True)
class Card:
    card: str
    holder: str | None = None


@attrs.define(kw_only=True)
class Transfer:
    iban: str
    bic: str | None = None


@attrs.define(kw_only=True)
class Payment:
    means: Card | Transfer
    from_: str = ""
    when: dt.date | dt.datetime | None = None
    label: Unit | str | None = None
    count: int | Decimal = 0
    reason: Literal["a", "b"] | None = None


def test_types_beyond_msgspec_are_read_through_cattrs() -> None:
    codec = Codec(wire_names={Payment: {"from_": "from"}})
    read = codec.decode(
        b'{"means":{"iban":"FR76","bic":"A"},"from":"here","when":"2026-01-31T08:00:00Z","count":3,"reason":"b"}',
        Payment,
    )
    assert read == Payment(
        means=Transfer(iban="FR76", bic="A"),
        from_="here",
        when=dt.datetime(2026, 1, 31, 8, tzinfo=dt.UTC),
        count=3,
        reason="b",
    )
    assert type(read.count) is int
    assert Codec().decode(b'{"means":{"card":"1"},"count":1.5,"label":"x"}', Payment).count == Decimal("1.5")
    with pytest.raises(DecodeFault) as caught:
        codec.decode(b'{"means":{"holder":1},"from":1,"when":"x","count":true,"reason":"c"}', Payment)
    assert [path for path, _ in caught.value.faults] == [
        "$.means.card", "$.means.holder", "$.from", "$.when", "$.count", "$.reason"
    ]  # fmt: skip


def test_kinds_that_python_takes_for_numbers_are_told_apart() -> None:
    for token in ("true", "1.0", '"LOW"', "1e0"):
        assert faults(f'{{"number":"1","priority":{token}}}').keys() == {"$.priority"}
    assert Codec().decode(b'{"number":"1","priority":1}', Bill).priority is Priority.LOW


def test_renamed_members_are_written_by_both_ways() -> None:
    codec = Codec(wire_names={Payment: {"from_": "from"}})
    payment = Payment(means=Card(card="1"), from_="here")
    data = codec.encode(payment, Payment)
    assert json.loads(data)["from"] == "here"
    assert codec.decode(data, Payment) == payment
    assert codec.decode(codec.converter.dumps(payment), Payment) == payment
    # What surrounds a model with another name is no longer left to msgspec whole.
    dumped = codec.converter.dumps([payment], unstructure_as=list[Payment] | Payment | None)
    assert codec.decode(dumped, list[Payment]) == [payment]


def test_a_validator_of_a_model_is_heard() -> None:
    @attrs.define
    class Checked:
        size: int = attrs.field(validator=attrs.validators.le(3))

    assert "size" in faults(b'{"size":5}', Checked)["$"]
    assert "size" in faults(b'[{"size":1},{"size":5}]', list[Checked])["$[1]"]


def test_doubt_lets_nothing_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should msgspec refuse what cattrs takes, the document is refused."""
    codec = Codec()
    reader = codec.converter
    codec.decode(b'{"quantity":1}', Line)

    def lenient(*_: object) -> Line:
        return Line(quantity=Decimal(1))

    monkeypatch.setattr(type(reader), "structure", lenient)
    with pytest.raises(DecodeFault, match="Expected"):
        codec.decode(b'{"quantity":[]}', Line)


# --- Plain values ---


def test_plain_values_are_converted() -> None:
    line = Line(quantity=Decimal("1.5"))
    bill = Codec().convert(
        {"number": "1", "lines": ({"quantity": 3}, line), "issued": dt.date(2026, 1, 31),
         "sent": "2026-01-31T08:00:00Z", "share": 1.5, "priority": Priority.LOW, "custom": {"a": [1.5]},
         "either": line},
        Bill,
    )  # fmt: skip
    assert bill.lines == [Line(quantity=Decimal(3)), line]
    assert (bill.issued, bill.sent) == (dt.date(2026, 1, 31), dt.datetime(2026, 1, 31, 8, tzinfo=dt.UTC))
    assert bill.either is line


def test_values_that_do_not_fit_are_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        Codec().convert(
            {"lines": [{"quantity": 1.5}, {"quantity": Decimal("NaN")}], "issued": dt.datetime.now(dt.UTC)},
            Bill,
        )
    assert dict(caught.value.faults) == {
        "$.number": "is missing",
        "$.lines[0].quantity": 'a float does not hold decimal digits exactly: write Decimal("1.5")',
        "$.lines[1].quantity": "expected a plain decimal number such as 12.50, found 'NaN'",
        "$.issued": "expected a date such as 2026-01-31, found a date and time",
    }


def test_plain_values_within_themselves_are_refused() -> None:
    endless: dict[str, Any] = {"number": "1"}
    endless["parent"] = endless
    within: list[Any] = []
    within.append(within)
    for value in (endless, {"number": "1", "custom": {"a": within}}):
        with pytest.raises(InvalidInput, match="nested too deeply"):
            Codec().convert(value, Bill)


# --- Generated models ---

MODELS = sorted(
    (each for each in vars(models).values() if isinstance(each, type) and attrs.has(each)), key=repr
)
ANSWERS = {
    form
    for operation in vars(operations).values()
    if isinstance(operation, Operation)
    for form in (*operation.responses.values(), *operation.errors.values())
}


def test_every_generated_model_and_answer_is_read_by_msgspec_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("cattrs was asked")

    monkeypatch.setattr("seqino._core.exact.ExactReader.__init__", refuse)
    native: list[Any] = []
    decoder = msgspec.json.Decoder

    def spy(form: Any, **options: Any) -> Any:
        native.append(form)
        return decoder(form, **options)

    monkeypatch.setattr(msgspec.json, "Decoder", spy)
    codec = Codec(tables.CONSTRAINTS, tables.WIRE_NAMES)
    for form in [*MODELS, *ANSWERS]:
        # What is no JSON is refused by whoever reads it, without an explanation by cattrs.
        with pytest.raises(DecodeFault, match="is not JSON"):
            codec.decode(b"?", form)
    assert set(native) == {*MODELS, *ANSWERS}
    assert len(MODELS) > 50


def test_cattrs_leaves_generated_models_to_msgspec_whole() -> None:
    converter = Codec().converter
    for form in (models.InvoiceDraft, models.Invoice, dict[str, JSON], list[models.LifecycleEvent]):
        assert converter.get_unstructure_hook(form) in (msgspec.to_builtins, identity)


def test_cattrs_is_not_imported_on_the_happy_path() -> None:
    event = '{"status_code":"x","timestamp":"2026-01-31T08:30:00Z","emitter":"PDPE"}'
    program = f"""
import sys
from seqino import models
from seqino._core.codec import Codec
event = Codec().decode({event.encode()!r}, models.LifecycleEvent)
Codec().encode(event, models.LifecycleEvent)
sys.exit("cattrs" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603 - our own words
