"""What is read of a file: texts and elements at paths, in one walk."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from seqino.sandbox.paths import Paths

FILE = fromstring(  # noqa: S314 - our own
    """<i:a xmlns:i="urn:i">
    <i:id>1</i:id><i:empty/><i:id>2</i:id>
    <i:tax><i:scheme><i:id>LOC</i:id></i:scheme><i:number>n-loc</i:number></i:tax>
    <i:tax><i:scheme><i:id>VAT</i:id></i:scheme><i:number kind=" VA ">n-vat</i:number></i:tax>
    <i:tax><i:number kind="FC">n-none</i:number></i:tax>
    <i:day format="102"> 20260915 </i:day><i:day>20260915</i:day>
    <i:deep><i:id>3</i:id></i:deep><i:deep><i:empty> </i:empty><i:id>4</i:id></i:deep>
    </i:a>"""
)


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        (("id",), "1"),
        (("empty",), None),
        (("none", "empty", "id"), "1"),
        (("deep/id", "id"), "3"),
        (("tax[scheme/id=VAT]/number",), "n-vat"),
        (("tax[scheme/id=XXX]/number",), None),
        (("tax[scheme]/number",), "n-loc"),
        (("tax/number[@kind=FC]",), "n-none"),
        (("tax/number[@kind=VA]",), "n-vat"),
        (("tax/number/@kind",), "VA"),
        (("day",), "2026-09-15"),
        ((".",), None),
        (("deep/.",), None),
    ],
)
def test_a_text_is_the_first_one_that_there_is(paths: tuple[str, ...], text: str | None) -> None:
    # The same with other paths beside it, which share its steps.
    others = {"other": ("tax[scheme/id=LOC]/number", "tax/number"), "last": ("deep/id",)}
    for more in ({}, others):
        found, _ = Paths({**more, "it": paths}).read(FILE)
        assert found.get("it") == text


def test_the_element_itself_can_be_read() -> None:
    found, _ = Paths({"self": (".",), "kind": ("@kind",)}).read(FILE.findall(".//{urn:i}number")[1])
    assert found == {"self": "n-vat", "kind": "VA"}


def test_elements_are_kept_in_the_order_of_the_paths_and_of_the_file() -> None:
    _, kept = Paths({}, {"ids": ("deep/id", "id"), "none": ("tax/id",)}).read(FILE)
    assert {name: [one.text for one in some] for name, some in kept.items()} == {"ids": ["3", "4", "1", "2"]}
