"""``seqino health``: whether a platform answers."""

# ruff: noqa: FBT002 - options of a command line are named there

from seqino.cli.common import Json, Target, leave, one_line_errors, with_target
from seqino.cli.plain import json_line
from seqino.cli.result import ExitCode
from seqino.cli.running import perform
from seqino.cli.terminal import say

__all__ = ["health"]


@with_target
def health(target: Target, as_json: Json = False) -> None:
    """Ask a platform whether it is well; needs no key. What it answers, if anything, follows as JSON."""
    with one_line_errors():
        perform(_ask(target, as_json=as_json))
    leave(ExitCode.OK)


async def _ask(target: Target, *, as_json: bool) -> None:
    async with target.client() as client:
        answer = await client.health()
        if as_json:
            say(json_line({"base_url": client.base_url, "up": True, "answer": answer}))
            return
        say(f"{client.base_url}: up")
        if answer is not None:
            say(json_line(answer))
