"""Who owns a chunk, and whether that process is alive."""

from __future__ import annotations

import math
import os
import socket
from pathlib import Path

import attrs

from seqino.errors import InvalidInput
from seqino.options import DEFAULT_TIMEOUT

__all__ = ["Owner", "Timing", "is_stale", "this_process"]


@attrs.frozen(kw_only=True)
class Timing:
    """How long things take; in seconds.

    Args:
        beat: How often an owner says that it is alive; less than ``stale``: else it seems dead in between.
        stale: After how long without that it is taken for dead, where nothing else tells; more than the
            window: else one that was taken over may still send.
        window: How old a mark may be when the bytes leave; more than 0.
        call: How long a call goes on at the most once its bytes left, as the timeout of the client.
        settle: How long after a doubt arose something of it may still be under way; more than ``window`` and
            ``call`` together: else a draft is sent again that is about to become an invoice.
        poll: How often is looked whether another process has ended with an invoice.

    Raises:
        InvalidInput: If the values contradict each other.
    """

    beat: float = 10.0
    stale: float = 30.0
    window: float = 2.0
    call: float = DEFAULT_TIMEOUT
    settle: float = 90.0
    poll: float = 0.25

    def __attrs_post_init__(self) -> None:
        for field in attrs.fields(Timing):
            if not 0 <= getattr(self, field.name) < math.inf:
                raise InvalidInput(
                    f"{field.name} must be a number of seconds, 0 or more, not {getattr(self, field.name)!r}"
                )
        if not self.window:
            raise InvalidInput("window must be more than 0 s: else nothing could ever be sent in time")
        both = self.window + self.call
        for shorter, least, longer, most, otherwise in (
            ("beat", self.beat, "stale", self.stale, _SEEMS_DEAD),
            ("window", self.window, "stale", self.stale, _STILL_SENDS),
            ("window and call together", both, "settle", self.settle, _SENT_TWICE),
        ):
            if least >= most:
                raise InvalidInput(
                    f"{longer} ({most:g} s) must be more than {shorter} ({least:g} s), else {otherwise}: "
                    f"raise {longer}, or lower {shorter.removesuffix(' together').replace(' and ', ' or ')}"
                )


_SEEMS_DEAD = "a process that is alive is taken for dead between two beats"
_STILL_SENDS = "a process may send what another one took over"
_SENT_TWICE = "a draft may be sent again that is about to become an invoice"


@attrs.frozen
class Owner:
    """A process: the machine that it runs on, its number there, and when it started.

    A machine is a host name, one start of the system, and one space of process numbers: containers of one
    host are several.
    """

    machine: str
    pid: int
    start: str

    def __str__(self) -> str:
        return f"{self.machine}/{self.pid}/{self.start}"

    @classmethod
    def parse(cls, text: str) -> Owner:
        """Read what ``str`` wrote."""
        machine, pid, start = text.rsplit("/", 2)
        return cls(machine, int(pid), start)


_PROC = Path("/proc")


def this_process(proc: Path = _PROC) -> Owner:
    """Return the running process.

    Args:
        proc: Where the system tells of processes; elsewhere than on Linux it does not.
    """
    boot = _text(proc / "sys/kernel/random/boot_id")
    try:
        space = str((proc / "self/ns/pid").readlink())
    except OSError:
        space = ""
    machine = f"{socket.gethostname()}:{boot}:{space}".replace("/", "_")
    return Owner(machine, os.getpid(), _start(os.getpid(), proc) or "")


def is_stale(owner: Owner, *, silent: float, stale: float, me: Owner, proc: Path = _PROC) -> bool:
    """Whether an owner is to be taken for dead.

    Args:
        owner: The owner.
        silent: Seconds since it was last heard of.
        stale: After how long it is dead in any case.
        me: The running process.
        proc: Where the system tells of processes.
    """
    if silent > stale:
        return True
    if owner.machine != me.machine or not me.start:
        return False
    # A process number may be given again; the time of the start tells them apart.
    return _start(owner.pid, proc) != owner.start


def _start(pid: int, proc: Path) -> str | None:
    """When a process started, in the system's ticks; ``None`` where there is none, or nothing tells."""
    stat = _text(proc / str(pid) / "stat")
    # After the name, which is in brackets and may hold anything: proc(5), field 22.
    fields = stat.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in ("Z", "X") else None  # noqa: PLR2004


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
