"""What a server can do wrong with one request, as data: how much is read, what is sent back, how it ends.

``fault`` reads a fault by name; it is played on a ``Stage``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

import attrs

from seqino.sandbox import frames, mangle
from seqino.sandbox.replies import Reply, retry_after

if TYPE_CHECKING:
    from seqino.sandbox.stage import Stage

__all__ = ["FAULTS", "REFUSE", "STATUS", "Play", "fault", "moments"]


Frame: TypeAlias = Callable[[Reply, int], Iterable[bytes]]
"""Makes what is sent of an answer and a size."""

_N = TypeVar("_N", int, float)

Moment = Literal["before", "after"]


@attrs.frozen(kw_only=True)
class Play:
    """A behaviour as data, in the order in which it happens.

    Args:
        read: How much of the request is read: the ``whole`` of it, its ``first`` byte, or ``nothing``, which
            acts as soon as a connection is accepted.
        tls: Whether it happens to the TLS handshake, of which ``read`` then speaks.
        hold: Seconds between reading the request and its effect.
        effect: Whether the request then does what it is for.
        instead: Status of an error in place of the real answer.
        headers: Headers that the answer has besides; a ``Retry-After`` may be ``date+SECONDS``.
        alter: Changes what the answer says; ``None`` where there is nothing to change.
        delay: Seconds before the answer; of ``refuse``, how long the port is closed.
        answer: The bytes sent back, which need not be HTTP, or what makes them of the answer and ``size``.
        size: Bytes of padding, of a header, or of the body.
        largest: The most that the parameter ``bytes`` may ask for.
        drip: Seconds between two bytes of the answer; 0 sends them at once.
        then: What becomes of the connection. ``refuse`` stands for a closed port, and for nothing else.
        needs: What the real answer has to hold.
        name: Name with its moment.
        summary: What it does, in one line.
        takes: Names of the parameters that may follow its name.
        seconds: Field that the parameter ``seconds`` sets.
        only: The one moment that it has.
    """

    read: Literal["whole", "first", "nothing"] = "whole"
    tls: bool = False
    hold: float = 0
    effect: bool = False
    instead: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    alter: Callable[[Reply], Reply | None] | None = None
    delay: float = 0
    answer: bytes | Frame = b""
    size: int = 0
    drip: float = 0
    then: Literal["keep", "close", "reset", "cut", "stale", "hang", "refuse"] = "keep"
    needs: mangle.Content | None = None
    name: str = attrs.field(default="", eq=False)
    summary: str = attrs.field(default="", eq=False)
    takes: tuple[str, ...] = attrs.field(default=(), eq=False)
    seconds: Literal["delay", "hold", "drip"] = attrs.field(default="delay", eq=False)
    only: Moment | None = attrs.field(default=None, eq=False)
    largest: int = attrs.field(default=10**10, eq=False)

    @property
    def strikes(self) -> Literal["port", "connection", "first byte", "request"]:
        """What it happens to."""
        if self.then == "refuse":
            return "port"
        if self.tls or self.read == "nothing":
            return "connection"
        return "request" if self.read == "whole" else "first byte"

    async def __call__(self, stage: Stage) -> None:
        """Play it."""
        pieces: Iterable[bytes] = (self.answer,) if isinstance(self.answer, bytes) else ()
        if self.read == "whole":
            reply = self._altered(stage, await stage.perform(effect=self.effect, hold=self.hold))
            if isinstance(reply, bytes):
                await stage.write(reply)
                return
            if not isinstance(self.answer, bytes):
                pieces = self.answer(reply, self.size)
        stage.note(self)
        if self.delay:
            await stage.pause(self.delay)
        for piece in pieces:
            await stage.write(piece, drip=self.drip)
        await self._end(stage)

    def _altered(self, stage: Stage, real: Reply) -> Reply | bytes:
        """Return the answer to be sent; in bytes where the real one holds nothing to change."""
        reply = real if self.instead is None else stage.error(self.instead)
        reply = reply.having(*((name, retry_after(text, reply.date)) for name, text in self.headers))
        if self.alter is None:
            return reply
        return self.alter(reply) or real.wire

    async def _end(self, stage: Stage) -> None:
        match self.then:
            case "close":
                stage.close()
            case "reset":
                stage.reset()
            case "cut":
                stage.cut()
            case "stale":
                await stage.leave_stale()
            case "hang":
                await stage.hang()
            case _:
                pass


REFUSE = Play(then="refuse", delay=1, takes=("seconds",), summary="The port is closed for a while.")
"""The port is closed for ``delay`` seconds."""

_HEADERS = {"retry-after": "Retry-After", "retry-after-ms": "retry-after-ms", "location": "Location"}

STATUS = Play(
    answer=frames.whole,
    takes=tuple(_HEADERS),
    summary="An error with that status; 301, 302, 303, 307 and 308 lead to the same place again.",
)
"""What every ``status-NNN`` has in common."""


def _cut(summary: str, frame: bytes | Frame, *, needs: mangle.Content | None = None, size: int = 0) -> Play:
    takes = ("bytes",) if size else ()
    return Play(effect=True, answer=frame, then="close", needs=needs, size=size, takes=takes, summary=summary)


def _said(
    summary: str,
    alter: Callable[[Reply], Reply | None],
    *,
    needs: mangle.Content | None = "body",
    instead: int | None = None,
) -> Play:
    return Play(
        effect=True,
        instead=instead,
        alter=alter,
        answer=frames.whole,
        needs=needs,
        only="after" if needs in ("object", "enum") else None,
        takes=("status",),
        summary=summary,
    )


_REAL = Play(effect=True, answer=frames.whole, only="after")
_DRIP = Play(effect=True, drip=1, size=7000, seconds="drip", takes=("seconds", "bytes"), largest=10**6)
_STALL = Play(effect=True, then="hang")

FAULTS: Mapping[str, Play] = {
    "refuse": REFUSE,
    # No answer; with -before or -after, whether the request has its effect.
    "close-at-once": Play(read="nothing", then="close", summary="Closed as soon as it is accepted."),
    "reset-at-once": Play(read="nothing", then="reset", summary="Reset as soon as it is accepted."),
    "close-unread": Play(read="first", then="close", summary="Closed at the request's first byte."),
    "reset-unread": Play(read="first", then="reset", summary="Reset at the request's first byte."),
    "slow-handshake": Play(
        read="nothing",
        tls=True,
        delay=3,
        takes=("seconds",),
        summary="The server takes its time before it speaks TLS.",
    ),
    "cut-handshake": Play(
        read="first", tls=True, then="close", summary="Closed in the middle of the TLS handshake."
    ),
    "close": Play(then="close", summary="The request is read, and the connection closed without an answer."),
    "reset": Play(then="reset", summary="The request is read, and the connection reset without an answer."),
    "cut-tls": Play(then="cut", summary="Closed without an answer, and without the farewell of TLS."),
    "hang": Play(then="hang", summary="No answer ever comes."),
    # The real answer, at another time or on a connection that does not last.
    "slow": attrs.evolve(_REAL, delay=3, takes=("seconds",), summary="The answer comes late."),
    "late": attrs.evolve(
        _REAL,
        hold=3,
        seconds="hold",
        takes=("seconds",),
        summary="The effect comes late, and then the answer, even when nobody waits any more.",
    ),
    "stale": attrs.evolve(
        _REAL,
        then="stale",
        summary="Answered; then the connection dies at the first byte of the next request.",
    ),
    "early-hints": attrs.evolve(
        _REAL, answer=frames.early_hints, summary="An interim answer (103) comes before the real one."
    ),
    # The beginning of an answer, and then nothing, or byte after byte for longer than anybody waits.
    "stall-head": attrs.evolve(_STALL, answer=frames.begun_head, summary="Half a head, then nothing more."),
    "stall-body": attrs.evolve(
        _STALL, answer=frames.begun_body, needs="body", summary="One byte of the body, then nothing more."
    ),
    "drip-head": attrs.evolve(
        _DRIP, answer=frames.padded_head, summary="A long head comes byte by byte, then the rest."
    ),
    "drip-body": attrs.evolve(
        _DRIP, answer=frames.padded_body, needs="body", summary="A long body comes byte by byte."
    ),
    # An answer that ends before it is whole, or that is none.
    "cut-head": _cut("Half a head, then closed.", frames.begun_head),
    "cut-body": _cut("A body shorter than its length, then closed.", frames.cut_body, needs="body"),
    "reset-body": attrs.evolve(
        _cut("A body shorter than its length, then reset.", frames.cut_body, needs="body"), then="reset"
    ),
    "cut-chunk": _cut("A chunk shorter than its length, then closed.", frames.cut_chunk, needs="body"),
    "bad-chunk": _cut("A chunk whose length is no number.", frames.bad_chunk, needs="body"),
    "bad-gzip": _cut("A body said to be gzip, which it is not.", frames.bad_gzip, needs="body"),
    "two-lengths": _cut("Two different lengths.", frames.two_lengths, needs="body"),
    "huge-header": attrs.evolve(_cut("A head of 20 kB.", frames.huge_header, size=20_000), largest=10**8),
    "no-http": _cut("A greeting of a mail server.", b"220 mail.example ESMTP\r\n\r\n"),
    # A whole answer that says something wrong.
    "html": attrs.evolve(
        _said("An HTML page of a gateway, 502.", mangle.html, needs=None, instead=502),
        takes=("status", "retry-after"),
    ),
    "empty-body": _said("The real status, and nothing else.", mangle.empty),
    "invalid-json": _said("A body that is no JSON.", mangle.invalid_json),
    "truncated-json": _said("Half of the body, with the length of the half.", mangle.truncated_json),
    "wrong-type": _said("Lists in place of plain values, text in place of others.", mangle.wrong_type),
    "unknown-field": _said("Fields that nobody described.", mangle.unknown_field, needs="object"),
    "unknown-enum": _said("Values that no enum lists.", mangle.unknown_enum, needs="enum"),
    "huge": Play(
        effect=True,
        answer=frames.huge,
        size=50_000_000,
        needs="body",
        takes=("bytes",),
        summary="A body of 50 MB, of which all but the answer is white space.",
    ),
}
"""Faults by name; ``fault`` knows more names."""

_NAME = re.compile(r"(?P<kind>status-(?P<status>[1-5]\d\d)|[a-z-]+?)(?:-(?P<moment>before|after))?")

_TWO_MOMENTS = frozenset({"close", "reset", "hang", "cut-tls"})
"""Faults that do not tell by themselves whether the request had its effect."""


def moments(kind: str) -> tuple[str, ...]:
    """Tell the endings of a fault's name: none, ``-before``, ``-after``; the first is the usual one.

    Args:
        kind: A key of ``FAULTS``, or ``status-NNN``.
    """
    play = FAULTS.get(kind, STATUS)
    if play.strikes != "request":
        return ("",)
    if kind in _TWO_MOMENTS:
        return ("-before", "-after")
    return ("", f"-{play.only}") if play.only else ("", "-before", "-after")


def fault(text: str) -> Play:
    """One fault by name, and by its parameters.

    >>> fault("status-429; retry-after=1.5").name
    'status-429-before'

    Args:
        text: A key of ``FAULTS``, or ``status-NNN`` for an answer with that status; with ``-before`` or
            ``-after`` for whether it comes before the request's effect, or after. Left out, an
            answer below 300 comes after it, any other status before. Then its parameters, such as
            ``; seconds=3``.

    Raises:
        ValueError: There is no such fault, it takes no such parameter, or a value is out of its range.
    """
    name, *given = (one.strip() for one in text.split(";"))
    play = _named(name)
    for parameter in given:
        key, is_given, value = (one.strip() for one in parameter.partition("="))
        if key not in play.takes or not is_given:
            known = ", ".join(f"{one}=…" for one in play.takes) or "nothing"
            raise ValueError(f"{name} cannot be given {parameter!r}; it takes {known}")
        play = _given(play, key, value)
    return play


def _named(name: str) -> Play:
    match = _NAME.fullmatch(name)
    kind = match["kind"] if match else ""
    moment = match["moment"] if match else None
    if match and match["status"]:
        status = int(match["status"])
        play = attrs.evolve(STATUS, instead=status, effect=status < 300)  # noqa: PLR2004 - no success from here on
    elif kind in FAULTS and (moment or kind not in _TWO_MOMENTS):
        play = FAULTS[kind]
    else:
        raise ValueError(
            f"there is no fault {name!r}; there are status-NNN, {', '.join(sorted(FAULTS))}, with -before or "
            f"-after, which {', '.join(sorted(_TWO_MOMENTS))} need"
        )
    if play.strikes != "request":
        if moment is not None:
            raise ValueError(f"{kind} has no effect that it could come before or after")
        return attrs.evolve(play, name=kind)
    if moment is not None:
        if moment != (play.only or moment):
            raise ValueError(f"{kind} needs the real answer, so that it comes after the effect")
        play = attrs.evolve(play, effect=moment == "after")
    return attrs.evolve(play, name=f"{kind}-{'after' if play.effect else 'before'}")


def _given(play: Play, key: str, value: str) -> Play:
    """Return a play with one parameter."""
    match key:
        case "seconds":
            seconds = _number(key, value, float, most=86_400)
            return attrs.evolve(play, **{play.seconds: seconds})  # type: ignore[arg-type] # names of such fields
        case "bytes":
            return attrs.evolve(play, size=_number(key, value, int, most=play.largest))
        case "status":
            return attrs.evolve(play, instead=_number(key, value, int, least=200, most=599))
        case _:
            if not value.isprintable() or any(ord(one) > 255 for one in value):  # noqa: PLR2004 - latin-1, RFC 9110 §5.5
                raise ValueError(f"{key} cannot be written in a header: {value!r}")
            retry_after(value, 0)
            return attrs.evolve(play, headers=(*play.headers, (_HEADERS[key], value)))


def _number(key: str, text: str, read: type[_N], *, least: float = 0, most: float) -> _N:
    try:
        number = read(text)
    except ValueError:
        number = read(-1)
    if not least <= number <= most:
        raise ValueError(f"{key} is a number from {least:.0f} to {most:.0f}; this is {text!r}")
    return number
