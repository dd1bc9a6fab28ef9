"""What the end of one invoice means for the others of its run: they go on, wait, are kept back, or stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from seqino._core.outcome import Outcome
from seqino.batch.tries import Tries
from seqino.errors import (
    InsecureConnection,
    InvalidInput,
    RateLimited,
    Rejected,
    ResponseDecodeError,
    SeqinoError,
    UnexpectedAnswer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.batch.driving import Drive
    from seqino.batch.items import Item

__all__ = ["Hindrances", "told_to_wait"]

_STOPS_ALL = frozenset({401, 405, 421, 426, 431})
"""Refusals that every invoice would meet."""

_STOPS_CLIENT = frozenset({402, 403})
"""Refusals that every invoice of that client would meet."""

_NOT_FOUND = 404

_UNREADABLE = (ResponseDecodeError, UnexpectedAnswer)

_UNREACHED = frozenset({Outcome.NOT_SENT, Outcome.UNKNOWN})


class Hindrances:
    """What keeps a run from going on.

    Args:
        clock: Seconds of a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._held_until = clock()
        self.paused: dict[str, str] = {}
        """Clients whose invoices wait, and why."""
        self.stopped: SeqinoError | None = None
        """What every invoice would meet."""
        self.end = asyncio.Event()
        """Nothing more is begun."""
        self.failures = 0
        """So many in a row did not reach the platform."""
        self.tries = Tries()
        """How often each was tried whose tries end unclear."""
        self.unread: dict[int, str] = {}
        """Items whose files cannot be read for now, and why."""
        self._failure: SeqinoError | None = None

    @property
    def held_for(self) -> float:
        """Seconds until the platform wants to be called again; 0 or less where it does."""
        return self._held_until - self._clock()

    def keeps_back(self, item: Item) -> bool:
        """Whether an invoice is left for another time."""
        return item.client_id in self.paused or item.id in self.tries.given_up

    def stop(self, error: SeqinoError) -> None:
        """Begin nothing more, and remember why."""
        self.stopped = self.stopped or error
        self.end.set()

    def note(self, drive: Drive) -> None:
        """Take into account how one ended."""
        if drive.unread is not None:
            self._note_unread(drive.item)
            return
        self.unread.pop(drive.item.id, None)
        error, is_unsent = drive.error, drive.item.state.is_to_be_sent
        if error is not None and is_unsent and error.outcome in _UNREACHED:
            self.failures += 1
            if error.outcome == Outcome.UNKNOWN:
                self._failure = error
                self.tries.failed(drive.item.id)
        else:
            self.failures = 0
            self.tries.passed(drive.item.id)
        if isinstance(error, RateLimited):
            self._held_until = max(self._held_until, self._clock() + told_to_wait(error))
        elif isinstance(error, InsecureConnection) or (isinstance(error, _UNREADABLE) and is_unsent):
            # A draft that was created without a readable id would be created again for ever.
            self.stop(error)
        elif isinstance(error, Rejected):
            if error.status in _STOPS_ALL:
                self.stop(error)
            elif error.status in _STOPS_CLIENT or (error.status == _NOT_FOUND and is_unsent):
                self.paused.setdefault(drive.item.client_id, str(error.args[0]))

    def _note_unread(self, item: Item) -> None:
        """Try it again with the others, which may well be read: it says nothing of the platform."""
        why: str = msgspec.json.decode(item.reasons or "{}").get("message", "")
        self.unread[item.id] = why
        self._failure = InvalidInput(f"{why}, and many others cannot: nothing of them was sent")
        self.tries.failed(item.id)

    def end_pass(self, *, in_vain: bool) -> None:
        """Note that all that was due was gone through; where too much was tried too often, stop.

        Args:
            in_vain: Whether nothing went through, so that no invoice is to blame.
        """
        self.tries.end_pass(in_vain=in_vain)
        if self._failure is not None and self.tries.is_too_much:
            self.stop(self._failure)


def told_to_wait(error: RateLimited) -> float:
    """Return the seconds that the platform asked to wait; 0 where it told none."""
    return error.retry_after or 0.0
