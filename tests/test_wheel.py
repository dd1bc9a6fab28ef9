"""The built wheel, installed alone, is the package: what users get is tested, not the source tree."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str, cwd: Path) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(ROOT), cwd=out)
    return next(out.glob("seqino-*.whl"))


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"seqino"}
    assert {"seqino/py.typed", "seqino/_generated/description.json"} <= set(names)


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment that holds the wheel and its core dependencies only."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", str(folder / "venv"), cwd=folder)
    commands = folder / "venv" / "bin"
    run(str(commands / "python"), "-m", "pip", "install", "--quiet", str(wheel), cwd=folder)
    return commands


def test_the_wheel_installed_alone_is_imported_with_its_core_dependencies_only(
    installed: Path, tmp_path: Path
) -> None:
    said = run(
        str(installed / "python"),
        "-c",
        "import seqino, seqino.api.drafts, seqino.models\n"
        "print(seqino.__version__, seqino.SeqinoClient.__name__, len(dir(seqino.api)) > 9)",
        cwd=tmp_path,
    )
    assert said.split()[1:] == ["SeqinoClient", "True"]


def test_a_command_without_its_extra_says_what_to_install(installed: Path) -> None:
    result = subprocess.run(  # noqa: S603
        [str(installed / "seqino"), "demo"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, "seqino[cli]" in result.stderr, "Traceback" in result.stderr) == (
        2,
        True,
        False,
    )


def test_pytest_runs_beside_it_without_its_extras(installed: Path, tmp_path: Path) -> None:
    run(str(installed / "python"), "-m", "pip", "install", "--quiet", "pytest>=8.4", cwd=tmp_path)
    (tmp_path / "test_it.py").write_text(
        "def test_of_a_user(): ...\nasync def test_of_ours(seqino_client): ...\n"
        "def test_with_a_thread(seqino_sandbox_thread): ...\n"
    )
    result = subprocess.run(  # noqa: S603
        # pytest repeats whole messages in its summary where the environment says CI: no summary is read here.
        [str(installed / "pytest"), "-W", "error", "-p", "no:cacheprovider", "-r", "N"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed, 2 errors" in result.stdout
    assert result.stdout.count("needs the extra 'test': pip install 'seqino[test]'") == 2
    assert "Traceback" not in result.stdout + result.stderr
