"""What all tests share."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOWNLOADED = Path(__file__).parents[1] / "openapi" / "seqino-pdp.source.json"
"""Written by ``make openapi``: it says where the description came from."""


# A busy machine is no fault: no example is timed. Each run draws the same, unless more is asked for.
settings.register_profile(
    "seqino",
    deadline=None,
    derandomize="SEQINO_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("seqino")

# A shell that starts the tests in the background makes them, and all they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is true of the reconstructed description only, once another one is in its place."""
    if DOWNLOADED.exists():
        skip = pytest.mark.skip(reason="the description was downloaded, and is no longer the reconstruction")
        for item in items:
            if item.get_closest_marker("reconstruction"):
                item.add_marker(skip)


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port where nobody listens; it is held, so that nobody else can get it meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def forget_modules(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have modules imported anew whose names begin so; after the test, all is as it was before."""

    def forget(*beginnings: str) -> None:
        names = [name for name in sys.modules if name.startswith(beginnings)]
        for name in names:
            package, _, own = name.rpartition(".")
            if package and package not in names:
                # Its package keeps the one that was imported last, wherever others look for it.
                monkeypatch.delattr(sys.modules[package], own, raising=False)
        for name in names:
            monkeypatch.delitem(sys.modules, name)

    return forget
