"""What becomes of mandates: created with their directory lines, moved, revoked. Nothing here knows HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from seqino.sandbox.clock import stamp
from seqino.sandbox.courses import stopped
from seqino.sandbox.lifecycle import Arrival, Leg
from seqino.sandbox.mandate_outcomes import EXPIRED, MAGIC_MANDATES, OPENED, OUTCOMES, moved_to
from seqino.sandbox.meshes import mesh_of
from seqino.sandbox.world.coursed import Coursed
from seqino.sandbox.world.directory import DirectoryLine
from seqino.sandbox.world.records import Happening

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seqino.sandbox.meshes import Mesh
    from seqino.sandbox.scenarios import Step
    from seqino.sandbox.world import Client, World

__all__ = ["Held", "Mandate", "MandateRequest", "Mandates"]

_PUBLISHED = "MandateLifecycleStatus.CREATED"
"""The one status of a mandate that the description knows as a lifecycle event."""

_EVENT_TYPES = {
    "CREATED": "mandate.created",
    "ACTIVE": "mandate.activated",
    "ERROR": "mandate.failed",
    "EXPIRED": "mandate.expired",
}

_OPEN = ("processing", "pending_kyc")
"""Statuses of a mandate that is not settled yet."""


class Held(Exception):  # noqa: N818 - an answer, not a fault of the sandbox
    """The client has a mandate with these identifiers that has not expired."""


@attrs.frozen(kw_only=True)
class MandateRequest:
    """A mandate as it is asked for, its dates read."""

    start_date: str
    end_date: str | None
    ends_at: datetime | None
    file_attachment: str | None
    entry: dict[str, Any]


@attrs.define(eq=False, kw_only=True)
class Mandate(Coursed):
    """A mandate; its status follows from the legs of its course and the moment one looks."""

    kind: ClassVar[str] = "mandate"
    object_type: ClassVar[str] = "mandate"
    family: ClassVar[str] = "MandateLifecycleStatus"

    mandate_id: str
    client_id: str
    start_date: str
    end_date: str | None
    ends_at: datetime | None
    """The end date as a moment."""
    file_attachment: str | None
    entry: dict[str, Any]
    """Directory entry as it was sent."""
    awaits_kyc: bool = False
    """It becomes active when its client's identity is verified."""

    @property
    def key(self) -> str:
        """Its id."""
        return self.mandate_id

    @property
    def mesh(self) -> Mesh:
        """The identifiers of its directory entry."""
        return mesh_of(self.entry)

    def arrivals(self, now: datetime) -> list[Arrival]:
        """Return the events seen by ``now`` with their moments: those that the description knows."""
        return [one for one in Coursed.arrivals(self, now) if one.event["status_code"] == _PUBLISHED]

    def status(self, now: datetime) -> str:
        """Return the API's own word for where it is."""
        return self.seen(now)[-1][1].status.lower()

    def happenings(self, after: datetime, until: datetime) -> list[Happening]:
        """Return what happens later than ``after`` and not later than ``until``, in that order."""
        return [
            Happening(moment, _EVENT_TYPES[step.status], self._told(moment))
            for moment, step in self.seen(until)
            if moment > after and step.status in _EVENT_TYPES
        ]

    def shown(self, now: datetime, line: DirectoryLine) -> dict[str, Any]:
        """Return it as the API shows it, with its line of the directory."""
        moment, step = self.seen(now)[-1]
        return {
            "id": self.mandate_id,
            "client_id": self.client_id,
            "start_date": self.start_date,
            "end_date": self.end_date,
            "file_attachment": self.file_attachment,
            "status": step.status.lower(),
            "error_cause": step.reason,
            "directory_entry": line.shown(now),
            "created_at": stamp(self.created_at),
            "updated_at": stamp(moment) if moment > self.created_at else None,
            "smp_recipient_status": None,
        }

    def _told(self, moment: datetime) -> dict[str, Any]:
        step = self.seen(moment)[-1][1]
        return {
            "mandate_id": self.mandate_id,
            "status": step.status.lower(),
            "error_cause": step.reason,
            "directory_entry": self.entry,
        }


class Mandates:
    """Mandates of a world, and the directory lines created with them.

    Args:
        world: Where they are.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def create(self, client: Client, requests: Iterable[MandateRequest]) -> list[Mandate]:
        """Create mandates, all of them or none.

        Raises:
            Held: The client has one with the same identifiers, or two of these have.
        """
        requests = list(requests)
        self._refuse_held(client, requests)
        return [self._create(client, request) for request in requests]

    def revoke(self, client: Client, mandate: Mandate) -> None:
        """Delete a mandate; its line stays in the directory, if it has come there."""
        world, line = self._world, client.lines[mandate.mandate_id]
        del client.mandates[mandate.mandate_id]
        world.drop(client, mandate)
        if line.live_since(world.clock.now()) is None:
            del client.lines[line.line_id]
            world.directory.remove(line)
            world.drop(client, line)
        world.counters.mandates_revoked += 1

    def move(self, client: Client, mandate: Mandate, status: str, cause: str | None = None) -> None:
        """Bring a mandate into a status at once, and its line with it.

        Raises:
            ValueError: It cannot be moved to that status, or not any more.
        """
        outcome, now = moved_to(status, cause), self._world.clock.now()
        current = mandate.status(now)
        if current == "expired" or (current, status) == ("active", "pending_kyc"):
            raise ValueError(f"mandate {mandate.mandate_id} is {current}: it cannot become {status} any more")
        line = client.lines[mandate.mandate_id]
        mandate.awaits_kyc = status == "pending_kyc"
        opened, *rest = mandate.course
        mandate.course = [
            opened,
            *stopped(rest, now),
            *_until_the_end(outcome.mandate, now, mandate.ends_at, not_before=now),
        ]
        line.course = [*stopped(line.course, now), Leg(outcome.line, now)]
        if status == "expired":
            line.ends_at = now
        self._await(mandate, line, _verified_at(client, after=now))
        self._save(client, mandate, line)

    def await_kyc(self, client: Client, verified_at: datetime | None) -> None:
        """Let the mandates that wait for a client's identity become active when it is verified.

        Args:
            client: Whose they are.
            verified_at: When that is; ``None`` if it will not be.
        """
        for mandate in client.mandates.values():
            line = client.lines[mandate.mandate_id]
            if self._await(mandate, line, verified_at):
                self._save(client, mandate, line)

    def _create(self, client: Client, request: MandateRequest) -> Mandate:
        world = self._world
        now, mandate_id = world.clock.now(), world.new_id("mdt")
        outcome = OUTCOMES[MAGIC_MANDATES.get(request.entry["siren"], "active")]
        verified_at = _verified_at(client)
        if outcome.name == "pending_kyc" and verified_at is not None and verified_at <= now:
            outcome = OUTCOMES["active"]
        mandate = Mandate(
            mandate_id=mandate_id,
            client_id=client.client_id,
            start_date=request.start_date,
            end_date=request.end_date,
            ends_at=request.ends_at,
            file_attachment=request.file_attachment,
            entry=request.entry,
            created_at=now,
            course=[
                Leg(OPENED, now),
                *_until_the_end(outcome.mandate, now, request.ends_at, not_before=now),
            ],
            awaits_kyc=outcome.name == "pending_kyc",
        )
        line = DirectoryLine(
            line_id=mandate_id,
            entry=request.entry,
            created_at=now,
            course=[Leg(outcome.line, now)],
            ends_at=request.ends_at,
        )
        self._await(mandate, line, verified_at)
        client.mandates[mandate_id], client.lines[mandate_id] = mandate, line
        world.directory.add(line)
        self._save(client, mandate, line)
        world.counters.mandates_created += 1
        return mandate

    def _await(self, mandate: Mandate, line: DirectoryLine, verified_at: datetime | None) -> bool:
        """Let a mandate become active at a moment, if it still waits for that; tell whether it does."""
        now = self._world.clock.now()
        if not mandate.awaits_kyc or mandate.status(now) not in _OPEN:
            return False
        begun = [leg for leg in mandate.course if leg.since <= now]
        steps, since = ((), now) if verified_at is None else (moved_to("active").mandate, verified_at)
        mandate.course = [
            *begun,
            *_until_the_end(steps, since, mandate.ends_at, not_before=mandate.created_at),
        ]
        line.course = [leg for leg in line.course if leg.since <= now]
        if verified_at is not None:
            line.course.append(Leg(moved_to("active").line, verified_at))
        return True

    def _refuse_held(self, client: Client, requests: list[MandateRequest]) -> None:
        now = self._world.clock.now()
        held = {one.mesh: one.mandate_id for one in client.mandates.values() if one.status(now) != "expired"}
        for request in requests:
            mesh = mesh_of(request.entry)
            if mesh in held:
                identifiers = ", ".join(one for one in mesh if one)
                raise Held(f"{held[mesh]} has the same identifiers ({identifiers})")
            held[mesh] = "another mandate of this batch"

    def _save(self, client: Client, mandate: Mandate, line: DirectoryLine) -> None:
        self._world.save(client, mandate)
        self._world.save(client, line)


def _verified_at(client: Client, after: datetime | None = None) -> datetime | None:
    """Return when a client's identity is verified, if that is later than ``after``; ``None`` if never."""
    moment = client.onboarding.kyc_at if client.onboarding else None
    return None if moment is None or (after is not None and moment <= after) else moment


def _until_the_end(
    steps: tuple[Step, ...], since: datetime, ends_at: datetime | None, *, not_before: datetime
) -> list[Leg]:
    """Return steps until a mandate's end date, and its expiry then, unless it fails or expires before."""
    if ends_at is None or any(step.status in ("ERROR", "EXPIRED") for step in steps):
        return [Leg(steps, since)]
    return [Leg(steps, since, ends_at), Leg((EXPIRED,), max(ends_at, not_before))]
