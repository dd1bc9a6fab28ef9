"""The whole way from a description to the bytes of the generated files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from codegen import audit, build, description, output, overlay, paging, render
from codegen.normalise import normalise
from codegen.problems import CodegenError, Notes

if TYPE_CHECKING:
    from codegen.documents import Doc

ROOT = Path(__file__).resolve().parent.parent
"""The project that this generator stands in, whichever ``seqino`` is installed."""


@attrs.frozen(kw_only=True)
class Inputs:
    """Where a run reads and writes."""

    description: Path = ROOT / "openapi" / "seqino-pdp.yaml"
    overlay: Path = ROOT / "openapi" / "overlay.yaml"
    output: Path = ROOT / "src" / "seqino"
    """Folder of the package."""


@attrs.frozen(kw_only=True)
class Generated:
    """What a run made."""

    files: dict[str, bytes]
    """By path below the package's folder."""
    notes: Notes


def generate(inputs: Inputs) -> Generated:
    """Make the generated files in memory.

    Args:
        inputs: Where to read; nothing is written.

    Returns:
        The files and what is to be said about them.

    Raises:
        CodegenError: If the description cannot be turned into code without losing something.
    """
    notes = Notes()
    read = description.load(inputs.description)
    document = overlay.apply(read.document, overlay.load(inputs.overlay), notes)
    _validate(read.document, document, inputs)
    api = build.build(normalise(document, notes), notes)
    audit.audit(document, api, packages=(inputs.output, ROOT / "src" / "seqino"), notes=notes)
    files = render.render(paging.named(api), document, sha256=read.sha256)
    return Generated(files=output.formatted(files, config=ROOT / "pyproject.toml"), notes=notes)


def _validate(raw: Doc, document: Doc, inputs: Inputs) -> None:
    """Check the corrected description; a fault it had before is told as its own."""
    try:
        description.validate(document, name=f"{inputs.description} with {inputs.overlay.name}")
    except CodegenError:
        description.validate(raw, name=str(inputs.description))
        raise
