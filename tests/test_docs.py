"""Every example in README, docs and docstrings runs as it is printed, against a sandbox.

What a fenced block is for stands after its language: ``python`` runs by itself, ``python test`` is a file of
tests. ``console run`` makes its page a story, whose ``python`` and ``console run`` blocks are followed from
top to bottom against one sandbox, as a reader would. ``output`` is what the block before it printed, where
``…`` stands for any text on its line. Other blocks are only read.
"""

from __future__ import annotations

import ast
import asyncio
import doctest
import functools
import importlib
import inspect
import logging
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
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


@attrs.frozen
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    mark: str
    code: str

    @property
    def source(self) -> str:
        """The code, on the lines where it stands in its page, so that a traceback names them."""
        return "\n" * (self.line - 1) + self.code


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for block in BLOCK.finditer(text):
        line = text[: block.start()].count("\n") + 2
        yield Block(page, line, block["language"], block["mark"].strip(), block["code"])


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


STORIES = [
    page for page in PAGES if any((one.language, one.mark) == ("console", "run") for one in blocks(page))
]


def python_blocks() -> Iterator[object]:
    for page in PAGES:
        for block in blocks(page):
            if (block.language, block.mark) == ("python", "") and page not in STORIES:
                yield pytest.param(block, id=f"{name(page)}:{block.line}")


def pages_with_tests() -> Iterator[object]:
    for page in PAGES:
        files = {f"test_{block.line}.py": block.source for block in blocks(page) if block.mark == "test"}
        if files:
            yield pytest.param(files, id=name(page))


def modules() -> list[str]:
    return sorted(module.name for module in pkgutil.walk_packages(seqino.__path__, "seqino."))


@pytest.fixture
async def documented_sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    """A sandbox in the place of the one that the pages start, and its environment lines.

    Of files there are only the certificates, which a reader has from a company; a page makes all others.
    """
    async with Sandbox(speed=1e6) as sandbox:
        monkeypatch.setenv("SEQINO_BASE_URL", sandbox.url)
        monkeypatch.setenv("SEQINO_API_KEY", "sandbox-key")
        monkeypatch.setenv("SEQINO_CLIENT_ID", "sandbox-client-seqino")
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        monkeypatch.chdir(tmp_path)
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


@functools.cache
def sample() -> bytes:
    """What the command prints that pages make their invoice file with."""
    command = [str(Path(sys.executable).with_name("seqino")), "invoices", "sample"]
    return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - our own


def files_made_before(block: Block) -> Iterator[tuple[str, bytes]]:
    """The files that a page tells its reader to make above a block."""
    for earlier in blocks(block.page):
        if earlier.language == "console" and earlier.line < block.line:
            for file in re.findall(r"^seqino invoices sample > (\S+)", earlier.code, re.MULTILINE):
                yield file, sample()


@pytest.mark.parametrize("block", list(python_blocks()))
async def test_an_example_of_the_pages_runs(
    block: Block, documented_sandbox: Sandbox, tmp_path: Path
) -> None:
    for file, content in files_made_before(block):
        (tmp_path / file).write_bytes(content)
    await run(block.source, documented_sandbox.url, str(block.page), {"__name__": "example"})


async def shell(code: str, cwd: Path) -> str:
    """What a shell prints that runs some lines, with the commands of this environment."""
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-eu",
        "-c",
        code,
        cwd=cwd,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await process.communicate()
    assert (process.returncode, complaint.decode()) == (0, "")
    return said.decode()


def check_output(expected: str, said: str) -> None:
    """Compare line by line, where ``…`` stands for anything."""
    shown, lines = expected.splitlines(), said.splitlines()
    for line, pattern in zip(lines, shown, strict=False):
        whole = ".*".join(re.escape(part) for part in pattern.split("…"))
        assert re.fullmatch(whole, line.rstrip()), f"{line!r} is printed, and the page shows {pattern!r}"
    assert len(lines) == len(shown)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize("page", [pytest.param(page, id=name(page)) for page in STORIES])
async def test_a_page_is_followed_from_top_to_bottom(
    page: Path, documented_sandbox: Sandbox, tmp_path: Path
) -> None:
    said = ""
    namespace: dict[str, object] = {"__name__": "example"}
    for block in blocks(page):
        match block.language, block.mark:
            case _, "output":
                check_output(block.code, said)
            case "console", "run":
                said = await shell(block.code.replace(DOCUMENTED_SERVER, documented_sandbox.url), tmp_path)
            case "python", "":
                await run(block.source, documented_sandbox.url, str(page), namespace)
            case _:
                pass


@pytest.mark.parametrize("files", list(pages_with_tests()))
def test_the_tests_of_a_page_pass(files: dict[str, str], tmp_path: Path) -> None:
    for file, source in files.items():
        (tmp_path / file).write_text(source, encoding="utf-8")
    ini = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    (tmp_path / "pytest.ini").write_text(ini)
    # Of the plugins of others, schemathesis takes longer to load than the tests take.
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:schemathesis",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - the project's own pages
    assert done.returncode == 0, done.stdout
    assert all(f"{file} ." in done.stdout for file in files)


@pytest.mark.parametrize(("shown", "said"), [("[]", "{}"), ("a…", "b"), ("a\nb", "a"), ("a", "a\nb")])
def test_an_output_that_a_page_shows_wrongly_is_found(shown: str, said: str) -> None:
    with pytest.raises(AssertionError):
        check_output(shown, said)


@pytest.mark.parametrize("module_name", modules())
def test_the_examples_of_a_modules_docstrings_hold(module_name: str) -> None:
    module = importlib.import_module(module_name)
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
