"""``seqino events``: lifecycle events, as a table or as JSON lines."""

# ruff: noqa: FBT002 - options of a command line are named there

import asyncio
import os
from typing import Annotated

import typer

from seqino.cli.common import ApiKeyFile, BaseUrl, ClientId, Lang, Server, Target, one_line_errors
from seqino.cli.show import console, event_lines, events_table, language
from seqino.models import LifecycleEvent

__all__ = ["events"]


def events(  # noqa: PLR0917 - each is an option of the command
    object_type: Annotated[
        str | None,
        typer.Option(help="Only of one kind of object, such as invoice or mandate.", show_default=False),
    ] = None,
    object_id: Annotated[
        str | None, typer.Option(help="Only of one object; needs --object-type.", show_default=False)
    ] = None,
    base_url: BaseUrl = None,
    server: Server = None,
    client_id: ClientId = None,
    api_key_file: ApiKeyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line an event.")] = False,
    lang: Lang = None,
) -> None:
    """Show lifecycle events: of all objects, of a kind, or of one."""
    with one_line_errors():
        labels = language(lang, os.environ)
        target = Target(base_url=base_url, server=server, client_id=client_id, api_key_file=api_key_file)
        found = asyncio.run(_fetch(target, object_type, object_id))
        out = console()
        if as_json:
            for line in event_lines(found, labels):
                out.print(line, markup=False, soft_wrap=True)
        else:
            out.print(events_table(found, labels))


async def _fetch(target: Target, object_type: str | None, object_id: str | None) -> list[LifecycleEvent]:
    async with target.client() as client:
        events = client.lifecycle.events(object_type=object_type, object_id=object_id)
        return [event async for event in events]
