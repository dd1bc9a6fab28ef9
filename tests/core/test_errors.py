from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import TYPE_CHECKING, Any

import pytest

import seqino.errors
from seqino._core.outcome import Outcome
from seqino.errors import (
    CallError,
    ClientClosed,
    ErrorBody,
    Fault,
    InvalidInput,
    MissingExtra,
    OutcomeUnknown,
    ResponseDecodeError,
    ResumeToken,
    SeqinoError,
    UnprocessableContent,
)

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = ResumeToken(
    operation="validate_draft",
    client_id="acme",
    parameters={"draft_id": "d1"},
    base_url="https://pdp.example/api",
    attempts=1,
    first_sent_at=1.5,
    last_sent_at=2.5,
)

CLASSES: list[type[SeqinoError]] = [
    member
    for _, member in inspect.getmembers(seqino.errors, inspect.isclass)
    if issubclass(member, SeqinoError)
]


def example(kind: type[SeqinoError]) -> SeqinoError:
    details: dict[str, Any] = {
        "operation": "validate_draft",
        "attempts": 2,
        "outcome": "unknown",
        "status": 422,
        "trace_id": "t-1",
        "body": ErrorBody(message="no", code=7, trace_id="t-1", faults=(Fault("$.a", "is wrong"),)),
        "raw": b"{}",
        "retry_after": 1.5,
    }
    if kind is MissingExtra:
        return MissingExtra("cli", purpose="The seqino command")
    if kind is InvalidInput:
        return InvalidInput("refused", faults=[("$.a", "is wrong")])
    if kind is OutcomeUnknown:
        return OutcomeUnknown("it may have been done", token=TOKEN, **details)
    if kind is ResponseDecodeError:
        return ResponseDecodeError("cannot be read", faults=[("$.a", "is wrong")], **details)
    if issubclass(kind, CallError):
        return kind("it failed", **details)
    return kind("it failed")


def drawn() -> dict[str, str | None]:
    """The tree of the module's docstring: each name with the one above it."""
    above: dict[str, str | None] = {}
    path: list[str] = []
    for line in (seqino.errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│├└─ ]*)([A-Z]\w+)", line)
        if match is not None:
            depth = len(match[1]) // 4
            path[depth:] = [match[2]]
            above[match[2]] = path[depth - 1] if depth else None
    return above


def test_the_tree_drawn_in_the_docstring_is_the_tree_of_classes() -> None:
    classes = {kind.__name__: kind for kind in CLASSES}
    assert drawn() == {
        name: None if kind is SeqinoError else kind.__bases__[0].__name__ for name, kind in classes.items()
    }


def test_every_error_is_exported_and_the_names_are_sorted() -> None:
    public = {
        name
        for name, member in inspect.getmembers(seqino.errors, inspect.isclass)
        if member.__module__.partition(".facts")[0] == "seqino.errors"
    }
    assert set(seqino.errors.__all__) == public
    assert seqino.errors.__all__ == sorted(seqino.errors.__all__)


def through_pickle(error: SeqinoError) -> SeqinoError:
    restored: SeqinoError = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    return restored


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("duplicate", [through_pickle, copy.copy, copy.deepcopy])
def test_copies_of_an_error_are_whole(
    kind: type[SeqinoError], duplicate: Callable[[SeqinoError], SeqinoError]
) -> None:
    error = example(kind)
    error.add_note("seen by the caller")
    restored = duplicate(error)
    assert type(restored) is kind
    assert str(restored) == str(error)
    assert restored.args == error.args
    assert vars(restored) == vars(error)
    assert restored.__notes__ == ["seen by the caller"]


def test_an_error_can_be_caught_by_what_it_means() -> None:
    assert issubclass(InvalidInput, ValueError)
    assert issubclass(ClientClosed, seqino.errors.ConfigurationError)
    assert issubclass(seqino.errors.RateLimited, seqino.errors.Rejected)
    assert not issubclass(OutcomeUnknown, seqino.errors.Rejected)


def test_a_missing_extra_says_how_to_install_it() -> None:
    error = MissingExtra("cli", purpose="The seqino command")
    assert error.extra == "cli"
    assert str(error) == "The seqino command needs the extra 'cli': pip install 'seqino[cli]'"


def test_refused_input_shows_every_fault_with_its_path() -> None:
    error = InvalidInput("create_draft: 2 faults", faults=[("$.a", "is required"), ("$.b[0]", "is no date")])
    assert str(error) == "create_draft: 2 faults\n  $.a: is required\n  $.b[0]: is no date"
    assert error.faults[1].path == "$.b[0]"


def test_a_flood_of_faults_is_cut_in_the_text_only() -> None:
    error = InvalidInput("bad", faults=[(f"$[{n}]", "is wrong") for n in range(25)])
    assert len(error.faults) == 25
    assert str(error).endswith("  $[19]: is wrong\n  … and 5 more")


def test_a_call_error_shows_the_faults_that_the_platform_named() -> None:
    body = ErrorBody(faults=(Fault("$.lines[0].quantity", "Field required"),))
    error = UnprocessableContent("refused", operation="create_draft", body=body)
    assert error.faults == body.faults
    assert str(error) == "refused\n  $.lines[0].quantity: Field required"
    assert UnprocessableContent("refused", operation="create_draft").faults == ()


def test_an_answer_that_cannot_be_read_names_its_own_faults() -> None:
    error = ResponseDecodeError("not as described", faults=[("$.id", "expected text")], operation="get_draft")
    assert error.faults == (Fault("$.id", "expected text"),)


def test_the_outcome_is_plain_text_even_where_an_enum_was_given() -> None:
    error = CallError("x", operation="x", outcome=Outcome.UNKNOWN)
    assert type(error.outcome) is str
    assert error.outcome == "unknown"
