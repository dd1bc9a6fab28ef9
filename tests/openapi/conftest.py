"""The description, the overlay, and both together, put together by an applier of these tests' own."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonpath
import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[2] / "openapi"
JSONObject = dict[str, Any]


def read(name: str) -> JSONObject:
    # ruamel.yaml leaves the stream untyped.
    document: JSONObject = YAML(typ="safe").load(FOLDER / name)  # pyright: ignore[reportUnknownMemberType]
    return document


def merge(into: JSONObject, update: JSONObject) -> None:
    for name, value in update.items():
        present = into.get(name)
        if isinstance(present, dict) and isinstance(value, dict):
            merge(present, value)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(present, list) and isinstance(value, list):
            present.extend(value)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        else:
            into[name] = copy.deepcopy(value)


def apply(description: JSONObject, overlay: JSONObject) -> JSONObject:
    result = copy.deepcopy(description)
    strict = jsonpath.JSONPathEnvironment(strict=True)
    for action in overlay["actions"]:
        for match in list(strict.finditer(action["target"], result)):
            node: Any = match.obj
            if isinstance(node, list):
                node.append(copy.deepcopy(action["update"]))  # pyright: ignore[reportUnknownMemberType]
            else:
                merge(node, action["update"])
    return result


@pytest.fixture(scope="session")
def description() -> JSONObject:
    return read("seqino-pdp.yaml")


@pytest.fixture(scope="session")
def overlay() -> JSONObject:
    return read("overlay.yaml")


@pytest.fixture(scope="session")
def overlaid(description: JSONObject, overlay: JSONObject) -> JSONObject:
    return apply(description, overlay)


@pytest.fixture(scope="session")
def schemas(description: JSONObject) -> dict[str, JSONObject]:
    found: dict[str, JSONObject] = description["components"]["schemas"]
    return found


@pytest.fixture(scope="session")
def published() -> JSONObject:
    """Return what the public documentation shows, before anything was completed."""
    document: JSONObject = json.loads((Path(__file__).parent / "published.json").read_text("utf-8"))
    return document


@pytest.fixture(name="apply")
def apply_fixture() -> Any:
    return apply


@pytest.fixture(scope="session")
def operations(overlaid: JSONObject) -> dict[str, JSONObject]:
    return dict(each_operation(overlaid))


def each_operation(description: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    for path, item in description["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation
