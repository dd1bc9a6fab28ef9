"""Which loop a test runs on, and what to say where it runs on none."""

from __future__ import annotations

import inspect

import pytest

__all__ = ["loop_scope"]


def loop_scope(request: pytest.FixtureRequest) -> str:
    """Return the scope of the loop that pytest-asyncio runs a test on.

    Args:
        request: Of a fixture that needs the loop; where there is none the test fails, and is told why.
    """
    test: pytest.Item = request.node
    name = request.fixturename
    if not _is_asynchronous(test):
        raise _failed(
            f"{name} lives on the loop of an asynchronous test, and {test.name} is synchronous: make it an "
            "async def, or take seqino_sandbox_thread"
        )
    if not request.config.pluginmanager.hasplugin("seqino-loops"):
        raise _failed(f"{name} needs pytest-asyncio, which is not active: pip install 'seqino[test]'")
    marker = test.get_closest_marker("asyncio")
    if marker is None:
        raise _failed(
            f"pytest-asyncio is in strict mode and does not run {test.name}: mark it with "
            "@pytest.mark.asyncio, or set asyncio_mode = auto"
        )
    scope = marker.kwargs.get("loop_scope") or request.config.getini("asyncio_default_test_loop_scope")
    return str(scope)


def _is_asynchronous(test: pytest.Item) -> bool:
    function: object = getattr(test, "obj", None)
    # Hypothesis wraps the test in a synchronous function.
    function = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    return inspect.iscoroutinefunction(function)


def _failed(message: str) -> BaseException:
    return pytest.fail.Exception(message, pytrace=False)
