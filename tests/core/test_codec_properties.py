"""What holds for every model and document: round trips, and one opinion of what is valid."""

from __future__ import annotations

import copy
import datetime as dt
import json
import os
import types
import typing
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqino import models
from seqino._core.codec import Codec, DecodeFault
from seqino._core.constraints import Constraint
from seqino._core.decimals import fraction_or_text, plain
from seqino._core.exact import ExactReader, Faulty
from seqino._core.outgoing import Outgoing
from seqino._core.shortcuts import Recogniser
from seqino._core.typegraph import alternatives, is_list, is_model, is_object, members
from seqino._core.wire import UNSET, OpenEnum, UnsetType
from seqino._generated.tables import CONSTRAINTS
from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

# More by hand, when something is changed here: SEQINO_EXAMPLES=30 tries thirty times as many.
_MORE = int(os.environ.get("SEQINO_EXAMPLES", "1"))
rare = settings(max_examples=12 * _MORE, deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(rare, max_examples=40 * _MORE)
many = settings(rare, max_examples=120 * _MORE)


class Colour(OpenEnum):
    RED = "red"
    GREEN = "green"


# --- Models and values ---

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
decimals = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12
) | st.sampled_from(
    [Decimal("1.00"), Decimal("1E+2"), Decimal("0E-9"), Decimal("-0.0"), Decimal("12345678901234567.89")]
)
# Without fold: it is Python's, and has no place in a timestamp.
moments = st.datetimes(timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=2))])).map(
    lambda moment: moment.replace(fold=0)
)
open_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | decimals | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: text,
    bool: st.booleans(),
    int: st.integers(-(10**25), 10**25),
    Decimal: decimals | st.integers(-9, 9),
    dt.date: st.dates(),
    dt.datetime: moments,
    uuid.UUID: st.uuids(),
    Colour: st.sampled_from(Colour) | text.map(Colour),
    Any: open_json,
    type(None): st.none(),
}


@st.composite
def forms(draw: Any, depth: int = 3) -> Any:
    kinds = ["scalar"] * 6 + (["list", "dict", "one or more", "null", "model"] if depth else [])
    match draw(st.sampled_from(kinds)):
        case "list":
            return list[draw(forms(depth - 1))]  # type: ignore[misc] # a type form made at run time
        case "dict":
            return dict[str, draw(forms(depth - 1))]  # type: ignore[misc] # as above
        case "one or more":
            one: Any = draw(st.sampled_from([str, int, Decimal, dt.date, Colour]) | model_classes(depth - 1))
            return list[one] | one
        case "null":
            return draw(st.sampled_from([str, bool, Decimal, uuid.UUID, dt.datetime])) | None
        case "model":
            return draw(model_classes(depth - 1))
        case _:
            return draw(st.sampled_from(list(SCALARS)))


@st.composite
def model_classes(draw: Any, depth: int = 3) -> Any:
    field: Any = attrs.field
    fields: dict[str, Any] = {}
    for number, form in enumerate(draw(st.lists(forms(depth), min_size=1, max_size=4))):
        if draw(st.booleans()):
            fields[f"field{number}"] = field(type=form)
        else:
            fields[f"field{number}"] = field(type=form if form is Any else form | UnsetType, default=UNSET)
    if draw(st.booleans()):
        # Enough for the defaults to be filled in beforehand.
        fields |= {f"note{number}": field(type=str | UnsetType, default=UNSET) for number in range(8)}
    return attrs.make_class("Thing", fields, kw_only=True)


def values(form: Any) -> st.SearchStrategy[Any]:
    return st.one_of([values_of_one(part) for part in alternatives(form)])


def values_of_one(part: Any) -> st.SearchStrategy[Any]:
    origin, arguments = typing.get_origin(part), typing.get_args(part)
    if origin is list:
        return st.lists(values(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(text, values(arguments[1]), max_size=3)
    if is_model(part):
        return instances(part)
    if isinstance(part, type) and issubclass(part, OpenEnum):
        return st.sampled_from(list(part)) | text.map(part)
    return SCALARS[part]


@st.composite
def instances(draw: Any, model: Any) -> Any:
    given_fields = {
        member.name: draw(values(member.form))
        for member in members(model)
        if member.required or draw(st.integers(0, 9)) < (2 if len(members(model)) > 30 else 6)
    }
    return model(**given_fields)


@st.composite
def typed(draw: Any) -> tuple[Any, Any]:
    """A type form and a value of it."""
    form = draw(model_classes() | forms())
    return form, draw(values(form))


def expected_back(value: Any, form: Any) -> Any:
    """What is read after writing: a whole number of a Decimal field is a Decimal, an open Decimal is text."""
    if is_model(type(value)):
        fields = members(value.__class__)
        return attrs.evolve(
            value, **{each.name: expected_back(getattr(value, each.name), each.form) for each in fields}
        )
    parts = alternatives(form)
    if is_list(value):
        inner = next((typing.get_args(part)[0] for part in parts if typing.get_origin(part) is list), Any)
        return [expected_back(item, inner) for item in value]
    if is_object(value):
        inner = next((typing.get_args(part)[1] for part in parts if typing.get_origin(part) is dict), Any)
        return {name: expected_back(item, inner) for name, item in value.items()}
    if Decimal in parts and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(plain(Decimal(value)) or "")
    if Any in parts and isinstance(value, Decimal):
        return plain(value)
    return value


# --- Round trips ---


@few
@given(typed())
def test_what_is_written_is_read_again_by_both_ways(case: tuple[Any, Any]) -> None:
    form, value = case
    codec = Codec()
    data = codec.encode(value, form)
    wanted = expected_back(value, form)
    natively = codec.decode(data, form)
    exactly = ExactReader({}).read(msgspec.json.decode(data), form)
    # Reprs as well: 1.0 equals 1.00, and is another amount to print.
    assert (natively, repr(natively)) == (wanted, repr(wanted))
    assert (exactly, repr(exactly)) == (wanted, repr(wanted))


@few
@given(typed())
def test_cattrs_writes_what_the_codec_writes(case: tuple[Any, Any]) -> None:
    form, value = case
    codec = Codec()
    wanted = expected_back(value, form)
    data = codec.converter.dumps(wanted, unstructure_as=form)
    assert codec.decode(data, form) == wanted
    # cattrs leaves exponents as they are: 0E-9 for 0.000000000.
    assert data == codec.encode(wanted, form) or b"E" in data


@few
@given(typed())
def test_a_value_and_its_plain_mapping_are_written_alike(case: tuple[Any, Any]) -> None:
    form, value = case
    codec = Codec()
    data = codec.encode(value, form)
    assert codec.encode(value, form) == data
    assert codec.encode(msgspec.json.decode(data), form) == data


@rare
@given(instances(models.InvoiceDraft))
def test_a_generated_invoice_makes_the_round_trip(draft: models.InvoiceDraft) -> None:
    codec = Codec()
    data = codec.encode(draft, models.InvoiceDraft)
    wanted = expected_back(draft, models.InvoiceDraft)
    assert repr(codec.decode(data, models.InvoiceDraft)) == repr(wanted)
    assert repr(codec.convert(msgspec.json.decode(data), models.InvoiceDraft)) == repr(wanted)


# --- One opinion of what is valid ---

ODD: list[Any] = [
    None, True, 0, -7, 10**120, "", " ", "NaN", "-inf", "1_000", " 1", "1 ", "+1", ".5", "1e5", "1E400",
    "٣", "red", "2026-01-31", "2026-02-30", "2026-01-31T08:30:00Z", "2026-01-31T08:30:00", "08:30", "x" * 50,
    [], {}, [None], {"field0": None}, "c6a1b5de-2f0b-4b9b-9d3a-0e9c5b1f2a3b",
]  # fmt: skip
RAW = ["1.50", "1e2", "-0", "-0.0", "1e400", "1E-400", "1" + "0" * 400, "0." + "1" * 120]
RAW_TEXT = ['"\\u0031"', '"\\u00312_"', '"\\t1"']


@st.composite
def documents(draw: Any, form: Any) -> bytes:
    """A document that is nearly right: one or two places were changed."""
    codec = Codec()
    plain_value = msgspec.json.decode(codec.encode(draw(values(form)), form))
    holder: list[Any] = [plain_value]
    for _ in range(draw(st.integers(0, 2))):
        change(draw, holder)
    compact = draw(st.sampled_from([(",", ":"), None]))
    written = json.dumps(holder[0], default=str, ensure_ascii=draw(st.booleans()), separators=compact)
    for raw in RAW + RAW_TEXT:
        written = written.replace(json.dumps("raw:" + raw), raw)
    return written.encode()


def is_named(place: Any) -> bool:
    return isinstance(place, dict)


def change(draw: Any, place: Any) -> None:
    """Change something within a list or an object."""
    named = is_named(place)
    keys: list[Any] = list(place) if named else list(range(len(place)))
    if not keys:
        return
    key = draw(st.sampled_from(keys))
    if type(place[key]) in (dict, list) and draw(st.booleans()):
        change(draw, place[key])
    elif named and draw(st.integers(0, 4)) == 0:
        place.pop(key)
    elif draw(st.booleans()):
        place[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
    else:
        place[key] = "raw:" + draw(st.sampled_from(RAW + RAW_TEXT))


def outcome(read: Callable[[], Any]) -> tuple[str, Any]:
    try:
        return "value", repr(read())
    except (DecodeFault, Faulty) as error:
        return "faults", error.faults


def exactly(data: bytes, form: Any) -> Any:
    return ExactReader({}).read(msgspec.json.Decoder(float_hook=fraction_or_text).decode(data), form)


@many
@given(st.data())
def test_both_ways_agree_on_what_is_valid(data: st.DataObject) -> None:
    form = data.draw(model_classes(2) | forms(2))
    document = data.draw(documents(form))
    assert outcome(lambda: Codec().decode(document, form)) == outcome(lambda: exactly(document, form)), (
        document
    )


@rare
@given(documents(models.InvoiceDraft))
def test_both_ways_agree_on_invoices(document: bytes) -> None:
    codec = Codec()
    natively = outcome(lambda: codec.decode(document, models.InvoiceDraft))
    assert natively == outcome(lambda: exactly(document, models.InvoiceDraft)), document


@many
@given(
    st.binary(max_size=60)
    | documents(models.DraftCreated).flatmap(
        lambda data: st.integers(0, len(data)).map(lambda end: data[:end])
    )
)
def test_nothing_but_a_decode_fault_escapes(data: bytes) -> None:
    codec = Codec()
    for form in (models.DraftCreated, list[models.LifecycleEvent], dict[str, Any], Decimal):
        try:
            codec.decode(data, form)
        except DecodeFault as error:
            faults = error.faults
            assert faults


# --- What is about to be sent ---

# ruff: noqa: DTZ001 - a time without a zone is among what is wrong
WRONG: list[Any] = [
    1.5, float("nan"), Decimal("NaN"), Decimal("1E+3"), Decimal("1E+999"), True, None, UNSET, "1_0", "\ud800",
    b"x", dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.date(2026, 1, 1), 10**101, "",
    object(), (), types.MappingProxyType({}), {1: 2}, [1.5], "2026-01-31", Colour.RED,
]  # fmt: skip


@many
@given(st.data())
def test_what_is_recognised_at_once_has_no_fault_and_is_written_alike(data: st.DataObject) -> None:
    model = data.draw(model_classes(2))
    value = data.draw(instances(model))
    for member in members(model):
        if data.draw(st.integers(0, 3)) == 0:
            setattr(value, member.name, data.draw(st.sampled_from(WRONG)))
    limits = {model: {members(model)[0].name: Constraint(max_length=3, minimum=0, max_items=1)}}
    codec = Codec(limits)
    written, faults = Outgoing(limits, {}).write(value, model)
    if faults:
        with pytest.raises(InvalidInput) as caught:
            codec.encode(value, model)
        assert caught.value.faults == faults
    else:
        assert codec.encode(value, model) == msgspec.json.encode(written)


def test_an_invoice_is_recognised_at_once() -> None:
    """Otherwise each invoice would take the careful way, and nothing would tell."""
    draft = models.InvoiceDraft(
        issue_date=dt.date(2026, 1, 31),
        type_code=models.InvoiceTypeCode("380"),
        currency_code="EUR",
        seller=models.SellerParty(
            name="A", postal_address=models.PostalAddress(city_name="Tours", country_code="FR")
        ),
        lines=[models.InvoiceLine(invoiced_quantity=Decimal("1.00"), line_net_amount=Decimal(3))],
    )
    assert Recogniser(CONSTRAINTS, ()).recognise(models.InvoiceDraft)(draft)


def test_a_limited_field_of_any_type_is_looked_at_closely() -> None:
    limits: dict[type, dict[str, Constraint]] = {Anything: {"field": Constraint(max_length=3)}}
    with pytest.raises(InvalidInput, match="at most 3"):
        Codec(limits).encode(Anything(field=Decimal("1.00")), Anything)
    assert Codec(limits).encode(Anything(field="abc"), Anything) == b'{"field":"abc"}'


@attrs.define(kw_only=True)
class Anything:
    field: Any
