"""The command: ``python -m codegen generate | check | download``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from codegen.problems import CodegenError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Arguments without the program's name; those of the process where left out.

    Returns:
        Exit code: 0, or 1 after one message.
    """
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options))
    except CodegenError as error:
        print(f"codegen: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    from codegen.pipeline import Inputs  # noqa: PLC0415

    usual = Inputs()
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    generate = commands.add_parser("generate", help="write the generated code")
    generate.add_argument("--description", type=Path, default=usual.description, metavar="FILE")
    generate.add_argument("--overlay", type=Path, default=usual.overlay, metavar="FILE")
    generate.add_argument("--output", type=Path, default=usual.output, metavar="DIR")
    generate.set_defaults(run=_generate)
    return parser


def _generate(options: argparse.Namespace) -> int:
    from codegen import output, pipeline  # noqa: PLC0415

    made = pipeline.generate(
        pipeline.Inputs(description=options.description, overlay=options.overlay, output=options.output)
    )
    for text in (*made.notes.warnings, *made.notes.unmatched):
        print(f"warning: {text}", file=sys.stderr)
    changed = output.write(options.output, made.files)
    print(f"generated {len(made.files)} files in {options.output}, {len(changed)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
