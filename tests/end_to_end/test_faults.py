"""One invoice under every fault that the sandbox can play, at each step: never two, and no false word."""
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import functools
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import attrs
import pytest
import trustme
from yarl import URL

from seqino import OutcomeUnknown, SeqinoClient, SeqinoError
from seqino.sandbox import Sandbox
from seqino.sandbox.fault_plays import FAULTS, fault, moments
from seqino.submission import Submission
from tests.end_to_end.scene import CLIENT, KEY

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.end_to_end.conftest import Hurry


CREATE = "POST /drafts"
VALIDATE = "POST /drafts/{draft_id}/validate"
LOOK = "GET /drafts/{draft_id}"
STATUSES = (
    *(300, 301, 303, 304, 307, 308),
    *(400, 401, 403, 404, 405, 408, 409, 410, 413, 422, 423, 425, 429),
    *(500, 501, 502, 503, 504, 507, 520, 599),
)
QUICK = {
    "refuse": "seconds=0.05",
    "slow-handshake": "seconds=0.01",
    "slow": "seconds=0.01",
    "late": "seconds=0.01",
    "drip-head": "seconds=0.001; bytes=20",
    "drip-body": "seconds=0.001; bytes=20",
    "huge": "bytes=1000000",
}
"""Parameters that make a fault no longer than it has to be."""


def _asked() -> list[str]:
    """Every fault by its name with its endings, each as short as it can be."""
    kinds = [*FAULTS, *(f"status-{status}" for status in STATUSES)]
    names = {
        f"{kind}{moment}" if moment or moments(kind) == ("",) else fault(kind).name: QUICK.get(kind)
        for kind in kinds
        for moment in moments(kind)
    }
    return [name if quick is None else f"{name}; {quick}" for name, quick in names.items()]


@attrs.frozen
class Case:
    """A fault, and the request that gets it."""

    text: str
    operation: str

    @property
    def needs_tls(self) -> bool:
        play = fault(self.text)
        return play.tls or play.then == "cut"

    @property
    def is_unread(self) -> bool:
        """Whether it strikes before anybody knows what is asked."""
        return fault(self.text).strikes != "request"

    def is_playable(self, sandbox: Sandbox) -> bool:
        """Whether the answer of the operation holds what the fault changes."""
        if self.is_unread:
            return True
        try:
            sandbox.faults.asked(self.text, self.operation)
        except ValueError as error:
            assert "cannot be played" in str(error)  # noqa: PT017 - raised while tests are collected
            return False
        return True

    def __str__(self) -> str:
        step = {CREATE: "create", VALIDATE: "validate", LOOK: "look"}[self.operation]
        return f"{step}-{fault(self.text).name}"


@functools.cache
def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS for the sandbox, and for a client that trusts it."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def _cases() -> list[Case]:
    sandbox = Sandbox(ssl_context=_contexts()[0])
    cases = [Case(text, operation) for text in _asked() for operation in (CREATE, VALIDATE, LOOK)]
    return [case for case in cases if case.is_playable(sandbox)]


CASES = _cases()


class Wire:
    """What is between a client and the sandbox: the fault is planned when its request is about to leave."""

    def __init__(self, sandbox: Sandbox, case: Case) -> None:
        self._sandbox = sandbox
        self._case = case
        self.is_planned = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if not self.is_planned and _operation(request) == self._case.operation:
            self.is_planned = True
            where = None if self._case.is_unread else self._case.operation
            self._sandbox.faults.plan(self._case.text, operation=where)
        return await handler(request)


def _operation(request: aiohttp.ClientRequest) -> str:
    path = request.url.path.removeprefix("/api").split("/")
    if len(path) > 2:
        path[2] = "{draft_id}"
    return f"{request.method} {'/'.join(path)}"


@asynccontextmanager
async def connected(case: Case, hurry: Hurry) -> AsyncGenerator[tuple[Sandbox, SeqinoClient]]:
    """A sandbox and a client of it that runs into the fault of a case."""
    server, trust = _contexts() if case.needs_tls else (None, True)
    # A connection of its own for each request, where the fault happens to a new one.
    connector = aiohttp.TCPConnector(force_close=case.is_unread, ssl=trust)
    async with (
        Sandbox(speed=0, ssl_context=server) as sandbox,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        hurry.faults = lambda: sandbox.counters.faults
        wire = Wire(sandbox, case)
        yield (
            sandbox,
            SeqinoClient(
                KEY, client_id=CLIENT, base_url=f"{sandbox.url}/api", session=session, middlewares=[wire]
            ),
        )
        assert wire.is_planned
        assert fault(case.text).name in sandbox.counters.faults_by_name
        assert sandbox.counters.faults == (2 if case.operation == LOOK else 1)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_an_invoice_is_issued_once_or_not_at_all_and_nobody_is_told_otherwise(
    case: Case, invoice: dict[str, Any], hurry: Hurry
) -> None:
    await is_issued_once_or_not_at_all(case, invoice, hurry)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_same_holds_on_the_other_event_loop(case: Case, invoice: dict[str, Any], hurry: Hurry) -> None:
    uvloop = pytest.importorskip("uvloop", reason="there is no uvloop on this system")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(is_issued_once_or_not_at_all(case, invoice, hurry))


async def is_issued_once_or_not_at_all(case: Case, invoice: dict[str, Any], hurry: Hurry) -> None:
    """Submit an invoice through a fault, and compare what the caller was told with what the sandbox did."""
    async with connected(case, hurry) as (sandbox, client):
        if case.operation == LOOK:  # somebody looks only in doubt
            sandbox.faults.plan("reset-after", operation=VALIDATE)
        try:
            submission = await client.submit(invoice)
        except OutcomeUnknown as doubt:
            assert sandbox.counters.invoices_created <= 1
            if case.text.startswith("refuse"):
                await opened(sandbox)
            submission = await settled(client, doubt)
        except SeqinoError:
            # Told that nothing came of it, and so it is.
            assert sandbox.counters.invoices_created == 0
            return
        assert sandbox.counters.invoices_created == 1
        assert sandbox.counters.same_content == 0
        assert_names_the_invoice(sandbox, submission)


async def opened(sandbox: Sandbox) -> None:
    """Return once the port takes connections again."""
    url = URL(sandbox.url)
    while True:
        try:
            _, writer = await asyncio.open_connection(url.host, url.port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return


async def settled(client: SeqinoClient, doubt: OutcomeUnknown) -> Submission:
    """A doubt names its draft, and ends once the fault is over."""
    assert doubt.token is not None
    assert doubt.token.operation == "validate_draft"
    found = await client.resume(doubt.token)
    assert isinstance(found, Submission)
    return found


def assert_names_the_invoice(sandbox: Sandbox, submission: Submission) -> None:
    (issued,) = sandbox.world.sponsor(KEY).clients[CLIENT].invoices.values()
    assert (submission.invoice_id, submission.draft_id) == (issued.invoice_id, issued.draft_id)
