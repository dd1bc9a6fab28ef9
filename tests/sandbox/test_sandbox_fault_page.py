"""The page about faults lists what there is."""

from __future__ import annotations

from pathlib import Path

from seqino.sandbox.fault_plays import FAULTS, STATUS, Play, moments

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def row(kind: str, play: Play) -> str:
    """A fault as the page's table shows it."""
    if play.strikes == "request":
        usual = f"-{'after' if play.effect else 'before'}"
        endings = " ".join(f"`{one}`" for one in moments(kind) if one)
        endings += f", else `{usual}`" if "" in moments(kind) and not play.only else ""
    else:
        endings = "none"
    takes = " ".join(f"`{one}`" for one in play.takes) or "none"
    return f"| `{kind}` | {play.summary} | {endings} | {takes} |"


def test_the_page_lists_every_fault_as_it_is() -> None:
    shown = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    named = {**FAULTS, "status-NNN": STATUS}
    assert [line for line in shown if line.count("|") == 5] == [
        row(kind, play) for kind, play in named.items()
    ]
