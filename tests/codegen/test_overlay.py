# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownLambdaType=false
# Documents of JSON, written out, have no narrower type.

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from codegen import overlay
from codegen.overlay import Action
from codegen.problems import CodegenError, Notes

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = {
    "info": {"title": "T", "tags": ["a"]},
    "paths": {"/a": {"get": {"x": 1}, "post": {}}, "/b": {"get": {}}},
    "list": [{"n": 1}, {"n": 2}, {"n": 3}],
}


def _apply(*actions: dict[str, Any], notes: Notes | None = None) -> dict[str, Any]:
    made = [Action(place=f"#/actions/{index}", **action) for index, action in enumerate(actions)]
    return overlay.apply(DOCUMENT, made, notes or Notes())


def test_an_update_is_merged_into_every_object_that_the_target_finds() -> None:
    out = _apply({"target": "$.paths.*.get", "update": {"x-effect": "safe"}})
    assert out["paths"]["/a"]["get"] == {"x": 1, "x-effect": "safe"}
    assert out["paths"]["/b"]["get"] == {"x-effect": "safe"}
    assert out["paths"]["/a"]["post"] == {}


def test_objects_merge_lists_grow_and_other_values_are_replaced() -> None:
    out = _apply({"target": "$", "update": {"info": {"title": "U", "tags": ["b"], "new": {"a": 1}}}})
    assert out["info"] == {"title": "U", "tags": ["a", "b"], "new": {"a": 1}}


def test_an_update_of_a_list_is_appended() -> None:
    assert _apply({"target": "$.list", "update": {"n": 4}})["list"][-1] == {"n": 4}


def test_later_actions_see_what_earlier_ones_did() -> None:
    out = _apply(
        {"target": "$.paths['/b'].get", "update": {"new": {"deep": 1}}},
        {"target": "$.paths['/b'].get.new", "update": {"deep": 2}},
    )
    assert out["paths"]["/b"]["get"] == {"new": {"deep": 2}}


def test_everything_that_a_target_finds_is_removed() -> None:
    out = _apply(
        {"target": "$.list[?@.n < 3]", "remove": True},
        {"target": "$.paths['/a'].post", "remove": True},
    )
    assert out["list"] == [{"n": 3}]
    assert list(out["paths"]["/a"]) == ["get"]


def test_the_document_itself_stays_as_it_is() -> None:
    before = json.dumps(DOCUMENT)
    _apply({"target": "$.list", "update": {"n": 4}}, {"target": "$.info", "remove": True})
    assert json.dumps(DOCUMENT) == before


def test_an_action_that_matches_nothing_is_noted_with_its_reason() -> None:
    notes = Notes()
    _apply({"target": "$.paths['/gone']", "update": {}, "reason": "It was there."}, notes=notes)
    assert notes.unmatched == ["#/actions/0: $.paths['/gone'] matches nothing (It was there.)"]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"target": "$.paths[", "update": {}}, "is no JSONPath"),
        ({"target": "$.info.title", "update": {"a": 1}}, "only objects and lists can be updated"),
        ({"target": "$.info", "update": "text"}, "does not fit"),
        ({"target": "$", "remove": True}, "the whole description cannot be removed"),
    ],
)
def test_an_action_that_cannot_be_applied_is_an_error(action: dict[str, Any], said: str) -> None:
    with pytest.raises(CodegenError, match="#/actions/0") as caught:
        _apply(action)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"actions": []}, "is no OpenAPI Overlay 1.0 document"),
        ({"overlay": "2.0.0", "actions": []}, "is no OpenAPI Overlay 1.0 document"),
        ({"overlay": "1.0.0"}, "has no list of actions"),
        ({"overlay": "1.0.0", "actions": ["no"]}, "#/actions/0: an action is an object with a target"),
        ({"overlay": "1.0.0", "actions": [{"update": {}}]}, "an action is an object with a target"),
        ({"overlay": "1.0.0", "actions": [{"target": "$"}]}, "either an update or remove: true"),
        (
            {"overlay": "1.0.0", "actions": [{"target": "$", "update": {}, "remove": True}]},
            "either an update",
        ),
        (
            {"overlay": "1.0.0", "actions": [{"target": "$", "update": {}, "copy": 1}]},
            "an action has no copy",
        ),
    ],
)
def test_what_is_no_overlay_is_refused(document: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "overlay.json"
    path.write_text(json.dumps(document))
    with pytest.raises(CodegenError) as caught:
        overlay.load(path)
    assert said in str(caught.value)
    assert "overlay.json" in str(caught.value)


def test_an_overlay_is_read_with_its_reasons_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "overlay.yaml"
    path.write_text(
        "overlay: 1.0.0\nactions:\n- target: $.a\n  description: |\n    Two\n    lines.\n  update: {b: 1}\n"
        "  x-mine: ok\n"
    )
    (action,) = overlay.load(path)
    assert (action.target, action.reason, action.update, action.remove) == (
        "$.a",
        "Two lines.",
        {"b": 1},
        False,
    )
