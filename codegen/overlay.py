"""OpenAPI Overlay 1.0: corrections to a description, kept as data and applied in order."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import attrs
import jsonpath

from codegen.description import parse, read_bytes
from codegen.documents import (
    is_list,
    is_object,
)
from codegen.problems import CodegenError, Notes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from codegen.documents import Doc


@attrs.frozen(kw_only=True)
class Action:
    """One correction."""

    place: str
    """Where it stands, for messages."""
    target: str
    """JSONPath (RFC 9535) of what it changes."""
    reason: str = ""
    update: Any = None
    remove: bool = False


_ACTION_KEYS = {"target", "description", "update", "remove"}


def load(path: Path) -> tuple[Action, ...]:
    """Read an overlay.

    Args:
        path: YAML or JSON, UTF-8.

    Returns:
        Its actions in order.

    Raises:
        CodegenError: If it is no overlay of version 1.0.
    """
    document = parse(read_bytes(path), name=str(path))
    if not str(document.get("overlay", "")).startswith("1.0"):
        raise CodegenError("is no OpenAPI Overlay 1.0 document (overlay: 1.0.0 is missing)", place=str(path))
    actions = document.get("actions")
    if not is_list(actions):
        raise CodegenError("has no list of actions", place=str(path))
    return tuple(_action(raw, f"{path} #/actions/{index}") for index, raw in enumerate(actions))


def _action(raw: Any, place: str) -> Action:
    if not is_object(raw) or not isinstance(raw.get("target"), str):
        raise CodegenError("an action is an object with a target", place=place)
    unknown = sorted(key for key in raw if key not in _ACTION_KEYS and not str(key).startswith("x-"))
    if unknown:
        raise CodegenError(f"an action has no {', '.join(unknown)}", place=place)
    remove = raw.get("remove", False)
    if not isinstance(remove, bool) or remove == ("update" in raw):
        raise CodegenError("an action has either an update or remove: true", place=place)
    return Action(
        place=place,
        target=raw["target"],
        reason=" ".join(str(raw.get("description", "")).split()),
        update=raw.get("update"),
        remove=remove,
    )


def apply(document: Doc, actions: Sequence[Action], notes: Notes) -> Doc:
    """Apply actions in order.

    Args:
        document: The description; it is not changed.
        actions: What to correct.
        notes: Gets the actions that matched nothing.

    Returns:
        The corrected description.

    Raises:
        CodegenError: If a target is no JSONPath or an update does not fit what it meets.
    """
    out = copy.deepcopy(document)
    for action in actions:
        try:
            matches = list(jsonpath.compile(action.target).finditer(out))
        except jsonpath.JSONPathError as error:
            raise CodegenError(f"the target is no JSONPath: {error}", place=action.place) from None
        if not matches:
            notes.unmatched.append(f"{action.place}: {action.target} matches nothing ({action.reason})")
        # Backwards, so that removing from a list does not move what is still to be removed.
        for match in reversed(matches) if action.remove else matches:
            if action.remove:
                _remove(match, action)
            else:
                _update(match, action)
    return out


def _remove(match: jsonpath.JSONPathMatch, action: Action) -> None:
    if match.parent is None:
        raise CodegenError("the whole description cannot be removed", place=action.place)
    holder: Any = match.parent.obj
    del holder[match.parts[-1]]


def _update(match: jsonpath.JSONPathMatch, action: Action) -> None:
    found: Any = match.obj
    if is_list(found):
        found.append(copy.deepcopy(action.update))
    elif is_object(found) and is_object(action.update):
        _merge(found, action.update)
    else:
        raise CodegenError(
            f"the update does not fit: {action.target} is a {type(found).__name__}, "
            "and only objects and lists can be updated",
            place=action.place,
        )


def _merge(into: Doc, update: Doc) -> None:
    """Merge objects into objects, append lists to lists, replace anything else (Overlay 1.0 §4.4.3.2)."""
    for key, value in update.items():
        have = into.get(key)
        if is_object(have) and is_object(value):
            _merge(have, value)
        elif is_list(have) and is_list(value):
            have.extend(copy.deepcopy(value))
        else:
            into[key] = copy.deepcopy(value)
