"""How much a client used the API, and how much it may."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from seqino.sandbox.clock import stamp
from seqino.sandbox.judge import Unprocessable, problem
from seqino.sandbox.operations.base import Answer
from seqino.sandbox.usage import WINDOWS, figures, period, summary, window

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from seqino.sandbox.limits import Limit, Limits
    from seqino.sandbox.operations.base import Call, Play
    from seqino.sandbox.world import Client, World

__all__ = ["UsageOperations"]


class UsageOperations:
    """What the tag *Usage* does.

    Args:
        world: Whose calls it tells of.
        limits: What limits it tells.
    """

    def __init__(self, world: World, limits: Limits) -> None:
        self._world = world
        self._limits = limits

    @property
    def table(self) -> Mapping[str, Play]:
        """Its operations, by method and path template."""
        plays = {
            "GET /usage/metrics": self.get_usage_metrics,
            "GET /usage/summary": self.get_usage_summary,
            "GET /usage/limits": self.get_usage_limits,
        }
        return {key: self._kept(play) for key, play in plays.items()}

    def _kept(self, play: Play) -> Play:
        """Let an operation's figures be kept before they are shown."""

        def show(call: Call) -> Answer:
            self._world.insist()
            return play(call)

        return show

    def get_usage_metrics(self, call: Call) -> Answer:
        """Answer the calls of a period by endpoint: the one that holds today, or the days that are given."""
        client, now = call.client, self._world.clock.now()
        name = call.parameters.get("period", "monthly")
        first, last = _days(call, name, now.date())
        return Answer(
            200,
            {
                "company_id": client.client_id,
                "period": name,
                **figures(client.tallies.values(), first, last),
                "generated_at": stamp(now),
            },
        )

    def get_usage_summary(self, call: Call) -> Answer:
        """Answer this month's calls beside those of the month before."""
        client = call.client
        shown = summary(client.tallies.values(), self._world.clock.now())
        return Answer(200, {"company_id": client.client_id, **shown})

    def get_usage_limits(self, call: Call) -> Answer:
        """Answer the limits of the client's calls, or of those of an endpoint, and what is used of them."""
        client, now = call.client, self._world.clock.now()
        endpoint = call.parameters.get("endpoint")
        try:
            known = None if endpoint is None else self._limits.endpoint(endpoint)
        except ValueError as error:
            raise Unprocessable([problem(["query", "endpoint"], str(error), "value_error")]) from None
        shown: dict[str, Any] = {"company_id": client.client_id, "endpoint": known}
        limits = self._limits.narrowest(client.client_id, known)
        for per in WINDOWS:
            limit = limits.get(per)
            shown[f"rate_limit_per_{per}"] = limit and limit.calls
            shown[f"current_{per}_calls"] = limit and _used(client, limit, now)
        return Answer(200, shown)


def _used(client: Client, limit: Limit, now: datetime) -> int:
    gauge = client.gauges.get((limit.per, limit.endpoint))
    return gauge.calls if gauge is not None and gauge.since == window(limit.per, now)[0] else 0


def _days(call: Call, name: str, today: date) -> tuple[date, date]:
    """Return the days asked for; where one end is left out, the period that holds the other gives it."""
    start, end = _day(call, "start_date"), _day(call, "end_date")
    first = start or period(name, end or today)[0]
    last = end or period(name, start or today)[1]
    if first > last:
        raise Unprocessable(
            [problem(["query", "end_date"], f"{last} is before start_date, {first}", "value_error")]
        )
    return first, last


def _day(call: Call, name: str) -> date | None:
    text = call.parameters.get(name)
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Unprocessable([problem(["query", name], str(error), "date_parsing")]) from None
