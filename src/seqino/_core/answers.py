"""What one exchange brought: an answer, read as its operation describes it, or a loss and what it proves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from seqino._core.codec import DecodeFault
from seqino._core.outcome import classify_fault
from seqino.errors import Fault

if TYPE_CHECKING:
    from seqino._core.codec import Codec
    from seqino._core.outcome import Attempt, FaultKind
    from seqino._core.sending import SendMark
    from seqino._core.wire import Operation

__all__ = ["form_of", "lost", "read_answer", "unwrapped"]

_WITHOUT_BODY = frozenset({204, 205})


def form_of(operation: Operation[Any], status: int) -> Any:
    """Return the type form of an answer; for a 2xx that is not documented, that of the first which is.

    Args:
        operation: What was called.
        status: The answer's HTTP status.
    """
    if status in _WITHOUT_BODY:
        return None
    responses = operation.responses
    return responses[status] if status in responses else next(iter(responses.values()), None)


def read_answer(codec: Codec, operation: Operation[Any], body: bytes, form: Any) -> Any:
    """Turn the body of an answer into what the operation returns.

    Args:
        codec: Turns JSON into models.
        operation: What was called.
        body: The body as it came.
        form: The type form of the answer.

    Raises:
        DecodeFault: It is not as described; with the places in the body.
    """
    content, place = unwrapped(body, operation.unwrap)
    try:
        return codec.decode(content, form)
    except DecodeFault as fault:
        raise DecodeFault(
            tuple(Fault(place + path.removeprefix("$"), why) for path, why in fault.faults)
        ) from None


def unwrapped(body: bytes, member: str | None) -> tuple[bytes, str]:
    """Return the answer that a body holds, and its place there.

    Args:
        body: The body as it came.
        member: Name of the member that may hold the answer; ``None`` where none does.
    """
    if member is not None:
        try:
            held = msgspec.json.decode(body, type=dict[str, msgspec.Raw]).get(member)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # No object: whoever reads it says what it is instead.
            held = None
        if held is not None and bytes(held).startswith(b"{"):
            return bytes(held), f"$.{member}"
    return body, "$"


def lost(kind: FaultKind, mark: SendMark | None, *, detail: str = "") -> Attempt:
    """Give up an attempt that brought no complete answer, and say what that proves.

    Args:
        kind: Why it brought none.
        mark: Tells whether it began to leave; ``None`` where nobody watched.
        detail: The fault in the HTTP library's own words.
    """
    if mark is None:
        return classify_fault(kind, sent=None, detail=detail)
    mark.abandon()
    return classify_fault(kind, sent=mark.sent, detail=detail)
