"""Faults on demand: what a network or a tired platform does to one request, before or after its effect."""

from __future__ import annotations

import re
import socket
import struct
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    import asyncio

__all__ = ["HEADER", "Fault", "Faults", "reset"]

HEADER = "X-Sandbox-Fault"
"""Request header that asks for a fault by name."""

_STATUS = re.compile(r"status-([1-5]\d\d)-(before|after)")


@attrs.frozen
class Fault:
    """A fault by name.

    Names: ``reset-before`` and ``reset-after`` (the connection is reset without an answer), ``hang-before``
    and ``hang-after`` (no answer ever comes; ``hang`` is the first), ``status-503-before`` and
    ``status-503-after`` (an answer with that status, 400 to 599). *Before* leaves the world as it was;
    *after* has the request's whole effect.
    """

    name: str
    kind: str
    after: bool
    status: int = 0

    @classmethod
    def parse(cls, name: str) -> Fault:
        """Read a fault by name.

        Raises:
            ValueError: There is no such fault.
        """
        if name == "hang":
            return cls(name, "hang", after=False)
        if name in ("reset-before", "reset-after", "hang-before", "hang-after"):
            kind, _, moment = name.partition("-")
            return cls(name, kind, after=moment == "after")
        found = _STATUS.fullmatch(name)
        if found and int(found[1]) >= 400:  # noqa: PLR2004 - the first status that is a fault
            return cls(name, "status", after=found[2] == "after", status=int(found[1]))
        raise ValueError(
            f"there is no fault {name!r}; there are reset-before, reset-after, hang-before, hang-after,"
            " status-NNN-before and status-NNN-after (NNN from 400 to 599)"
        )


@attrs.define
class _Planned:
    fault: Fault
    operation: str | None
    times: int


class Faults:
    """Faults planned for coming requests, first planned, first played."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []

    def plan(self, name: str, *, operation: str | None = None, times: int = 1) -> None:
        """Play a fault on the next requests.

        Args:
            name: Fault, as ``Fault`` lists them.
            operation: Method and path template, such as ``POST /drafts/{draft_id}/validate``; any by default.
            times: How many requests get it, 1 or more.

        Raises:
            ValueError: There is no such fault, or ``times`` is less than 1.
        """
        if times < 1:
            raise ValueError(f"times must be 1 or more; this is {times}")
        self._planned.append(_Planned(Fault.parse(name), operation, times))

    def clear(self) -> None:
        """Forget every fault that is still planned."""
        self._planned.clear()

    def next(self, operation: str) -> Fault | None:
        """Take the fault that the next request of an operation gets."""
        for planned in self._planned:
            if planned.operation in (None, operation):
                planned.times -= 1
                if not planned.times:
                    self._planned.remove(planned)
                return planned.fault
        return None


def reset(transport: asyncio.WriteTransport | None) -> None:
    """Close a connection with a reset (RST), so that the other side cannot take it for an orderly end."""
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # Lingering for 0 seconds makes close() send RST instead of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
