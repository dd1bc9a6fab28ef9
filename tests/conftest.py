"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

DOWNLOADED = Path(__file__).parents[1] / "openapi" / "seqino-pdp.source.json"
"""Written by ``make openapi``: it says where the description came from."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is true of the reconstructed description only, once another one is in its place."""
    if DOWNLOADED.exists():
        skip = pytest.mark.skip(reason="the description was downloaded, and is no longer the reconstruction")
        for item in items:
            if item.get_closest_marker("reconstruction"):
                item.add_marker(skip)
