"""Print the table of counts that README.md beside this file shows: ``python openapi/counts.py``."""
# A script of its own, not a package; it prints for a reader.
# ruff: noqa: INP001, T201

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
LEVELS = ("reference", "published", "inferred")


def read(name: str) -> dict[str, Any]:
    """Read a YAML 1.2 file of this folder."""
    # ruamel.yaml leaves the stream untyped.
    document: dict[str, Any] = YAML(typ="safe").load(HERE / name)  # pyright: ignore[reportUnknownMemberType]
    return document


def operations(description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every operation below ``paths``."""
    for item in description["paths"].values():
        yield from (item[method] for method in METHODS if method in item)


def evidence(part: dict[str, Any], whole: dict[str, Any]) -> str:
    """Return how well a part is known: its own word, or that of what it belongs to."""
    word: str = part.get("x-evidence", whole.get("x-evidence", "inferred"))
    return word


def business_terms(field: dict[str, Any]) -> list[str]:
    """Return the EN 16931 terms of a property: one, or one for each group that uses its schema."""
    one = field.get("x-business-term")
    return [one] if one else list(field.get("x-business-terms", {}).values())


def rows(description: dict[str, Any], overlay: dict[str, Any]) -> Iterator[tuple[str, Counter[str]]]:
    """Yield what is counted, by evidence."""
    schemas = description["components"]["schemas"].values()
    fields = [(field, schema) for schema in schemas for field in schema.get("properties", {}).values()]
    ops = list(operations(description))
    hooks = [op for item in description.get("webhooks", {}).values() for op in item.values()]
    terms = [(field, schema) for field, schema in fields if business_terms(field)]
    yield "operations", Counter(evidence(op, {}) for op in ops)
    yield "webhooks", Counter(evidence(op, {}) for op in hooks)
    yield "schemas", Counter(evidence(schema, {}) for schema in schemas)
    yield "properties", Counter(evidence(*pair) for pair in fields)
    yield "properties with an EN 16931 term", Counter(evidence(*pair) for pair in terms)
    yield "overlay actions (ours)", Counter({"inferred": len(overlay["actions"])})


def table() -> str:
    """Return the table as Markdown."""
    lines = ["| | reference | published | inferred | all |", "|---|---:|---:|---:|---:|"]
    for name, count in rows(read("seqino-pdp.yaml"), read("overlay.yaml")):
        figures = " | ".join(str(count[level]) for level in LEVELS)
        lines.append(f"| {name} | {figures} | {count.total()} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
