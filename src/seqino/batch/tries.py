"""How often an invoice is tried in one run whose tries end unclear: each may leave a draft behind. Pure."""

from __future__ import annotations

from collections import Counter

__all__ = ["TRIES", "Tries"]

TRIES = 8
"""How often an invoice is tried within one run, where the platform fails on it and not on all."""

MOST_GIVEN_UP = 1000
"""Invoices that are given up before the run is: the platform fails on more than a few."""

MOST_IN_VAIN = 60
"""Passes in a row in which nothing went through, and drafts may have been made: about an hour of them."""


class Tries:
    """Counts tries of invoices that ended unclear, and had to begin anew."""

    def __init__(self) -> None:
        self._failed: Counter[int] = Counter()
        self._of_pass: list[int] = []
        self.given_up: set[int] = set()
        """Items that are not tried again in this run."""
        self.in_vain = 0
        """Passes in a row that were."""

    @property
    def is_too_much(self) -> bool:
        """Whether the platform fails on more than a few, or for too long on all."""
        return len(self.given_up) >= MOST_GIVEN_UP or self.in_vain >= MOST_IN_VAIN

    def failed(self, item_id: int) -> None:
        """Note that a try ended unclear."""
        self._of_pass.append(item_id)

    def passed(self, item_id: int) -> None:
        """Note that the platform told something of an item."""
        self._failed.pop(item_id, None)

    def end_pass(self, *, in_vain: bool) -> None:
        """Note that all that was due was gone through.

        Args:
            in_vain: Whether nothing went through, so that no invoice is to blame.
        """
        failed, self._of_pass = self._of_pass, []
        self.in_vain = self.in_vain + bool(failed) if in_vain else 0
        if not in_vain:
            self._failed.update(failed)
            self.given_up.update(item_id for item_id in failed if self._failed[item_id] >= TRIES)
