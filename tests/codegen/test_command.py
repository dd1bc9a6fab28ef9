# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownLambdaType=false
# Documents of JSON, written out, have no narrower type.

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from codegen import freshness
from codegen.__main__ import main
from codegen.documents import Doc
from codegen.pipeline import Inputs
from codegen.problems import Notes

if TYPE_CHECKING:
    from pathlib import Path

Describe = Callable[..., Doc]
Workshop = Callable[..., Inputs]

THING = {"Thing": {"type": "object", "properties": {"id": {"type": "string"}}}}


def _run(command: str, inputs: Inputs) -> int:
    return main(
        [
            *(command, "--description", str(inputs.description), "--overlay", str(inputs.overlay)),
            *("--output", str(inputs.output)),
        ]
    )


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_generate_writes_the_package(
    describe: Describe, workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = workshop(describe(schemas=THING, paths={"/a": {"get": {}}}))
    assert _run("generate", inputs) == 0
    assert set(_tree(inputs.output)) == {
        *(
            "_generated/__init__.py",
            "_generated/models.py",
            "_generated/operations.py",
            "_generated/tables.py",
        ),
        *("_generated/description.json", "api/__init__.py", "api/things.py", "models.py"),
    }
    marks = {data.splitlines()[0] for name, data in _tree(inputs.output).items() if name.endswith(".py")}
    assert len(marks) == 1
    assert capsys.readouterr().out == f"generated 8 files in {inputs.output}, 8 changed\n"


def test_a_tag_that_vanished_takes_its_module_along(describe: Describe, workshop: Workshop) -> None:
    old = {"/a": {"get": {"tags": ["Old"]}}}
    new = {"/a": {"get": {"tags": ["New"]}}}
    assert _run("generate", workshop(describe(paths=old))) == 0
    inputs = workshop(describe(paths=new))
    assert _run("generate", inputs) == 0
    assert sorted(path.name for path in (inputs.output / "api").iterdir()) == ["__init__.py", "new.py"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"a: [", "description.json, line 1"),
        (b"{", "description.json, line 1, column 2: is not JSON"),
        ({"openapi": "3.1.0"}, "description.json #: is no valid OpenAPI"),
        (
            {
                "openapi": "3.1.0",
                "info": {"title": "T", "version": "1"},
                "paths": {
                    "/a": {
                        "get": {
                            "parameters": [{"name": "p", "in": "cookie", "schema": {}}],
                            "responses": {"200": {"description": "d"}},
                        }
                    }
                },
            },
            "#/paths/~1a/get/parameters/0: the parameter 'p' travels in a cookie",
        ),
        (
            {
                "openapi": "3.1.0",
                "info": {"title": "T", "version": "1"},
                "paths": {},
                "components": {"schemas": {"A": {"enum": ["a b", "a-b"]}}},
            },
            "#/components/schemas/A: the values 'a b' and 'a-b' would both be called A_B",
        ),
    ],
)
def test_a_bad_description_gives_one_message_and_leaves_everything(
    document: Any, said: str, describe: Describe, workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("generate", workshop(describe(schemas=THING, paths={"/a": {"get": {}}}))) == 0
    inputs = workshop(document)
    before = _tree(inputs.output)
    capsys.readouterr()
    assert _run("generate", inputs) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("codegen: ")
    assert printed.err.count("\n") == 1
    assert said in printed.err
    assert _tree(inputs.output) == before


def test_an_overlay_may_mend_a_description_that_is_not_valid(describe: Describe, workshop: Workshop) -> None:
    document = describe()
    del document["info"]["version"]
    inputs = workshop(document, [{"target": "$.info", "update": {"version": "1"}}])
    assert _run("generate", inputs) == 0


def test_an_overlay_that_spoils_the_description_is_named(
    describe: Describe, workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = workshop(describe(), [{"target": "$.info.version", "remove": True}])
    assert _run("generate", inputs) == 1
    assert "description.json with overlay.json #/info: is no valid OpenAPI" in capsys.readouterr().err


def test_an_action_without_effect_and_an_edit_fail_in_check(
    describe: Describe, workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    action = {"target": "$.paths['/gone']", "description": "It was there.", "update": {}}
    inputs = workshop(describe(schemas={"N": {"enum": [1]}}), [action])
    said = "overlay action without effect:"
    assert _run("generate", inputs) == 0
    errors = capsys.readouterr().err.splitlines()
    assert errors[0] == "warning: #/components/schemas/N: its values are whole numbers, so it is read as int"
    assert errors[1].startswith(f"warning: {said}")
    assert "matches nothing (It was there.)" in errors[1]
    models = inputs.output / "models.py"
    models.write_text(models.read_text() + "# edited\n")
    assert _run("check", inputs) == 1
    printed = capsys.readouterr()
    assert f"codegen: {said}" in printed.err
    assert f"codegen: {models} is not as it would be generated\n" in printed.err
    assert printed.out == "the generated code is not fresh\n"


def test_check_passes_after_generate(describe: Describe, workshop: Workshop) -> None:
    inputs = workshop(describe(schemas=THING, paths={"/a": {"get": {}}}))
    assert _run("generate", inputs) == 0
    assert freshness.check(inputs) == ([], Notes())


def test_check_passes_where_the_code_is_fresh(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(freshness, "check", lambda _inputs: ([], Notes(warnings=["w"])))
    assert main(["check"]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("the generated code is fresh\n", "warning: w\n")


def test_check_sees_an_order_that_depends_on_the_hash_seed(
    workshop: Workshop, describe: Describe, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [{"files": {"a.py": text}, "warnings": [], "unmatched": []} for text in ("1", "2")]
    monkeypatch.setattr(freshness, "_generate_under_seeds", lambda _inputs: runs)
    problems, _ = freshness.check(workshop(describe()))
    assert problems[0] == "what is generated depends on PYTHONHASHSEED"


def test_check_of_a_bad_description_gives_its_message(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("check", workshop(b"{")) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("codegen: ")
    assert printed.count("codegen:") == 1
    assert "is not JSON" in printed


def test_render_prints_and_writes_nothing(
    describe: Describe, workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = workshop(describe())
    assert _run("render", inputs) == 0
    assert "models.py" in json.loads(capsys.readouterr().out)["files"]
    assert not inputs.output.exists()


def test_a_description_is_taken_from_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], describe: Describe
) -> None:
    source, target = tmp_path / "theirs.json", tmp_path / "ours.yaml"
    source.write_text(json.dumps(describe()))
    assert main(["download", "--file", str(source), "--to", str(target)]) == 0
    assert target.read_bytes() == source.read_bytes()
    assert json.loads((tmp_path / "ours.source.json").read_text())["file"] == source.name
    assert capsys.readouterr().out.startswith(
        f"stored {len(source.read_bytes())} bytes in {target}, SHA-256 "
    )


def test_a_description_is_taken_from_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, describe: Describe
) -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return json.dumps(describe()).encode()

    monkeypatch.setattr("codegen.download.from_url", fetch)
    assert main(["download", "--to", str(tmp_path / "d.yaml")]) == 0
    assert asked == ["https://pdp-api-v250704-iron.seqino.dev/_bundle/openapi.yaml"]


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["download", "--file", "a", "--url", "b"]])
def test_wrong_arguments_end_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
