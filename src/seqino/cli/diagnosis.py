"""What ``seqino doctor`` looks at, from the configuration to the clock; it changes nothing."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

from seqino.errors import AuthenticationFailed, CallError, NotFound, PermissionDenied

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from seqino.cli.common import Target
    from seqino.client import SeqinoClient

__all__ = ["Finding", "Level", "configuration", "examine"]

_MOST_SKEW = 30.0
"""Seconds: a clock that is further off dates requests and judges deadlines and signatures wrongly."""


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warn"
    FAILURE = "fail"
    SKIPPED = "skip"
    """It could not be looked at, because of something found before."""


@attrs.frozen
class Finding:
    """What was found.

    Args:
        level: How bad it is.
        check: What was looked at, in one word.
        text: What was found, and what to do.
    """

    level: Level
    check: str
    text: str


def configuration(target: Target, environ: Mapping[str, str], *, base_url: str) -> Iterator[Finding]:
    """Say where each value comes from; of the key nothing else is said.

    Args:
        target: What the command line gives.
        environ: The environment.
        base_url: The server that follows from them.
    """
    given = {"--base-url": target.base_url, "--server": target.server}
    option = next((name for name, value in given.items() if value is not None), None)
    server = option or ("SEQINO_BASE_URL" if environ.get("SEQINO_BASE_URL") else "the default")
    yield Finding(Level.OK, "server", f"{base_url} (from {server})")
    if target.client_id is not None:
        yield Finding(Level.OK, "client id", f"{target.client_id} (from --client-id)")
    elif environ.get("SEQINO_CLIENT_ID"):
        yield Finding(Level.OK, "client id", f"{environ['SEQINO_CLIENT_ID']} (from SEQINO_CLIENT_ID)")
    else:
        yield Finding(
            Level.WARNING, "client id", "none: each call has to name one (--client-id, SEQINO_CLIENT_ID)"
        )
    if target.api_key_file is not None:
        yield Finding(Level.OK, "api key", f"from the file {target.api_key_file}")
    elif environ.get("SEQINO_API_KEY"):
        yield Finding(Level.OK, "api key", "from SEQINO_API_KEY")
    else:
        yield Finding(Level.FAILURE, "api key", "none: set SEQINO_API_KEY, or give --api-key-file")


async def examine(
    client: SeqinoClient, *, has_key: bool, wall: Callable[[], float]
) -> AsyncIterator[Finding]:
    """Look at the connection, the clock, the key and the client.

    Args:
        client: Over which the calls are made.
        has_key: Whether there is a key at all.
        wall: Seconds since 1970 by the clock of this machine.
    """
    try:
        answer = await client.raw(client.health())
    except CallError as error:
        yield Finding(Level.FAILURE, "connection", str(error))
        for check in ("clock", "key", "client"):
            yield Finding(Level.SKIPPED, check, "the platform cannot be reached")
        return
    yield Finding(Level.OK, "connection", f"the platform is up (HTTP {answer.status})")
    yield _clock(answer.headers.get("Date"), wall())
    if not has_key:
        for check in ("key", "client"):
            yield Finding(Level.SKIPPED, check, "there is no API key")
        return
    async for finding in _access(client):
        yield finding


def _clock(date: str | None, now: float) -> Finding:
    try:
        server = None if date is None else parsedate_to_datetime(date).timestamp()
    except ValueError:
        server = None
    if server is None:
        return Finding(Level.WARNING, "clock", "cannot be compared: the answer does not say its time")
    skew = now - server
    if abs(skew) <= _MOST_SKEW:
        return Finding(Level.OK, "clock", f"agrees with the server's to {_MOST_SKEW:.0f} s")
    direction = "ahead of" if skew > 0 else "behind"
    return Finding(
        Level.WARNING,
        "clock",
        f"{abs(skew):.0f} s {direction} the server's: set this machine's clock (NTP); times of events and "
        "signatures of webhooks are judged by it",
    )


async def _access(client: SeqinoClient) -> AsyncIterator[Finding]:
    """Find out whether the key is taken, and whether it may act for the client."""
    name = client.client_id
    try:
        if name is None:
            await client.clients.list().first()
        else:
            await client.clients.get(name)
    except AuthenticationFailed as error:
        yield Finding(Level.FAILURE, "key", str(error))
        yield Finding(Level.SKIPPED, "client", "the key is not taken")
    except (PermissionDenied, NotFound) as error:
        yield Finding(Level.OK, "key", "is taken")
        yield Finding(Level.FAILURE, "client", f"the key cannot act for {name}: {error}")
    except CallError as error:
        yield Finding(Level.FAILURE, "key", f"nobody can tell: {error}")
        yield Finding(Level.SKIPPED, "client", "the call before failed")
    else:
        yield Finding(Level.OK, "key", "is taken")
        if name is None:
            yield Finding(Level.SKIPPED, "client", "none is named")
        else:
            yield Finding(Level.OK, "client", f"{name} is known, and the key may act for it")
