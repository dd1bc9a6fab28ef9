"""The control API's part for mandates, directory, onboarding and reports: what to move, what to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from seqino.sandbox.asked import only, text
from seqino.sandbox.clock import stamp
from seqino.sandbox.judge import problems
from seqino.sandbox.mandate_outcomes import MAGIC_MANDATES, OUTCOMES
from seqino.sandbox.meshes import mesh_problems
from seqino.sandbox.world.mandates import Mandates
from seqino.sandbox.world.onboarding import Onboardings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jsonschema_rs import Draft202012Validator

    from seqino.sandbox.description import Description
    from seqino.sandbox.world import Client, World

__all__ = ["DomainControl", "view"]

_ENTRY = "GET /directory/{siren}"


class DomainControl:
    """Moves what otherwise follows the clock.

    Args:
        world: What it acts on.
        description: What a directory entry is judged by.
    """

    def __init__(self, world: World, description: Description) -> None:
        self._world = world
        self._mandates = Mandates(world)
        self._onboardings = Onboardings(world, self._mandates)
        self._entry = description.once(_entry)
        self.gets: dict[str, Callable[[], Any]] = {"mandates": self._outcomes}
        self.posts: dict[str, Callable[[dict[str, Any]], Any]] = {
            "directory": self._publish,
            "mandates": self._move_mandate,
            "onboarding": self._answer_link,
        }

    def _outcomes(self) -> dict[str, Any]:
        return {
            "outcomes": {name: one.summary for name, one in OUTCOMES.items()},
            "sirens": dict(MAGIC_MANDATES),
        }

    def _publish(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [*problems(self._entry, asked, [])] or [*mesh_problems(asked, [])]
        if found:
            place = ".".join(map(str, found[0]["loc"]))
            raise ValueError(f"no directory entry: {place}: {found[0]['msg']}")
        line = self._world.publish(asked)
        return line.shown(self._world.clock.now())

    def _move_mandate(self, asked: dict[str, Any]) -> dict[str, Any]:
        only(asked, "mandate_id", "status", "error_cause")
        mandate_id, status = text(asked, "mandate_id") or "", text(asked, "status") or ""
        for client in self._world.clients:
            if mandate_id in client.mandates:
                mandate = client.mandates[mandate_id]
                self._mandates.move(client, mandate, status, text(asked, "error_cause"))
                return mandate.shown(self._world.clock.now(), client.lines[mandate.mandate_id])
        raise ValueError(f"there is no mandate {mandate_id}")

    def _answer_link(self, asked: dict[str, Any]) -> dict[str, Any]:
        only(asked, "url", "answer")
        plays = {"complete": self._onboardings.complete, "ignore": self._onboardings.ignore}
        answer, url = text(asked, "answer"), text(asked, "url")
        play = plays.get(answer or "")
        if play is None:
            raise ValueError(f"people complete or ignore a link; answer is {answer!r}")
        for client in self._world.clients:
            link = client.onboarding
            if link is not None and link.url == url:
                play(client, link)
                return link.progress(self._world.clock.now())
        raise ValueError(f"no client has the onboarding link {url}")


def _entry(description: Description) -> Draft202012Validator:
    """Return what judges a directory entry."""
    return description.validator(description.operation(_ENTRY).responses[200] or {})


def view(client: Client, now: datetime) -> dict[str, Any]:
    """Show what a client holds beside drafts and invoices."""
    return {
        "mandates": {one.mandate_id: one.status(now) for one in client.mandates.values()},
        "directory": {one.line_id: one.shown(now) for one in client.lines.values()},
        "reports": {
            one.report_id: {
                "flow": one.flow,
                "content": one.content,
                "created_at": stamp(one.created_at),
                "statuses": [event["status_code"] for event in one.events(now)],
            }
            for one in client.reports.values()
        },
        "onboarding": client.onboarding and client.onboarding.progress(now),
        "periodicity": client.periodicity and attrs.asdict(client.periodicity),
    }
