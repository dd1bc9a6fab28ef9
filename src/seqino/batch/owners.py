"""Who owns a chunk, and whether that process is alive."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import attrs

__all__ = ["Owner", "Timing", "is_stale", "this_process"]


@attrs.frozen(kw_only=True)
class Timing:
    """How long things take; in seconds.

    Args:
        beat: How often an owner says that it is alive.
        stale: After how long without that it is taken for dead, where nothing else tells. It has to be longer
            than the window: else one that was taken over may still send.
        window: How old a mark may be when the bytes leave.
        settle: How long after a doubt arose something of it may still be under way: longer than the window
            and the time of a call together.
        poll: How often is looked whether another process has ended with an invoice.
    """

    beat: float = 10.0
    stale: float = 30.0
    window: float = 2.0
    settle: float = 90.0
    poll: float = 0.25


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
