from __future__ import annotations

import copy
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from codegen import audit, build, pipeline
from codegen.documents import Doc
from codegen.ir import Api, Field
from codegen.normalise import normalise
from codegen.problems import Notes

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

Describe = Callable[..., Doc]
Understand = Callable[..., Api]


def _describe(
    *, schemas: Mapping[str, Any] | None = None, paths: Mapping[str, Any] | None = None, **more: Any
) -> Doc:
    """A small valid description; every operation gets the answers and the effect that it does not have."""
    document: Doc = {
        "openapi": "3.1.0",
        "info": {"title": "Small", "version": "1"},
        "paths": copy.deepcopy(dict(paths or {})),
        "components": {"schemas": dict(schemas or {})},
        **more,
    }
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "put", "post", "delete"):
                name = "".join(letter if letter.isalnum() else "_" for letter in f"{method}{path}").strip("_")
                operation.setdefault("operationId", name)
                operation.setdefault("responses", {"200": {"description": "Done"}})
                operation.setdefault("x-effect", "safe")
                operation.setdefault("tags", ["Things"])
    return document


def _understand(document: Doc, *, notes: Notes | None = None) -> Api:
    """What the generator makes of a description, from the steps to the audit."""
    notes = Notes() if notes is None else notes
    api = build.build(normalise(document, notes), notes)
    audit.audit(document, api, packages=(pipeline.ROOT / "src" / "seqino",), notes=notes)
    return api


@pytest.fixture
def describe() -> Describe:
    return _describe


@pytest.fixture
def understand() -> Understand:
    return _understand


@pytest.fixture
def field_of() -> Callable[..., Field]:
    """The field that a property becomes in a response."""

    def make(schema: Any, *, schemas: Mapping[str, Any] | None = None, notes: Notes | None = None) -> Field:
        thing = {"type": "object", "properties": {"x": schema}}
        api = _understand(_describe(schemas={"Thing": thing, **(schemas or {})}), notes=notes)
        return next(model for model in api.models if model.name == "Thing").fields[0]

    return make


@pytest.fixture
def workshop(tmp_path: Path) -> Callable[..., pipeline.Inputs]:
    """Files for a run in a folder of its own."""

    def make(document: Doc | str | bytes, actions: list[Any] | None = None) -> pipeline.Inputs:
        description = tmp_path / "description.json"
        if isinstance(document, dict):
            document = json.dumps(document)
        description.write_bytes(document.encode() if isinstance(document, str) else document)
        overlay = tmp_path / "overlay.json"
        overlay.write_text(json.dumps({"overlay": "1.0.0", "actions": actions or []}))
        return pipeline.Inputs(description=description, overlay=overlay, output=tmp_path / "made")

    return make


@pytest.fixture
def load_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Import modules of a package generated into ``made``, and forget them afterwards."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def load(name: str) -> ModuleType:
        (tmp_path / "made" / "__init__.py").touch()
        return importlib.import_module(f"made.{name}")

    yield load
    for name in [name for name in sys.modules if name.partition(".")[0] == "made"]:
        del sys.modules[name]
