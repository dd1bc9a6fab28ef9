from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.reconstruction

FOLDER = Path(__file__).parents[2] / "openapi"


def test_the_counts_in_the_readme_are_those_of_the_description(description: dict[str, Any]) -> None:
    assert description
    readme = (FOLDER / "README.md").read_text("utf-8")
    shown = readme.partition("counts.py -->\n")[2].partition("<!-- /counts")[0]
    assert shown.strip() == runpy.run_path(str(FOLDER / "counts.py"))["table"]()


def test_every_extension_of_the_overlay_is_explained(overlay: dict[str, Any]) -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    used = {name for action in overlay["actions"] for name in action["update"] if name.startswith("x-")}
    assert {name for name in used if f"`{name}`" not in readme} - {"x-displayName"} == set()
