"""Every Python example of README and docs passes mypy as strictly as the code does."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

from tests.test_docs import PAGES, ROOT, STORIES, blocks, name

if TYPE_CHECKING:
    from pathlib import Path


def examples(page: Path) -> list[tuple[int, str]]:
    """The programs of a page: its blocks, which in a story are one, with the line where each begins."""
    python = [block for block in blocks(page) if (block.language, block.mark) == ("python", "")]
    if page in STORIES and python:
        return [(python[0].line, "\n".join(block.code for block in python))]
    return [(block.line, block.code) for block in python]


def written(folder: Path) -> list[str]:
    """Write each program into a file of its own, inside of a coroutine, where it may await."""
    files: list[str] = []
    for page in PAGES:
        for line, code in examples(page):
            stem = name(page).removesuffix(".md").replace("/", "_").replace("-", "_")
            file = folder / f"{stem}_{line}.py"
            head = "from __future__ import annotations\n\n\nasync def main() -> None:\n"
            file.write_text(head + textwrap.indent(code, "    "), encoding="utf-8")
            files.append(str(file))
    return files


def check(files: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), *files]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - the project's own pages


def test_the_examples_of_the_pages_pass_a_type_checker(tmp_path: Path) -> None:
    files = written(tmp_path)
    assert len(files) > 40
    done = check(files)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_type_in_an_example_is_found(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("from seqino import SeqinoClient\n\nSeqinoClient(timeout='long')\n", encoding="utf-8")
    done = check([str(file)])
    assert done.returncode == 1, done.stdout + done.stderr
    assert "[arg-type]" in done.stdout
