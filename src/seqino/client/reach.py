"""What the rest of this room and a ledger need of a client beyond its public methods."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from seqino.client.journal import GuardedCaller
from seqino.client.submitting import Submitter
from seqino.options import CallOptions
from seqino.submission import Policy

if TYPE_CHECKING:
    from seqino._core.call import Load
    from seqino.client import SeqinoClient
    from seqino.client.journal import Journal

__all__ = ["journaled", "limited", "load_of", "submitter_of", "time_limit"]


def submitter_of(
    client: SeqinoClient,
    client_id: str | None,
    options: CallOptions | None,
    *,
    revalidate: bool = False,
    policy: Policy | None = None,
    journal: Journal | None = None,
    patience: float = math.inf,
) -> Submitter:
    """Return what submits an invoice over a client.

    Args:
        client: Whose calls are made.
        client_id: On whose behalf; the client's own where it is ``None``.
        options: What its calls do otherwise than the client.
        revalidate: As for ``SeqinoClient.submit``, where there is no policy.
        policy: How long and how often to look.
        journal: Told of each step.
        patience: Seconds that may be waited before a look.
    """
    engine = client._engine  # noqa: SLF001 - of this room # pyright: ignore[reportPrivateUsage]
    runtime = client._runtime  # noqa: SLF001 - of this room # pyright: ignore[reportPrivateUsage]
    return Submitter(
        caller=client,
        config=engine.config,
        runtime=runtime,
        telemetry=engine.telemetry,
        client_id=client_id,
        options=options or CallOptions(),
        policy=policy or Policy(revalidate=revalidate),
        journal=journal,
        sender=None if journal is None else GuardedCaller(engine, journal.guard),
        patience=patience,
    )


def time_limit(client: SeqinoClient, options: CallOptions) -> float:
    """Return the seconds that a call has.

    Args:
        client: The client.
        options: What the call does otherwise.
    """
    engine = client._engine  # noqa: SLF001 - of this room # pyright: ignore[reportPrivateUsage]
    return engine.config.with_options(options).timeout


def journaled(
    client: SeqinoClient,
    journal: Journal,
    *,
    client_id: str,
    options: CallOptions,
    policy: Policy,
    patience: float,
) -> Submitter:
    """Return what submits an invoice over a client, and writes down each step.

    Args:
        client: Whose calls are made.
        journal: Told of each step.
        client_id: On whose behalf.
        options: What its calls do otherwise than the client.
        policy: How long and how often to look.
        patience: Seconds that may be waited before a look.
    """
    return submitter_of(client, client_id, options, policy=policy, journal=journal, patience=patience)


def limited(client: SeqinoClient, *, most: int, rate: float | None) -> SeqinoClient:
    """Return a copy of a client whose requests wait for their turn, over the same session.

    Args:
        client: The client; where it is limited as strictly already, the copy shares that limit.
        most: How many requests may be under way at a time, at the most.
        rate: How many may begin in a second; ``None`` for no other limit than the client's.
    """
    engine = client._engine.limited(most=most, rate=rate)  # noqa: SLF001 - of this room # pyright: ignore[reportPrivateUsage]
    return client._copy(engine)  # noqa: SLF001 - of this room # pyright: ignore[reportPrivateUsage]


def load_of(client: SeqinoClient) -> Load:
    """Return how many requests of a client are under way, and what they wait for."""
    return client._engine.load  # noqa: SLF001 - of this room # pyright: ignore[reportPrivateUsage]
