"""Kills a sandbox with SIGKILL while many write to it, and looks whether it kept what it acknowledged.

``python -m tests.sandbox.kill [--rounds N] [--seed N]`` runs rounds on one file: a sandbox in a process of
its own, callers at once, a kill at a moment drawn by chance, then a look at what the next one finds. Whatever
was answered has to be there; what was under way may be, whole and once. The moment is after some answers that
the callers got, or right after the sandbox gave one to the system, or in the middle of a write to the file.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import random
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import aiohttp
import attrs

from seqino.sandbox import Sandbox
from seqino.sandbox.app import App

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Lost", "Run", "main"]

CALLERS = 8
MOMENTS = {"answered": 300, "given": 300, "writing": 3000}
"""Kinds of moments, and how many of them may pass first: answers, or some steps of SQLite."""
CLIENTS: tuple[str, ...] = ("sandbox-client-seqino", "client_abc123")
SELLER, BUYER = "812345676", "523456788"

Json: TypeAlias = Any

_ROOT = Path(__file__).parents[2]


class Lost(AssertionError):  # noqa: N818 - as a test says it
    """The sandbox did not keep what it acknowledged, or kept something twice."""


@attrs.define
class Client:
    """What the callers of one client were told."""

    name: str
    drafts: dict[str, str | None] = attrs.field(factory=dict[str, "str | None"])
    """Note of each draft that is there; ``None`` where a change of it was under way when it died."""
    deleted: set[str] = attrs.field(factory=set[str])
    issued: dict[str, tuple[str, str]] = attrs.field(factory=dict[str, "tuple[str, str]"])
    """Invoice id and number, by draft."""
    files: dict[str, str] = attrs.field(factory=dict[str, str])
    """Number of each file taken, by invoice id."""
    doubtful: set[str] = attrs.field(factory=set[str])
    """Drafts whose validation or deletion was not answered."""


@attrs.define
class Run:
    """Rounds on one file.

    Args:
        path: The file.
        chance: Says who does what, and when it dies.
        say: Told of each round.
    """

    path: Path
    chance: random.Random
    say: Callable[[str], object] = print
    clients: list[Client] = attrs.field(factory=lambda: [Client(name) for name in CLIENTS])
    answers: int = 0
    unanswered: int = 0
    _count: int = 0
    _shown: str = ""

    async def round(self) -> None:
        """Write, kill, and look.

        Raises:
            Lost: Something is missing, or there twice.
        """
        moment = self.chance.choice(list(MOMENTS))
        left = self.chance.randint(1, MOMENTS[moment])
        before = self.answers
        async with self._sandbox(moment, left) as (process, session):
            # It may die while one looks: then the next one is looked at.
            with contextlib.suppress(aiohttp.ClientError):
                await self._look(session)

            def answered() -> None:
                self.answers += 1
                if moment == "answered" and self.answers == before + left:
                    process.send_signal(signal.SIGKILL)

            await asyncio.gather(*(self._write(session, answered) for _ in range(CALLERS)))
            await process.wait()
        self.say(f"killed at {moment} {left}, after {self.answers - before} answers")

    async def finish(self) -> None:
        """Look once more."""
        async with self._sandbox() as (process, session):
            await self._look(session)
            process.terminate()
            await process.wait()

    @contextlib.asynccontextmanager
    async def _sandbox(
        self, moment: str = "answered", left: int = 0
    ) -> AsyncGenerator[tuple[asyncio.subprocess.Process, aiohttp.ClientSession]]:
        command = [sys.executable, "-m", "tests.sandbox.kill", "--serve", str(self.path), moment, str(left)]
        process = await asyncio.create_subprocess_exec(*command, cwd=_ROOT, stdout=asyncio.subprocess.PIPE)
        try:
            assert process.stdout is not None
            url = (await process.stdout.readline()).decode().strip()
            if not url:
                raise Lost("the next sandbox does not start on the file")
            headers = {"Authorization": "a-key"}
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(url, headers=headers, connector=connector) as session:
                yield process, session
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    # --- Writing

    async def _write(self, session: aiohttp.ClientSession, answered: Callable[[], None]) -> None:
        """Call until the sandbox is gone."""
        acts: list[Callable[[Caller], Awaitable[None]]] = [_create, _change, _delete, _issue, _issue, _file]
        with contextlib.suppress(aiohttp.ClientError):
            while True:
                self._count += 1
                caller = Caller(self, session, self.chance.choice(self.clients), self._count, answered)
                await self.chance.choice(acts)(caller)
        self.unanswered += 1

    # --- Looking

    async def _look(self, session: aiohttp.ClientSession) -> None:
        async with session.get("/_sandbox/clock") as response:
            now = (await response.json())["now"]
        _hold(now >= self._shown, "the clock went back")
        self._shown = now
        async with session.get("/_sandbox/world") as response:
            sponsors = (await response.json())["sponsors"]
        async with session.get("/_sandbox/counters") as response:
            counters = await response.json()
        nothing: dict[str, Json] = {"drafts": {}, "invoices": {}}
        shown = sponsors[0]["clients"] if sponsors else dict.fromkeys(CLIENTS, nothing)
        invoices = [one for client in shown.values() for one in client["invoices"].values()]
        _check_sums(shown, invoices, counters)
        for client in self.clients:
            await self._check(session, client, shown[client.name])

    async def _check(self, session: aiohttp.ClientSession, client: Client, shown: Json) -> None:
        drafts, invoices = shown["drafts"], shown["invoices"]
        for draft_id in client.doubtful:
            if draft_id not in drafts:
                client.deleted.add(draft_id)
                client.drafts.pop(draft_id, None)
            elif drafts[draft_id] is not None:
                invoice_id = drafts[draft_id]
                client.issued.setdefault(draft_id, (invoice_id, invoices[invoice_id]["number"]))
        client.doubtful.clear()
        _hold(not client.deleted & drafts.keys(), "a deleted draft is back")
        _hold(client.drafts.keys() <= drafts.keys(), "a draft is lost")
        for draft_id, (invoice_id, number) in client.issued.items():
            _hold(drafts[draft_id] == invoice_id, "an issued draft forgot its invoice")
            _hold(invoices[invoice_id]["number"] == number, "an invoice has another number")
        for invoice_id, number in client.files.items():
            _hold(invoices[invoice_id]["number"] == number, "a file's invoice is lost")
        for draft_id in self.chance.sample(sorted(client.drafts), min(20, len(client.drafts))):
            headers = {"X-PDP-Client-Id": client.name}
            async with session.get(f"/drafts/{draft_id}", headers=headers) as response:
                found = await response.json()
            known = client.drafts[draft_id]
            _hold(known is None or found["note"] == known, "a draft has another content")


def _check_sums(shown: Json, invoices: list[Json], counters: Json) -> None:
    drafts = [one for client in shown.values() for one in client["drafts"].values()]
    became = [one for one in drafts if one is not None]
    _hold(len(set(became)) == len(became), "two drafts became one invoice")
    numbers = [one["number"] for one in invoices if one["scenario"] != "duplicate"]
    _hold(len(set(numbers)) == len(numbers), "a number is given twice")
    ours = sorted(int(one.rpartition("-")[2]) for one in numbers if one.startswith("SBX"))
    _hold(ours == list(range(1, len(ours) + 1)), "the numbers have a gap")
    _hold(len(ours) == len(became) == counters["drafts_validated"], "an invoice has no draft")
    _hold(len(drafts) == counters["drafts_created"] - counters["drafts_deleted"], "drafts were miscounted")
    created = counters["invoices_created"] + counters["duplicates"]
    _hold(len(invoices) == counters["files_taken"] + counters["drafts_validated"] == created, "miscounted")


def _hold(condition: bool, message: str) -> None:  # noqa: FBT001 - as of assert
    if not condition:
        raise Lost(message)


# --- What the callers do


@attrs.frozen
class Caller:
    """One call to make."""

    run: Run
    session: aiohttp.ClientSession
    client: Client
    count: int
    answered: Callable[[], None]

    async def __call__(self, method: str, path: str, status: int, **options: Any) -> Json:
        headers = {"X-PDP-Client-Id": self.client.name}
        async with self.session.request(method, path, headers=headers, **options) as response:
            body = await response.json() if response.status != 204 else None
            self.answered()
            _hold(response.status == status, f"{method} {path} answers {response.status}: {body}")
            return body

    def free(self) -> str | None:
        """Take a draft that nobody else has, and that is not issued."""
        free = [one for one in self.client.drafts if one not in self.client.issued]
        free = [one for one in free if one not in self.client.doubtful]
        return self.run.chance.choice(free) if free else None


async def _create(call: Caller) -> None:
    draft = _draft(call.count)
    draft_id = (await call("POST", "/drafts", 201, json=draft))["draft_id"]
    _hold(draft_id not in call.client.drafts.keys() | call.client.deleted, "an id is given twice")
    call.client.drafts[draft_id] = draft["note"]


async def _change(call: Caller) -> None:
    draft_id, draft = call.free(), _draft(call.count)
    if draft_id is None:
        return
    call.client.doubtful.add(draft_id)
    call.client.drafts[draft_id] = None
    await call("PUT", f"/drafts/{draft_id}", 200, json=draft)
    call.client.drafts[draft_id] = draft["note"]
    call.client.doubtful.discard(draft_id)


async def _delete(call: Caller) -> None:
    draft_id = call.free()
    if draft_id is None:
        return
    call.client.doubtful.add(draft_id)
    await call("DELETE", f"/drafts/{draft_id}", 204)
    del call.client.drafts[draft_id]
    call.client.deleted.add(draft_id)
    call.client.doubtful.discard(draft_id)


async def _issue(call: Caller) -> None:
    draft_id = call.free()
    if draft_id is None:
        return
    call.client.doubtful.add(draft_id)
    issued = await call("POST", f"/drafts/{draft_id}/validate", 200)
    call.client.issued[draft_id] = issued["invoice_id"], issued["invoice_number"]
    call.client.doubtful.discard(draft_id)


async def _file(call: Caller) -> None:
    number = f"F-{call.count}"
    form = aiohttp.FormData()
    form.add_field("file", _UBL.format(number=number).encode(), filename="invoice.xml")
    taken = await call("POST", "/invoicing/files/submit", 201, data=form)
    call.client.files[taken["invoice_id"]] = number


def _draft(count: int) -> dict[str, Any]:
    def party(name: str, siren: str) -> dict[str, Any]:
        address = {"city_name": "Lille", "country_code": "FR"}
        role = "seller" if siren == SELLER else "buyer"
        return {"name": name, f"{role}_legal_registration_identifier": siren, "postal_address": address}

    return {
        "issue_date": "2026-09-15",
        "type_code": "380",
        "currency_code": "EUR",
        "note": f"note {count}",
        "seller": party("Atelier Vauban SAS", SELLER),
        "buyer": party("Librairie du Canal SARL", BUYER),
        "lines": [{"line_identifier": "1", "item_name": "Pose", "line_net_amount": "100.00"}],
    }


_UBL = """<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-09-15</cbc:IssueDate>
  <cac:AccountingSupplierParty><cac:Party><cac:PartyLegalEntity>
    <cbc:RegistrationName>Vauban</cbc:RegistrationName><cbc:CompanyID>812345676</cbc:CompanyID>
  </cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>
</Invoice>"""


# --- The command


async def _serve(path: Path, moment: str, left: int) -> None:
    """Be the sandbox, and die by itself where no other process could choose the moment so well."""
    moments = itertools.count(1)
    handle = App.handle

    async def handle_and_die(self: App, request: web.BaseRequest) -> web.StreamResponse:
        response = await handle(self, request)
        is_call = not request.path.startswith("/_sandbox/")
        if is_call and next(moments) == left:
            # Once this task has to wait, which is after the answer went to the socket.
            asyncio.get_running_loop().call_soon(_die)
        return response

    if moment == "given":
        setattr(App, "handle", handle_and_die)  # noqa: B010 - a method is not assigned to otherwise
    async with Sandbox(state=path) as sandbox:
        if moment == "writing":
            world: Any = sandbox.world
            world._state.connection.set_progress_handler(lambda: _die() if next(moments) == left else 0, 20)
        print(sandbox.url, flush=True)  # noqa: T201 - the other process waits for it
        await sandbox.serve_forever()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _run(path: Path, rounds: int, seed: int) -> None:
    run = Run(path, random.Random(seed))  # noqa: S311 - a choice, no secret
    for _ in range(rounds):
        await run.round()
    await run.finish()
    sys.stdout.write(f"{rounds} kills, {run.answers} answers, nothing lost and nothing there twice\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run rounds, or be the sandbox that is killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox.kill", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how often it is killed")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(2**32), help="of the chance"
    )
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.serve is not None:
        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            path, moment, left = given.serve
            asyncio.run(_serve(Path(path), moment, int(left)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            asyncio.run(_run(Path(folder) / "sandbox.state", given.rounds, given.seed))
        except Lost as error:
            sys.stderr.write(f"error: {error} (seed {given.seed})\n")
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
