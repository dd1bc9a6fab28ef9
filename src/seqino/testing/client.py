"""A client of a sandbox in the same process."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from seqino.client import SeqinoClient
from seqino.testing.pauses import Pauses

if TYPE_CHECKING:
    from seqino._core.runtime import Runtime
    from seqino.sandbox import Sandbox

__all__ = ["SandboxClient"]


class SandboxClient(SeqinoClient):
    """A client of a running sandbox whose pauses take no real time and are the same in every run.

    Args:
        sandbox: The platform, running on the client's own loop.
        api_key: Its key.
        client_id: On whose behalf calls are made.
    """

    def __init__(self, sandbox: Sandbox, *, api_key: str, client_id: str) -> None:
        self._pauses = Pauses(sandbox.clock)
        super().__init__(api_key, client_id=client_id, base_url=sandbox.url)

    def _make_runtime(self) -> Runtime:
        # Spreading retries needs no secrecy.
        return self._pauses.runtime(uniform=random.Random(0).uniform)  # noqa: S311
