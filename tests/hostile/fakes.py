"""An engine whose transport answers from memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
from multidict import CIMultiDict, CIMultiDictProxy

from seqino._core.call import CallEngine
from seqino._core.codec import Codec
from seqino._core.config import Config, Secret
from seqino._core.runtime import Runtime
from seqino._core.transport import Answer
from seqino._core.wire import File, Operation
from seqino._generated import operations
from seqino._generated.tables import CONSTRAINTS
from tests.hostile.samples import IDENTIFIERS, document

if TYPE_CHECKING:
    from seqino._core.request import Request
    from seqino._core.transport import SendMark

OPERATIONS: dict[str, Operation[Any]] = {
    operation.name: operation for operation in vars(operations).values() if isinstance(operation, Operation)
}

CODEC = Codec(CONSTRAINTS)
"""One for all tests, as a process has it."""


@attrs.define
class FakeTransport:
    """Gives one answer to everything."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    sends: int = 0

    async def send(self, request: Request, *, key: object, mark: SendMark | None) -> Answer:
        del request, key
        self.sends += 1
        if mark is not None:
            mark.begin(None)
        return Answer(status=self.status, headers=CIMultiDictProxy(CIMultiDict(self.headers)), body=self.body)

    async def aclose(self) -> None: ...


@attrs.define
class Time:
    now: float = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def runtime(self) -> Runtime:
        return Runtime(monotonic=lambda: self.now, wall=lambda: 1_700_000_000.0 + self.now, sleep=self.sleep)


def engine(transport: FakeTransport, **changes: Any) -> CallEngine:
    settings: dict[str, Any] = {
        "api_key": Secret("key-1"),
        "client_id": "acme",
        "base_url": "https://pdp.example/api",
        "max_retries": 0,
        **changes,
    }
    made = CallEngine(Config(**settings), CODEC, runtime=Time().runtime())
    shared_of(made).transport = transport
    return made


def shared_of(made: CallEngine) -> Any:
    """What the engine shares with its copies."""
    return vars(made)["_shared"]


def arguments(operation: Operation[Any]) -> dict[str, Any]:
    """What an operation must be given."""
    given: dict[str, Any] = {
        "parameters": {
            parameter.name: IDENTIFIERS[parameter.identifier] if parameter.identifier else "a-1"
            for parameter in operation.parameters
            if parameter.required and not parameter.scope
        }
    }
    if operation.body is not None and operation.body.required:
        given["body"] = _body(operation)
    return given


def _body(operation: Operation[Any]) -> Any:
    assert operation.body is not None
    if operation.body.kind == "multipart":
        return {"file": File(name="a.xml", content=b"<a/>")}
    return CODEC.decode(document(operation.body.type, whole=False).text, operation.body.type)
