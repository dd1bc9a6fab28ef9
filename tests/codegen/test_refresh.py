"""A changed description regenerates, and what it made works without a hand edit."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
import pytest

from codegen import description, pipeline
from codegen.__main__ import main
from seqino._core.wire import UNSET, File, OpenEnum, Operation

if TYPE_CHECKING:
    from pathlib import Path

Load = Callable[[str], ModuleType]


class _FakeCaller:
    """Performs a call by noting it."""

    def __init__(self) -> None:
        self.calls: list[tuple[Operation[Any], Mapping[str, Any] | None, Any]] = []

    async def call(
        self,
        operation: Operation[Any],
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Any = UNSET,
        options: Any = None,  # noqa: ARG002 - as a caller is called
    ) -> Any:
        self.calls.append((operation, parameters, body))
        return "the answer"


@pytest.fixture
def refreshed(tmp_path: Path, load_package: Load, capsys: pytest.CaptureFixture[str]) -> tuple[Load, str]:
    """The package made of the project's description with changes, and what was said while making it."""
    document = description.load(pipeline.Inputs().description).document
    schemas, paths = document["components"]["schemas"], document["paths"]
    for twin, amount in (
        ("Input", {"anyOf": [{"type": "number"}, {"type": "string"}]}),
        ("Output", {"type": "string"}),
    ):
        schemas[f"InvoiceDraftModel-{twin}"]["properties"]["deposit"] = {**amount, "description": "New."}
    schemas["LifecycleEvent"]["properties"]["comment"] = {"type": "string"}
    schemas["LifecycleStatusCode"]["enum"].append("InvoiceLifecycleStatus.REOPENED")
    schemas["Reminder"] = {
        "type": "object",
        "properties": {"sent": {"type": "boolean"}},
        "required": ["sent"],
    }
    del schemas["OnboardingLinkRequest"]["properties"]["include_kyc"]
    paths["/drafts/{draft_id}/remind"] = {
        "post": {
            "operationId": "remind_drafts__draft_id__remind_post",
            "tags": ["Reminders"],
            "summary": "Remind",
            "parameters": [
                {"name": "draft_id", "in": "path", "required": True, "schema": {"type": "string"}},
                {"name": "X-PDP-Client-Id", "in": "header", "required": True, "schema": {"type": "string"}},
            ],
            "responses": {
                "200": {
                    "description": "Reminded",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reminder"}}},
                }
            },
        }
    }
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(document))
    assert main(["generate", "--description", str(changed), "--output", str(tmp_path / "made")]) == 0
    return load_package, capsys.readouterr().err


@pytest.mark.reconstruction
async def test_a_changed_description_regenerates_and_runs(refreshed: tuple[Load, str]) -> None:
    load, said = refreshed
    models, tags = load("models"), load("api")
    draft = {field.name: field for field in attrs.fields(models.InvoiceDraft)}
    assert draft["deposit"].default is UNSET
    decoded = msgspec.json.decode(
        b'{"issue_date":"2024-01-02","type_code":"380","currency_code":"EUR","deposit":"1.10",'
        b'"seller":{"name":"x","postal_address":{"city_name":"P"}}}',
        type=models.InvoiceDraft,
    )
    assert decoded.deposit == Decimal("1.10")
    assert "comment" in {field.name for field in attrs.fields(models.LifecycleEvent)}
    assert models.LifecycleStatusCode.INVOICE_REOPENED.is_known
    assert models.LifecycleStatusCode.INVOICE_REOPENED.label_fr == "InvoiceLifecycleStatus.REOPENED"
    assert "include_kyc" not in {field.name for field in attrs.fields(models.OnboardingLinkRequest)}
    assert "reminders" in dir(tags)
    caller = _FakeCaller()
    assert await tags.reminders.remind(caller, "d1", client_id="c1") == "the answer"
    ((operation, parameters, body),) = caller.calls
    assert (operation.method, operation.path, operation.effect) == (
        "POST",
        "/drafts/{draft_id}/remind",
        "create",
    )
    assert operation.responses == {200: models.Reminder}
    assert (parameters, body) == ({"draft_id": "d1", "client_id": "c1"}, UNSET)
    assert [parameter.scope for parameter in operation.parameters] == [False, True]
    place = "#/paths/~1drafts~1{draft_id}~1remind/post"
    told = "InvoiceLifecycleStatus.REOPENED has no meaning in seqino.statuses.StatusMeaning yet"
    assert said.splitlines() == [
        f"warning: {place}: has no x-effect in the overlay, so it is sent once and never again",
        f"warning: #/components/schemas/LifecycleStatusCode: {told}",
    ]


# --- the generated code as committed


def _operations() -> dict[str, Operation[Any]]:
    module = importlib.import_module("seqino._generated.operations")
    return {name: value for name, value in vars(module).items() if isinstance(value, Operation)}


def test_every_type_of_the_api_is_decoded_natively() -> None:
    for operation in _operations().values():
        for type_ in (*operation.responses.values(), *operation.errors.values()):
            if type_ is not None:
                msgspec.json.Decoder(type_)
        if operation.body is not None and operation.body.kind == "json":
            msgspec.json.Decoder(operation.body.type)


async def test_every_operation_can_be_called_by_tag() -> None:
    tags = importlib.import_module("seqino.api")
    for operation in _operations().values():
        function = getattr(getattr(tags, operation.tag), operation.name)
        names = list(inspect.signature(function).parameters.values())
        given = {p.name: object() for p in names if p.name not in ("client", "options")}
        caller = _FakeCaller()
        await function(caller, **given)
        ((called, parameters, body),) = caller.calls
        assert called is operation
        assert (parameters or {}) == {name: value for name, value in given.items() if name != "body"}
        assert body is given.get("body", UNSET)


def test_the_tags_are_listed_and_nothing_else_is_found() -> None:
    tags = importlib.import_module("seqino.api")
    assert {operation.tag for operation in _operations().values()} == set(dir(tags)) == set(tags.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = tags.nothing


def test_public_models_are_the_generated_ones() -> None:
    public = importlib.import_module("seqino.models")
    private = importlib.import_module("seqino._generated.models")
    assert public.__all__ == private.__all__ == sorted(public.__all__)
    assert all(getattr(public, name) is getattr(private, name) for name in public.__all__)


def test_a_file_is_uploaded_as_a_file() -> None:
    models = importlib.import_module("seqino.models")
    form = models.InvoiceFileSubmission(file=File(name="a.xml", content=b"<x/>"))
    assert form.file.content == b"<x/>"
    assert _operations()["SUBMIT_INVOICE_FILE"].body.kind == "multipart"  # type: ignore[union-attr]


@pytest.mark.reconstruction
def test_every_status_has_a_meaning_and_unknown_ones_are_kept() -> None:
    code: Any = importlib.import_module("seqino.models").LifecycleStatusCode
    assert issubclass(code, OpenEnum)
    assert all(getattr(member, "has_meaning", None) for member in code)
    unknown: Any = code("InvoiceLifecycleStatus.NEW")
    assert (unknown.is_known, unknown.has_meaning, str(unknown)) == (
        False,
        False,
        "InvoiceLifecycleStatus.NEW",
    )


def test_tables_name_fields_that_exist() -> None:
    tables = importlib.import_module("seqino._generated.tables")
    for table in (tables.CONSTRAINTS, tables.BUSINESS_TERMS, tables.SHARED_TERMS, tables.WIRE_NAMES):
        for model, entries in table.items():
            assert set(entries) <= {field.name for field in attrs.fields(model)}
    models = importlib.import_module("seqino.models")
    assert tables.BUSINESS_TERMS[models.InvoiceLine]["line_net_amount"] == "BT-131"
    assert tables.SHARED_TERMS[models.PostalAddress]["city_name"]["BG-5"] == "BT-37"
    assert tables.CONSTRAINTS[models.ClientCreate]["external_ref"].max_length == 100
