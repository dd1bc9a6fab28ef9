"""Faults on demand: planned for coming requests, drawn by rate, or asked for by a request's own header."""

from __future__ import annotations

import difflib
import random
from typing import TYPE_CHECKING, Any, Literal

import attrs

from seqino.sandbox.fault_plays import FAULTS, STATUS, Play, fault, moments

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from seqino.sandbox.mangle import Content
    from seqino.sandbox.world.counters import Counters

__all__ = ["HEADER", "Faults", "summaries"]

HEADER = "X-Sandbox-Fault"
"""Request header that asks for a fault by name."""

_LONGEST = 200
"""Characters of an operation that an error repeats."""

_LONGEST_ASKED = 2000
"""Characters of a fault with its parameters."""


@attrs.define
class _Wanted:
    """A fault and the requests that may get it."""

    text: str
    play: Play
    operation: str | None
    client_id: str | None
    times: int = 1
    rate: float = 0

    def meets(self, operation: str | None, client_id: str | None, holds: Collection[Content]) -> bool:
        return (
            self.operation in (None, operation)
            and self.client_id in (None, client_id)
            and (self.play.needs is None or self.play.needs in holds)
        )

    def shown(self, **how: float) -> dict[str, Any]:
        where = {"operation": self.operation, "client_id": self.client_id}
        return {"fault": self.text, **{name: one for name, one in where.items() if one is not None}, **how}


class Faults:
    """Faults for coming requests: those planned in their order, then those that are drawn.

    Args:
        operations: What each operation's answer may hold, by method and path template.
        counters: Where what was played is counted.
        rates: Rates by name, which outlast a restart.
        seed: What is drawn follows from it and from the order of the requests.
        tls: Whether connections are encrypted, so that faults of TLS can be played.
        refuse: Closes the port for some seconds.

    Raises:
        ValueError: A rate names no fault, or is none.
    """

    def __init__(
        self,
        *,
        operations: Mapping[str, Collection[Content]],
        counters: Counters,
        rates: Mapping[str, float],
        seed: int,
        tls: bool,
        refuse: Callable[[float], None],
    ) -> None:
        self._operations = operations
        self._counters = counters
        self._start = dict(rates)
        self._seed = seed
        self._tls = tls
        self._refuse = refuse
        self._planned: list[_Wanted] = []
        self._rates: list[_Wanted] = []
        self.restart()

    def plan(
        self, name: str, *, operation: str | None = None, times: int = 1, client_id: str | None = None
    ) -> None:
        """Play a fault on the next requests; ``refuse`` closes the port at once.

        Args:
            name: Fault with its parameters, such as ``status-429-before; retry-after=1.5``; all of them are
                listed in ``docs/faults.md``.
            operation: Method and path template, such as ``POST /drafts/{draft_id}/validate``; any by default.
            times: How many requests get it, 1 or more.
            client_id: Client on whose behalf they are made; any by default.

        Raises:
            ValueError: There is no such fault or operation, it cannot happen there, or ``times`` is less
                than 1.
            RuntimeError: It is ``refuse``, and the sandbox does not run.
        """
        if times < 1:
            raise ValueError(f"times must be 1 or more; this is {times}")
        play = self._checked(name, operation, client_id)
        if play.strikes != "port":
            self._planned.append(_Wanted(name, play, operation, client_id, times=times))
            return
        if times > 1:
            raise ValueError("refuse closes the port once: say for how many seconds")
        self._refuse(play.delay)
        self.count(play)

    def rate(
        self, name: str, rate: float, *, operation: str | None = None, client_id: str | None = None
    ) -> None:
        """Play a fault on a part of all coming requests, drawn by chance.

        Args:
            name: Fault with its parameters, as for ``plan``.
            rate: Its part of the requests, 0 to 1; 0 takes it back.
            operation: Method and path template; any by default.
            client_id: Client on whose behalf they are made; any by default.

        Raises:
            ValueError: There is no such fault or operation, it cannot happen there, or the rate is none.
        """
        if not 0 <= rate <= 1:
            raise ValueError(f"a rate is a number from 0 to 1; this is {rate}")
        play = self._checked(name, operation, client_id)
        if play.strikes == "port":
            raise ValueError("refuse has no rate: plan it, since it closes the port for everybody")
        key = (name, operation, client_id)
        self._rates = [one for one in self._rates if (one.text, one.operation, one.client_id) != key]
        if rate:
            self._rates.append(_Wanted(name, play, operation, client_id, rate=rate))

    def clear(self) -> None:
        """Forget every fault that is planned, and every rate."""
        self._planned.clear()
        self._rates.clear()

    def restart(self) -> None:
        """Forget all but the rates given at the start, and draw from the beginning."""
        self.clear()
        # Nobody is to be surprised: a run has to be the same the next time.
        self._random = random.Random(self._seed)  # noqa: S311
        for name, rate in self._start.items():
            self.rate(name, rate)

    def asked(self, text: str, operation: str) -> Play:
        """Read the fault that a request to an operation asks for in its header.

        Raises:
            ValueError: There is no such fault, or it would have happened before the header was read.
        """
        play = self._checked(text, None, None)
        if play.strikes != "request":
            raise ValueError(
                f"{play.name} happens before a request is read: plan it with POST /_sandbox/faults"
            )
        self._check_operation(play, operation)
        return play

    def take(
        self,
        strikes: Literal["connection", "first byte", "request"],
        *,
        operation: str | None = None,
        client_id: str | None = None,
    ) -> Play | None:
        """Take the fault that is next to happen to a connection, its next byte, or a request."""
        holds = self._operations.get(operation or "", ())
        for one in self._planned:
            if one.play.strikes == strikes and one.meets(operation, client_id, holds):
                one.times -= 1
                if not one.times:
                    self._planned.remove(one)
                return one.play
        for one in self._rates:
            is_meant = one.play.strikes == strikes and one.meets(operation, client_id, holds)
            if is_meant and self._random.random() < one.rate:
                return one.play
        return None

    def count(self, play: Play) -> None:
        """Count a fault that is played."""
        self._counters.faults += 1
        by_name = self._counters.faults_by_name
        by_name[play.name] = by_name.get(play.name, 0) + 1

    def shown(self) -> dict[str, Any]:
        """Return what there is, what is planned and what is drawn, for people to read."""
        return {
            "faults": summaries(),
            "planned": [one.shown(times=one.times) for one in self._planned],
            "rates": [one.shown(rate=one.rate) for one in self._rates],
        }

    def _checked(self, text: str, operation: str | None, client_id: str | None) -> Play:
        if len(text) > _LONGEST_ASKED:
            raise ValueError(f"a fault is asked for in at most {_LONGEST_ASKED} characters")
        play = fault(text)
        name = play.name
        if play.instead is not None and play.instead < 300 and name.startswith("status-"):  # noqa: PLR2004 - the first status of no success
            raise ValueError(
                f"there is no fault {name!r}; an answer that is a fault has a status from 300 to 599"
            )
        if (play.tls or play.then == "cut") and not self._tls:
            raise ValueError(f"{name} needs TLS: Sandbox(ssl_context=...)")
        if play.strikes != "request" and (operation, client_id) != (None, None):
            raise ValueError(
                f"{name} happens before anybody knows what is asked: leave out operation and client_id"
            )
        if operation is not None:
            self._check_operation(play, operation)
        return play

    def _check_operation(self, play: Play, operation: str) -> None:
        if operation not in self._operations:
            near = difflib.get_close_matches(operation[:_LONGEST], self._operations, n=5, cutoff=0.5)
            raise ValueError(
                f"there is no operation {operation[:_LONGEST]!r}; {'near to it' if near else 'there'} are:"
                f" {', '.join(near or self._operations)}"
            )
        if play.needs is not None and play.needs not in self._operations[operation]:
            raise ValueError(f"{play.name} cannot be played: the answer of {operation} holds no {play.needs}")


def summaries() -> dict[str, str]:
    """Return every fault by name, and what it does in one line."""
    named: dict[str, Play] = {**FAULTS, "status-NNN": STATUS}
    return {
        kind: " ".join(
            [
                play.summary,
                *([f"Takes {', '.join(play.takes)}."] if play.takes else []),
                *(
                    [f"Named with {' or '.join(one for one in moments(kind) if one)}."]
                    if moments(kind) != ("",)
                    else []
                ),
            ]
        )
        for kind, play in named.items()
    }
