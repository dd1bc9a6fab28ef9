"""``x-pagination``: what is refused, and lists that are followed as the overlay declares, over HTTP."""

# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# Documents of JSON, written out, have no narrower type; nor has a module that a test generates.

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from codegen import paging, pipeline
from codegen.__main__ import main
from codegen.documents import Doc
from codegen.ir import Api, Operation, Pagination
from codegen.problems import CodegenError
from seqino._core.wire import Pagination as Declared
from seqino.client import SeqinoClient
from seqino.errors import BrokenPages, InvalidInput, PageToken, ServerError
from seqino.options import CallOptions
from seqino.pagination import Pager

if TYPE_CHECKING:
    from pathlib import Path

Describe = Callable[..., Doc]
Understand = Callable[..., Api]
Workshop = Callable[..., pipeline.Inputs]
Load = Callable[[str], ModuleType]

THING = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
SHELF = {
    "type": "object",
    "properties": {
        "in": {"$ref": "#/components/schemas/Things"},
        "meta": {"anyOf": [{"$ref": "#/components/schemas/Meta"}, {"type": "null"}]},
    },
}
META = {
    "type": "object",
    "properties": {
        "from": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "offset": {"type": "integer"},
        "open": {"type": "object", "additionalProperties": True},
        "names": {"type": "object", "additionalProperties": {"type": "string"}},
        "day": {"type": "string", "format": "date"},
        "any": {},
    },
}
THINGS = {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}
SCHEMAS = {"Thing": THING, "Things": THINGS, "Meta": META, "Shelf": SHELF}
QUERY = [
    {"name": name, "in": "query", "schema": {"type": "string"}, "required": name == "must"}
    for name in ("kind", "from", "must")
]


def _list(schema: str, parameters: list[Any], **more: Any) -> Doc:
    answer = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {
        "parameters": parameters,
        "responses": {"200": {"description": "d", "content": answer}},
        **more,
    }


@pytest.fixture
def listed(describe: Describe, understand: Understand) -> Callable[..., Operation]:
    """What becomes of an operation that lists things, with what the overlay would say of it."""

    def make(paginated: Any, *, schema: str = "Shelf", method: str = "get", **more: Any) -> Operation:
        operation = _list(schema, QUERY, **{"x-pagination": paginated, **more})
        api = understand(describe(schemas=SCHEMAS, paths={"/things": {method: operation}}))
        return paging.named(api).operations[0]

    return make


CURSOR = {"items": "/in", "cursor": "/meta/from", "parameter": "from_"}


def test_places_become_names_in_python(listed: Callable[..., Operation]) -> None:
    assert listed(CURSOR).pagination == Pagination(
        items=("in_",), cursor=("meta", "from_"), parameter="from_"
    )
    assert listed({"link": "next"}, schema="Things").pagination == Pagination(link="next")
    assert listed({"link": "next", "items": "/in"}).pagination == Pagination(link="next", items=("in_",))


@pytest.mark.parametrize("place", ["/meta/offset", "/meta/open/x~1y", "/meta/names/next", "/meta/any/deep"])
def test_a_cursor_may_be_a_number_or_stand_where_the_description_is_open(
    place: str, listed: Callable[..., Operation]
) -> None:
    made = listed({**CURSOR, "cursor": place}).pagination
    assert made is not None
    assert list(made.cursor) == place.replace("~1", "|").replace("/", " ").replace("|", "/").split()


@pytest.mark.parametrize(
    ("paginated", "said"),
    [
        ("next", "needs link"),
        ({}, "needs link"),
        ({"items": "/in"}, "needs link"),
        ({"cursor": "/meta/from"}, "needs link"),
        ({"parameter": "from_"}, "needs link"),
        ({**CURSOR, "link": "next"}, "needs link"),
        ({**CURSOR, "page": "1"}, "needs link"),
        ({"link": ""}, "must be a text that is not empty"),
        ({"link": True}, "must be a text that is not empty"),
        ({**CURSOR, "cursor": "meta"}, "'meta' is no JSON Pointer"),
        ({**CURSOR, "items": "/out"}, "no list stands at /out"),
        ({**CURSOR, "items": "/meta"}, "no list stands at /meta"),
        ({"link": "next"}, "no list stands at the root"),
        ({**CURSOR, "cursor": "/meta/gone"}, "neither text nor a number stands at /meta/gone"),
        ({**CURSOR, "cursor": "/in"}, "neither text nor a number stands at /in"),
        ({**CURSOR, "cursor": "/in/x"}, "neither text nor a number stands at /in/x"),
        ({**CURSOR, "cursor": "/meta/day"}, "neither text nor a number stands at /meta/day"),
        ({**CURSOR, "parameter": "from"}, "it has no parameter from"),
        ({**CURSOR, "parameter": "must"}, "must is no query parameter that may be left out"),
    ],
)
def test_what_does_not_fit_the_description_is_refused(
    paginated: Any, said: str, listed: Callable[..., Operation]
) -> None:
    with pytest.raises(CodegenError, match="x-pagination") as caught:
        listed(paginated)
    assert said in caught.value.message
    assert caught.value.place == "#/paths/~1things/get"


@pytest.mark.parametrize("more", [{"method": "post"}, {"x-effect": "create"}])
def test_only_a_read_is_read_page_by_page(more: Any, listed: Callable[..., Operation]) -> None:
    with pytest.raises(CodegenError, match="only a GET that is safe"):
        listed(CURSOR, **more)


def test_an_answer_without_a_body_has_no_pages(describe: Describe, understand: Understand) -> None:
    with pytest.raises(CodegenError, match="no list stands at the root"):
        understand(describe(paths={"/things": {"get": {"x-pagination": {"link": "next"}}}}))


# --- Over HTTP


class Shelves:
    """A small platform that lists the numbers from 1 on in pages, linked or with a cursor."""

    def __init__(self) -> None:
        self.url = ""
        self.size = 3
        self.last = 7
        self.requests: list[web.Request] = []
        self.broken: set[int] = set()
        """First numbers of pages that are answered with 500."""
        self.links: Callable[[int], str] = lambda first: f"?after={first - 1}&kind=a"
        """What the link to the page that begins with a number looks like."""
        self.cursors: Callable[[int], str] = lambda first: str(first - 1)
        """The same of its cursor."""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/linked", self._linked)
        app.router.add_get("/api/cursor", self._with_cursor)
        return app

    def _page(self, request: web.Request, name: str) -> tuple[list[dict[str, int]], int | None]:
        self.requests.append(request)
        first = int(request.query.get(name, "0")) + 1
        if first in self.broken:
            raise web.HTTPInternalServerError
        numbers = range(first, min(first + self.size, self.last + 1))
        following = first + self.size if first + self.size <= self.last else None
        return [{"id": number} for number in numbers], following

    async def _linked(self, request: web.Request) -> web.Response:
        things, following = self._page(request, "after")
        response = web.json_response(things)
        if following is not None:
            response.headers["Link"] = (
                f'<https://docs.example/>; rel="help", <{self.links(following)}>; rel="next"'
            )
        return response

    async def _with_cursor(self, request: web.Request) -> web.Response:
        things, following = self._page(request, "from")
        meta = None if following is None else {"from": self.cursors(following)}
        return web.json_response({"in": things, "meta": meta})


@pytest.fixture
async def shelves() -> AsyncIterator[Shelves]:
    made = Shelves()
    async with TestServer(made.app()) as server:
        made.url = str(server.make_url("/api"))
        yield made


@pytest.fixture
async def client(
    shelves: Shelves, api: ModuleType, load_package: Load, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SeqinoClient]:
    """A client of that platform that reads the generated models."""
    assert api is not None
    monkeypatch.setattr("seqino.client.making.WIRE_NAMES", load_package("_generated.tables").WIRE_NAMES)
    options = {"api_key": "key-1", "client_id": "acme", "max_retries": 0}
    async with SeqinoClient(base_url=shelves.url, **options) as made:  # type: ignore[arg-type]
        yield made


@pytest.fixture
def api(describe: Describe, workshop: Workshop, load_package: Load) -> ModuleType:
    """Functions generated from a description whose lists are declared in an overlay."""
    scope = {
        "name": "X-PDP-Client-Id",
        "in": "header",
        "schema": {"type": "string"},
        "x-python-name": "client_id",
        "x-scope": True,
    }
    secured = {
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"Key": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        },
        "security": [{"Key": []}],
    }
    paths = {
        "/linked": {"get": _list("Things", [scope, QUERY[0]])},
        "/cursor": {"get": _list("Shelf", [scope, *QUERY[:2]])},
    }
    actions = [
        {"target": "$.paths['/linked'].get", "update": {"x-pagination": {"link": "next"}}},
        {"target": "$.paths['/cursor'].get", "update": {"x-pagination": CURSOR}},
    ]
    inputs = workshop(describe(paths=paths, **secured), actions)
    files = ("--description", str(inputs.description), "--overlay", str(inputs.overlay))
    assert main(["generate", *files, "--output", str(inputs.output)]) == 0
    return load_package("_generated.operations")


def pager(api: ModuleType, client: SeqinoClient, way: str, **given: Any) -> Pager[Any]:
    ask = api.get_linked if way == "linked" else api.get_cursor
    return Pager(client, lambda caller: ask(caller, kind="a", **given))


WAYS = pytest.mark.parametrize("way", ["linked", "cursor"])


def test_the_descriptor_says_how_the_list_goes_on(api: ModuleType) -> None:
    assert Declared(link="next") == api.GET_LINKED.pagination
    assert Declared(items=("in_",), cursor=("meta", "from_"), parameter="from_") == api.GET_CURSOR.pagination


@WAYS
async def test_a_list_is_followed_to_its_end(
    way: str, api: ModuleType, client: SeqinoClient, shelves: Shelves
) -> None:
    things = pager(api, client, way)
    assert [thing.id async for thing in things] == [1, 2, 3, 4, 5, 6, 7]
    assert [request.query["kind"] for request in shelves.requests] == ["a"] * 3
    for request in shelves.requests:
        assert (request.headers["Authorization"], request.headers["X-PDP-Client-Id"]) == ("key-1", "acme")
    assert [len(page.items) async for page in things.by_page()] == [3, 3, 1]


@WAYS
async def test_the_options_and_the_client_of_a_call_hold_for_each_page(
    way: str, api: ModuleType, client: SeqinoClient, shelves: Shelves
) -> None:
    options = CallOptions(extra_headers={"X-Trace": "t-1"})
    things = pager(api, client, way, client_id="other", options=options)
    response = await client.raw(things.to_list())
    assert [thing.id for thing in response.value] == list(range(1, 8))
    assert b'"id": 7' in response.content
    for request in shelves.requests:
        assert (request.headers["X-Trace"], request.headers["X-PDP-Client-Id"]) == ("t-1", "other")


@pytest.mark.parametrize(
    "form",
    ["{url}/linked?after={after}", "/api/linked?after={after}", "linked?after={after}", "?after={after}#x"],
)
async def test_a_link_may_be_absolute_or_relative(
    form: str, api: ModuleType, client: SeqinoClient, shelves: Shelves
) -> None:
    shelves.links = lambda first: form.format(url=shelves.url, after=first - 1)
    assert [thing.id async for thing in pager(api, client, "linked")] == list(range(1, 8))


async def test_a_link_to_another_server_is_refused_and_nothing_is_sent_there(
    api: ModuleType, client: SeqinoClient, shelves: Shelves
) -> None:
    other = Shelves()
    async with TestServer(other.app()) as server:
        shelves.links = lambda first: str(server.make_url(f"/api/linked?after={first - 1}"))
        with pytest.raises(BrokenPages, match="leads elsewhere than below") as caught:
            await pager(api, client, "linked").to_list()
    assert (other.requests, len(shelves.requests)) == ([], 1)
    assert (caught.value.status, caught.value.outcome, caught.value.continuation) == (200, "done", None)
    assert "key-1" not in str(caught.value)


async def test_a_list_that_links_to_its_own_beginning_is_noticed(
    api: ModuleType, client: SeqinoClient, shelves: Shelves
) -> None:
    shelves.links = lambda _: "/api/linked?kind=a"
    with pytest.raises(BrokenPages, match="get_linked: its pages repeat themselves"):
        await pager(api, client, "linked").to_list()
    assert len(shelves.requests) == 1


@WAYS
async def test_empty_pages_without_end_are_noticed(
    way: str, api: ModuleType, client: SeqinoClient, shelves: Shelves
) -> None:
    shelves.size, shelves.last = 1, 10_000
    page, shelves._page = shelves._page, lambda request, name: ([], page(request, name)[1])  # type: ignore[method-assign]
    with pytest.raises(BrokenPages, match="100 pages in a row are empty") as caught:
        await pager(api, client, way).to_list()
    assert len(shelves.requests) == 100
    assert caught.value.continuation is not None


RESUME = """
import asyncio, json, sys
import seqino.client.making
from made._generated import operations, tables
from seqino.client import SeqinoClient
from seqino.pagination import Pager, PageToken

async def main(url, way, token):
    seqino.client.making.WIRE_NAMES = tables.WIRE_NAMES
    async with SeqinoClient("key-1", client_id="acme", base_url=url) as client:
        ask = getattr(operations, f"get_{way}")
        things = Pager(client, lambda caller: ask(caller, kind="a")).after(PageToken(**json.loads(token)))
        print([thing.id async for thing in things])

asyncio.run(main(*sys.argv[1:]))
"""


@WAYS
async def test_a_failure_in_the_middle_is_gone_on_from_in_another_process(
    way: str, api: ModuleType, client: SeqinoClient, shelves: Shelves, tmp_path: Path
) -> None:
    shelves.broken = {4}
    seen: list[int] = []
    things = pager(api, client, way)

    async def read() -> None:
        async for thing in things:
            seen.append(thing.id)  # noqa: PERF401 - what was read before the failure stays

    with pytest.raises(ServerError) as caught:
        await read()
    assert (seen, caught.value.continuation is None) == ([1, 2, 3], False)
    token = json.dumps(attrs.asdict(caught.value.continuation))  # type: ignore[arg-type]
    assert "key-1" not in token
    shelves.broken = set()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RESUME, shelves.url, way, token), cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert output.decode().strip() == "[4, 5, 6, 7]"


KEY = "secret-key-of-some-length"


@WAYS
async def test_a_key_in_a_position_gets_into_no_token_and_no_error(
    way: str, api: ModuleType, client: SeqinoClient, shelves: Shelves
) -> None:
    shelves.links = lambda first: f"?after={first - 1}&key={KEY.replace('-', '%2D')}"
    shelves.cursors = lambda first: f"{first} for {KEY}"
    assert client.base_url == shelves.url
    async with SeqinoClient(KEY, client_id="acme", base_url=shelves.url) as careless:
        with pytest.raises(BrokenPages, match="with the API key in it") as caught:
            await pager(api, careless, way).to_list()
    assert KEY not in f"{caught.value} {vars(caught.value)!r}"


@pytest.mark.parametrize("position", ["https://evil.example/", "//../x", "/a b", ""])
async def test_a_token_that_was_tampered_with_leads_nowhere_else(
    position: str, api: ModuleType, client: SeqinoClient, shelves: Shelves
) -> None:
    token = PageToken(
        operation="get_linked",
        client_id="acme",
        parameters={"kind": "a"},
        base_url=shelves.url,
        position=position,
    )
    with pytest.raises(InvalidInput, match="no path below the base URL"):
        await pager(api, client, "linked").after(token).to_list()
    assert shelves.requests == []


async def test_a_cursor_that_is_no_text_is_told_with_the_answer(
    api: ModuleType, client: SeqinoClient, shelves: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = attrs.evolve(api.GET_CURSOR.pagination, cursor=("in_",))
    monkeypatch.setattr(api, "GET_CURSOR", attrs.evolve(api.GET_CURSOR, pagination=place))
    with pytest.raises(BrokenPages, match=r"its cursor \(in_\) is neither text nor a number") as caught:
        await pager(api, client, "cursor").to_list()
    assert json.loads(caught.value.raw)["in"][0] == {"id": 1}
    assert len(shelves.requests) == 1
