"""Submit invoice files, several at a time, and tell what became of each.

Run it against a sandbox::

    seqino sandbox --port 8052 &
    export SEQINO_BASE_URL=http://127.0.0.1:8052 SEQINO_API_KEY=any-key SEQINO_CLIENT_ID=sandbox-client-seqino
    python examples/submit_and_follow.py invoices/*.xml

What to take from it: one client for all tasks, a few workers on one shared iterator instead of one task an
invoice, and the ends told apart. A doubt is told, and its file is not sent again. No error leaves a worker,
since that would cancel the others in the midst of their calls.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seqino import InvalidInput, OutcomeUnknown, Rejected, SeqinoClient, SeqinoError, local_state
from seqino.errors import ResponseDecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERS = 8


async def submit(client: SeqinoClient, path: Path) -> str:
    """Submit one file; return what became of it, in a line."""
    try:
        submitted = await client.submit_file(path)
    except InvalidInput as error:
        return f"not sent: {error}"
    except Rejected as error:
        return f"refused: {error}"
    except (OutcomeUnknown, ResponseDecodeError) as error:
        return f"IN DOUBT, do not send it again: {error}"
    except SeqinoError as error:
        return f"failed, and nothing was submitted: {error}"
    if submitted.invoice_id is None:
        return "taken, without an id"
    return f"taken as {submitted.invoice_id}: {await state(client, submitted.invoice_id)}"


async def state(client: SeqinoClient, invoice_id: str) -> str:
    """Where the events seen so far leave an invoice."""
    try:
        events = await client.lifecycle.events(object_type="invoice", object_id=invoice_id).to_list()
    except SeqinoError as error:
        return f"its events cannot be read now: {error}"
    return local_state(events) or "no status yet"


async def work(client: SeqinoClient, paths: Iterator[Path]) -> None:
    """Take files from the shared iterator until there are none."""
    for path in paths:
        print(f"{path.name}: {await submit(client, path)}")


async def main(names: list[str]) -> None:
    """Submit all files with a few workers."""
    paths = iter([Path(name) for name in names])
    async with SeqinoClient() as client, asyncio.TaskGroup() as group:
        for _ in range(WORKERS):
            group.create_task(work(client, paths))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
