"""What a command of ``seqino batch`` works with: its ledger, and the client that it calls with."""

from __future__ import annotations

import os
import shlex
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

import seqino.batch
from seqino.cli.batch.show import say
from seqino.cli.common import Target
from seqino.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from seqino.batch import Ledger
    from seqino.client import SeqinoClient

__all__ = ["Session"]


@attrs.frozen(kw_only=True)
class Session:
    """Which ledger, and whom to call, as given on the command line.

    Args:
        server: A published server by name.
        base_url: URL of the API.
        sponsor: Whom the API key belongs to.
        ledger: File of the ledger; ``None`` for the one in the user's data folder.
        client_id: On whose behalf to call.
        api_key_file: File with the API key.
        check_digits: Whether identifiers of drafts with a wrong check digit are refused.
    """

    server: str | None = None
    base_url: str | None = None
    sponsor: str
    ledger: Path | None = None
    client_id: str | None = None
    api_key_file: Path | None = None
    check_digits: bool = True

    def client(self) -> SeqinoClient:
        """Make the client.

        Raises:
            ConfigurationError: Something that it needs is missing, or cannot be used.
        """
        self._address()
        return Target(
            base_url=self.base_url,
            server=self.server,
            client_id=self.client_id,
            api_key_file=self.api_key_file,
            check_digits=self.check_digits,
        ).client()

    def whose(self, client_id: str | None = None) -> str:
        """Return on whose behalf invoices are sent.

        Args:
            client_id: What a command was given of its own.

        Raises:
            ConfigurationError: It is not said.
        """
        whose = client_id or self.client_id or os.environ.get("SEQINO_CLIENT_ID")
        if not whose:
            raise ConfigurationError("say on whose behalf: --client-id, or SEQINO_CLIENT_ID")
        return whose

    @asynccontextmanager
    async def open(
        self, *, create: bool = False, another: bool = False, recover: bool = False
    ) -> AsyncGenerator[Ledger]:
        """Open the ledger; a new one is announced.

        Args:
            create: Whether to make it where there is none.
            another: Whether also where the same server and sponsor have one in another place.
            recover: Whether it is a backup that was put back.

        Raises:
            ConfigurationError: The server is not said, or the extra is not installed.
            LedgerUnusable: It cannot be used.
        """
        opening = seqino.batch.Ledger.open(
            self.ledger,
            server=self._address(),
            sponsor=self.sponsor,
            create=create,
            another=another,
            recover=recover,
        )
        async with opening as ledger:
            if ledger.is_new:
                say(f"new ledger: {ledger.path} (what was sent before is not in it)", stderr=True)
            yield ledger

    def command(self, name: str) -> str:
        """Write another command on the same ledger, as it can be pasted into a shell."""
        given = {
            "--server": self.server,
            "--base-url": self.base_url,
            "--sponsor": None if self.sponsor == "default" else self.sponsor,
            "--ledger": self.ledger,
        }
        options = [
            part for option, value in given.items() if value is not None for part in (option, str(value))
        ]
        return shlex.join(["seqino", "batch", *name.split(), *options])

    def _address(self) -> str:
        if self.server is not None and self.base_url is not None:
            raise ConfigurationError("give --server or --base-url, not both")
        address = self.base_url or self.server or os.environ.get("SEQINO_BASE_URL")
        if not address:
            raise ConfigurationError("say which server: --server, --base-url, or SEQINO_BASE_URL")
        return address
