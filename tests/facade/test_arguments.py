"""Every argument of every resource method reaches its operation, and every parameter can be given."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import attrs
import pytest

from seqino import resources
from seqino._core.wire import UNSET, File, Operation, PageAnswer
from seqino._generated import operations
from seqino.errors import WaitTimedOut
from seqino.options import CallOptions
from seqino.pagination import Pager

if TYPE_CHECKING:
    from seqino.resources.base import Resource
    from tests.facade.conftest import Clock

OPTIONS = CallOptions(timeout=7)

KINDS: list[type[Resource]] = [getattr(resources, name) for name in resources.__all__]

FOLLOWING = {"history", "wait_until", "watch", "poll"}
COMPOSED = FOLLOWING | {"expiring", "find", "is_reachable", "modify", "wait_until_active"}
"""Methods that are more than one operation."""

METHODS: dict[str, tuple[type[Resource], str]] = {
    f"{kind.__name__}.{name}": (kind, name)
    for kind in KINDS
    for name, method in vars(kind).items()
    if inspect.isfunction(method) and not name.startswith("_") and name not in COMPOSED
}


@attrs.define
class Recorder:
    """A caller that answers next to nothing, and notes what it was asked."""

    calls: list[dict[str, Any]] = attrs.field(factory=list[Any])
    base_url: str = "https://pdp.example/api"
    client_id: str | None = None
    check_digits: bool = True
    timeout: float = 60.0

    async def call(
        self,
        operation: Operation[Any],
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Any = UNSET,
        options: CallOptions | None = None,
    ) -> Any:
        self.calls.append(
            {"operation": operation, "parameters": parameters or {}, "body": body, "options": options}
        )
        return [] if "list[" in str(operation.responses) else SimpleNamespace(client_id="c", id=None)

    async def call_page(
        self,
        operation: Operation[Any],
        *,
        parameters: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
        position: str | None = None,
    ) -> PageAnswer:
        assert position is None
        items = await self.call(operation, parameters=parameters, options=options)
        return PageAnswer(items=items, position=None, next=None)


async def recorded(kind: type[Resource], name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    recorder = Recorder()
    result: Any = getattr(kind(recorder), name)(**given)
    await (result.to_list() if isinstance(result, Pager) else result)  # pyright: ignore[reportUnknownMemberType]
    [call] = recorder.calls
    return call


def returned(kind: type[Resource], name: str) -> str:
    """What a method says that it returns."""
    return str(inspect.signature(getattr(kind, name)).return_annotation)


def argument(name: str) -> Any:
    """A value that is recognised again."""
    if name == "options":
        return OPTIONS
    return File(name="a.xml", content=b"<a/>") if name == "file" else f"the {name}"


def values_in(thing: object) -> list[object]:
    """All values that stand somewhere in an operation's arguments."""
    if isinstance(thing, Mapping):
        return [value for part in cast("Mapping[str, object]", thing).values() for value in values_in(part)]
    if attrs.has(type(thing)) and not isinstance(thing, (File, CallOptions)):
        named = [getattr(thing, field.name) for field in attrs.fields(cast("Any", type(thing)))]
        return [value for part in named for value in values_in(part)]
    return [thing]


@pytest.mark.parametrize(("kind", "name"), METHODS.values(), ids=METHODS)
async def test_each_argument_reaches_the_operation(kind: type[Resource], name: str) -> None:
    names = [each for each in inspect.signature(getattr(kind, name)).parameters if each != "self"]
    given = {each: argument(each) for each in names}
    call = await recorded(kind, name, given)
    sent = [*values_in(call["parameters"]), *values_in(call["body"])]
    assert call["options"] is OPTIONS
    for each in names:
        assert each in ("options", "keep_unreadable") or given[each] in sent, each


@pytest.mark.parametrize(("kind", "name"), METHODS.values(), ids=METHODS)
async def test_each_parameter_of_the_operation_can_be_given(kind: type[Resource], name: str) -> None:
    names = [each for each in inspect.signature(getattr(kind, name)).parameters if each != "self"]
    call = await recorded(kind, name, {each: argument(each) for each in names})
    operation: Operation[Any] = call["operation"]
    given = {each for each, value in call["parameters"].items() if value is not None and value is not UNSET}
    assert given == {parameter.name for parameter in operation.parameters}
    assert (call["body"] is not UNSET) == (operation.body is not None)


@pytest.mark.parametrize(("kind", "name"), METHODS.values(), ids=METHODS)
async def test_what_is_left_out_is_not_sent(kind: type[Resource], name: str) -> None:
    signature = inspect.signature(getattr(kind, name)).parameters
    needed = [
        each for each in signature if each != "self" and signature[each].default is inspect.Parameter.empty
    ]
    call = await recorded(kind, name, {each: argument(each) for each in needed})
    operation: Operation[Any] = call["operation"]
    given = {each for each, value in call["parameters"].items() if value is not None and value is not UNSET}
    must = {each.name for each in operation.parameters if each.required and not each.scope}
    assert given == must
    assert call["options"] is None


LISTS = {name: method for name, method in METHODS.items() if "Pager[" in returned(*method)}


@pytest.mark.parametrize(("kind", "name"), LISTS.values(), ids=LISTS)
async def test_a_list_says_what_its_operation_lists(kind: type[Resource], name: str) -> None:
    # How a list goes on is data, so that no type checker sees what is in a page.
    names = [each for each in inspect.signature(getattr(kind, name)).parameters if each != "self"]
    call = await recorded(kind, name, {each: argument(each) for each in names})
    item = returned(kind, name).partition(" | ")[0].removeprefix("Pager[").removesuffix("]")
    forms = [str(form) for form in call["operation"].responses.values()]
    assert any(f"list[seqino._generated.models.{item}]" in form for form in forms)


@pytest.mark.parametrize("name", sorted(FOLLOWING))
async def test_following_is_done_on_behalf_of_whom_it_is_asked_for(name: str, clock: Clock) -> None:
    recorder = Recorder()
    lifecycle = resources.Lifecycle(recorder, clock.runtime())
    given: dict[str, Any] = {"client_id": "c", "options": OPTIONS}
    if name == "history":
        await lifecycle.history("i", **given)
    elif name == "poll":
        await lifecycle.poll(object_type="invoice", object_id="i", **given)
    elif name == "watch":
        _ = [change async for change in lifecycle.watch("i", max_age=timedelta(0), **given)]
    else:
        with pytest.raises(WaitTimedOut):
            await lifecycle.wait_until("i", timeout=100, **given)
    for call in recorder.calls:
        assert call["parameters"] == {"object_type": "invoice", "object_id": "i", "client_id": "c"}
        assert call["options"] in (OPTIONS, CallOptions(timeout=1))
    assert recorder.calls


def test_the_lists_are_those_of_the_description() -> None:
    assert len(LISTS) >= 4


@pytest.mark.reconstruction
def test_there_is_one_method_for_each_operation_below_the_api() -> None:
    below = {
        operation.name
        for operation in vars(operations).values()
        if isinstance(operation, Operation) and not operation.outside_api
    }
    assert len(METHODS) == len(below)
