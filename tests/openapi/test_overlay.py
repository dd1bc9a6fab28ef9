from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import jsonpath
import pytest

pytestmark = pytest.mark.reconstruction

JSONObject = dict[str, Any]
Apply = Callable[[JSONObject, JSONObject], JSONObject]

EFFECTS = {
    "disposable": {"POST /drafts", "POST /clients/onboarding-link"},
    "once": {"POST /drafts/{draft_id}/validate"},
    "readable": {
        "POST /clients",
        "POST /clients/pdp-clients",
        "POST /mandates",
        "POST /mandates/batch",
        "POST /webhooks",
    },
    "create": {
        "POST /invoicing/files/submit",
        "POST /reporting/exempt-invoices",
        "POST /reporting/b2c-transactions",
        "POST /reporting/payments",
    },
}


def python_name(operation: JSONObject, key: str) -> str:
    """Strip what FastAPI puts behind a function's name: its path and method."""
    method, path = key.split()
    suffix = re.sub(r"\W", "_", path) + "_" + method.lower()
    assert operation["operationId"].endswith(suffix)
    name: str = operation["operationId"].removesuffix(suffix)
    return name


def test_it_is_an_overlay_document(overlay: JSONObject) -> None:
    assert overlay.keys() == {"overlay", "info", "extends", "actions"}
    assert overlay["overlay"] == "1.0.0"
    assert overlay["info"].keys() == {"title", "version"}
    for action in overlay["actions"]:
        assert action.keys() == {"target", "description", "update"}
        assert isinstance(action["target"], str)
        assert isinstance(action["update"], dict)


def test_each_action_gives_its_reason(overlay: JSONObject) -> None:
    reasons = [action["description"] for action in overlay["actions"]]
    assert all(len(reason) > 30 and reason.endswith(".") for reason in reasons)
    assert len(set(reasons)) == len(reasons)


def test_each_action_matches_something(description: JSONObject, overlay: JSONObject) -> None:
    strict = jsonpath.JSONPathEnvironment(strict=True)
    for action in overlay["actions"]:
        nodes = [match.obj for match in strict.finditer(action["target"], description)]
        assert nodes, action["target"]
        # Overlay 1.0.0 §4.4.3.1: a target selects objects or arrays, never a plain value.
        assert all(isinstance(node, dict | list) for node in nodes), action["target"]


def test_no_target_goes_by_position_or_operation_id(overlay: JSONObject) -> None:
    for action in overlay["actions"]:
        assert not re.search(r"\[\d+\]|operationId", action["target"])


def test_every_operation_has_the_effect_of_the_table(operations: dict[str, JSONObject]) -> None:
    expected = {name: effect for effect, names in EFFECTS.items() for name in names}
    for name in operations:
        method = name.split()[0]
        if method == "GET" or name == "POST /drafts/validate-data":
            expected[name] = "safe"
        elif method in {"PUT", "DELETE"}:
            expected[name] = "idempotent"
    assert len(expected) == 35
    assert {name: operation.get("x-effect") for name, operation in operations.items()} == expected


def test_every_effect_that_can_be_read_back_says_how(
    operations: dict[str, JSONObject], overlaid: JSONObject
) -> None:
    by_name = {python_name(operation, key): operation for key, operation in operations.items()}
    assert len(by_name) == 35
    schemas = overlaid["components"]["schemas"]
    for key, operation in operations.items():
        look_up = operation.get("x-look-up")
        assert (look_up is not None) == (operation["x-effect"] in {"once", "readable"}), key
        if look_up is None:
            continue
        target = by_name[look_up["operation"]]
        assert target["x-effect"] == "safe"
        accepted = {parameter["name"] for parameter in target.get("parameters", [])}
        assert look_up["arguments"].keys() <= accepted, key
        assert ("compare" in look_up) == (operation["x-effect"] == "readable"), key
        for expression in look_up["arguments"].values():
            source, _, name = expression.replace("$request.body#/", "$request.body.").rpartition(".")
            if source == "$request.path":
                assert f"{{{name}}}" in key
            else:
                assert source == "$request.body"
                content = operation["requestBody"]["content"]["application/json"]["schema"]
                assert name in schemas[content["$ref"].rpartition("/")[2]]["properties"]


def at(schema: JSONObject, pointer: str, schemas: JSONObject) -> JSONObject:
    """The schema of what a JSON Pointer leads to in a value."""
    for step in pointer.split("/")[1:]:
        options = [schema, *schema.get("anyOf", [])]
        found = [schemas[one["$ref"].rpartition("/")[2]] for one in options if "$ref" in one] or options
        schema = next(one["properties"][step] for one in found if step in one.get("properties", {}))
    return schema


def shown(schema: JSONObject) -> JSONObject:
    """What a look-up shows: one object, or each of a list."""
    one = next((part for part in schema.get("anyOf", []) if "$ref" in part), schema)
    items: JSONObject = one.get("items", one)
    return items


def test_what_is_looked_for_can_be_read_in_the_request_and_in_the_look_up(
    operations: dict[str, JSONObject], overlaid: JSONObject
) -> None:
    schemas = overlaid["components"]["schemas"]
    by_name = {python_name(operation, key): operation for key, operation in operations.items()}
    checked = 0
    for operation in operations.values():
        if operation["x-effect"] != "readable":
            continue
        look_up = operation["x-look-up"]
        sent = operation["requestBody"]["content"]["application/json"]["schema"]
        if "each" in look_up:
            sent = at(sent, look_up["each"], schemas)["items"]
        answer = by_name[look_up["operation"]]["responses"]["200"]["content"]["application/json"]["schema"]
        for place, source in {**look_up.get("match", {}), **look_up["compare"]}.items():
            assert at(shown(answer), place, schemas), place
            assert at(sent, source, schemas), source
            checked += 1
        for place, values in look_up.get("without", {}).items():
            status = schemas[at(shown(answer), place, schemas)["$ref"].rpartition("/")[2]]
            assert set(values) <= set(status["enum"])
    assert checked == 3 + 2 + 6 + 6 + 2


def test_the_client_header_has_one_name_in_python_everywhere(operations: dict[str, JSONObject]) -> None:
    seen = 0
    for operation in operations.values():
        for parameter in operation.get("parameters", []):
            is_scope = parameter["in"] == "header"
            assert parameter.get("x-scope", False) is is_scope
            assert parameter.get("x-python-name") == ("client_id" if is_scope else None)
            seen += is_scope
    assert seen == 26


def test_health_hangs_beside_the_api(operations: dict[str, JSONObject], overlaid: JSONObject) -> None:
    outside = {name for name, operation in operations.items() if operation.get("x-outside-api")}
    assert outside == {"GET /health"}
    declared = [tag["name"] for tag in overlaid["tags"]]
    assert len(declared) == len(set(declared)) == 11
    assert all(operation["tags"][0] in declared for operation in operations.values())


def test_names_of_classes(overlaid: JSONObject) -> None:
    named = {
        name: schema["x-python-name"]
        for name, schema in overlaid["components"]["schemas"].items()
        if "x-python-name" in schema
    }
    assert named == {
        "InvoiceDraftModel-Input": "InvoiceDraft",
        "InvoiceDraftModel-Output": "InvoiceDraft",
        "InvoiceModel": "Invoice",
    }


def test_every_amount_is_a_decimal_and_no_measurement_is(overlaid: JSONObject) -> None:
    decimals: set[tuple[str, str]] = set()
    for name, schema in overlaid["components"]["schemas"].items():
        for field, content in schema.get("properties", {}).items():
            types = {part.get("type") for part in content.get("anyOf", [content])} - {"null"}
            is_twin = name.endswith(("-Input", "-Output"))
            if content.get("x-decimal"):
                decimals.add((name, field))
                assert types in ({"string"}, {"number", "string"}), f"{name}.{field}"
            else:
                # Where a request has a twin, number or text tells by itself.
                assert is_twin or types != {"number", "string"}, f"{name}.{field}"
    assert ("InvoiceModel", "amount_due_for_payment") in decimals
    assert ("PaymentRecorded", "amount") in decimals
    assert ("B2CTransactionReported", "total_vat_amount") in decimals
    assert ("InvoiceLine-Output", "vat_rate") in decimals
    floats = {("UsageMetrics", "success_rate"), ("EndpointUsage", "avg_response_time_ms")}
    assert not decimals & floats
    assert not [
        field for _, field in decimals if field.endswith(("_code", "_date", "_scheme", "_identifier"))
    ]


def test_each_lifecycle_value_gets_a_member_name_of_its_own(overlaid: JSONObject) -> None:
    schema = overlaid["components"]["schemas"]["LifecycleStatusCode"]
    assert schema["x-python-base"] == "seqino.statuses.StatusMeaning"
    prefixes = schema["x-python-member-prefixes"]
    names: list[str] = []
    for value in [*schema["enum"], *schema["x-published-additional-values"]]:
        (prefix,) = [prefix for prefix in prefixes if value.startswith(prefix)]
        names.append(prefixes[prefix] + value.removeprefix(prefix))
    assert len(set(names)) == len(names) == 29
    assert "INVOICE_DEPOSITED" in names
    assert all(re.fullmatch(r"[A-Z][A-Z_]+", name) for name in names)


def test_the_webhook_signature_is_marked_as_our_choice(overlaid: JSONObject) -> None:
    signature = overlaid["x-webhook-signature"]
    assert signature["x-evidence"] == "inferred"
    assert signature["algorithm"] == "hmac-sha256"
    assert signature["signed-content"] == "{timestamp}.{body}"


@pytest.fixture
def refreshed(description: JSONObject) -> JSONObject:
    """Return a description as a later generation of the API might be: other spellings and ids, new parts."""
    later = copy.deepcopy(description)
    paths = later["paths"]
    paths["/clients/"] = paths.pop("/clients")
    paths["/drafts"]["post"]["operationId"] = "make_draft"
    paths["/drafts"]["post"]["parameters"].insert(0, {"name": "dry_run", "in": "query", "schema": {}})
    paths["/drafts"]["post"]["parameters"][1]["name"] = "x-pdp-client-id"
    paths["/invoices"] = {"get": {"parameters": [{"name": "X-PDP-Client-ID", "in": "header"}]}, "delete": {}}
    paths["/invoices/{id}/statuses"] = {"post": {}}
    later["components"]["schemas"]["InvoiceModel"]["properties"] |= {
        "prepaid": {"type": "string", "description": "Paid amount (BT-113)"},
        "gross_total": {
            "anyOf": [{"type": "string"}, {"type": "null"}],
            "description": "BT-112: total with VAT",
        },
        "terms": {"type": "string", "description": "BT-20, needed if BT-115 is positive"},
        "totals": {"type": "object", "description": "Totals, BT-106 to BT-115"},
        "amount": {"type": "object"},
    }
    return later


def test_a_refreshed_description_keeps_its_facts(
    refreshed: JSONObject, overlay: JSONObject, apply: Apply
) -> None:
    later = apply(refreshed, overlay)
    paths = later["paths"]
    assert paths["/clients/"]["post"]["x-effect"] == "readable"
    assert paths["/drafts"]["post"]["x-effect"] == "disposable"
    assert paths["/invoices"]["get"]["x-effect"] == "safe"
    assert paths["/invoices"]["delete"]["x-effect"] == "idempotent"
    assert "x-effect" not in paths["/invoices/{id}/statuses"]["post"]
    assert [parameter.get("x-scope", False) for parameter in paths["/drafts"]["post"]["parameters"]] == [
        False,
        True,
    ]
    assert paths["/invoices"]["get"]["parameters"][0]["x-python-name"] == "client_id"
    properties = later["components"]["schemas"]["InvoiceModel"]["properties"]
    assert properties["prepaid"]["x-decimal"]
    assert properties["gross_total"]["x-decimal"]
    assert "x-decimal" not in properties["terms"]
    assert "x-decimal" not in properties["totals"]
    assert "x-decimal" not in properties["amount"]


def test_each_identifier_of_a_party_is_checked_in_its_scheme(
    refreshed: JSONObject, overlay: JSONObject, apply: Apply
) -> None:
    schemas = apply(refreshed, overlay)["components"]["schemas"]
    told_of: dict[tuple[str, str], Any] = {
        (schema, name): member.get("x-identifier")
        for schema in schemas
        for name, member in schemas[schema].get("properties", {}).items()
    }
    kinds = {place: told for place, told in told_of.items() if told is not None and not isinstance(told, str)}
    for (schema, name), told in kinds.items():
        assert told["kinds" if "scheme" in told else "kind"], (schema, name)
        assert told.get("scheme", name) in schemas[schema]["properties"], (schema, name)
    by_scheme = {"0002": "siren", "0009": "siret"}
    assert kinds["SellerParty", "seller_legal_registration_identifier"]["kinds"] == by_scheme
    assert kinds["BuyerParty", "buyer_legal_registration_identifier"]["kinds"] == by_scheme
    assert kinds["PartyIdentifier", "value"]["kinds"] == by_scheme
    assert kinds["ElectronicAddress", "value"]["kinds"] == {"0225": "address"}
    assert kinds["SellerParty", "seller_vat_identifier"] == {"kind": "vat_number", "prefix": "FR"}
    assert kinds["BuyerParty", "buyer_vat_identifier"] == {"kind": "vat_number", "prefix": "FR"}
