"""The plugin in whole runs of pytest, as users start them: both modes, what is missing, what is misused."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest_plugins = ["pytester"]

LIFE = """
    import pytest

    INVOICE = {
        "issue_date": "2026-11-20",
        "type_code": "380",
        "currency_code": "EUR",
        "seller": {"name": "A", "postal_address": {"city_name": "Nantes", "country_code": "FR"}},
        "buyer": {"name": "B", "postal_address": {"city_name": "Nantes", "country_code": "FR"}},
        "lines": [{"line_identifier": "1", "item_name": "C", "line_net_amount": "240.00"}],
    }

    async def submit(client, sandbox, faults):
        faults.plan("reset-after", operation="POST /drafts/{draft_id}/validate")
        await client.submit(INVOICE)
        assert sandbox.counters.invoices_created == 1
"""

# Of the plugins of others, schemathesis takes longer to load than all that is tested here.
QUIET = ["-W", "error", "-p", "no:cacheprovider", "-p", "no:schemathesis"]

STRICT = "[pytest]\nasyncio_mode = strict\nasyncio_default_fixture_loop_scope = function\n"
AUTO = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest in a process of its own, where every warning is an error."""
    return pytester.runpytest_subprocess(*QUIET, *arguments)


# --- Modes and loops


def test_auto_mode_needs_no_mark(pytester: pytest.Pytester) -> None:
    pytester.makeini(AUTO)
    pytester.makepyfile(
        LIFE
        + """
    async def test_once(seqino_client, seqino_sandbox, seqino_faults):
        await submit(seqino_client, seqino_sandbox, seqino_faults)
    """
    )
    run(pytester).assert_outcomes(passed=1)


def test_strict_mode_runs_marked_tests_on_loops_of_every_scope(pytester: pytest.Pytester) -> None:
    pytester.makeini(STRICT)
    pytester.makepyfile(
        __init__="",
        test_loops=LIFE
        + """
    @pytest.mark.parametrize("again", [1, 2])
    @pytest.mark.asyncio
    async def test_on_its_own_loop(seqino_client, seqino_sandbox, seqino_faults, again):
        await submit(seqino_client, seqino_sandbox, seqino_faults)

    @pytest.mark.asyncio(loop_scope="class")
    class TestClass:
        async def test_a(self, seqino_client, seqino_sandbox, seqino_faults):
            await submit(seqino_client, seqino_sandbox, seqino_faults)

        async def test_b(self, seqino_client, seqino_sandbox, seqino_faults):
            await submit(seqino_client, seqino_sandbox, seqino_faults)

    @pytest.mark.asyncio(loop_scope="module")
    async def test_on_the_module_s_loop(seqino_client, seqino_sandbox, seqino_faults):
        await submit(seqino_client, seqino_sandbox, seqino_faults)

    @pytest.mark.asyncio(loop_scope="package")
    async def test_on_the_package_s_loop(seqino_client, seqino_sandbox, seqino_faults):
        await submit(seqino_client, seqino_sandbox, seqino_faults)

    @pytest.mark.asyncio(loop_scope="session")
    async def test_on_the_session_s_loop(seqino_client, seqino_sandbox, seqino_faults):
        await submit(seqino_client, seqino_sandbox, seqino_faults)
    """,
    )
    run(pytester).assert_outcomes(passed=7)


def test_the_configured_loop_scope_of_tests_is_followed(pytester: pytest.Pytester) -> None:
    pytester.makeini(AUTO + "asyncio_default_test_loop_scope = session\n")
    pytester.makepyfile(
        LIFE
        + """
    async def test_once(seqino_client, seqino_sandbox, seqino_faults):
        await submit(seqino_client, seqino_sandbox, seqino_faults)
    """
    )
    run(pytester).assert_outcomes(passed=1)


def test_tests_drawn_by_hypothesis_have_their_sandbox(pytester: pytest.Pytester) -> None:
    pytester.makeini(AUTO)
    pytester.makepyfile(
        """
    from hypothesis import HealthCheck, given, settings, strategies as st

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=3, database=None)
    @given(st.integers(0, 60))
    async def test_any(seqino_clock, seconds):
        seqino_clock.advance(seconds)
    """
    )
    run(pytester).assert_outcomes(passed=1)


def test_a_synchronous_test_takes_the_thread_without_pytest_asyncio(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
    import urllib.request
    import pytest

    @pytest.mark.seqino(scenario="refused")
    def test_health(seqino_sandbox_thread):
        assert seqino_sandbox_thread.scenario == "refused"
        with urllib.request.urlopen(seqino_sandbox_thread.url + "/health") as answer:
            assert answer.status == 200
    """
    )
    run(pytester, "-p", "no:asyncio").assert_outcomes(passed=1)


# --- What is said of what is missing or misused

WRONG = {
    "pytest-asyncio is not there": (
        "async def test_x(seqino_client): ...",
        "seqino_client needs pytest-asyncio, which is not active: pip install 'seqino[[]test]'",
    ),
    "a test that nobody runs": (
        "async def test_x(seqino_clock): ...",
        "pytest-asyncio is in strict mode and does not run test_x: mark it with @pytest.mark.asyncio*",
    ),
    "a synchronous test": (
        "def test_x(seqino_sandbox): ...",
        "seqino_sandbox lives on the loop of an asynchronous test, and *: * or take seqino_sandbox_thread",
    ),
    "a value without a name": (
        "@pytest.mark.seqino('refused')\nasync def test_x(seqino_sandbox): ...",
        "@pytest.mark.seqino takes names only, such as scenario='refused'; it was given 'refused'",
    ),
    "a misspelt name": (
        "@pytest.mark.seqino(scenaro='refused')\nasync def test_x(seqino_sandbox): ...",
        "@pytest.mark.seqino does not know scenaro; it knows *scenario*",
    ),
    "a value that there is not": (
        "@pytest.mark.seqino(scenario='utopia')\nasync def test_x(seqino_sandbox): ...",
        "@pytest.mark.seqino cannot be followed: there is no scenario 'utopia'; there are: paid*",
    ),
    "a state that cannot be opened": (
        "@pytest.mark.seqino(state='/no/such/folder/x')\nasync def test_x(seqino_sandbox): ...",
        "@pytest.mark.seqino cannot be followed: /no/such/folder/x cannot be opened*",
    ),
    "a state that a thread cannot open": (
        "@pytest.mark.seqino(state='/no/such/folder/x')\ndef test_x(seqino_sandbox_thread): ...",
        "@pytest.mark.seqino cannot be followed: /no/such/folder/x cannot be opened*",
    ),
    "a fault that there is not": (
        "@pytest.mark.seqino(faults='no-such')\ndef test_x(seqino_sandbox_thread): ...",
        "@pytest.mark.seqino cannot be followed: there is no fault 'no-such'*",
    ),
    "what is no fault": (
        "@pytest.mark.seqino(faults=[1])\nasync def test_x(seqino_sandbox): ...",
        "@pytest.mark.seqino cannot be followed: faults is a list of names, * and not [[]1[]]",
    ),
    "what is no list": (
        "@pytest.mark.seqino(faults=1)\nasync def test_x(seqino_sandbox): ...",
        "@pytest.mark.seqino cannot be followed: faults is a list of names, * and not 1",
    ),
    "the sandbox's extra is not there": (
        "import sys\nsys.modules['jsonschema_rs'] = None\nasync def test_x(seqino_sandbox): ...",
        "the fixture seqino_sandbox needs the extra 'test': pip install 'seqino[[]test]' (*jsonschema-rs*",
    ),
}
"""A test, and what is said of it."""


def arguments_for(case: str) -> list[str]:
    match case:
        case "pytest-asyncio is not there":
            return ["-p", "no:asyncio", "-W", "ignore::pytest.PytestConfigWarning"]
        case "a test that nobody runs":
            return ["--asyncio-mode", "strict"]
        case _:
            return []


def check_what_is_said(result: pytest.RunResult, case: str) -> None:
    result.assert_outcomes(**{"failed" if case == "a fault that there is not" else "errors": 1})
    result.stdout.fnmatch_lines([WRONG[case][1]])
    result.stdout.no_fnmatch_line("*During handling*")
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize("case", list(WRONG))
def test_what_is_wrong_is_said_in_one_message(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    forget_modules: Callable[..., None],
    case: str,
) -> None:
    pytester.makeini(AUTO)
    pytester.makepyfile("import pytest\n" + WRONG[case][0])
    # What the run loads, or takes away, is as before after it.
    forget_modules("seqino.sandbox", "seqino.testing.")
    monkeypatch.setitem(sys.modules, "jsonschema_rs", sys.modules["jsonschema_rs"])
    check_what_is_said(pytester.runpytest_inprocess(*QUIET, *arguments_for(case)), case)


@pytest.mark.parametrize(
    "case", ["pytest-asyncio is not there", "the sandbox's extra is not there", "a misspelt name"]
)
def test_it_is_said_in_a_process_of_its_own_as_well(pytester: pytest.Pytester, case: str) -> None:
    pytester.makeini(AUTO)
    pytester.makepyfile("import pytest\n" + WRONG[case][0])
    check_what_is_said(run(pytester, *arguments_for(case)), case)


def test_a_fault_of_our_own_is_no_missing_extra(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "seqino.testing.thread", None)
    pytester.makeini(AUTO)
    pytester.makepyfile("def test_x(seqino_sandbox_thread): ...")
    result = pytester.runpytest_inprocess(*QUIET)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E * import of seqino.testing.thread halted*"])


def test_fixtures_and_marker_are_documented(pytester: pytest.Pytester) -> None:
    pytester.makeini(AUTO)
    said = run(pytester, "--fixtures").stdout.str()
    for name in ("sandbox", "client", "scenario", "faults", "clock", "webhooks", "sandbox_thread"):
        assert f"\nseqino_{name} -- " in said
    assert "no docstring available" not in said.partition("seqino_sandbox")[2].partition("\n\n\n")[0]
    run(pytester, "--markers").stdout.fnmatch_lines(
        ["@pytest.mark.seqino(*scenario*): configure the sandbox *"]
    )
    pytester.makepyfile("import pytest\n@pytest.mark.seqino(speed=1)\ndef test_x(): ...")
    run(pytester, "--strict-markers").assert_outcomes(passed=1)


# --- What a run costs that does not use it

SPY = """
    import json, os, sys

    def pytest_unconfigure(config):
        with open(os.environ["LOADED"], "w") as file:
            json.dump(sorted(sys.modules), file)
"""


@pytest.mark.parametrize("others", [[], ["-p", "no:asyncio"]])
def test_a_run_that_does_not_use_it_loads_nothing_for_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, others: list[str]
) -> None:
    pytester.makeini(AUTO)
    pytester.makeconftest(SPY)
    pytester.makepyfile("def test_x(): ...")
    loaded: dict[str, set[str]] = {}
    for plugin in ("no:seqino", "seqino"):
        file = tmp_path / f"{plugin[:2]}.json"
        monkeypatch.setenv("LOADED", str(file))
        run(pytester, "-p", plugin, "-W", "ignore::pytest.PytestConfigWarning", *others).assert_outcomes(
            passed=1
        )
        loaded[plugin] = set(json.loads(file.read_text()))
    added = loaded["seqino"] - loaded["no:seqino"]
    assert added <= {"seqino", "seqino.testing", "seqino.testing.loops"}
    assert "seqino.testing" in added


def test_importing_it_loads_neither_client_nor_sandbox() -> None:
    code = "import seqino.testing, sys; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    for name in ("aiohttp", "jsonschema_rs", "attrs", "hypothesis", "seqino.client", "seqino.sandbox"):
        assert f"'{name}'" not in done.stdout
