"""Every example in README, docs and docstrings runs as it is printed, against a sandbox."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import logging
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

import seqino
from seqino.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "openapi" / "README.md"]
BLOCK = re.compile(r"^```(?P<language>\w+)(?P<mark>[^\n]*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
DOCUMENTED_SERVER = "http://127.0.0.1:8052"


def python_blocks() -> Iterator[object]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            if block["language"] == "python":
                line = text[: block.start()].count("\n") + 2
                yield pytest.param(page, line, block["code"], id=f"{page.relative_to(ROOT)}:{line}")


def modules() -> list[str]:
    return sorted(module.name for module in pkgutil.walk_packages(seqino.__path__, "seqino."))


@pytest.fixture
async def documented_sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    """A sandbox in the place of the one that the pages start, and its environment lines."""
    async with Sandbox(speed=1e6) as sandbox:
        monkeypatch.setenv("SEQINO_BASE_URL", sandbox.url)
        monkeypatch.setenv("SEQINO_API_KEY", "sandbox-key")
        monkeypatch.setenv("SEQINO_CLIENT_ID", "sandbox-client-seqino")
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        monkeypatch.chdir(tmp_path)
        sample = ROOT / "src" / "seqino" / "sandbox" / "invoices" / "02-food-two-rates-ubl.xml"
        (tmp_path / "invoice.xml").write_bytes(sample.read_bytes())
        authority = trustme.CA()
        authority.cert_pem.write_to_path(tmp_path / "company-ca.pem")
        shown = authority.issue_cert("client@company.example")
        shown.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
        logger = logging.getLogger("seqino")
        level, handlers = logger.level, list(logger.handlers)
        yield sandbox
        logger.setLevel(level)
        logger.handlers[:] = handlers


async def run(code: str, url: str, name: str, namespace: dict[str, object]) -> None:
    """Run code that may await at its top level, as it stands in a page."""
    tree = compile(code.replace(DOCUMENTED_SERVER, url), name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    outcome = eval(tree, namespace)  # noqa: S307 - the project's own pages
    if inspect.isawaitable(outcome):
        await outcome


@pytest.mark.parametrize(("page", "line", "code"), list(python_blocks()))
async def test_an_example_of_the_pages_runs(
    page: Path, line: int, code: str, documented_sandbox: Sandbox
) -> None:
    source = "\n" * (line - 1) + code
    await run(source, documented_sandbox.url, str(page), {"__name__": "example"})


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_modules_docstrings_hold(name: str) -> None:
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


def test_every_link_inside_the_pages_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)} → {target}"
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
