"""How fast a run may go is asked of the platform, before anything is sent."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import attrs

from seqino._core.events import log
from seqino.batch.allowance import Allowance, allowance
from seqino.errors import AuthenticationFailed, CallError

if TYPE_CHECKING:
    from seqino.client import SeqinoClient
    from seqino.options import CallOptions

__all__ = ["ask_for_limits"]

_REQUESTS = 2
"""Requests that an invoice takes at the least: its draft is created, and validated."""


async def ask_for_limits(
    client: SeqinoClient, *, client_id: str, invoices: int, options: CallOptions
) -> Allowance:
    """Ask the platform how fast a run may go.

    Args:
        client: Over which it is asked.
        client_id: On whose behalf.
        invoices: How many are to be sent.
        options: What the call does otherwise than the client.

    Raises:
        AuthenticationFailed: The key is wrong: nothing could be sent either.
    """
    options = attrs.evolve(options, max_retries=0, extra_body=None)
    try:
        limits = await client.usage.get_limits(client_id=client_id, options=options)
    except AuthenticationFailed:
        raise
    except CallError as error:
        # Without limits that are known, only those that are met are kept to.
        log(logging.INFO, "batch: the platform does not tell its limits: %s", error)
        return Allowance()
    return allowance(limits, requests=_REQUESTS * invoices)
