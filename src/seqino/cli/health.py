"""``seqino health``: whether a platform answers."""

import asyncio
import json

from seqino.cli.common import BaseUrl, Server, Target, one_line_errors
from seqino.cli.show import console

__all__ = ["health"]


def health(base_url: BaseUrl = None, server: Server = None) -> None:
    """Ask a platform whether it is well; needs no key. What it answers, if anything, follows as JSON."""
    with one_line_errors():
        for line in asyncio.run(_ask(Target(base_url=base_url, server=server))):
            console().print(line, markup=False, soft_wrap=True)


async def _ask(target: Target) -> list[str]:
    async with target.client() as client:
        answer = await client.health()
        said = [] if answer is None else [json.dumps(answer, ensure_ascii=False, default=str)]
        return [f"{client.base_url}: up", *said]
