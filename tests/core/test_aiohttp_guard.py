"""What is relied upon inside of aiohttp, release by release: a change is told before it can do harm.

The transport rests on details that aiohttp does not promise. Each function behind them is known by the hash
of its source; a release that changes one fails here, with what to recheck, and nowhere else.
"""

from __future__ import annotations

import hashlib
import inspect
import pkgutil
import re
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import aiohttp
import pytest

TRANSPORT = Path(__file__).parents[2] / "src" / "seqino" / "_core" / "transport.py"
FILE = Path(__file__).with_name("aiohttp_functions.toml")
FUNCTIONS: list[dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["function"]


def fingerprint(function: object) -> str:
    """The beginning of the SHA-256 of a function's, class's or module's source."""
    assert inspect.isroutine(function) or inspect.isclass(function) or inspect.ismodule(function)
    source = textwrap.dedent(inspect.getsource(function))
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def check(entry: dict[str, Any], version: str) -> None:
    """Fail if a function is not one of those that were reviewed."""
    name = entry["name"]
    try:
        found = fingerprint(pkgutil.resolve_name(name))
    except (AttributeError, ImportError):
        found = "(gone)"
    if found in entry["known"]:
        return
    pytest.fail(
        f"aiohttp {version} changed {name} ({entry['what']}).\n"
        f"Recheck: {' '.join(entry['recheck'].split())}\n"
        f"Compare with aiohttp {list(entry['known'].values())[-1]}, mend seqino/_core/transport.py where "
        f'needed, run tests/core, then add "{found}" = "{version}" to {FILE.name}.',
        pytrace=False,
    )


@pytest.mark.parametrize("entry", FUNCTIONS, ids=lambda entry: entry["name"])
def test_a_function_that_is_relied_upon_is_one_that_was_reviewed(entry: dict[str, Any]) -> None:
    check(entry, aiohttp.__version__)


def test_a_change_is_told_with_what_to_recheck() -> None:
    entry: dict[str, Any] = {
        "name": "textwrap:dedent",
        "what": "the margin",
        "recheck": "It takes\nthe margin off.",
        "known": {"0123456789abcdef": "3.14.0 to 3.14.5"},
    }
    own = fingerprint(textwrap.dedent)
    with pytest.raises(pytest.fail.Exception) as caught:
        check(entry, "9.9.9")
    said = str(caught.value)
    assert "aiohttp 9.9.9 changed textwrap:dedent (the margin)" in said
    assert "Recheck: It takes the margin off." in said
    assert f'add "{own}" = "9.9.9" to aiohttp_functions.toml' in said
    check({**entry, "known": {own: "9.9.9"}}, "9.9.9")


def test_a_function_that_is_gone_is_told() -> None:
    entry = {"name": "aiohttp.client:ClientSession._gone", "what": "w", "recheck": "r", "known": {"x": "1"}}
    with pytest.raises(pytest.fail.Exception, match=r"\(gone\)"):
        check(entry, "9.9.9")


def test_all_that_the_transport_takes_from_inside_of_aiohttp_is_guarded() -> None:
    """A module whose insides are used needs an entry; the other two only name a protocol and errors."""
    guarded = {entry["name"].partition(":")[0] for entry in FUNCTIONS}
    source = TRANSPORT.read_text(encoding="utf-8")
    imported = set(re.findall(r"^ *from (aiohttp\.\w+) import", source, flags=re.MULTILINE))
    assert imported - {"aiohttp.abc", "aiohttp.http_exceptions"} <= guarded
