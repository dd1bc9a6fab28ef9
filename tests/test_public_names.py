"""The package's surface: complete, sorted, loaded on demand, and cheap to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

import seqino


def fresh(code: str) -> str:
    """What code prints in a process that has loaded nothing."""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    return result.stdout.strip()


def test_every_public_name_is_there_and_they_are_sorted() -> None:
    assert all(hasattr(seqino, name) for name in seqino.__all__)
    # Constants first, then classes, then the rest: the order that the linter keeps.
    assert dir(seqino) == sorted(seqino.__all__)


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'SeqinoClinet'"):
        _ = seqino.SeqinoClinet  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]


def test_importing_the_package_loads_neither_aiohttp_nor_cattrs() -> None:
    assert fresh("import seqino, sys; print({'aiohttp', 'cattrs'} & set(sys.modules))") == "set()"


def test_making_a_client_does_not_load_the_library_of_identifiers() -> None:
    assert fresh("import seqino.client, sys; print('stdnum' in sys.modules)") == "False"
    assert fresh("from seqino import identifiers; import sys; print('stdnum' in sys.modules)") == "False"


def test_a_tag_of_the_api_is_reachable_by_attribute_and_listed() -> None:
    assert fresh("import seqino; print(seqino.api.drafts.create_draft.__name__)") == "create_draft"
    assert fresh("import seqino.api; print({'drafts', 'health'} <= set(dir(seqino.api)))") == "True"


def test_the_sandbox_does_not_load_the_client() -> None:
    loaded = fresh("import seqino.sandbox, sys; print([m for m in sys.modules if m.startswith('seqino')])")
    assert "seqino.client" not in loaded
    assert "seqino._core" not in loaded
