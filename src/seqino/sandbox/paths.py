"""Paths into a tree of XML: what stands at many of them is found in one walk. Pure.

A path is a sequence of element names without prefixes; ``@name`` at its end is an attribute, ``[path]``
chooses the elements that have something there, ``[path=text]`` those that have this text there, and ``.`` is
the element itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from xml.etree.ElementTree import Element

__all__ = ["Paths"]

_STEP = re.compile(r"([\w.@]+)(?:\[([^=\]]+)(?:=([^\]]*))?\])?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)")


@attrs.frozen
class _Condition:
    """What an element has to have."""

    names: tuple[str, ...]
    attribute: str
    wanted: str

    def holds(self, element: Element) -> bool:
        """Tell whether it has something there, or the first text there is the one that is wanted."""
        found = [element]
        for name in self.names:
            found = [child for one in found for child in one if _local(child) == name]
        if not self.wanted:
            return bool(found)
        return next((text for one in found if (text := _text(one, self.attribute))), "") == self.wanted


@attrs.define(eq=False)
class _Place:
    """What is read at an element, and where a path goes on from there."""

    texts: list[tuple[int, str]] = attrs.field(factory=list[tuple[int, str]])
    """Numbers of the paths that end here, with their attributes."""
    kept: list[int] = attrs.field(factory=list[int])
    """Numbers of the paths whose elements are kept."""
    below: dict[str, list[tuple[_Condition | None, _Place]]] = attrs.field(
        factory=dict[str, "list[tuple[_Condition | None, _Place]]"]
    )

    def at(self, elements: str) -> _Place:
        """Return the place at a path from here, made where nobody asked for it yet."""
        place = self
        for step in _STEP.finditer("" if elements == "." else elements):
            condition = None if step[2] is None else _Condition(*_split(step[2]), step[3] or "")
            ways = place.below.setdefault(step[1], [])
            place = next((there for asked, there in ways if asked == condition), None) or _Place()
            if all(there is not place for _, there in ways):
                ways.append((condition, place))
        return place


class Paths:
    """Many paths, read together.

    Args:
        texts: Paths of texts by name; the first of a name that leads to a text is its own.
        elements: Paths of elements by name, all of which are kept.
    """

    def __init__(
        self, texts: Mapping[str, Iterable[str]], elements: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        self._root = _Place()
        self._texts = [(name, path) for name, paths in texts.items() for path in paths]
        for number, (_, path) in enumerate(self._texts):
            names, attribute = _parts(path)
            self._root.at(names).texts.append((number, attribute))
        self._elements = [(name, path) for name, paths in (elements or {}).items() for path in paths]
        for number, (_, path) in enumerate(self._elements):
            self._root.at(path).kept.append(number)

    def read(self, element: Element) -> tuple[dict[str, str], dict[str, list[Element]]]:
        """Return the texts and the elements by name, as far as there are any, in the order of the file."""
        texts = [""] * len(self._texts)
        elements: list[list[Element]] = [[] for _ in self._elements]
        _walk(element, self._root, texts, elements)
        found: dict[str, str] = {}
        for (name, _), text in zip(self._texts, texts, strict=True):
            if text and name not in found:
                found[name] = text
        kept: dict[str, list[Element]] = {}
        for (name, _), some in zip(self._elements, elements, strict=True):
            if some:
                kept.setdefault(name, []).extend(some)
        return found, kept


def _walk(element: Element, place: _Place, texts: list[str], elements: list[list[Element]]) -> None:
    """Go as deep as paths lead, which is a few levels, whatever the file is like."""
    for number, attribute in place.texts:
        texts[number] = texts[number] or _text(element, attribute)
    for number in place.kept:
        elements[number].append(element)
    if place.below:
        for child in element:
            for condition, there in place.below.get(_local(child), ()):
                if condition is None or condition.holds(child):
                    _walk(child, there, texts, elements)


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: Element, attribute: str) -> str:
    """Return the text, or an attribute; a compact date (format 102) as ISO 8601."""
    text = ((element.get(attribute) if attribute else element.text) or "").strip()
    return _COMPACT_DATE.sub(r"\1-\2-\3", text) if element.get("format") == "102" else text


def _parts(path: str) -> tuple[str, str]:
    """Split a path from the attribute at its end; an ``@`` inside brackets is a condition."""
    elements, slash, last = path.rpartition("/")
    return (elements or ".", last[1:]) if last.startswith("@") else (elements + slash + last, "")


def _split(path: str) -> tuple[tuple[str, ...], str]:
    elements, attribute = _parts(path)
    return () if elements == "." else tuple(elements.split("/")), attribute
