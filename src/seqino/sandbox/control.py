"""The sandbox's own API under ``/_sandbox/``: clock, scenario, faults, counters, reset, a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from seqino.sandbox.asked import number, only, text, whole
from seqino.sandbox.clock import stamp
from seqino.sandbox.control_domain import DomainControl, view
from seqino.sandbox.control_invoices import InvoiceControl
from seqino.sandbox.deliveries.control import WAYS
from seqino.sandbox.judge import Refusal, parse_body
from seqino.sandbox.operations import Answer
from seqino.sandbox.scenarios import MAGIC_BUYERS, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from seqino.sandbox.deliveries.control import DeliveryControl
    from seqino.sandbox.description import Description
    from seqino.sandbox.faults import Faults
    from seqino.sandbox.guard import Guard
    from seqino.sandbox.limits import Limits
    from seqino.sandbox.steering import Steering
    from seqino.sandbox.world import Client, World

__all__ = ["Control"]


class Control:
    """Answers the control API; it needs no key, since the sandbox binds to loopback.

    Args:
        world: What it shows and changes.
        faults: Faults that it plans.
        limits: Limits that it sets.
        invoices: How it steers invoices.
        description: What a directory entry is judged by.
        deliveries: What it is asked about deliveries.
        guard: Who may ask.
    """

    def __init__(
        self,
        *,
        world: World,
        faults: Faults,
        limits: Limits,
        invoices: Steering,
        description: Description,
        deliveries: DeliveryControl,
        guard: Guard,
    ) -> None:
        self._world = world
        self._faults = faults
        self._limits = limits
        self._invoices = InvoiceControl(invoices)
        self._deliveries = deliveries
        self._guard = guard
        domain = DomainControl(world, description)
        self._gets: dict[str, Callable[[], Any]] = {
            "clock": self._clock,
            "counters": self._counters,
            "faults": faults.shown,
            "invoices": self._invoices.list,
            "limits": limits.as_dict,
            "scenario": self._scenario,
            "world": self._view,
            **domain.gets,
        }
        self._posts: dict[str, Callable[[dict[str, Any]], Any]] = {
            "clock": self._set_clock,
            "faults": self._plan_faults,
            "limits": self._set_limits,
            "reset": self._reset,
            "scenario": self._set_scenario,
            **domain.posts,
        }
        self._deletes: dict[str, Callable[[], Any]] = {"faults": self._forget_faults}

    async def answer(self, request: web.BaseRequest, name: str) -> Answer:
        """Answer a request below ``/_sandbox/``.

        Raises:
            Refusal: 403 for a web page, 404 for an unknown name, 400 and 415 for what is asked in a wrong
                way.
        """
        self._guard.admit(request)
        room, _, rest = name.partition("/")
        if room == "deliveries":
            query, asked = dict(request.rel_url.query), await _asked(request)
            return _answered(lambda: self._deliveries.answer(request.method, rest, query, asked))
        if request.method == "GET" and not name:
            return Answer(200, {"control": self._ways()})
        if request.method == "GET" and name in self._gets:
            return Answer(200, self._gets[name]())
        if request.method == "DELETE" and name in self._deletes:
            return Answer(200, self._deletes[name]())
        play = self._posts.get(name) or self._invoices.find(name)
        if request.method != "POST" or play is None:
            raise Refusal(
                404, f"the control API has no {request.method} {name}; it has {', '.join(self._ways())}"
            )
        asked = await _asked(request)
        return _answered(lambda: play(asked))

    def _ways(self) -> list[str]:
        """Return all that can be asked."""
        return [
            *(f"GET {one}" for one in self._gets),
            *(f"POST {one}" for one in (*self._posts, *self._invoices.paths)),
            *(f"DELETE {one}" for one in self._deletes),
            *WAYS,
        ]

    def _counters(self) -> dict[str, Any]:
        self._world.insist()  # what is shown is kept before
        return self._world.counters.as_dict()

    def _clock(self) -> dict[str, Any]:
        clock = self._world.clock
        return {"now": stamp(clock.now()), "speed": clock.speed}

    def _set_clock(self, asked: dict[str, Any]) -> dict[str, Any]:
        only(asked, "advance", "speed")
        self._world.clock.change(speed=number(asked, "speed"), advance=number(asked, "advance") or 0.0)
        return self._clock()

    def _scenario(self) -> dict[str, Any]:
        return {
            "scenario": self._world.scenario,
            "scenarios": {name: one.summary for name, one in SCENARIOS.items()},
            "buyers": dict(MAGIC_BUYERS),
        }

    def _set_scenario(self, asked: dict[str, Any]) -> dict[str, Any]:
        only(asked, "scenario")
        self._world.scenario = text(asked, "scenario") or ""
        return self._scenario()

    def _plan_faults(self, asked: dict[str, Any]) -> dict[str, Any]:
        only(asked, "client_id", "fault", "operation", "rate", "times")
        name = text(asked, "fault") or ""
        where = {place: text(asked, place) for place in ("operation", "client_id")}
        rate, times = number(asked, "rate"), whole(asked, "times")
        if rate is None:
            self._faults.plan(name, times=1 if times is None else times, **where)
            return {"planned": asked}
        if times is not None:
            raise ValueError("a fault is planned a number of times, or drawn by rate: leave one of them out")
        self._faults.rate(name, rate, **where)
        return {"drawn": asked}

    def _forget_faults(self) -> dict[str, Any]:
        self._faults.clear()
        return self._faults.shown()

    def _set_limits(self, asked: dict[str, Any]) -> dict[str, Any]:
        only(asked, "limits", "client")
        client = text(asked, "client")
        if not isinstance(asked.get("limits"), dict):
            raise TypeError('limits are an object such as {"minute": 100}')
        self._limits.set(asked["limits"], client=client)
        return self._limits.as_dict()

    def _reset(self, asked: dict[str, Any]) -> dict[str, Any]:
        only(asked)
        self._world.reset()
        self._faults.restart()
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
            "drafts": {one.draft_id: one.invoice_id for one in client.drafts.values()},
            "invoices": {
                one.invoice_id: {
                    "number": one.number,
                    "scenario": one.scenario,
                    "deposited_at": stamp(one.deposited_at),
                    "status": one.status(now),
                }
                for one in client.invoices.values()
            },
            **view(client, now),
        }


async def _asked(request: web.BaseRequest) -> dict[str, Any]:
    body = await request.read()
    asked: Any = parse_body(body, "application/json") if body else {}
    if not isinstance(asked, dict):
        raise Refusal(400, "the control API takes a JSON object")
    return cast("dict[str, Any]", asked)


def _answered(act: Callable[[], Any]) -> Answer:
    try:
        return Answer(200, act())
    except LookupError as error:
        raise Refusal(404, str(error)) from None
    except (TypeError, ValueError) as error:
        raise Refusal(400, str(error)) from None
