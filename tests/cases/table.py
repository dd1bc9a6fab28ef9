"""Reads the cases: what is called, what the server does, what is expected."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs
import pytest

from seqino._core.wire import Body, Effect, File, Operation, Parameter
from seqino.sandbox.fault_plays import fault
from tests.fault_server import answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.exchange import Behaviour

__all__ = ["THING", "Case", "Flow", "arguments", "collect", "operation", "play", "success"]

FOLDER = Path(__file__).parent


@attrs.define(kw_only=True)
class Thing:
    name: str


@attrs.define(kw_only=True)
class Upload:
    file: File


THING = Thing(name="a")
SCOPE = Parameter(name="client_id", wire="X-PDP-Client-Id", location="header", required=True, scope=True)
ID = Parameter(name="thing_id", wire="thing_id", location="path", required=True)
JSON_BODY, FORM = Body(kind="json", type=Thing), Body(kind="multipart", type=Upload)


def operation(call: str) -> Operation[Any]:
    """An operation by effect and method; ``FILE`` is an upload, and what is done once is done to an id."""
    effect, method = call.split()
    has_id = method in {"GET", "PUT", "DELETE"} or effect == "once"
    has_body = method in {"PUT", "POST"} and effect != "once"
    responses: dict[int, Any] = {200 if has_id or effect == "safe" else 201: Thing}
    return Operation(
        name="call_thing",
        operation_id="call_thing",
        tag="things",
        method="POST" if method == "FILE" else method,
        path="/things/{thing_id}" if has_id else "/things",
        effect=Effect(effect),
        parameters=(SCOPE, ID) if has_id else (SCOPE,),
        body=FORM if method == "FILE" else JSON_BODY if has_body else None,
        responses={204: None} if method == "DELETE" else responses,
    )


def arguments(called: Operation[Any]) -> dict[str, Any]:
    given: dict[str, Any] = {"parameters": {"thing_id": "t1"}} if ID in called.parameters else {}
    if called.body is not None:
        upload = Upload(file=File(name="invoice.xml", content=b"<Invoice/>"))
        given["body"] = THING if called.body is JSON_BODY else upload
    return given


def success(called: Operation[Any]) -> Behaviour:
    status = next(iter(called.responses))
    return answer(status, b"" if status == 204 else b'{"name": "a"}')


Step: TypeAlias = "str | Mapping[str, Any]"


@attrs.frozen(kw_only=True)
class Case:
    """One combination of a case's lists."""

    call: str
    on: str
    script: list[Step]
    client: dict[str, Any] = attrs.field(factory=dict[str, Any])
    ends: str
    status: int | None = None
    outcome: str | None = None
    retry_after: float | None = None
    says: str = ""
    sends: int
    effects: int | None = None
    seconds: float = 0
    events: list[str]
    budget: list[int] = attrs.field(factory=list[int])


@attrs.frozen(kw_only=True)
class Flow:
    """One submission, or one call that looks, with a script for each of its steps."""

    do: str
    shows: str = "state"
    scripts: dict[str, list[Step]] = attrs.field(factory=dict[str, Any])
    ends: str
    gives: str | None = None
    status: int | None = None
    token: bool = False
    says: str = ""
    sends: dict[str, int]
    effects: int
    seconds: float = 0


def cases(table: Mapping[str, Any]) -> Iterator[tuple[str, Case]]:
    """Each combination of a case's faults, calls and ways to connect."""
    fields: dict[str, Any] = dict(table)
    name, calls, places = fields.pop("name"), fields.pop("calls"), fields.pop("on", ["fresh"])
    for label, filled in _fill(fields):
        for call, on in itertools.product(calls, places):
            yield _join(name, label, call, on), Case(**filled, call=call, on=on)


def flows(table: Mapping[str, Any]) -> Iterator[tuple[str, Flow]]:
    """A flow with each of its faults."""
    fields: dict[str, Any] = dict(table)
    name = fields.pop("name")
    for label, filled in _fill(fields):
        yield _join(name, label), Flow(**filled)


def _join(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _fill(fields: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Put each fault where ``{fault}`` stands."""
    for played in fields.pop("faults", [""]):
        filled = {key: _put(value, played) for key, value in fields.items()}
        if fields.get("status") == "{fault}":
            filled["status"] = _status(played)
        yield _label(played), filled


def _put(value: Any, played: Step) -> Any:
    if isinstance(value, list):
        return [played if step == "{fault}" else step for step in cast("list[Step]", value)]
    if isinstance(value, dict):
        return {key: _put(each, played) for key, each in cast("dict[str, Any]", value).items()}
    return value


def _status(played: Step) -> int | None:
    if isinstance(played, str):
        return int(played.split("-")[1]) if played.startswith("status-") else None
    status: int = played.get("status", 200)
    return status


def _label(played: Step) -> str:
    if isinstance(played, str):
        return played
    headers = [f"{name}={value}" for name, value in played.get("headers", {}).items()]
    return " ".join([str(played.get("status", 200)), *headers, played.get("body", "")]).strip()


def collect(section: str) -> list[Any]:
    """What the files hold in a section, as parameters of a test."""
    found: list[Any] = []
    for path in sorted(FOLDER.glob("*.toml")):
        for table in tomllib.loads(path.read_text("utf-8")).get(section, []):
            read = cases(table) if section == "cases" else flows(table)
            found += [pytest.param(case, id=f"{path.stem}: {label}") for label, case in read]
    return found


def play(step: Step, *, good: Behaviour) -> Behaviour:
    """One entry of a script."""
    if isinstance(step, str):
        return good if step == "ok" else fault(step)
    fields = dict(step)
    body: str = fields.pop("body", "{}")
    return answer(fields.pop("status", 200), body.encode(), **fields.pop("headers", {}), **fields)
