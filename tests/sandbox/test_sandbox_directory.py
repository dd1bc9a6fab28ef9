from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import MAGIC_BUYERS, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

SIREN = "812345676"
SIRET = "81234567600017"
STRANGER = {"headers": {"Authorization": "another-key"}}
CONTROL = {"headers": {"Authorization": None, "X-PDP-Client-Id": None}, "judged": False}


@pytest.fixture
def publish(call: Any) -> Callable[..., Any]:
    async def put(**entry: Any) -> Any:
        return await call(
            "POST", "/_sandbox/directory", json={"siren": SIREN, "name": "Canal", **entry}, **CONTROL
        )

    return put


@pytest.mark.parametrize(("siren", "scenario"), MAGIC_BUYERS.items())
async def test_a_magic_buyer_is_listed_unless_it_has_no_platform(
    call: Any, siren: str, scenario: str
) -> None:
    reply = await call("GET", f"/directory/{siren}")
    lines = await call("GET", f"/mandates/directory/{siren}", headers={"X-PDP-Client-Id": None})
    if scenario.startswith("not_delivered"):
        assert (reply.status, lines.status) == (404, 404)
    else:
        assert reply.body["siren"] == siren
        assert reply.body["addressable"] is True
        assert lines.body == [reply.body]


async def test_every_sponsor_sees_the_lines_of_active_mandates(call: Any, sandbox: Sandbox) -> None:
    mandate = {"start_date": "2024-01-15T00:00:00Z", "directory_entry": {"siren": SIREN, "name": "Vauban"}}
    await call("POST", "/mandates", json=mandate)
    assert (await call("GET", f"/directory/{SIREN}", **STRANGER)).status == 404
    sandbox.clock.advance(10)
    mine = await call("GET", f"/directory/{SIREN}")
    assert mine.body["name"] == "Vauban"
    assert mine.body["updated_at"] > mine.body["created_at"]
    assert (await call("GET", f"/directory/{SIREN}", **STRANGER)).body == mine.body
    assert (await call("GET", f"/mandates/directory/{SIREN}", **STRANGER)).body == [mine.body]


async def test_the_lines_of_a_company_are_listed_its_own_first(call: Any, publish: Any) -> None:
    code = {"routing_identifier": "SERVICE-1", "routing_identifier_type": "0224"}
    await publish(siret=SIRET, **code, routing_code_label="Comptabilité")
    await publish(siret=SIRET, address={"city_name": "Lille"})
    await publish(suffix="RH", establishment_nature="Public")
    assert (await call("GET", f"/directory/{SIREN}")).status == 404, "none is for the company as a whole"
    assert (await publish()).status == 200
    lines = (await call("GET", f"/mandates/directory/{SIREN}")).body
    marks = [(one.get("siret"), one.get("suffix"), one.get("routing_identifier")) for one in lines]
    assert marks == [
        (None, None, None),
        (None, "RH", None),
        (SIRET, None, None),
        (SIRET, None, "SERVICE-1"),
    ]
    assert (await call("GET", f"/directory/{SIREN}")).body == lines[0]


async def test_a_line_supersedes_an_earlier_one_of_its_mesh(call: Any, publish: Any) -> None:
    await publish(name="Before")
    await publish(name="After")
    (line,) = (await call("GET", f"/mandates/directory/{SIREN}")).body
    assert line["name"] == "After"


async def test_a_line_can_say_that_nothing_is_to_be_addressed_to_it(call: Any, publish: Any) -> None:
    await publish(addressable=False)
    assert (await call("GET", f"/directory/{SIREN}")).body["addressable"] is False


@pytest.mark.parametrize("path", ["/directory", "/mandates/directory"])
@pytest.mark.parametrize("siren", ["812345677", "81234567", SIRET, "81234567X", "812%20345%20676"])
async def test_what_is_no_siren_is_refused(call: Any, path: str, siren: str) -> None:
    reply = await call("GET", f"{path}/{siren}")
    assert reply.status == 422
    assert reply.body["detail"][0]["loc"] == ["path", "siren"]


@pytest.mark.parametrize("path", ["/directory", "/mandates/directory"])
async def test_a_company_without_a_line_is_not_found(call: Any, path: str) -> None:
    reply = await call("GET", f"{path}/{SIREN}")
    assert (reply.status, reply.body["code"]) == (404, 404)
    assert SIREN in reply.body["error"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"siren": "1"}, "siren: 1 is no SIREN"),
        ({"name": None}, "name: "),
        ({"routing_identifier_type": "0999"}, "routing_identifier_type: "),
        ({"suffix": "A", "siret": SIRET}, "suffix: a suffix goes with the SIREN alone"),
    ],
)
async def test_the_control_api_takes_entries_that_the_description_has(
    call: Any, publish: Any, entry: dict[str, Any], message: str
) -> None:
    reply = await publish(**entry)
    assert reply.status == 400
    assert message in reply.body["error"]
    assert (await call("GET", f"/directory/{SIREN}")).status == 404


async def test_reset_leaves_the_magic_buyers_alone_in_the_directory(
    call: Any, publish: Any, sandbox: Sandbox
) -> None:
    await publish()
    assert (await call("GET", f"/directory/{SIREN}")).status == 200
    sandbox.reset()
    assert (await call("GET", f"/directory/{SIREN}")).status == 404
    assert (await call("GET", "/directory/999990005")).status == 200
