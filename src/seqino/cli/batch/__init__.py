"""``seqino batch``: many invoices, each sent once, with a ledger that outlives the process."""

from seqino.cli.batch.check import check
from seqino.cli.batch.export import export
from seqino.cli.batch.follow import follow
from seqino.cli.batch.group import batch
from seqino.cli.batch.recover import recover
from seqino.cli.batch.report import report, status
from seqino.cli.batch.resolve import resolve
from seqino.cli.batch.submit import resume, retry, submit

__all__ = [
    "batch",
    "check",
    "export",
    "follow",
    "recover",
    "report",
    "resolve",
    "resume",
    "retry",
    "status",
    "submit",
]
