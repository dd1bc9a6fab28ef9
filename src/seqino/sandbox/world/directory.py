"""The national directory, one for all sponsors: where invoices for a company go. Nothing here knows HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from seqino.sandbox.clock import stamp
from seqino.sandbox.lifecycle import Leg
from seqino.sandbox.mandate_outcomes import moved_to
from seqino.sandbox.meshes import mesh_of
from seqino.sandbox.scenarios import MAGIC_BUYERS, SCENARIOS
from seqino.sandbox.world.coursed import Coursed

if TYPE_CHECKING:
    from seqino.sandbox.meshes import Mesh

__all__ = ["Directory", "DirectoryLine", "listed"]


@attrs.define(eq=False, kw_only=True)
class DirectoryLine(Coursed):
    """A line of the directory; whether it can be found follows from its course and the moment one looks."""

    kind: ClassVar[str] = "directory_entry"
    object_type: ClassVar[str] = "directory_entry"
    family: ClassVar[str] = "DirectoryEntryStatus"

    line_id: str
    """Id of the mandate that it was created with, or its own."""
    entry: dict[str, Any]
    """As it was sent."""
    ends_at: datetime | None = None
    """From then on it is no longer found."""

    @property
    def key(self) -> str:
        """Its id."""
        return self.line_id

    @property
    def siren(self) -> str:
        """Company that it stands for."""
        return str(self.entry["siren"])

    @property
    def mesh(self) -> Mesh:
        """The identifiers that it stands for."""
        return mesh_of(self.entry)

    def live_since(self, now: datetime) -> datetime | None:
        """Return when it was accepted, if it can be found at ``now``; ``None`` if it cannot."""
        seen = self.seen(now)
        if not seen or (self.ends_at is not None and self.ends_at <= now):
            return None
        moment, step = seen[-1]
        return moment if step.status == "ACCEPTED" else None

    def shown(self, now: datetime) -> dict[str, Any]:
        """Return it as the API shows it: what was sent, whether it can be addressed, its moments."""
        seen = self.seen(now)
        return {
            **self.entry,
            # A caller may say that nothing can be addressed to it; that it can is for the directory to say.
            "addressable": self.entry.get("addressable") is not False and self.live_since(now) is not None,
            "created_at": stamp(self.created_at),
            "updated_at": stamp(seen[-1][0]) if seen else None,
        }


def listed(line_id: str, entry: dict[str, Any], now: datetime) -> DirectoryLine:
    """Make a line that is in the directory from ``now`` on."""
    return DirectoryLine(
        line_id=line_id, entry=entry, created_at=now, course=[Leg(moved_to("active").line, now)]
    )


class Directory:
    """The lines of all companies, found by SIREN.

    Args:
        opened_at: Since when the magic buyers are listed.
    """

    def __init__(self, opened_at: datetime) -> None:
        self._lines: dict[str, dict[str, DirectoryLine]] = {}
        for siren, name in MAGIC_BUYERS.items():
            if _has_platform(name):
                entry = {"siren": siren, "name": f"Sandbox buyer: {name}"}
                self.add(listed(f"line_{siren}", entry, opened_at))

    def add(self, line: DirectoryLine) -> None:
        """Take a line in."""
        self._lines.setdefault(line.siren, {})[line.line_id] = line

    def remove(self, line: DirectoryLine) -> None:
        """Take a line out, if it is there."""
        self._lines.get(line.siren, {}).pop(line.line_id, None)

    def lines(self, siren: str, now: datetime) -> list[DirectoryLine]:
        """Return the lines of a company that can be found at ``now``, the company's own first.

        Of lines of one mesh the one accepted last is found: it supersedes the others (DSE v3.1 §3.5).
        """
        live = [(since, one) for one in self._lines.get(siren, {}).values() if (since := one.live_since(now))]
        live.sort(key=lambda one: one[0])
        return sorted(
            {line.mesh: line for _, line in live}.values(), key=lambda line: [one or "" for one in line.mesh]
        )


def _has_platform(scenario: str) -> bool:
    return all(step.rejection_reason != "NON_TRANSMISE" for step in SCENARIOS[scenario].steps)
