from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import MAGIC_MANDATES, Sandbox
from seqino.sandbox.identifiers import is_siren
from seqino.sandbox.mandate_outcomes import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Callable

SIREN = "812345676"
SIRET = "81234567600017"
OTHER = {"headers": {"X-PDP-Client-Id": "client_abc123"}}
STRANGER = {"headers": {"Authorization": "another-key"}}
NO_CLIENT = {"headers": {"X-PDP-Client-Id": None}}
MAGIC = {outcome: siren for siren, outcome in MAGIC_MANDATES.items()}
CONTROL = {"headers": {"Authorization": None, "X-PDP-Client-Id": None}, "judged": False}


def mandate(siren: str = SIREN, *, end_date: str | None = None, **entry: Any) -> dict[str, Any]:
    return {
        "start_date": "2024-01-15T00:00:00Z",
        "end_date": end_date,
        "directory_entry": {"siren": siren, "name": "Atelier Vauban SAS", **entry},
    }


@pytest.fixture
def create(call: Any) -> Callable[..., Any]:
    async def make(siren: str = SIREN, *, options: Any = None, **asked: Any) -> dict[str, Any]:
        reply = await call("POST", "/mandates", json=mandate(siren, **asked), **(options or {}))
        assert reply.status == 201, reply
        body: dict[str, Any] = reply.body
        return body

    return make


@pytest.fixture
def status(call: Any) -> Callable[..., Any]:
    async def read(mandate_id: str) -> str:
        return str((await call("GET", f"/mandates/{mandate_id}")).body["status"])

    return read


@pytest.fixture
def move(call: Any) -> Callable[..., Any]:
    async def ask(created: dict[str, Any], to: str, **more: Any) -> Any:
        asked = {"mandate_id": created["id"], "status": to, **more}
        return await call("POST", "/_sandbox/mandates", json=asked, **CONTROL)

    return ask


def later(sandbox: Sandbox, seconds: float) -> str:
    return (sandbox.clock.now() + timedelta(seconds=seconds)).isoformat()


def told(sandbox: Sandbox, created: dict[str, Any]) -> list[tuple[str, str]]:
    client = sandbox.world.sponsors[0].clients[created["client_id"]]
    happenings = client.mandates[created["id"]].happenings(
        datetime.min.replace(tzinfo=UTC), sandbox.clock.now()
    )
    return [(one.event_type, one.data["status"]) for one in happenings]


def test_magic_sirens_are_sirens_and_every_outcome_has_one() -> None:
    assert all(is_siren(siren) for siren in MAGIC_MANDATES)
    assert sorted(MAGIC_MANDATES.values()) == sorted(OUTCOMES)


async def test_a_mandate_becomes_active_by_itself(
    call: Any, sandbox: Sandbox, create: Any, status: Any
) -> None:
    created = await create(end_date="2099-12-31T23:59:59Z", suffix="COMPTA")
    assert created["status"] == "processing"
    assert created["end_date"] == "2099-12-31T23:59:59Z"
    assert created["updated_at"] is None
    assert created["directory_entry"]["addressable"] is False
    assert created["directory_entry"]["suffix"] == "COMPTA"
    sandbox.clock.advance(2.9)
    assert await status(created["id"]) == "processing"
    sandbox.clock.advance(0.1)
    reply = await call("GET", f"/mandates/{created['id']}")
    assert reply.body["status"] == "active"
    assert reply.body["updated_at"] > reply.body["created_at"]
    assert reply.body["directory_entry"]["addressable"] is True
    assert told(sandbox, created) == [("mandate.created", "processing"), ("mandate.activated", "active")]
    assert sandbox.counters.mandates_created == 1


@pytest.mark.parametrize(
    ("outcome", "words", "events"),
    [
        ("active", ["processing", "active", "active"], ["mandate.created", "mandate.activated"]),
        ("pending_kyc", ["pending_kyc", "pending_kyc", "pending_kyc"], ["mandate.created"]),
        ("error", ["processing", "error", "error"], ["mandate.created", "mandate.failed"]),
        ("processing", ["processing", "processing", "processing"], ["mandate.created"]),
    ],
)
async def test_a_magic_siren_decides_what_becomes_of_a_mandate(
    sandbox: Sandbox, create: Any, *, status: Any, outcome: str, words: list[str], events: list[str]
) -> None:
    created = await create(MAGIC[outcome])
    met: list[str] = []
    for step in (1, 3, 100_000):
        sandbox.clock.advance(step)
        met.append(await status(created["id"]))
    assert met == words
    assert [event for event, _ in told(sandbox, created)] == events


async def test_a_mandate_in_error_says_why_and_its_line_is_rejected(
    call: Any, sandbox: Sandbox, create: Any
) -> None:
    created = await create(MAGIC["error"])
    sandbox.clock.advance(60)
    shown = (await call("GET", f"/mandates/{created['id']}")).body
    assert shown["status"] == "error"
    assert "habilité" in shown["error_cause"]
    path = f"/lifecycle-events?object_type=directory_entry&object_id={created['id']}"
    (event,) = (await call("GET", path)).body
    assert event["status_code"] == "DirectoryEntryStatus.REJECTED"
    assert event["rejection_reason"] == "REJ_HAB"
    assert (await call("GET", f"/directory/{MAGIC['error']}")).status == 404


async def test_the_events_of_a_mandate_are_those_that_the_description_has(
    call: Any, sandbox: Sandbox, create: Any
) -> None:
    created = await create()
    sandbox.clock.advance(60)
    by_type: dict[str, list[tuple[str, str]]] = {}
    for kind in ("mandate", "directory_entry", "invoice"):
        reply = await call("GET", f"/lifecycle-events?object_type={kind}&object_id={created['id']}")
        by_type[kind] = [(event["status_code"], event["emitter"]) for event in reply.body]
    assert by_type == {
        "mandate": [("MandateLifecycleStatus.CREATED", "PDPE")],
        "directory_entry": [("DirectoryEntryStatus.ACCEPTED", "PPF")],
        "invoice": [],
    }
    everything = (await call("GET", "/lifecycle-events")).body
    assert len(everything) == 2
    assert not any(event["is_mandatory"] for event in everything)


async def test_who_watches_is_told_of_a_mandate_and_its_line(
    sandbox: Sandbox, create: Any, move: Any
) -> None:
    told_of: list[tuple[str, str]] = []
    sandbox.world.watchers.append(lambda _, record: told_of.append((record.kind, record.key)))
    created = await create(options=OTHER)
    await move(created, "error")
    both = [("mandate", created["id"]), ("directory_entry", created["id"])]
    assert [one for one in told_of if one[0] != "client"] == both * 2


async def test_mandates_are_listed_by_status(call: Any, sandbox: Sandbox, create: Any) -> None:
    first = await create()
    sandbox.clock.advance(10)
    second = await create(MAGIC["error"])
    listed = {
        name: [one["id"] for one in (await call("GET", f"/mandates?status_filter={name}")).body]
        for name in ("processing", "active", "error", "created")
    }
    assert listed == {"processing": [second["id"]], "active": [first["id"]], "error": [], "created": []}
    assert [one["id"] for one in (await call("GET", "/mandates")).body] == [first["id"], second["id"]]
    refused = await call("GET", "/mandates?status_filter=asleep")
    assert refused.status == 422
    assert refused.body["detail"][0]["loc"] == ["query", "status_filter"]


async def test_a_mandate_expires_at_its_end_date(
    call: Any, sandbox: Sandbox, create: Any, status: Any
) -> None:
    created = await create(end_date=later(sandbox, 100))
    sandbox.clock.advance(99)
    assert await status(created["id"]) == "active"
    assert (await call("GET", f"/directory/{SIREN}")).status == 200
    sandbox.clock.advance(1)
    assert await status(created["id"]) == "expired"
    assert (await call("GET", f"/directory/{SIREN}")).status == 404
    assert told(sandbox, created)[-1] == ("mandate.expired", "expired")
    again = await create()
    assert again["id"] != created["id"], "an expired mandate holds no identifiers"


async def test_a_mandate_for_a_time_that_has_passed_is_expired_at_once(sandbox: Sandbox, create: Any) -> None:
    for siren in (SIREN, MAGIC["pending_kyc"]):
        created = await create(siren, end_date="2024-12-31T23:59:59Z")
        assert created["status"] == "expired"
        sandbox.clock.advance(60)
        assert [event for event, _ in told(sandbox, created)] == ["mandate.created", "mandate.expired"]


async def test_happenings_and_moments_tell_the_same_times(sandbox: Sandbox, create: Any) -> None:
    created = await create(end_date=later(sandbox, 50))
    one = sandbox.world.sponsors[0].clients[created["client_id"]].mandates[created["id"]]
    start = one.created_at
    moments = one.moments(start - timedelta(1))
    assert moments == [start, start + timedelta(seconds=3), start + timedelta(seconds=50)]
    for after, until in zip([start - timedelta(1), *moments], moments, strict=False):
        (happening,) = one.happenings(after, until)
        assert happening.at == until
        assert happening.data["mandate_id"] == created["id"]
        assert happening.data["directory_entry"]["siren"] == SIREN
    assert one.happenings(moments[-1], moments[-1] + timedelta(1)) == []


async def test_the_same_identifiers_are_held_by_one_mandate(call: Any, sandbox: Sandbox, create: Any) -> None:
    code = {"siret": SIRET, "routing_identifier": "SERVICE-1", "routing_identifier_type": "0224"}
    scopes: list[dict[str, Any]] = [{}, {"suffix": "COMPTA"}, {"suffix": "RH"}, {"siret": SIRET}, code]
    for scope in scopes:
        created = await create(**scope)
        refused = await call("POST", "/mandates", json=mandate(**scope))
        assert refused.status == 409
        assert created["id"] in refused.body["error"]
    assert sandbox.counters.mandates_created == len(scopes)
    await create(options=OTHER)


@pytest.mark.parametrize(
    ("changes", "field", "kind"),
    [
        ({"siren": "812345677"}, "siren", "value_error"),
        ({"siren": "812 345 676"}, "siren", "value_error"),
        ({"siret": "81234567600018"}, "siret", "value_error"),
        ({"siret": "73282932000074"}, "siret", "value_error"),
        ({"siret": ""}, "siret", "value_error"),
        ({"suffix": ""}, "suffix", "string_too_short"),
        ({"suffix": SIRET}, "suffix", "value_error"),
        ({"suffix": f"{SIRET}_A"}, "suffix", "value_error"),
        ({"suffix": "A", "siret": SIRET}, "suffix", "value_error"),
        ({"routing_identifier": "R", "routing_identifier_type": "0224"}, "siret", "missing"),
        ({"siret": SIRET, "routing_identifier": "R"}, "routing_identifier_type", "missing"),
        ({"siret": SIRET, "routing_identifier_type": "0224"}, "routing_identifier", "missing"),
        ({"name": ""}, "name", "string_too_short"),
    ],
)
async def test_identifiers_that_make_no_scope_are_refused_where_they_stand(
    call: Any, sandbox: Sandbox, changes: dict[str, Any], field: str, kind: str
) -> None:
    body = mandate()
    body["directory_entry"].update(changes)
    reply = await call("POST", "/mandates", json=body)
    assert reply.status == 422
    assert [(one["loc"], one["type"]) for one in reply.body["detail"]] == [
        (["body", "directory_entry", field], kind)
    ]
    reply = await call("POST", "/mandates/batch", json={"mandates": [mandate(suffix="B"), body]})
    assert reply.body["detail"][0]["loc"] == ["body", "mandates", 1, "directory_entry", field]
    assert sandbox.counters.mandates_created == 0


async def test_every_fault_of_an_entry_is_named_at_once(call: Any) -> None:
    body = mandate("1", suffix="A", routing_identifier="R", end_date="2020-01-01T00:00:00Z")
    reply = await call("POST", "/mandates", json=body)
    assert {one["loc"][-1] for one in reply.body["detail"]} == {
        "siren",
        "suffix",
        "siret",
        "routing_identifier_type",
        "end_date",
    }


@pytest.mark.parametrize(
    ("start", "end", "field", "kind"),
    [
        ("2024-01-15T00:00:00Z", "2024-01-15T00:00:00Z", "end_date", "value_error"),
        ("2024-01-15T00:00:00Z", "2024-01-15T00:30:00+01:00", "end_date", "value_error"),
        ("2016-12-31T23:59:60Z", None, "start_date", "datetime_parsing"),
        ("0001-01-01T00:00:00+10:00", None, "start_date", "datetime_parsing"),
        ("2024-01-15T00:00:00Z", "9999-12-31T23:59:59-10:00", "end_date", "datetime_parsing"),
        ("2024-01-15", None, "start_date", "datetime_parsing"),
    ],
)
async def test_dates_that_make_no_time_are_refused(
    call: Any, start: str, end: str | None, field: str, kind: str
) -> None:
    body = {**mandate(end_date=end), "start_date": start}
    reply = await call("POST", "/mandates", json=body)
    assert reply.status == 422
    assert [(one["loc"], one["type"]) for one in reply.body["detail"]] == [(["body", field], kind)]


async def test_dates_may_be_written_in_small_letters(call: Any) -> None:
    body = {**mandate(end_date="2099-01-01t00:00:00z"), "start_date": "2024-01-15t00:00:00z"}
    assert (await call("POST", "/mandates", json=body)).status == 201


async def test_a_batch_is_taken_whole(call: Any, sandbox: Sandbox) -> None:
    asked = [mandate(), mandate(suffix="COMPTA"), mandate(MAGIC["error"])]
    reply = await call("POST", "/mandates/batch", json={"mandates": asked})
    assert reply.status == 201
    assert [one["directory_entry"]["siren"] for one in reply.body] == [SIREN, SIREN, MAGIC["error"]]
    assert (await call("GET", "/mandates")).body == reply.body
    assert sandbox.counters.mandates_created == 3
    assert (await call("POST", "/mandates/batch", json={"mandates": []})).body == []


@pytest.mark.parametrize("last", ["held", "twice", "unsound"])
async def test_a_batch_with_one_fault_leaves_nothing(
    call: Any, sandbox: Sandbox, calling: Callable[[Sandbox], Any], create: Any, last: str
) -> None:
    held = await create("523456788")
    spoilt = {
        "held": mandate("523456788"),
        "twice": mandate(suffix="A"),
        "unsound": mandate("123"),
    }[last]
    batch = {"mandates": [mandate(suffix="A"), mandate(suffix="B"), spoilt]}
    reply = await call("POST", "/mandates/batch", json=batch)
    assert reply.status == (422 if last == "unsound" else 409)
    sandbox.clock.advance(60)
    assert [one["id"] for one in (await call("GET", "/mandates")).body] == [held["id"]]
    assert (await call("GET", f"/mandates/directory/{SIREN}")).status == 404
    assert sandbox.counters.mandates_created == 1
    assert len((await call("GET", "/lifecycle-events")).body) == 2
    async with Sandbox(speed=0) as untouched:
        other = calling(untouched)
        await other("POST", "/mandates", json=mandate("523456788"))
        assert (await call.create()) == (await other.create()), "no id was consumed"


async def test_a_revoked_mandate_is_gone_and_its_line_stays(call: Any, sandbox: Sandbox, create: Any) -> None:
    created = await create()
    sandbox.clock.advance(10)
    path = f"/mandates/{created['id']}"
    assert (await call("DELETE", path)).status == 204
    assert (await call("DELETE", path)).status == 404
    assert (await call("GET", path)).status == 404
    assert (await call("GET", "/mandates")).body == []
    events = f"/lifecycle-events?object_type=mandate&object_id={created['id']}"
    assert (await call("GET", events)).body == []
    assert (await call("GET", f"/directory/{SIREN}")).status == 200, "the directory entry stays active"
    assert sandbox.counters.mandates_revoked == 1
    again = await create(name="Vauban & Cie")
    sandbox.clock.advance(10)
    (line,) = (await call("GET", f"/mandates/directory/{SIREN}")).body
    assert line["name"] == "Vauban & Cie", "the new line supersedes the old one"
    assert again["id"] != created["id"]


async def test_a_mandate_revoked_early_leaves_no_line(call: Any, sandbox: Sandbox, create: Any) -> None:
    created = await create()
    assert (await call("DELETE", f"/mandates/{created['id']}")).status == 204
    sandbox.clock.advance(60)
    assert (await call("GET", f"/directory/{SIREN}")).status == 404
    assert (await call("GET", "/lifecycle-events")).body == []


async def test_no_other_client_or_sponsor_sees_a_mandate(call: Any, sandbox: Sandbox, create: Any) -> None:
    created = await create()
    path = f"/mandates/{created['id']}"
    for other in (OTHER, STRANGER):
        assert (await call("GET", path, **other)).status == 404
        assert (await call("DELETE", path, **other)).status == 404
        assert (await call("GET", "/mandates", **other)).body == []
        for kind in ("mandate", "directory_entry"):
            events = f"/lifecycle-events?object_type={kind}&object_id={created['id']}"
            assert (await call("GET", events, **other)).body == []
    stranger = {"headers": {"Authorization": "another-key", "X-PDP-Client-Id": None}}
    assert (await call("GET", path, **stranger)).status == 404
    assert (await call("GET", path)).body == created
    assert sandbox.counters.mandates_revoked == 0


async def test_without_a_client_header_a_mandate_of_any_client_is_found(call: Any, create: Any) -> None:
    created = await create(options=OTHER)
    assert (await call("GET", f"/mandates/{created['id']}", **NO_CLIENT)).body == created
    assert (await call("DELETE", f"/mandates/{created['id']}", **NO_CLIENT)).status == 422
    nobody = {"headers": {"X-PDP-Client-Id": "nobody"}}
    for method, path in (
        ("GET", f"/mandates/{created['id']}"),
        ("DELETE", f"/mandates/{created['id']}"),
        ("GET", "/mandates"),
        ("GET", f"/mandates/directory/{SIREN}"),
        ("GET", f"/directory/{SIREN}"),
    ):
        reply = await call(method, path, **nobody)
        assert reply.status == 404
        assert "nobody" in reply.body["error"]


async def test_a_client_with_mandates_is_not_deleted(call: Any, sandbox: Sandbox, create: Any) -> None:
    created = await create()
    sandbox.clock.advance(10)
    path = "/clients/sandbox-client-seqino"
    reply = await call("DELETE", path)
    assert reply.status == 409
    assert created["id"] in reply.body["error"]
    await call("DELETE", f"/mandates/{created['id']}")
    assert (await call("GET", f"/directory/{SIREN}", **OTHER)).status == 200
    assert (await call("DELETE", path)).status == 204
    assert (await call("GET", f"/directory/{SIREN}", **OTHER)).status == 404, "a client takes its lines along"


async def test_mandates_are_moved_by_the_control_api(
    call: Any, sandbox: Sandbox, create: Any, move: Any, status: Any
) -> None:
    created = await create(end_date=later(sandbox, 1000))
    assert (await move(created, "pending_kyc")).body["status"] == "pending_kyc"
    sandbox.clock.advance(60)
    assert await status(created["id"]) == "pending_kyc", "what was to come is cut off"
    assert (await move(created, "error", error_cause="Mandat illisible.")).body["error_cause"] == (
        "Mandat illisible."
    )
    sandbox.clock.advance(10)
    assert (await move(created, "error")).body["error_cause"] != "Mandat illisible."
    sandbox.clock.advance(10)
    assert (await move(created, "active")).body["status"] == "active"
    assert (await call("GET", f"/directory/{SIREN}")).status == 200
    sandbox.clock.advance(10)
    assert "cannot become pending_kyc" in (await move(created, "pending_kyc")).body["error"]
    assert (await move(created, "expired")).body["status"] == "expired"
    assert (await call("GET", f"/directory/{SIREN}")).status == 404
    assert "is expired" in (await move(created, "active")).body["error"]
    sandbox.clock.advance(2000)
    assert [event for event, _ in told(sandbox, created)] == [
        "mandate.created",
        "mandate.failed",
        "mandate.failed",
        "mandate.activated",
        "mandate.expired",
    ]


async def test_a_mandate_of_any_client_is_moved(create: Any, move: Any) -> None:
    created = await create(options=OTHER)
    assert (await move(created, "active")).body["status"] == "active"


async def test_what_was_seen_stays_when_a_mandate_is_moved(sandbox: Sandbox, create: Any, move: Any) -> None:
    created = await create()
    sandbox.clock.advance(3)
    await move(created, "expired")
    assert [event for event, _ in told(sandbox, created)] == [
        "mandate.created",
        "mandate.activated",
        "mandate.expired",
    ]


async def test_a_failed_mandate_whose_time_has_passed_can_only_expire(
    sandbox: Sandbox, create: Any, move: Any, status: Any
) -> None:
    created = await create(MAGIC["error"], end_date=later(sandbox, 10))
    sandbox.clock.advance(60)
    assert await status(created["id"]) == "error", "what failed does not expire"
    assert (await move(created, "pending_kyc")).body["status"] == "expired"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"status": "active"}, "there is no mandate "),
        ({"mandate_id": "mdt_0", "status": 5}, "status must be text"),
        ({"mandate_id": "mdt_0", "status": "active"}, "no mandate mdt_0"),
        ({"mandate_id": "mdt_0", "state": "active"}, "unknown: state"),
    ],
)
async def test_a_mandate_that_does_not_exist_is_not_moved(call: Any, asked: Any, message: str) -> None:
    reply = await call("POST", "/_sandbox/mandates", json=asked, **CONTROL)
    assert reply.status == 400
    assert message in reply.body["error"]


async def test_a_mandate_is_not_moved_to_a_status_that_is_none(create: Any, move: Any) -> None:
    created = await create()
    for to in ("created", "asleep"):
        assert "active, pending_kyc, error and expired" in (await move(created, to)).body["error"]


async def test_the_control_api_tells_outcomes_and_magic_sirens(call: Any) -> None:
    shown = (await call("GET", "/_sandbox/mandates", **CONTROL)).body
    assert shown["sirens"] == MAGIC_MANDATES
    assert shown["outcomes"].keys() == OUTCOMES.keys()


async def test_the_view_of_the_world_shows_mandates_and_lines(
    call: Any, sandbox: Sandbox, create: Any
) -> None:
    created = await create()
    sandbox.clock.advance(10)
    (sponsor,) = (await call("GET", "/_sandbox/world", **CONTROL)).body["sponsors"]
    client = sponsor["clients"]["sandbox-client-seqino"]
    assert client["mandates"] == {created["id"]: "active"}
    assert client["directory"][created["id"]]["addressable"] is True
