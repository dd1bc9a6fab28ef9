"""``seqino drafts``: invoices that are not issued yet."""

from collections.abc import Awaitable, Sequence
from typing import Annotated, Any, cast

import typer

from seqino.cli.command import Session, command, group
from seqino.cli.invoice_card import invoice_card
from seqino.cli.plain import Found
from seqino.cli.reading import read_object_file
from seqino.cli.result import ExitCode
from seqino.cli.submission import say_submission
from seqino.cli.tables import Column, show_table
from seqino.cli.terminal import say
from seqino.models import DraftCreated, InvoiceDataValidation, InvoiceDraft, ValidationMessage

__all__ = ["drafts"]

drafts = group("drafts", "Drafts of invoices; they have no effect until they are validated.")

DraftArgument = Annotated[str, typer.Argument(help="Id of the draft.", show_default=False)]
FileArgument = Annotated[str, typer.Argument(help="JSON file, or - for the input.", show_default=False)]

Finding = tuple[str, ValidationMessage]

_FINDINGS = (
    Column[Finding]("finding", lambda finding: finding[0]),
    Column[Finding]("where", lambda finding: finding[1].path),
    Column[Finding]("rule", lambda finding: finding[1].rule, is_optional=True),
    Column[Finding]("what", lambda finding: finding[1].message),
    Column[Finding]("what to do", lambda finding: finding[1].suggestion, is_optional=True),
)


@command(drafts, "create")
def create(session: Session, file: FileArgument) -> Awaitable[None]:
    """Create a draft, and show what is wrong with it.

    Needed are issue_date, type_code, currency_code and seller with its name and address; whatever else is
    missing is a finding.
    """
    return _create(session, read_object_file(file, what="an invoice draft"))


async def _create(session: Session, invoice: dict[str, Any]) -> None:
    _say(session, await session.ask(session.client.drafts.create(invoice)))


@command(drafts, "get")
async def get(session: Session, draft: DraftArgument) -> None:
    """Show a draft; with --json all of it, as "update" takes it."""
    found = await session.ask(session.client.drafts.get(draft))
    if session.out.as_json:
        session.out.one(found.members)
    else:
        session.out.one(invoice_card(found.value))
        _say_findings(found.value)


@command(drafts, "update")
def update(session: Session, draft: DraftArgument, file: FileArgument) -> Awaitable[None]:
    """Replace a draft whole: what the file leaves out is gone."""
    return _update(session, draft, read_object_file(file, what="an invoice draft"))


async def _update(session: Session, draft: str, invoice: dict[str, Any]) -> None:
    _say(session, await session.ask(session.client.drafts.replace(draft, invoice)))


@command(drafts, "delete")
async def delete(session: Session, draft: DraftArgument) -> None:
    """Delete a draft for good."""
    await session.client.drafts.delete(draft)
    session.out.one({"draft_id": draft, "deleted": True})


@command(drafts, "check")
def check(session: Session, file: FileArgument) -> Awaitable[ExitCode]:
    """Have the platform judge an invoice; nothing is stored.

    Exit codes: 0 it would be accepted, 3 it would not, 4 the answer does not say.
    """
    return _check(session, read_object_file(file, what="an invoice draft"))


async def _check(session: Session, invoice: dict[str, Any]) -> ExitCode:
    found = await session.ask(session.client.drafts.validate_data(invoice))
    _say(session, found)
    if found.value.errors or found.value.valid is False:
        return ExitCode.REJECTED
    if found.value.valid is None:
        say("the answer does not say whether it is valid; see it with --json", stderr=True)
        return ExitCode.IN_DOUBT
    return ExitCode.OK


@command(drafts, "validate", sends=True)
async def validate(session: Session, draft: DraftArgument) -> None:
    """Validate a draft: it becomes an invoice, once, which can no longer change.

    Where the answer is lost, the draft is looked at until it is known. Exit codes: 0 it is an invoice, 3 it
    was refused and is a draft still, 4 nobody can tell: settle it with the token that is printed.
    """
    say_submission(session, await session.client.submit_draft(draft))


def _say(session: Session, found: Found[Any]) -> None:
    members = found.members
    if session.out.as_json:
        session.out.one(members)
        return
    session.out.one({name: value for name, value in members.items() if name not in {"errors", "warnings"}})
    _say_findings(found.value)


def _say_findings(value: DraftCreated | InvoiceDraft | InvoiceDataValidation) -> None:
    findings = [("error", each) for each in _list(value.errors)]
    findings += [("warning", each) for each in _list(value.warnings)]
    if findings:
        show_table(_FINDINGS, findings)


def _list(messages: object) -> Sequence[ValidationMessage]:
    # None, or absent.
    return cast("list[ValidationMessage]", messages) if isinstance(messages, list) else ()
