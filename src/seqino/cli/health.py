"""``seqino health``: whether a platform answers."""

import asyncio
import json
from typing import Any

from seqino.cli.common import BaseUrl, Server, Target, one_line_errors
from seqino.cli.show import console

__all__ = ["health"]


def health(base_url: BaseUrl = None, server: Server = None) -> None:
    """Ask a platform whether it is well, and print its answer as JSON; needs no key."""
    with one_line_errors():
        answer = asyncio.run(_ask(Target(base_url=base_url, server=server)))
        console().print(json.dumps(answer, ensure_ascii=False, default=str), markup=False, soft_wrap=True)


async def _ask(target: Target) -> Any:
    async with target.client() as client:
        return await client.health()
