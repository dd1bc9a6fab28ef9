"""The sandbox's own API under ``/_sandbox/``: clock, scenario, faults, counters, reset, a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from seqino.sandbox.clock import stamp
from seqino.sandbox.judge import Refusal, parse_body
from seqino.sandbox.operations import Answer
from seqino.sandbox.scenarios import MAGIC_BUYERS, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from seqino.sandbox.faults import Faults
    from seqino.sandbox.world import Client, World

__all__ = ["Control"]


class Control:
    """Answers the control API; it needs no key, since the sandbox binds to loopback.

    Args:
        world: What it shows and changes.
        faults: Faults that it plans.
    """

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._gets: dict[str, Callable[[], Any]] = {
            "clock": self._clock,
            "counters": world.counters.as_dict,
            "scenario": self._scenario,
            "world": self._view,
        }
        self._posts: dict[str, Callable[[dict[str, Any]], Any]] = {
            "clock": self._set_clock,
            "faults": self._plan_faults,
            "reset": self._reset,
            "scenario": self._set_scenario,
        }

    async def answer(self, request: web.BaseRequest, name: str) -> Answer:
        """Answer a request below ``/_sandbox/``.

        Raises:
            Refusal: 404 for an unknown name, 400 for what is asked in a wrong way.
        """
        if request.method == "GET" and name in self._gets:
            return Answer(200, self._gets[name]())
        if request.method != "POST" or name not in self._posts:
            there = [f"GET {one}" for one in self._gets] + [f"POST {one}" for one in self._posts]
            raise Refusal(404, f"the control API has no {request.method} {name}; it has {', '.join(there)}")
        body = await request.read()
        asked: Any = parse_body(body, "application/json") if body else {}
        if not isinstance(asked, dict):
            raise Refusal(400, "the control API takes a JSON object")
        try:
            return Answer(200, self._posts[name](cast("dict[str, Any]", asked)))
        except (TypeError, ValueError) as error:
            raise Refusal(400, str(error)) from None

    def _clock(self) -> dict[str, Any]:
        clock = self._world.clock
        return {"now": stamp(clock.now()), "speed": clock.speed}

    def _set_clock(self, asked: dict[str, Any]) -> dict[str, Any]:
        _only(asked, "advance", "speed")
        if "speed" in asked:
            self._world.clock.speed = float(asked["speed"])
        if "advance" in asked:
            self._world.clock.advance(float(asked["advance"]))
        return self._clock()

    def _scenario(self) -> dict[str, Any]:
        return {
            "scenario": self._world.scenario,
            "scenarios": {name: one.summary for name, one in SCENARIOS.items()},
            "buyers": dict(MAGIC_BUYERS),
        }

    def _set_scenario(self, asked: dict[str, Any]) -> dict[str, Any]:
        _only(asked, "scenario")
        self._world.scenario = str(asked.get("scenario"))
        return self._scenario()

    def _plan_faults(self, asked: dict[str, Any]) -> dict[str, Any]:
        _only(asked, "fault", "operation", "times")
        times = asked.get("times", 1)
        if not isinstance(times, int):
            raise TypeError("times must be a whole number")
        self._faults.plan(str(asked.get("fault")), operation=asked.get("operation"), times=times)
        return {"planned": asked}

    def _reset(self, asked: dict[str, Any]) -> dict[str, Any]:
        _only(asked)
        self._world.reset()
        self._faults.clear()
        return self._world.counters.as_dict()

    def _view(self) -> dict[str, Any]:
        return {
            "sponsors": [
                {
                    "sponsor_id": sponsor.sponsor_id,
                    "clients": {name: self._view_client(one) for name, one in sponsor.clients.items()},
                }
                for sponsor in self._world.sponsors
            ]
        }

    def _view_client(self, client: Client) -> dict[str, Any]:
        now = self._world.clock.now()
        return {
            "drafts": {
                one.draft_id: one.invoice and one.invoice.invoice_id for one in client.drafts.values()
            },
            "invoices": {
                one.invoice_id: {
                    "number": one.number,
                    "scenario": one.scenario,
                    "deposited_at": stamp(one.deposited_at),
                    "status": one.status(now),
                }
                for one in client.invoices.values()
            },
        }


def _only(asked: dict[str, Any], *names: str) -> None:
    unknown = sorted(asked.keys() - set(names))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known here: {', '.join(names) or 'nothing'}")
