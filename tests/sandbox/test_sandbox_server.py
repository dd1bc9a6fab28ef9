from __future__ import annotations

import ast
import asyncio
import gc
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

import seqino.sandbox
from seqino.sandbox import Sandbox, SandboxError
from seqino.sandbox.description import SHIPPED, Description
from tests.sandbox.wires import front_of

if TYPE_CHECKING:
    from collections.abc import Callable

SANDBOX = Path(seqino.sandbox.__file__).parent
SOURCES = sorted(SANDBOX.rglob("*.py"))
ALLOWED = {
    "aiohttp",
    "attrs",
    "jsonschema_rs",
    "msgspec",  # reads and writes JSON; what it may hold is judged by jsonschema-rs all the same
    "pypdf",
    "seqino.sandbox",
    "stdnum",
    *sys.stdlib_module_names,
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SANDBOX)))
def test_the_sandbox_shares_no_code_with_the_client(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        for name in names:
            room = "seqino.sandbox" if name.startswith("seqino.sandbox") else name.partition(".")[0]
            assert room in ALLOWED, f"{path.name} imports {name}"


def test_the_sandbox_loads_nothing_of_the_client() -> None:
    code = (
        "import sys, seqino.sandbox\n"
        "loaded = [name for name in sys.modules if name.startswith('seqino.')]\n"
        "sys.exit(str([n for n in loaded if not n.startswith('seqino.sandbox')] or 0) if any("
        "not n.startswith('seqino.sandbox') for n in loaded) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr


def test_without_its_extra_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['jsonschema_rs'] = None; import seqino.sandbox"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert "pip install 'seqino[sandbox]'" in done.stderr


async def test_a_busy_port_is_said_clearly(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(SandboxError, match=f"port {port} is already in use"):
        await Sandbox(port=port).start()


async def test_an_address_of_another_machine_is_said_clearly() -> None:
    with pytest.raises(SandboxError, match=r"cannot listen on 192\.0\.2\.1:0"):
        await Sandbox(host="192.0.2.1").start()


async def test_it_is_started_once_and_stopped_as_often_as_one_likes() -> None:
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    assert "stopped" in repr(sandbox)
    await sandbox.start()
    assert sandbox.url in repr(sandbox)
    with pytest.raises(RuntimeError, match="running already"):
        await sandbox.start()
    url = sandbox.url
    await sandbox.stop()
    await sandbox.stop()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"{url}/health")


async def test_a_connection_that_still_comes_when_it_has_stopped_is_closed() -> None:
    async with Sandbox() as sandbox:
        front = front_of(sandbox)
    accepted, other_side = socket.socketpair()
    with other_side:
        other_side.setblocking(False)  # noqa: FBT003 - as it is declared
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(front, accepted)
        async with asyncio.timeout(60):
            assert await loop.sock_recv(other_side, 1) == b""


async def test_the_world_outlives_a_stop(calling: Callable[[Sandbox], Any]) -> None:
    sandbox = Sandbox(speed=0)
    async with sandbox:
        draft_id = await calling(sandbox).create()
    async with sandbox:
        assert (await calling(sandbox)("GET", f"/drafts/{draft_id}")).status == 200


async def test_it_serves_until_cancelled() -> None:
    sandbox = Sandbox()
    serving = asyncio.create_task(sandbox.serve_forever())
    while "stopped" in repr(sandbox):  # noqa: ASYNC110 - it gives no other sign
        await asyncio.sleep(0)
    async with aiohttp.ClientSession() as session, session.get(f"{sandbox.url}/health") as response:
        assert response.status == 200
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert "stopped" in repr(sandbox)


async def test_one_that_was_started_can_serve() -> None:
    async with Sandbox() as sandbox:
        serving = asyncio.create_task(sandbox.serve_forever())
        await asyncio.sleep(0)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving


async def test_an_ipv6_address_is_written_in_brackets() -> None:
    sandbox = Sandbox(host="::1")
    try:
        await sandbox.start()
    except SandboxError:  # pragma: no cover - a machine without IPv6
        pytest.skip("no IPv6 here")
    assert sandbox.url.startswith("http://[::1]:")
    await sandbox.stop()


async def test_ids_follow_from_the_seed(calling: Callable[[Sandbox], Any]) -> None:
    ids: list[str] = []
    for seed in (1, 1, 2):
        async with Sandbox(seed=seed) as sandbox:
            ids.append(await calling(sandbox).create())
    assert ids[0] == ids[1] != ids[2]


def test_an_unknown_scenario_is_refused_before_anything_starts() -> None:
    with pytest.raises(ValueError, match=r"no scenario 'sunny'; there are: paid"):
        Sandbox(scenario="sunny")


@pytest.mark.parametrize(
    "content", [None, b"", b"[]", b"{}", b'{"components": {}, "paths": {"/a": {"get": {}}}}']
)
def test_what_is_no_description_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "description.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match="no OpenAPI description in JSON"):
        Sandbox(description=str(path))


def test_a_description_without_invoices_leaves_nothing_to_play(tmp_path: Path) -> None:
    document = json.loads(SHIPPED.read_bytes())
    del document["paths"]["/drafts"]
    path = tmp_path / "description.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="does not describe POST /drafts"):
        Sandbox(description=path)


def test_a_description_is_kept_no_longer_than_its_sandbox(tmp_path: Path) -> None:
    path = tmp_path / "description.json"
    path.write_bytes(SHIPPED.read_bytes())
    before = descriptions()
    Sandbox(description=path)
    assert descriptions() == before


def descriptions() -> int:
    """How many of them are kept by anything."""
    gc.collect()
    return sum(type(one) is Description for one in gc.get_objects())


async def test_a_changed_description_is_played_without_a_change_here(
    tmp_path: Path, calling: Callable[[Sandbox], Any], draft: Callable[..., Any]
) -> None:
    document = json.loads(SHIPPED.read_bytes())
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        properties = schema.get("properties", {})
        if "lines" in properties:  # a renamed field is still the lines: it says BG-25
            properties["invoice_lines"] = properties.pop("lines")
    schemas["SellerParty"]["properties"]["parent"] = {"$ref": "#/components/schemas/SellerParty"}
    document["paths"]["/health"]["get"]["responses"]["default"] = {"description": "anything"}
    document["paths"]["/drafts/archive"] = {"get": {"operationId": "list_archive", "responses": {"200": {}},
                                                    "security": [{"APIKeyHeader": []}]}}  # fmt: skip
    path = tmp_path / "description.json"
    path.write_text(json.dumps(document))
    async with Sandbox(description=path) as sandbox:
        call = calling(sandbox)
        invoice = draft()
        draft_id = (await call("POST", "/drafts", json=invoice)).body["draft_id"]
        assert (await call("POST", f"/drafts/{draft_id}/validate")).body["detail"][0]["loc"] == [
            "draft",
            "invoice_lines",
        ]
        invoice["invoice_lines"] = invoice.pop("lines")
        await call("PUT", f"/drafts/{draft_id}", json=invoice)
        assert (await call("POST", f"/drafts/{draft_id}/validate")).status == 200
        assert "does not play list_archive" in (await call("GET", "/drafts/archive")).body["error"]


def test_values_that_older_pages_publish_are_valid() -> None:
    description = Description()
    validator = description.validator({"$ref": "#/components/schemas/LifecycleStatusCode"})
    assert validator.is_valid("InvoiceLifecycleStatus.COLLECTED")
    assert not validator.is_valid("InvoiceLifecycleStatus.LOST")


@pytest.mark.parametrize(
    "key", ["", "invalid", "Bearer a-secret", "bearer a-secret", " a-secret", "a\0secret"]
)
def test_a_key_that_no_request_could_be_made_with_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="api_key: ") as caught:
        Sandbox(api_key=key)
    assert "secret" not in str(caught.value)
