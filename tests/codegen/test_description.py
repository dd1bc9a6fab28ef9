from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from codegen import description
from codegen.problems import CodegenError

if TYPE_CHECKING:
    from pathlib import Path

VALID = b"openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}\n"


def test_yaml_is_read_as_the_json_that_it_stands_for() -> None:
    read = description.parse(b"code: 0088\nday: 2024-01-15\nplain: 7\nzero: 0\nyes: yes\n", name="x")
    assert read == {"code": "0088", "day": "2024-01-15", "plain": 7, "zero": 0, "yes": "yes"}


def test_json_is_read_too() -> None:
    assert description.parse(b'\xef\xbb\xbf {"a": [1.5, null]}', name="x") == {"a": [1.5, None]}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a: [1", "x, line 1, column 6: is not YAML"),
        (b"a: 1\nb: 2\na: 3\n", "x, line 3, column 1: is not YAML: found duplicate key"),
        (b"a: !!python/object:os.system 1\n", "is not YAML"),
        (b"a: \x01\n", "x: is not YAML"),
        (b"a: \xff\n", "x: is not UTF-8 (byte 3)"),
        (b'{"a": }', "x, line 1, column 7: is not JSON: Expecting value"),
        (b'{"a": NaN}', "x: is not JSON: NaN is no number"),
        (b'{"a":' + b"[" * 100_000, "x: is nested too deeply"),
        (b"a: " + b"[" * 1_000, "x: is nested too deeply"),
        (b"- 1\n", "x: is not an object at its root"),
        (b"", "x: is not an object at its root"),
        (b"<html>no</html>", "x: is not an object at its root"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_with_its_place(data: bytes, said: str) -> None:
    with pytest.raises(CodegenError) as caught:
        description.parse(data, name="x")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("swagger: '2.0'\n", "x: is no OpenAPI 3.0 or 3.1 description (Swagger 2.0)"),
        ("openapi: 3.2.0\n", "x: is no OpenAPI 3.0 or 3.1 description (openapi: '3.2.0')"),
        ("openapi: 3.1\n", "openapi: 3.1)"),
        ("openapi: 3.1.0\ninfo: {title: T}\npaths: {}\n", 'x #/info: is no valid OpenAPI: "version"'),
        ("openapi: 3.0.3\ninfo: {title: T, version: '1'}\n", 'x #: is no valid OpenAPI: "paths"'),
        (
            (
                "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n"
                "  /a: {get: {operationId: same, responses: {'200': {description: d}}}}\n"
                "  /b: {get: {operationId: same, responses: {'200': {description: d}}}}\n"
            ),
            "same",
        ),
        (
            (
                "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}\n"
                "components: {schemas: {A: {type: array, items: {type: strin}}}}\n"
            ),
            "x #/components/schemas/A/items/type: is no valid OpenAPI: 'strin' is not valid",
        ),
        (
            "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {/a: {get: {parameters: [{name: 3}]}}}\n",
            "x #/paths/~1a/get/parameters/0",
        ),
        (
            (
                "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}\n"
                "components: {schemas: {A: {$ref: '#/components/schemas/Nowhere'}}}\n"
            ),
            "Nowhere",
        ),
    ],
)
def test_a_document_that_is_no_valid_description_is_refused(text: str, said: str) -> None:
    with pytest.raises(CodegenError) as caught:
        description.validate(description.parse(text.encode(), name="x"), name="x")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_file_is_loaded_with_the_hash_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    path.write_bytes(VALID)
    loaded = description.load(path)
    assert loaded.sha256 == hashlib.sha256(VALID).hexdigest()
    assert loaded.document["info"]["title"] == "T"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CodegenError, match=r"nothing.yaml: cannot be read: No such file"):
        description.load(tmp_path / "nothing.yaml")
