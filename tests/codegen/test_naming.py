from __future__ import annotations

import pytest

from codegen import naming
from codegen.problems import CodegenError


@pytest.mark.parametrize(
    ("operation_id", "path", "method", "name"),
    [
        ("get_clients_clients_get", "/clients", "get", "get_clients"),
        ("get_draft_drafts__draft_id__get", "/drafts/{draft_id}", "get", "get_draft"),
        (
            "validate_invoice_data_drafts_validate_data_post",
            "/drafts/validate-data",
            "post",
            "validate_invoice_data",
        ),
        ("listThings", "/things", "get", "list_things"),
        ("_things_get", "/things", "get", "things_get"),
        ("import", "/import", "post", "import_"),
    ],
)
def test_the_suffix_of_fastapi_goes(operation_id: str, path: str, method: str, name: str) -> None:
    assert naming.operation_name(operation_id, path=path, method=method) == name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("380", "CODE_380"),
        ("active", "ACTIVE"),
        ("invoice.status_updated", "INVOICE_STATUS_UPDATED"),
        ("InvoiceLifecycleStatus.DEPOSITED", "INVOICE_DEPOSITED"),
        ("InvoiceLifecycleStatus.Sub.X", "SUB_X"),
        ("été", "ETE"),
        ("", "EMPTY"),
        ("+", "SIGN_2B"),
        ("realNormal", "REAL_NORMAL"),
    ],
)
def test_a_member_is_named_after_its_value_alone(value: str, name: str) -> None:
    prefixes = {"InvoiceLifecycleStatus.": "INVOICE_", "InvoiceLifecycleStatus.Sub.": "SUB_"}
    assert naming.member_name(value, prefixes) == name


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("lines", "lines"),
        ("id", "id"),
        ("type", "type"),
        ("camelCase", "camelCase"),
        ("from", "from_"),
        ("self", "self_"),
        ("@id", "id"),
        ("2fa", "value_2fa"),
        ("_private", "private"),
        ("ﬁeld", "field"),  # a ligature, which Python reads as two letters
    ],
)
def test_a_field_keeps_its_name_wherever_python_allows_it(wire: str, name: str) -> None:
    assert naming.field_name(wire, place="#") == name


def test_a_property_without_a_letter_cannot_be_named() -> None:
    with pytest.raises(CodegenError, match="has no letter"):
        naming.field_name("--", place="#/x")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("HTTPValidationError", "HTTPValidationError"),
        ("Body_upload_file", "BodyUploadFile"),
        ("invoice-line", "InvoiceLine"),
        ("3ds", "Schema3ds"),
    ],
)
def test_a_class_keeps_a_name_that_is_one(text: str, name: str) -> None:
    assert naming.class_name(text) == name


def test_a_parameter_is_named_in_snake_case() -> None:
    assert naming.identifier("X-PDP-Client-Id") == "x_pdp_client_id"
    assert naming.identifier("9") == "value_9"
    assert naming.identifier("!") == "value"
