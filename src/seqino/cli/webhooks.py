"""``seqino webhooks``: the one webhook of a sponsor, and its secret, which is shown once."""

# ruff: noqa: FBT002 - options of a command line are named there

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from seqino.cli.command import Session, command, group
from seqino.cli.common import complain
from seqino.cli.plain import found_in_list
from seqino.cli.result import ExitCode
from seqino.cli.tables import Column
from seqino.cli.values import one_of
from seqino.errors import InvalidInput
from seqino.models import WebhookEventType, WebhookEventTypeInfo

__all__ = ["is_terminal", "webhooks"]

webhooks = group("webhooks", "The webhook of a sponsor, for all of its clients.")


def is_terminal() -> bool:
    """Whether what is said is seen by somebody, and not kept in a log."""
    return sys.stdout.isatty()


_TYPES = (
    Column[WebhookEventTypeInfo]("event", lambda each: each.event_type, is_whole=True),
    Column[WebhookEventTypeInfo]("when", lambda each: each.description),
)


@command(webhooks, "show")
async def show(session: Session) -> None:
    """Show the webhook that is registered; its secret is not shown again."""
    session.out.one((await session.ask(session.client.webhooks.get())).members)


@command(webhooks, "event-types")
async def event_types(session: Session) -> None:
    """List the types of event that a webhook can receive."""
    found = await session.ask(session.client.webhooks.get_event_types())
    types = found_in_list(found.value.event_types, found.members["event_types"])
    session.out.many(types, _TYPES, none="no types")


@command(webhooks, "register")
async def register(
    session: Session,
    url: Annotated[str, typer.Argument(help="Where events are sent to, over https.", show_default=False)],
    event: Annotated[
        list[str] | None,
        one_of(WebhookEventType, help="Only this type; may be repeated."),
    ] = None,
    secret_file: Annotated[
        Path | None,
        typer.Option(help="New file for the secret, readable for you alone.", show_default=False),
    ] = None,
    show_secret: Annotated[
        bool, typer.Option("--show-secret", help="Print the secret where no terminal is, or with --json.")
    ] = False,
) -> ExitCode:
    """Register the webhook. Its secret is told in this answer only, so that it must go somewhere.

    With --secret-file it is written there and not shown; in a terminal it is shown once. Where neither is so
    (with --json, in a pipe) --show-secret has to ask for it: else nothing is sent.
    """
    in_terminal = is_terminal() and not session.out.as_json
    if secret_file is None and not show_secret and not in_terminal:
        raise InvalidInput(
            "the secret is told only once, and must go somewhere: --secret-file PATH, or --show-secret to "
            "print it here; nothing was sent"
        )
    wanted = {"url": url, "events": event or None}
    if secret_file is None:
        found = await session.ask(session.client.webhooks.create(wanted))
        session.out.one(found.members)
        session.out.note("keep the secret: it is not shown again")
        return ExitCode.OK
    with _new_file(secret_file) as file:
        found = await session.ask(session.client.webhooks.create(wanted))
        members = {name: value for name, value in found.members.items() if name != "secret"}
        try:
            file.write(f"{found.value.secret}\n")
            file.flush()
        except OSError as error:
            # It would be lost for good: nothing shows it again, and nothing registers another.
            secret_file.unlink(missing_ok=True)
            complain(
                f"the secret cannot be written to {secret_file} ({error.strerror}); keep what is printed"
            )
            session.out.one(found.members)
            return ExitCode.FAILURE
    session.out.one({**members, "secret_file": str(secret_file)})
    return ExitCode.OK


@contextmanager
def _new_file(path: Path) -> Generator[TextIOWrapper]:
    """Make a file that only its owner can read, before anything is sent; it goes again where nothing came."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidInput(
            f"the secret cannot be written to {path}, and nothing was sent: {error.strerror}"
        ) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
