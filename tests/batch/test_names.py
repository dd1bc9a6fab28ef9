"""Names that are no text: written out where they are kept and shown, and found again by their bytes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seqino.batch.names import path_from, path_in, path_text, reference_to, storable


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("facture-février.xml", "facture-février.xml"),
        ("100%E9.xml", "100%E9.xml"),
        ("f\udce9v.xml", "f%E9v.xml"),
        ("\ud800\udc00", "%uD800%00"),
        ("\udbff\udfff", "%uDBFF%uDFFF"),
    ],
)
def test_what_is_no_character_is_written_out(text: str, kept: str) -> None:
    assert storable(text) == kept
    storable(text).encode()


@pytest.mark.parametrize(
    "name", [b"/in/a.xml", b"/in/100%25.xml", b"/in/f\xe9v %.xml", "/in/é\u2028.xml".encode()]
)
def test_a_path_is_found_again_whatever_its_name_is_made_of(name: bytes) -> None:
    path = Path(os.fsdecode(name))
    path_text(path).encode()
    assert path_from(path_text(path)) == path
    assert path_in(reference_to(path)) == path
    assert reference_to(path).startswith("file:")


def test_what_the_ledger_keeps_itself_is_in_no_file() -> None:
    assert path_in("stored") is None
