"""What the ledger holds, as plain records, and how an event changes an item. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from seqino.batch.names import storable
from seqino.batch.states import ItemEvent, State, next_state
from seqino.errors import ResumeToken
from seqino.submission import Route

__all__ = [
    "STORED",
    "Change",
    "Chunk",
    "Facts",
    "Fence",
    "HistoryEntry",
    "Item",
    "NewItem",
    "Run",
    "changed",
]

STORED = "stored"
"""The ``payload_ref`` of an item whose content is in the ledger itself."""


@attrs.frozen
class Fence:
    """Proof of who owns a chunk: a process whose epoch is no longer the chunk's was taken for dead."""

    chunk_id: int
    epoch: int


@attrs.frozen(kw_only=True)
class NewItem:
    """An invoice to be taken into the ledger.

    Args:
        client_id: On whose behalf it is sent.
        business_key: What makes it unique for that client.
        document_ref: The document it is made of, if the caller names it: unique for that client too.
        route: The way it takes.
        name: Name of the file, or empty.
        payload_ref: ``"stored"``, or ``names.reference_to`` a file.
        payload: The content, where the ledger is to keep it.
        sha256: Digest of the content, in hexadecimal.
        invoice_number: Its number (BT-1), where a file says it.
        state: ``QUEUED``; ``INVALID`` for what cannot be sent, with the ``reasons``.
        reasons: Why it is invalid.
    """

    client_id: str
    business_key: str
    document_ref: str | None = None
    route: Route
    name: str = attrs.field(default="", converter=storable)
    payload_ref: str = STORED
    payload: bytes | None = attrs.field(default=None, repr=False)
    sha256: str
    invoice_number: str | None = None
    state: State = State.QUEUED
    reasons: str | None = None


@attrs.frozen(kw_only=True)
class Item:
    """An invoice in the ledger; times are seconds since 1970 by the clock of its database.

    Args:
        id: Its number in the ledger.
        run_id: The run it is of; ``None`` where a web service submitted it.
        chunk_id: The chunk it is of, whose owner alone drives it. Of a web service's item: of the process
            that drives it now, and ``None`` where none does.
        client_id: On whose behalf it is sent.
        business_key: What makes it unique for that client.
        document_ref: The document it is made of, if the caller named it.
        route: The way it takes.
        name: Name of the file, or empty.
        payload_ref: Where its content is.
        sha256: Digest of the content, in hexadecimal.
        state: How things stand.
        epoch: The chunk's epoch when it was last marked or adopted.
        attempt: How often it was sent where an invoice could come of it.
        ever_unknown: Whether an end of it was ever unclear.
        doubt_since: When it last became doubtful; nothing of it has left since.
        not_before: When it is due again; ``None`` for at once.
        looks: How many looks decided nothing since it became doubtful.
        requests: How many requests it has cost.
        draft_id: Its draft.
        invoice_id: What the platform calls the invoice.
        invoice_number: Its number (BT-1).
        platform_status: The platform's own word for its state.
        http_status: Status of the last answer that was no success.
        reasons: Why it is what it is, in the platform's words or ours: JSON with a ``message``.
        created: When it was taken into the ledger.
        updated: When it last changed.
    """

    id: int
    run_id: int | None = None
    chunk_id: int | None = None
    client_id: str
    business_key: str
    document_ref: str | None = None
    route: Route = attrs.field(converter=Route)
    name: str = ""
    payload_ref: str = STORED
    sha256: str
    state: State = attrs.field(converter=State)
    epoch: int = 0
    attempt: int = 0
    ever_unknown: bool = attrs.field(default=False, converter=bool)
    doubt_since: float | None = None
    not_before: float | None = None
    looks: int = 0
    requests: int = 0
    draft_id: str | None = None
    invoice_id: str | None = None
    invoice_number: str | None = None
    platform_status: str | None = None
    http_status: int | None = None
    reasons: str | None = None
    created: float = 0.0
    updated: float = 0.0

    def token(self, *, operation: str, base_url: str) -> ResumeToken:
        """Return what an ``OutcomeUnknown`` of it carries.

        Args:
            operation: Name of the operation of which an invoice could come.
            base_url: The server.
        """
        since = self.updated if self.doubt_since is None else self.doubt_since
        return ResumeToken(
            operation=operation,
            client_id=self.client_id,
            parameters={} if self.draft_id is None else {"draft_id": self.draft_id},
            base_url=base_url,
            attempts=self.attempt,
            first_sent_at=self.created,
            last_sent_at=since,
        )


@attrs.frozen(kw_only=True)
class Facts:
    """What an event tells of an item; what is ``None`` stays as it was."""

    draft_id: str | None = None
    invoice_id: str | None = None
    invoice_number: str | None = None
    platform_status: str | None = None
    http_status: int | None = None
    reasons: str | None = None
    sha256: str | None = None
    payload_ref: str | None = None
    name: str | None = None

    @property
    def told(self) -> dict[str, Any]:
        """What it tells, by name."""
        return {name: value for name in _FACTS if (value := getattr(self, name)) is not None}


_FACTS = tuple(field.name for field in attrs.fields(Facts))

NOTHING = Facts()


@attrs.frozen(kw_only=True)
class Change:
    """An event of an item, to be written.

    Args:
        item: The item as it is known; it is not written over what somebody else made of it since.
        event: What happened.
        facts: What that tells.
        fence: Who may do it, for what leads to a send. Evidence has none: an answer that came is kept even
            where another process took over.
        pause: Seconds until it is due again; ``None`` for at once.
        release: Whether a web service's item is let go, for whoever asks for it next.
        requests: How many requests were made since the last change.
        sent: SHA-256 of what was sent.
        received: SHA-256 of what came back.
        detail: What else its history tells: plain data, no secret.
    """

    item: Item
    event: ItemEvent
    facts: Facts = NOTHING
    fence: Fence | None = None
    pause: float | None = None
    release: bool = False
    requests: int = 0
    sent: str | None = None
    received: str | None = None
    detail: Mapping[str, Any] = attrs.field(factory=dict[str, Any])


def changed(change: Change, *, now: float) -> Item:
    """Return an item after an event.

    Args:
        change: The event.
        now: The time, by the clock of the database.

    Raises:
        ValueError: The event cannot happen to it.
    """
    item, event, fence = change.item, change.event, change.fence
    facts = change.facts.told
    draft_id = facts.get("draft_id", item.draft_id)
    if item.draft_id not in (None, draft_id):
        raise ValueError(f"the item has the draft {item.draft_id}: it is never given another")
    state = next_state(item.state, event, has_draft=draft_id is not None, ever_unknown=item.ever_unknown)
    in_service = item.run_id is None
    chunk_id = item.chunk_id if fence is None or not in_service else fence.chunk_id
    return attrs.evolve(
        item,
        **facts,
        state=state,
        chunk_id=None if change.release and in_service else chunk_id,
        epoch=item.epoch if fence is None else fence.epoch,
        attempt=item.attempt + _ATTEMPTS.get(event, 0),
        ever_unknown=item.ever_unknown or event.makes_doubt,
        doubt_since=now if event.makes_doubt else item.doubt_since,
        not_before=None if change.pause is None else now + change.pause,
        looks=_looks(item, event),
        requests=item.requests + change.requests,
        updated=now,
    )


_ATTEMPTS = {
    ItemEvent.MARKED: 1,
    # What was held back, since the mark had become too old, was no attempt.
    ItemEvent.LATE: -1,
}


def _looks(item: Item, event: ItemEvent) -> int:
    again = event is ItemEvent.UNIDENTIFIED and item.state is State.ACCEPTED_UNIDENTIFIED
    if event is ItemEvent.LOOKED or again:
        return item.looks + 1
    return 0 if event.makes_doubt else item.looks


@attrs.frozen(kw_only=True)
class HistoryEntry:
    """One line of the audit trail.

    Args:
        id: Its number; later entries have higher ones.
        item_id: The item.
        at: When, in seconds since 1970 by the clock of the database.
        event: What happened.
        from_state: What the item was; ``None`` for the first entry.
        to_state: What it was then.
        epoch: The epoch of who wrote it, or of the item.
        attempt: The item's attempts by then.
        sent: SHA-256 of what was sent, in hexadecimal.
        received: SHA-256 of what came back.
        detail: What else is told, as plain data.
    """

    id: int
    item_id: int
    at: float
    event: ItemEvent = attrs.field(converter=ItemEvent)
    from_state: State | None = attrs.field(converter=attrs.converters.optional(State))
    to_state: State = attrs.field(converter=State)
    epoch: int
    attempt: int
    sent: str | None
    received: str | None
    detail: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Run:
    """Many invoices that were taken into the ledger together.

    Args:
        id: Its number.
        name: What the caller calls it.
        params: What it was made with, as plain data.
        ready: Whether its source was read to the end; before, nothing of it is sent.
        created: When it was made.
    """

    id: int
    name: str
    params: Mapping[str, Any]
    ready: bool = attrs.field(converter=bool)
    created: float


@attrs.frozen(kw_only=True)
class Chunk:
    """A part of a run, owned by one process at a time.

    Args:
        id: Its number.
        run_id: Its run; ``None`` for what a web service's process works on.
        no: Its place in the run.
        epoch: Counts the owners.
        owner: Who owns it.
        seen: When the owner was last seen alive.
        done: Whether nothing of it is left to be sent.
    """

    id: int
    run_id: int | None
    no: int
    epoch: int
    owner: str | None
    seen: float | None
    done: bool = attrs.field(converter=bool)

    @property
    def fence(self) -> Fence:
        """Proof of owning it."""
        return Fence(self.id, self.epoch)
