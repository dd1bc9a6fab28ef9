"""What ``seqino sandbox`` says when it is up: how to use it, on one screen. Pure."""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CLIENT_ID", "announcement", "for_machines", "local", "warning"]

CLIENT_ID = "sandbox-client-seqino"
"""A client that every sandbox has from the start, as in the platform's documentation."""

_SHOWN = {"refused": "refuses", "disputed": "disputes", "silent": "never answers"}
"""Scenarios whose magic buyers are worth a place on the screen."""


def local(url: str) -> str:
    """Return the URL under which this machine reaches what listens on all of its addresses."""
    parts = urlsplit(url)
    if not ipaddress.ip_address(parts.hostname or "").is_unspecified:
        return url
    host = "[::1]" if ":" in (parts.hostname or "") else "127.0.0.1"
    return parts._replace(netloc=f"{host}:{parts.port}").geturl()


def warning(url: str) -> str | None:
    """Return what to say of a sandbox that other machines may reach; ``None`` where none can."""
    if ipaddress.ip_address(urlsplit(url).hostname or "").is_loopback:
        return None
    return "WARNING: whoever reaches this machine can use and control it, without a key."


def for_machines(url: str, control_url: str, *, pid: int) -> str:
    """Return what a script needs, as one line of JSON.

    Args:
        url: Where it listens.
        control_url: Where its control API answers whatever is to go wrong.
        pid: Number of its process.
    """
    near = local(url)
    return json.dumps(
        {
            "url": near,
            "pid": pid,
            "client_id": CLIENT_ID,
            "control": f"{near}/_sandbox/",
            "control_always": f"{local(control_url)}/_sandbox/",
        }
    )


def announcement(
    url: str, control_url: str, *, scenario: str, speed: float, is_strict: bool, buyers: Mapping[str, str]
) -> Iterator[str]:
    """Yield the lines of the announcement.

    Args:
        url: Where it listens.
        control_url: Where its control API answers whatever is to go wrong.
        scenario: What buyers do.
        speed: Seconds of its time in a real second.
        is_strict: Whether it takes one key only, which is not repeated here.
        buyers: Scenario by the SIREN of a magic buyer.
    """
    near = local(url)
    yield f"The sandbox listens on {url}; Ctrl-C stops it."
    if (warned := warning(url)) is not None:
        yield warned
    yield "In another shell:"
    yield f"  export SEQINO_BASE_URL={near}"
    yield f"  export SEQINO_CLIENT_ID={CLIENT_ID}"
    yield f"  export SEQINO_API_KEY={'... # the one of --api-key' if is_strict else 'sandbox-key'}"
    yield "  seqino submit PATH..."
    yield "  seqino events"
    yield "The same with curl:"
    yield '  curl -H "Authorization: $SEQINO_API_KEY" \\'
    yield '    -H "X-PDP-Client-Id: $SEQINO_CLIENT_ID" \\'
    yield '    "$SEQINO_BASE_URL/api/lifecycle-events?object_type=invoice&object_id=ID"'
    sirens = {name: siren for siren, name in buyers.items()}
    hints = [f"{sirens[name]} {does}" for name, does in _SHOWN.items() if name in sirens]
    yield f"Buyers: {scenario}. Magic ones, by their SIREN, do otherwise:"
    yield f"  {', '.join(hints)}; all of them:"
    yield f"  curl {near}/_sandbox/scenario"
    paces: dict[float, str] = {0: "stands still", 1: "runs as it does here"}
    pace = paces.get(speed, f"runs {speed:g} times as fast as here")
    yield f"Time {pace}. To let a minute pass at once:"
    yield f"  curl --json '{{\"advance\": 60}}' {near}/_sandbox/clock"
    yield "What happened, and what is to go wrong:"
    yield f"  curl {near}/_sandbox/counters"
    yield f'  curl --json \'{{"fault": "reset-after"}}\' {near}/_sandbox/faults'
    yield f"Whatever goes wrong, {local(control_url)}/_sandbox/ answers."
