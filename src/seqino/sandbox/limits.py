"""Limits on calls: how many in a minute, an hour, a day or a month, for all clients or one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs

from seqino.sandbox.usage import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Allowance", "Limit", "Limits", "parse_limits"]

Allowance: TypeAlias = "Mapping[str, int | Mapping[str, int | None] | None]"
"""Calls by window, and by endpoint: ``{"minute": 100, "/drafts": {"minute": 10}}``; ``None`` is no limit."""


@attrs.frozen
class Limit:
    """So many calls in each minute, hour, day or month."""

    calls: int
    per: str
    endpoint: str | None = None
    """Path template that it is for, such as ``/drafts``, with every method; all together where ``None``."""

    def __str__(self) -> str:
        """Write it as on a command line: ``100/minute``, ``/drafts 10/minute``."""
        where = "" if self.endpoint is None else f"{self.endpoint} "
        return f"{where}{self.calls}/{self.per}"


class Limits:
    """The limits that hold.

    Args:
        endpoints: Path templates of the API.
    """

    def __init__(self, endpoints: Iterable[str]) -> None:
        self._endpoints = frozenset(endpoints)
        self._given: dict[str | None, dict[tuple[str | None, str], int | None]] = {}
        self._found: dict[tuple[str, str], tuple[Limit, ...]] = {}

    def set(self, allowance: Allowance, *, client: str | None = None) -> None:
        """Set limits, in place of those that held.

        Args:
            allowance: How many calls, 0 or more, per ``minute``, ``hour``, ``day`` or ``month``; below an
                endpoint such as ``/drafts`` those for it alone, which come on top. ``{}`` lifts them all.
            client: Id of the client that they are for; each client gets them by default. What is set for one
                goes before what is set for all, window by window; ``None`` lifts that one.

        Raises:
            ValueError: A window, a number or an endpoint is none.
        """
        given: dict[tuple[str | None, str], int | None] = {}
        for name, value in allowance.items():
            if name in WINDOWS:
                given[None, name] = _number(name, value)
            elif not isinstance(value, dict) and not hasattr(value, "items"):
                raise ValueError(f"{name!r} is no window of a limit: {', '.join(WINDOWS)}, or an endpoint")
            else:
                endpoint = self.endpoint(name)
                for per, calls in cast("Mapping[str, Any]", value).items():
                    if per not in WINDOWS:
                        raise ValueError(f"{per!r} is no window of a limit: {', '.join(WINDOWS)}")
                    given[endpoint, per] = _number(f"{name} {per}", calls)
        self._given[client] = given
        self._found.clear()

    def clear(self) -> None:
        """Lift every limit."""
        self._given.clear()
        self._found.clear()

    def endpoint(self, name: str) -> str:
        """Return an endpoint by its path template.

        Raises:
            ValueError: The API has no such endpoint.
        """
        if name not in self._endpoints:
            raise ValueError(f"there is no endpoint {name!r}: it is a path such as /drafts/{{draft_id}}")
        return name

    def of(self, client: str, endpoint: str) -> tuple[Limit, ...]:
        """Return the limits that a call of an endpoint has to keep."""
        found = self._found.get((client, endpoint))
        if found is None:
            found = self._found[client, endpoint] = tuple(self._holding(client, endpoint))
        return found

    def _holding(self, client: str, endpoint: str | None) -> Iterable[Limit]:
        merged = {**self._given.get(None, {}), **self._given.get(client, {})}
        for (where, per), calls in merged.items():
            if calls is not None and where in (None, endpoint):
                yield Limit(calls, per, where)

    def narrowest(self, client: str, endpoint: str | None) -> dict[str, Limit]:
        """Return the smallest limit for each window: of an endpoint's calls, or of all calls together."""
        found: dict[str, Limit] = {}
        for limit in self._holding(client, endpoint):
            if limit.per not in found or limit.calls < found[limit.per].calls:
                found[limit.per] = limit
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return what was set: for all clients, and by client."""
        by_client = {client: _shown(given) for client, given in self._given.items() if client is not None}
        return {"limits": _shown(self._given.get(None, {})), "clients": by_client}


def _shown(given: Mapping[tuple[str | None, str], int | None]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for (endpoint, per), calls in given.items():
        (shown if endpoint is None else shown.setdefault(endpoint, {}))[per] = calls
    return shown


def _number(name: str, value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise ValueError(f"{name}: a limit is a whole number of calls, 0 or more; this is {value!r}")
    return value


def parse_limits(texts: Iterable[str]) -> dict[str, Any]:
    """Read limits as they are written on a command line.

    Args:
        texts: Each such as ``100/minute``, or ``/drafts 10/minute`` for one endpoint.

    Returns:
        What ``Limits.set`` takes.

    Raises:
        ValueError: One is written in another way.
    """
    allowance: dict[str, Any] = {}
    for text in texts:
        endpoint, _, limit = text.strip().rpartition(" ")
        calls, _, per = limit.partition("/")
        if not (calls.isascii() and calls.isdigit()) or per not in WINDOWS:
            raise ValueError(
                f"{text!r} is no limit: write it as 100/minute, or as '/drafts 10/minute' for one endpoint;"
                f" it can be per {', '.join(WINDOWS)}"
            )
        (allowance.setdefault(endpoint.strip(), {}) if endpoint else allowance)[per] = int(calls)
    return allowance
