"""The description of the API as the sandbox reads it: JSON of its own, never the client's models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

try:
    import jsonschema_rs
except (
    ImportError
) as error:  # pragma: no cover - run in a child process by a test, where coverage does not look
    raise ImportError(
        "the sandbox judges requests with jsonschema-rs, which is missing: pip install 'seqino[sandbox]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["SHIPPED", "Description", "Operation", "Parameter", "opened"]

SHIPPED = Path(__file__).parent.parent / "_generated" / "description.json"
"""The description that the package was generated from."""

T = TypeVar("T")

_METHODS = ("get", "put", "post", "delete", "patch")

DECIMAL = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?$"
"""A decimal number in text; an amount may be sent so, to keep its digits."""


@attrs.frozen(kw_only=True)
class Parameter:
    """A parameter in the path, the query or a header."""

    name: str
    location: str
    required: bool
    types: frozenset[str]
    """JSON types that its schema takes."""
    validator: jsonschema_rs.Draft202012Validator


@attrs.frozen(kw_only=True)
class Operation:
    """An operation of the description, with its validators."""

    method: str
    path: str
    name: str
    """Name in Python where the description gives one, else the operation id."""
    authenticated: bool
    parameters: tuple[Parameter, ...]
    media_type: str | None
    """Media type of the request body; ``None`` where the operation takes none."""
    body: jsonschema_rs.Draft202012Validator | None
    body_schema: Mapping[str, Any]
    responses: Mapping[int, Mapping[str, Any] | None]
    """Schema by status; ``None`` where no body is documented."""

    @property
    def key(self) -> str:
        """Method and path template, such as ``POST /drafts/{draft_id}/validate``."""
        return f"{self.method} {self.path}"


class Description:
    """A description read from JSON, with one compiled validator for each schema that is asked for.

    Args:
        path: File to read; the one shipped in the package by default.

    Raises:
        ValueError: The file is missing or is no OpenAPI description.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or SHIPPED
        self._made: dict[Callable[[Description], Any], Any] = {}
        try:
            data = self.path.read_bytes()
            self.digest = hashlib.blake2b(data, digest_size=16).hexdigest()
            self.document: dict[str, Any] = json.loads(data)
            self._components: dict[str, Any] = opened(self.document["components"])
            self.operations = tuple(self._operations())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{self.path} is no OpenAPI description in JSON: {type(error).__name__}: {error}"
            ) from error

    def operation(self, key: str) -> Operation:
        """Return an operation by method and path template.

        Raises:
            ValueError: The description has no such operation.
        """
        for operation in self.operations:
            if operation.key == key:
                return operation
        raise ValueError(f"{self.path} does not describe {key}, without which there is nothing to play")

    def once(self, make: Callable[[Description], T]) -> T:
        """Return what a function makes of this description: made once, and kept as long as this is."""
        if make not in self._made:
            self._made[make] = make(self)
        made: T = self._made[make]
        return made

    def validator(self, schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
        """Compile a schema of this description; references reach its components."""
        return jsonschema_rs.Draft202012Validator(
            {**schema, "components": self._components}, validate_formats=True
        )

    def resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow ``$ref`` until a schema stands there."""
        while "$ref" in schema:
            schema = self._components["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def _operations(self) -> Iterator[Operation]:
        for path, item in self.document["paths"].items():
            shared = item.get("parameters", [])
            for method in _METHODS:
                if method in item:
                    yield self._operation(method.upper(), path, item[method], shared)

    def _operation(self, method: str, path: str, raw: dict[str, Any], shared: list[Any]) -> Operation:
        content = raw.get("requestBody", {}).get("content", {})
        media_type = next(iter(content), None)
        schema: dict[str, Any] = opened(content[media_type]["schema"]) if media_type else {}
        judged = media_type is not None and not media_type.startswith("multipart/")
        return Operation(
            method=method,
            path=path,
            name=raw.get("x-python-name", raw["operationId"]),
            authenticated=bool(raw.get("security", self.document.get("security"))),
            parameters=tuple(self._parameter(one) for one in (*shared, *raw.get("parameters", ()))),
            media_type=media_type,
            body=self.validator(schema) if judged else None,
            body_schema=schema,
            responses={
                int(status): _answer_schema(answer)
                for status, answer in raw["responses"].items()
                if status.isdigit()
            },
        )

    def _parameter(self, raw: dict[str, Any]) -> Parameter:
        schema = opened(raw["schema"])
        return Parameter(
            name=raw["name"],
            location=raw["in"],
            required=raw.get("required", False),
            types=frozenset(self._types(schema)),
            validator=self.validator(schema),
        )

    def _types(self, schema: Mapping[str, Any]) -> Iterator[str]:
        schema = self.resolve(schema)
        for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
            yield from self._types(branch)
        types = schema.get("type", ())
        yield from (types,) if isinstance(types, str) else types


def _answer_schema(raw: dict[str, Any]) -> Mapping[str, Any] | None:
    content = raw.get("content", {}).get("application/json")
    return None if content is None else opened(content["schema"])


def opened(node: Any) -> Any:
    """Copy a part of the description as it is judged.

    An enum also takes the values that older public pages list, since the newest page cuts a long list; and
    text that stands for an amount has to be a number.
    """
    if isinstance(node, list):
        return [opened(one) for one in cast("Iterable[Any]", node)]
    if not isinstance(node, dict):
        return node
    copy: dict[str, Any] = {name: opened(value) for name, value in cast("dict[str, Any]", node).items()}
    if "enum" in copy and "x-published-additional-values" in copy:
        copy["enum"] = [*copy["enum"], *copy["x-published-additional-values"]]
    if isinstance(copy.get("anyOf"), list) and {"type": "number"} in copy["anyOf"]:
        copy["anyOf"] = [
            {**branch, "pattern": DECIMAL} if branch == {"type": "string"} else branch
            for branch in copy["anyOf"]
        ]
    return copy
