"""Reading a description, YAML 1.2 or JSON, and checking it against the OpenAPI schema."""

from __future__ import annotations

import hashlib
import json
import textwrap
from typing import TYPE_CHECKING, Any

import attrs
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from codegen.documents import Doc, child, is_list, is_object
from codegen.problems import CodegenError

if TYPE_CHECKING:
    from pathlib import Path


@attrs.frozen(kw_only=True)
class Description:
    """A description as read."""

    document: Doc
    sha256: str
    """Of the bytes read, in hexadecimal."""


# ruamel.yaml is typed in part only.
_Safe: Any = SafeConstructor


class _Constructor(_Safe):  # type: ignore[misc] # see above
    """YAML as the JSON that an OpenAPI document is: no dates, and no number that begins with a zero.

    ``0088`` is a code, not 88: JSON (RFC 8259 §6) knows no such number, and reading one has spoilt a
    published description before.
    """

    def construct_int(self, node: Any) -> int | str:
        """Return a whole number, or the text of one that JSON does not know."""
        text = str(node.value)
        if len(text) > 1 and text.startswith("0") and text.isdecimal():
            return text
        return int(self.construct_yaml_int(node))


_Constructor.add_constructor("tag:yaml.org,2002:int", _Constructor.construct_int)
_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Safe.construct_yaml_str)


def parse(data: bytes, *, name: str) -> Doc:
    """Read a YAML or JSON document whose root is an object.

    Args:
        data: The document, UTF-8.
        name: What messages call it, usually its path.

    Returns:
        The document, made of what JSON has.

    Raises:
        CodegenError: If it cannot be read; the message has line and column where they are known.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CodegenError(f"is not UTF-8 (byte {error.start})", place=name) from None
    document = _json(text, name) if text.lstrip().startswith("{") else _yaml(text, name)
    if not is_object(document):
        raise CodegenError("is not an object at its root, so it is no description", place=name)
    return document


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda word: _refuse_constant(word, name))
    except json.JSONDecodeError as error:
        raise CodegenError(
            f"is not JSON: {error.msg}", place=f"{name}, line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise CodegenError("is nested too deeply", place=name) from None


def _refuse_constant(word: str, name: str) -> Any:
    raise CodegenError(f"is not JSON: {word} is no number", place=name)


def _yaml(text: str, name: str) -> Any:
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        raise _yaml_fault(error, name) from None
    except (YAMLError, ValueError) as error:
        raise CodegenError(f"is not YAML: {str(error).strip().splitlines()[0]}", place=name) from None
    except RecursionError:
        raise CodegenError("is nested too deeply", place=name) from None


def _yaml_fault(error: Any, name: str) -> CodegenError:
    mark = error.problem_mark or error.context_mark
    place = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
    return CodegenError(f"is not YAML: {(error.problem or 'syntax error').strip()}", place=place)


def validate(document: Doc, *, name: str) -> None:
    """Check a document against the schema and the rules of OpenAPI 3.0 or 3.1.

    Args:
        document: What ``parse`` returned.
        name: What messages call it.

    Raises:
        CodegenError: With the first fault and its place.
    """
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith(("3.0.", "3.1.")):
        said = "Swagger 2.0" if "swagger" in document else f"openapi: {version!r}"
        raise CodegenError(f"is no OpenAPI 3.0 or 3.1 description ({said})", place=name)
    # Loaded here: a fault of the text is told before so much is imported.
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator  # noqa: PLC0415

    validator = OpenAPIV30SpecValidator if version.startswith("3.0.") else OpenAPIV31SpecValidator
    try:
        fault: Any = next(iter(validator(document).iter_errors()), None)
    except Exception as error:  # noqa: BLE001 - whatever the validator trips over is a fault of the document
        raise CodegenError(f"cannot be checked: {_one_line(error)}", place=name) from None
    if fault is not None:
        place = _locate(document, list(fault.absolute_path), fault.instance)
        raise CodegenError(f"is no valid OpenAPI: {_one_line(fault)}", place=f"{name} {place}")


def _one_line(error: Any) -> str:
    text = getattr(error, "message", None) or f"{type(error).__name__}: {error}"
    return textwrap.shorten(str(text).partition("\n\n")[0], 300, placeholder=" …")


def _locate(document: Doc, path: list[Any], instance: Any) -> str:
    """Return where a fault is; the validator counts the path of some from the schema that they are in."""
    todo: list[tuple[str, Any]] = [("#", document)]
    for place, thing in todo:
        found = thing
        for key in path:
            found = found.get(key, found.get(str(key))) if is_object(found) else _item(found, key)
        if path and found is not None and found == instance:
            return child(place, *path)
        entries = thing.items() if is_object(thing) else enumerate(thing) if is_list(thing) else ()
        todo += [(child(place, key), part) for key, part in entries]
    return child("#", *path)


def _item(thing: Any, key: Any) -> Any:
    return thing[key] if is_list(thing) and isinstance(key, int) and key < len(thing) else None


def load(path: Path) -> Description:
    """Read a description from a file, unchecked: the overlay may mend what is wrong with it.

    Args:
        path: YAML or JSON, UTF-8.

    Returns:
        The description and the hash of its bytes.

    Raises:
        CodegenError: If it cannot be read.
    """
    data = read_bytes(path)
    return Description(document=parse(data, name=str(path)), sha256=hashlib.sha256(data).hexdigest())


def read_bytes(path: Path) -> bytes:
    """Read a file.

    Args:
        path: The file.

    Returns:
        Its bytes.

    Raises:
        CodegenError: If there is none or it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise CodegenError(f"cannot be read: {error.strerror or error}", place=str(path)) from None
