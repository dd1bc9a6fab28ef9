"""The command: ``python -m codegen generate | check | download``."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from codegen import download, freshness, output, pipeline
from codegen.description import read_bytes
from codegen.problems import CodegenError, Notes

if TYPE_CHECKING:
    from collections.abc import Sequence

USUAL = pipeline.Inputs()


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Arguments without the program's name; those of the process where left out.

    Returns:
        Exit code: 0, or 1 after one message. Wrong arguments end the process with 2.
    """
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options))
    except CodegenError as error:
        print(f"codegen: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m codegen", description="Code from the API description.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("generate", _generate, "write the generated code"),
        ("check", _check, "fail unless the generated code is what the description gives"),
        ("render", _render, "print the generated files as JSON, and write nothing"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        for option, default, metavar in (
            ("description", USUAL.description, "FILE"),
            ("overlay", USUAL.overlay, "FILE"),
            ("output", USUAL.output, "DIR"),
        ):
            command.add_argument(
                f"--{option}", type=Path, default=default, metavar=metavar, help=f"default: {default}"
            )
        command.set_defaults(run=run)
    text = "fetch the description and store it as it is"
    command = commands.add_parser("download", help=text, description=text)
    source = command.add_mutually_exclusive_group()
    source.add_argument("--url", default=download.PUBLIC_URL, help=f"default: {download.PUBLIC_URL}")
    source.add_argument("--file", type=Path, metavar="FILE")
    command.add_argument(
        "--to", type=Path, default=USUAL.description, metavar="FILE", help="where it is stored"
    )
    command.set_defaults(run=_download)
    return parser


def _inputs(options: argparse.Namespace) -> pipeline.Inputs:
    return pipeline.Inputs(description=options.description, overlay=options.overlay, output=options.output)


def _warn(notes: Notes) -> None:
    for text in notes.warnings:
        print(f"warning: {text}", file=sys.stderr)


def _generate(options: argparse.Namespace) -> int:
    made = pipeline.generate(_inputs(options))
    _warn(made.notes)
    for text in made.notes.unmatched:
        print(f"warning: overlay action without effect: {text}", file=sys.stderr)
    changed = output.write(options.output, made.files)
    print(f"generated {len(made.files)} files in {options.output}, {len(changed)} changed")
    return 0


def _check(options: argparse.Namespace) -> int:
    problems, notes = freshness.check(_inputs(options))
    _warn(notes)
    for text in problems:
        print(f"codegen: {text}", file=sys.stderr)
    print("the generated code is not fresh" if problems else "the generated code is fresh")
    return 1 if problems else 0


def _render(options: argparse.Namespace) -> int:
    made = pipeline.generate(_inputs(options))
    files = {path: data.decode() for path, data in made.files.items()}
    print(json.dumps({"files": files, "warnings": made.notes.warnings, "unmatched": made.notes.unmatched}))
    return 0


def _download(options: argparse.Namespace) -> int:
    if options.file is not None:
        data, source = read_bytes(options.file), {"file": options.file.name}
    else:
        data, source = download.from_url(options.url), {"url": str(options.url)}
    digest = download.store(data, options.to, source=source, now=datetime.now(UTC))
    print(f"stored {len(data)} bytes in {options.to}, SHA-256 {digest}")
    return 0


if (
    __name__ == "__main__"
):  # pragma: no cover - the tests call main(); `check` runs this in processes of its own
    sys.exit(main())
