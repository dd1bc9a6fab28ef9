from __future__ import annotations

import re
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.reconstruction

JSONObject = dict[str, Any]
FILE = Path(__file__).parents[2] / "openapi" / "seqino-pdp.yaml"

# EN 16931-1 has no BT-4. Its amounts, quantities, prices and percentages (§6.5):
AMOUNTS = frozenset(
    f"BT-{number}"
    for number in (
        *(92, 93, 94, 96, 99, 100, 101, 103),
        *range(106, 118),
        *(119, 129, 131),
        *(136, 137, 138, 141, 142, 143, 146, 147, 148, 149, 152),
    )
)
CORE_TERMS = frozenset(f"BT-{number}" for number in range(1, 166)) - {"BT-4"}


def fields(schemas: dict[str, JSONObject]) -> Iterator[tuple[str, str, JSONObject]]:
    for name, schema in schemas.items():
        for field, content in schema.get("properties", {}).items():
            yield name, field, content


def terms_of(field: JSONObject) -> list[str]:
    one = field.get("x-business-term")
    return [one] if one else list(field.get("x-business-terms", {}).values())


def types_of(field: JSONObject) -> set[str]:
    return {part.get("type", "") for part in field.get("anyOf", [field])}


def walk(node: Any) -> Iterator[JSONObject]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(node, list):
        for part in node:  # pyright: ignore[reportUnknownVariableType]
            yield from walk(part)


def reachable(schemas: dict[str, JSONObject], name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            references = (node["$ref"] for node in walk(schemas[current]) if "$ref" in node)
            waiting += [reference.rpartition("/")[2] for reference in references]
    return found


def test_it_is_valid_openapi(description: JSONObject) -> None:
    OpenAPIV31SpecValidator(description).validate()


def test_every_schema_is_a_valid_json_schema(schemas: dict[str, JSONObject]) -> None:
    for schema in schemas.values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_35_operations_and_one_webhook(description: JSONObject, published: JSONObject) -> None:
    found = {
        f"{method.upper()} {path}": operation
        for path, item in description["paths"].items()
        for method, operation in item.items()
    }
    assert len(found) == 35
    assert len(description["webhooks"]) == 1
    assert found.keys() == published["operations"].keys()
    for name, known in published["operations"].items():
        operation = found[name]
        assert operation["operationId"] == known["operationId"], name
        assert operation["x-evidence"] == known["evidence"], name
        assert [parameter["name"] for parameter in operation.get("parameters", [])] == known["parameters"], (
            name
        )


def test_no_published_name_is_lost(schemas: dict[str, JSONObject], published: JSONObject) -> None:
    for name, known in published["schemas"].items():
        schema = schemas[name]
        properties = schema.get("properties", {})
        assert schema["x-evidence"] == known["evidence"], name
        assert schema.get("enum", []) == known.get("enum", []), name
        assert schema.get("x-published-additional-values", []) == known.get("additional", []), name
        for field, evidence in known.get("fields", {}).items():
            assert properties[field].get("x-evidence", schema["x-evidence"]) == evidence, f"{name}.{field}"


def test_what_was_added_says_that_it_is_inferred(
    description: JSONObject, schemas: dict[str, JSONObject], published: JSONObject
) -> None:
    known = published["schemas"]
    for name, schema in schemas.items():
        assert name in known or schema["x-evidence"] == "inferred", name
    for name, field, content in fields(schemas):
        if field not in known.get(name, {}).get("fields", {}):
            assert content.get("x-evidence") == "inferred", f"{name}.{field}"
    for path, item in description["paths"].items():
        for method, operation in item.items():
            shown = published["operations"][f"{method.upper()} {path}"]["responses"]
            for status, answer in operation["responses"].items():
                assert status in shown or answer.get("x-evidence") == "inferred", f"{method} {path} {status}"


def test_nothing_inferred_is_required(schemas: dict[str, JSONObject], published: JSONObject) -> None:
    for name, schema in schemas.items():
        required = schema.get("required", [])
        assert required == published["schemas"].get(name, {}).get("required", []), name
        assert not [
            field for field in required if schema["properties"][field].get("x-evidence") == "inferred"
        ], name


def test_every_schema_is_open(description: JSONObject, schemas: dict[str, JSONObject]) -> None:
    for node in walk(description["components"]):
        assert node.get("additionalProperties") is not False
        assert "unevaluatedProperties" not in node
    known_closed = {"enum", "properties", "additionalProperties"}
    for name, schema in schemas.items():
        if schema["x-evidence"] == "inferred" and schema["type"] == "object":
            assert schema.get("additionalProperties") is True, name
        assert known_closed & schema.keys() or schema["type"] == "string", name


def test_0088_stays_a_text_of_four_characters(schemas: dict[str, JSONObject]) -> None:
    assert "0088" in schemas["RoutingIdentifierType"]["enum"]
    for number, line in enumerate(FILE.read_text("utf-8").splitlines(), 1):
        # Inside a sentence it is text anyway; alone as a value it would be read as the number 88.
        assert not re.search(r"(?:- |: )0\d+$", line), f"line {number}"


def test_examples_are_valid_against_their_schemas(description: JSONObject) -> None:
    def judge(schema: JSONObject, example: Any, place: str) -> None:
        whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema]}
        validator = jsonschema_rs.Draft202012Validator(
            {**whole, "components": description["components"]}, validate_formats=True
        )
        errors = [f"{place}: {error.message}" for error in validator.iter_errors(example)]
        assert not errors

    judged = 0
    for node in walk(description):
        place = str(node.get("description"))
        if isinstance(node.get("examples"), list):
            for example in node["examples"]:
                judge({key: value for key, value in node.items() if key != "examples"}, example, place)
                judged += 1
        elif "in" in node and "schema" in node:
            for example in node.get("examples", {}).values():
                judge(node["schema"], example["value"], place)
                judged += 1
    assert judged > 80


def test_the_complete_example_fits_what_is_returned_too(description: JSONObject) -> None:
    schemas = description["components"]["schemas"]
    for name in ("InvoiceDraftModel-Output", "InvoiceModel"):
        validator = jsonschema_rs.Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": description["components"]}
        )
        assert validator.is_valid(schemas["InvoiceDraftModel-Input"]["examples"][1])


def test_the_complete_example_adds_up(schemas: dict[str, JSONObject]) -> None:
    invoice = schemas["InvoiceDraftModel-Input"]["examples"][1]

    def cents(value: Decimal) -> Decimal:
        # XPath rounds ties towards positive infinity, and so does the official rule set.
        return (value * 100 + Decimal("0.5")).to_integral_value(ROUND_FLOOR) / 100

    def amount(of: JSONObject, name: str) -> Decimal:
        return Decimal(of.get(name, "0"))

    lines, rows, allowances = invoice["lines"], invoice["vat_breakdown"], invoice["allowances"]
    for line in lines:
        assert amount(line, "line_net_amount") == cents(
            amount(line, "invoiced_quantity") * amount(line, "item_net_price")
        )
    for row in rows:
        taxable = Decimal() + sum(
            amount(line, "line_net_amount") for line in lines if line["vat_rate"] == row["vat_rate"]
        )
        taxable -= sum(amount(part, "amount") for part in allowances if part["vat_rate"] == row["vat_rate"])
        assert amount(row, "taxable_amount") == taxable
        assert amount(row, "vat_amount") == cents(taxable * amount(row, "vat_rate") / 100)  # BR-CO-17
    net = amount(invoice, "sum_of_line_net_amount")
    assert net == sum(amount(line, "line_net_amount") for line in lines)  # BR-CO-10
    assert amount(invoice, "sum_of_allowances") == sum(
        amount(part, "amount") for part in allowances
    )  # BR-CO-11
    without_vat = amount(invoice, "total_amount_without_vat")
    assert without_vat == net - amount(invoice, "sum_of_allowances")  # BR-CO-13
    assert amount(invoice, "total_vat_amount") == sum(amount(row, "vat_amount") for row in rows)  # BR-CO-14
    assert amount(invoice, "total_amount_with_vat") == without_vat + amount(
        invoice, "total_vat_amount"
    )  # BR-CO-15
    assert amount(invoice, "amount_due_for_payment") == amount(invoice, "total_amount_with_vat")  # BR-CO-16


def test_each_business_term_is_well_formed_and_named_once_in_a_schema(schemas: dict[str, JSONObject]) -> None:
    for name, schema in schemas.items():
        properties = schema.get("properties", {}).values()
        found = [term for content in properties for term in terms_of(content)]
        assert len(found) == len(set(found)), name
        for term in found:
            assert re.fullmatch(r"B[TG]-[1-9]\d*(?:-[1-9])?", term), f"{name}: {term}"
        for content in properties:
            assert not ({"x-business-term", "x-business-terms"} <= content.keys()), name


@pytest.mark.parametrize("root", ["InvoiceDraftModel-Input", "InvoiceDraftModel-Output", "InvoiceModel"])
def test_an_invoice_has_a_place_for_every_term_of_en_16931(schemas: dict[str, JSONObject], root: str) -> None:
    parts = {name: schemas[name] for name in reachable(schemas, root)}
    found = {term for _, _, content in fields(parts) for term in terms_of(content)}
    assert sorted(CORE_TERMS - found) == []


def test_every_amount_is_exact_in_both_directions(schemas: dict[str, JSONObject]) -> None:
    seen = 0
    for name, field, content in fields(schemas):
        terms = set(terms_of(content))
        if terms & AMOUNTS:
            assert terms <= AMOUNTS, f"{name}.{field}"
            expected = {"number", "string"} if name.endswith("-Input") else {"string"}
            assert types_of(content) - {"null"} == expected, f"{name}.{field}"
            seen += 1
        elif types_of(content) - {"null"} == {"number", "string"}:
            assert not terms, f"{name}.{field}"
    assert seen > 50


def test_twins_agree_field_by_field(schemas: dict[str, JSONObject]) -> None:
    def as_returned(node: Any) -> Any:
        if isinstance(node, dict):
            items: list[tuple[str, Any]] = list(node.items())  # pyright: ignore[reportUnknownArgumentType]
            plain: JSONObject = {key: as_returned(value) for key, value in items}
            if len(plain.get("anyOf", [])) == 1:  # number or text, not nullable: text alone remains
                plain.update(plain.pop("anyOf")[0])
            return plain
        if isinstance(node, list):
            parts: list[Any] = [as_returned(part) for part in node]  # pyright: ignore[reportUnknownVariableType]
            return [part for part in parts if part != {"type": "number"}]
        return node.replace("-Input", "-Output") if isinstance(node, str) else node

    inputs = [name for name in schemas if name.endswith("-Input")]
    outputs = [name for name in schemas if name.endswith("-Output")]
    assert [name.removesuffix("-Input") for name in inputs] == [
        name.removesuffix("-Output") for name in outputs
    ]
    assert len(inputs) == 6
    for name in inputs:
        sent, returned = schemas[name], schemas[name.replace("-Input", "-Output")]
        assert list(sent["properties"]) == list(returned["properties"]), name
        for field, content in sent["properties"].items():
            assert as_returned(content) == returned["properties"][field], f"{name}.{field}"
        assert sent.get("required") == returned.get("required"), name


def test_a_request_never_reaches_what_is_only_returned(description: JSONObject) -> None:
    schemas = description["components"]["schemas"]
    for path, item in description["paths"].items():
        for operation in item.values():
            body = [node["$ref"] for node in walk(operation.get("requestBody", {})) if "$ref" in node]
            answers = [node["$ref"] for node in walk(operation["responses"]) if "$ref" in node]
            for references, wrong in ((body, "-Output"), (answers, "-Input")):
                for reference in references:
                    names = reachable(schemas, reference.rpartition("/")[2])
                    assert not [name for name in names if name.endswith(wrong)], path


def test_a_draft_can_show_what_became_of_it(schemas: dict[str, JSONObject]) -> None:
    state = {"draft_id", "status", "invoice_id", "invoice_number", "errors", "warnings"}
    draft = schemas["InvoiceDraftModel-Output"]["properties"]
    assert all(draft[field]["readOnly"] for field in state)
    assert state <= schemas["DraftValidated"]["properties"].keys()
