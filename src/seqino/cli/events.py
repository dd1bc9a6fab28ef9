"""``seqino events``: lifecycle events, once or as they come."""

# ruff: noqa: FBT002 - options of a command line are named there

import asyncio
import math
import os
import time
from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Annotated

import attrs
import typer

from seqino._core.wire import UNSET
from seqino.cli.command import Session, as_command
from seqino.cli.common import Lang, complain
from seqino.cli.follow import standing
from seqino.cli.lifecycle import (
    event_line,
    event_members,
    parted,
    say_unreadable,
    show_events,
    state_label,
    unreadable_members,
)
from seqino.cli.plain import Found
from seqino.cli.result import ExitCode
from seqino.cli.terminal import Language, language, say
from seqino.cli.values import completing, one_of
from seqino.cli.watching import Look, watch
from seqino.errors import InvalidInput
from seqino.models import LifecycleEvent, ObjectType
from seqino.statuses import (
    Backoff,
    Fingerprint,
    UnreadableEvent,
    Until,
    appeared,
    ends,
    fingerprint,
    local_state,
    without_repetitions,
)

__all__ = ["PACE", "events"]

PACE = Backoff(first=timedelta(seconds=5), longest=timedelta(minutes=5), factor=1.6)
"""How the pauses grow while somebody watches."""

_GOALS = {"settled": Until.END, "approved": Until.APPROVED}


@attrs.frozen(kw_only=True)
class Feed:
    """Which events are asked for, and in which language they are said.

    Args:
        session: Asks for them.
        object_type: Of one kind, or ``None``.
        object_id: Of one object, or ``None``.
        lang: Language of labels.
    """

    session: Session
    object_type: str | None
    object_id: str | None
    lang: Language

    async def fetch(self) -> tuple[list[Found[LifecycleEvent]], list[UnreadableEvent]]:
        """Ask for them; what came as one and cannot be read is given beside them."""
        object_id = UNSET if self.object_id is None else self.object_id
        pager = self.session.client.lifecycle.events(
            object_type=None if self.object_type is None else ObjectType(self.object_type),
            object_id=object_id,
            keep_unreadable=True,
        )
        return parted(await self.session.ask_all(pager))

    def say_unreadable(self, events: Sequence[UnreadableEvent]) -> None:
        """Say what came as an event and cannot be read: to people beside the events."""
        if self.session.out.as_json:
            self.session.out.lines(unreadable_members(event) for event in events)
        else:
            say_unreadable(events, self.lang)

    def say(self, found: Found[LifecycleEvent]) -> None:
        """Say one event, on a line of its own."""
        if self.session.out.as_json:
            self.session.out.one(event_members(found, self.lang))
        else:
            say(event_line(found.value, self.lang))


@as_command()
def events(  # noqa: PLR0917 - each is an option of the command
    session: Session,
    object_type: Annotated[
        str | None,
        one_of(ObjectType, "--object-type", "--type", help="Of one kind of object."),
    ] = None,
    object_id: Annotated[
        str | None,
        typer.Option("--object-id", "--id", help="Of one object; needs --object-type.", show_default=False),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Say what is new as it comes, until Ctrl-C or --until.")
    ] = False,
    until: Annotated[
        str | None,
        typer.Option(
            help="Follow one invoice until it is settled (or at another end), or approved.",
            show_default=False,
            autocompletion=completing(*_GOALS),
        ),
    ] = None,
    follow_timeout: Annotated[
        float | None, typer.Option(min=0, help="Seconds to follow at most.", show_default=False)
    ] = None,
    lang: Lang = None,
) -> Awaitable[ExitCode | None]:
    """Show lifecycle events: of all objects, of a kind, or of one.

    Following costs a request each time: soon at first, ever more seldom while nothing happens. Exit codes
    with --until: 0 it came to that, 1 the time ran out before, 3 it was refused, rejected, cancelled, or is a
    duplicate of one that was sent before.
    Ctrl-C ends with 130.
    """
    feed = Feed(
        session=session,
        object_type=object_type,
        object_id=object_id,
        lang=language(lang, os.environ),
    )
    if not follow:
        if until is not None or follow_timeout is not None:
            raise InvalidInput("--until and --follow-timeout need --follow")
        return _show(feed)
    if until is not None and (until not in _GOALS or object_type != "invoice" or not object_id):
        raise InvalidInput(
            "--until is settled or approved, and needs one invoice: --object-type invoice --object-id ID"
        )
    limit = math.inf if follow_timeout is None else follow_timeout
    return _follow(Follower(feed, goal=None if until is None else _GOALS[until]), limit=limit)


async def _show(feed: Feed) -> None:
    found, unreadable = await feed.fetch()
    if feed.session.out.as_json:
        feed.session.out.lines(event_members(event, feed.lang) for event in found)
    else:
        show_events([event.value for event in found], feed.lang)
    feed.say_unreadable(unreadable)


async def _follow(follower: "Follower", *, limit: float) -> ExitCode:
    try:
        watched = await watch(
            follower.look, backoff=PACE, limit=limit, tell=complain, clock=time.monotonic, sleep=asyncio.sleep
        )
    except asyncio.CancelledError:
        return ExitCode.INTERRUPTED
    return follower.conclude(looks=watched.looks, is_over=watched.is_over)


class Follower:
    """Says what is new in a feed, and knows when it is over.

    Args:
        feed: What is followed.
        goal: Until when; ``None`` for ever.
    """

    def __init__(self, feed: Feed, *, goal: Until | None) -> None:
        self._feed = feed
        self._goal = goal
        self._told: Counter[Fingerprint] = Counter()
        self._told_unreadable: Counter[str] = Counter()
        self._events: list[LifecycleEvent] = []

    async def look(self) -> Look:
        """Ask once, and say what was not said before."""
        found, unreadable = await self._feed.fetch()
        whole = {id(event.value): event for event in found}
        self._events = [event.value for event in found]
        if self._feed.object_id is not None:
            # Of one object the same event is one event, however often it is sent.
            self._events = without_repetitions(self._events)
        news = appeared(self._told.elements(), self._events)
        # What a list no longer shows and shows again later is not said again.
        self._told |= Counter(map(fingerprint, self._events))
        for event in news:
            self._feed.say(whole[id(event)])
        odd = self._new(unreadable)
        self._feed.say_unreadable(odd)
        is_over = self._goal is not None and ends(self._events, until=self._goal)
        return Look(is_news=bool(news or odd), is_over=is_over)

    def _new(self, unreadable: Sequence[UnreadableEvent]) -> list[UnreadableEvent]:
        """Return what was not said before of what cannot be read."""
        if self._feed.object_id is not None:
            unreadable = list({event.digest: event for event in unreadable}.values())
        left, new = Counter(self._told_unreadable), list[UnreadableEvent]()
        for event in unreadable:
            left[event.digest] -= 1
            if left[event.digest] < 0:
                new.append(event)
        self._told_unreadable |= Counter(event.digest for event in unreadable)
        return new

    def conclude(self, *, looks: int, is_over: bool) -> ExitCode:
        """Say how it ended, and what it cost."""
        state = state_label(local_state(self._events), self._feed.lang) if self._goal else "stopped"
        say(f"{state}, after {looks} {'request' if looks == 1 else 'requests'}", stderr=True)
        if self._goal is not None and not is_over:
            return ExitCode.FAILURE
        rejected = self._goal is not None and standing(self._events).end.is_rejection
        return ExitCode.REJECTED if rejected else ExitCode.OK
