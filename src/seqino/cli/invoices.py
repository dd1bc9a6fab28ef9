"""``seqino invoices``: submit, show and settle."""

# ruff: noqa: FBT002 - options of a command line are named there

import os
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from seqino.cli.command import Session, command, group
from seqino.cli.common import Lang, complain
from seqino.cli.invoice_card import invoice_card
from seqino.cli.lifecycle import (
    event_members,
    parted,
    show_events,
    state_label,
    unreadable_line,
    unreadable_members,
    warning_line,
)
from seqino.cli.plain import Found, builtins_of
from seqino.cli.reading import read_file
from seqino.cli.result import ExitCode
from seqino.cli.sample import sample
from seqino.cli.submission import say_submission
from seqino.cli.submit import submit
from seqino.cli.terminal import Language, language, say
from seqino.cli.tokens import read_tokens
from seqino.cli.verdicts import exit_code_of
from seqino.errors import NotFound, ResumeToken, SeqinoError
from seqino.models import Invoice, LifecycleEvent
from seqino.statuses import UnreadableEvent, find_reason, find_warnings, in_order, local_state
from seqino.submission import Submission

__all__ = ["invoices"]

invoices = group("invoices", "Invoices: submit them, see where they are, settle what is in doubt.")
invoices.command("submit")(submit)
invoices.command("sample")(sample)


_NO_DATA: dict[Language, str] = {
    "fr": "la plateforme n'en montre aucune donnée, seulement ses événements",
    "en": "the platform shows no data of it, only its events",
}


@command(invoices, "show")
async def show(
    session: Session,
    invoice: Annotated[str, typer.Argument(help="Id of the invoice.", show_default=False)],
    lang: Lang = None,
) -> None:
    """Show an invoice, and where its events leave it."""
    labels = language(lang, os.environ)
    data: Found[Invoice] | None = None
    missing: NotFound | None = None
    try:
        data = await session.ask(session.client.invoicing.get(invoice))
    except NotFound as error:
        # Of an invoice that was sent as a file the platform may show its events alone.
        missing = error
    pager = session.client.lifecycle.events(object_type="invoice", object_id=invoice, keep_unreadable=True)
    events, unreadable = parted(await session.ask_all(pager))
    if missing is not None and not events and not unreadable:
        raise missing
    _say(session, invoice, data, events, labels, unreadable=unreadable)


def _say(
    session: Session,
    invoice_id: str,
    data: Found[Invoice] | None,
    events: list[Found[LifecycleEvent]],
    lang: Language,
    *,
    unreadable: list[UnreadableEvent],
) -> None:
    values = [event.value for event in events]
    state = local_state(values)
    found = find_warnings(values, now=session.now())
    warnings = [warning.message_fr if lang == "fr" else warning.message for warning in found]
    if session.out.as_json:
        session.out.one(
            {
                "invoice_id": invoice_id,
                "state": state,
                "state_label": state_label(state, lang),
                "warnings": warnings,
                "events": [event_members(event, lang) for event in events],
                "unreadable": [unreadable_members(event) for event in unreadable],
                "invoice": None if data is None else data.members,
            }
        )
        return
    card: dict[str, Any] = {"invoice_id": invoice_id}
    session.out.one(
        {**card, **({} if data is None else invoice_card(data.value)), "state": state_label(state, lang)}
    )
    if data is None:
        say(_NO_DATA[lang])
    say("")
    show_events(in_order(values), lang)
    for event in in_order(values):
        reason = find_reason(event.rejection_reason)
        if reason is not None and reason.advice:
            say(f"{reason.code}: {reason.advice_fr if lang == 'fr' else reason.advice}")
    for warning in (*warnings, *(unreadable_line(one, lang) for one in unreadable)):
        say(warning_line(warning, lang))


@command(invoices, "resume", sends=True)
def resume(
    session: Session,
    token: Annotated[
        str,
        typer.Argument(
            help="A token that was printed, a file with some (as --json writes them), or - for the input.",
            show_default=False,
        ),
    ],
    revalidate: Annotated[
        bool,
        typer.Option(
            "--revalidate",
            help="Validate a draft again of which nobody can tell: safe only where the platform refuses that "
            "for one that became an invoice.",
        ),
    ] = False,
) -> Awaitable[ExitCode]:
    """Find out what became of what ended in doubt; nothing that may have been done is done again."""
    text = read_file(token).decode(errors="replace") if token == "-" or _is_file(token) else token  # noqa: S105 - a path
    return _resume(session, read_tokens(text), revalidate=revalidate)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        # A token is longer than names of files may be.
        return False


async def _resume(session: Session, tokens: list[ResumeToken], *, revalidate: bool) -> ExitCode:
    worst = ExitCode.OK
    for token in tokens:
        try:
            settled = await session.client.resume(token, revalidate=revalidate)
        except SeqinoError as error:
            if len(tokens) == 1:
                raise
            complain(f"{token.operation}: {error}")
            worst = max(worst, exit_code_of(error, sends=True))
        else:
            _say_settled(session, settled)
    return worst


def _say_settled(session: Session, settled: object) -> None:
    if isinstance(settled, Submission):
        say_submission(session, settled)
        return
    for made in cast("list[object]", settled) if isinstance(settled, list) else [settled]:
        session.out.one(builtins_of(made))
