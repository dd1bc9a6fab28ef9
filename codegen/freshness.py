"""Whether the generated code is what the description gives, whatever order sets happen to have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from codegen import output
from codegen.pipeline import ROOT, Inputs
from codegen.problems import CodegenError, Notes

_SEEDS = ("0", "4242")
"""Values of PYTHONHASHSEED; any two that order sets of text differently would do."""


def check(inputs: Inputs) -> tuple[list[str], Notes]:
    """Generate twice in processes of their own, and compare with each other and with the files.

    Args:
        inputs: Where to read, and which files to compare with.

    Returns:
        What is not as it should be, a line each, and what the generator has to say.

    Raises:
        CodegenError: If generating fails.
    """
    first, second = _generate_under_seeds(inputs)
    files = {path: text.encode() for path, text in first["files"].items()}
    notes = Notes(warnings=first["warnings"], unmatched=first["unmatched"])
    problems = [] if first == second else ["what is generated depends on PYTHONHASHSEED"]
    problems += [f"overlay action without effect: {text}" for text in notes.unmatched]
    return [*problems, *output.differences(inputs.output, files)], notes


def _generate_under_seeds(inputs: Inputs) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "codegen", "render"]
    for name in ("description", "overlay", "output"):
        command += [f"--{name}", str(getattr(inputs, name).resolve())]
    running = [
        subprocess.Popen(  # noqa: S603 - our own words
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        for seed in _SEEDS
    ]
    answers = [process.communicate() for process in running]
    for process, (_, errors) in zip(running, answers, strict=True):
        if process.returncode:
            raise CodegenError(errors.strip().removeprefix("codegen: ") or "generating failed")
    return [json.loads(out) for out, _ in answers]
