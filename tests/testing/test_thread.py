"""A sandbox on a thread: synchronous code starts it, steps it, and stops it."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request

import pytest

from seqino.sandbox import Sandbox, SandboxError
from seqino.testing import SandboxThread


def get(url: str) -> object:
    headers = {"Authorization": "a-key", "X-PDP-Client-Id": "sandbox-client-seqino"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:  # noqa: S310 - our own
        return json.load(answer)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "seqino-sandbox"]


def test_it_answers_while_the_caller_blocks() -> None:
    with SandboxThread(Sandbox(speed=0)) as thread:
        assert get(f"{thread.url}/lifecycle-events") == []
        assert thread.counters.requests == 1
        assert thread.url in repr(thread)
    assert threads() == []


def test_its_clock_and_its_buyers_are_moved_from_outside() -> None:
    with SandboxThread(Sandbox(speed=0)) as thread:
        before = thread.sandbox.clock.now()
        thread.advance(60)
        assert (thread.sandbox.clock.now() - before).total_seconds() == 60
        thread.scenario = "refused"
        assert (thread.scenario, thread.sandbox.scenario) == ("refused", "refused")


def test_a_function_runs_on_the_thread_of_the_sandbox() -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    with SandboxThread(Sandbox(speed=0)) as thread:
        assert thread.call(threading.current_thread).name == "seqino-sandbox"
        assert thread.call(loop) is thread.call(loop)
        with pytest.raises(ValueError, match="there is no scenario 'utopia'"):
            thread.scenario = "utopia"


def test_counters_are_a_copy() -> None:
    with SandboxThread(Sandbox(speed=0)) as thread:
        before = thread.counters
        thread.call(thread.sandbox.faults.plan, "unknown-field")
        get(f"{thread.url}/usage/limits")
        assert (before.requests, thread.counters.requests) == (0, 1)
        assert (before.faults_by_name, thread.counters.faults_by_name) == ({}, {"unknown-field-after": 1})


def test_a_busy_port_is_said_by_start() -> None:
    with SandboxThread(Sandbox()) as thread:
        other = SandboxThread(Sandbox(port=int(thread.url.rpartition(":")[2])))
        with pytest.raises(SandboxError, match="already in use"):
            other.start()
        assert threads() == ["seqino-sandbox"]


def test_it_is_started_once_and_stopped_as_often_as_one_likes() -> None:
    thread = SandboxThread(Sandbox())
    with pytest.raises(RuntimeError, match="is not running"):
        thread.advance(1)
    thread.start()
    with pytest.raises(RuntimeError, match="running already"):
        thread.start()
    thread.stop()
    thread.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = thread.url
    thread.start()
    assert get(f"{thread.url}/lifecycle-events") == []
    thread.stop()
