"""Keeps web pages out of the control API, which needs no key: a browser sends what any page asks it to.

A page of another origin is told by its ``Origin`` (Fetch standard §3.1), a page whose own name was made to
lead to this machine (DNS rebinding) by the ``Host`` that it asks for, and a form by the type of its body.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seqino.sandbox.judge import Refusal

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Guard"]


class Guard:
    """Lets in what does not come from a stranger's web page.

    Args:
        host: Address that the sandbox listens on. Where it is not loopback, any ``Host`` is taken: other
            machines may call it by any name.
    """

    def __init__(self, host: str) -> None:
        self._host = host.lower()
        self._is_open = not _is_loopback(self._host)

    def admit(self, request: web.BaseRequest) -> None:
        """Let a request in, or not.

        Raises:
            Refusal: 403, it comes from a web page; 415, it has a body that is not said to be JSON.
        """
        asked = request.headers.get("Host", self._host)
        name = _name(asked)
        if not (self._is_open or name == self._host or _is_loopback(name)):
            raise Refusal(
                403, f"the control API is not called {name}: ask for it at localhost, or start with --host"
            )
        origin = request.headers.get("Origin")
        if origin is not None and origin.lower() != f"{request.scheme}://{asked}".lower():
            raise Refusal(403, f"the control API takes nothing from web pages; this is from {origin}")
        if request.can_read_body and request.content_type != "application/json":
            raise Refusal(
                415,
                "the control API takes JSON, and has to be told: curl -H 'Content-Type: application/json'",
            )


def _name(host: str) -> str:
    """Return the name in a ``Host``, without its port, in lower case."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
