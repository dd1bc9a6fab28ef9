"""``seqino clients``, ``settings`` and ``directory`` against a real sandbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from seqino.cli.directory import judge
from seqino.cli.plain import Found
from seqino.cli.result import ExitCode
from seqino.models import DirectoryEntry
from tests.cli.results import lines, one_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Platform
    from tests.cli.results import Result

    Command = Callable[..., Result]

DUPAIN = ("--name", "Boulangerie Dupain", "--email", "compta@dupain.example", "--external-ref", "dupain-01")
SIREN = "552100554"
SIRET = "55210055400013"


def publish(platform: Platform, **entry: Any) -> None:
    """Put a line into the directory."""
    platform.sandbox.world.publish({"siren": SIREN, "name": "Atelier Bois", **entry})


# --- clients


def test_a_client_is_created_once_shown_and_deleted(on_platform: Command) -> None:
    made, again = (on_platform("clients", "create", *DUPAIN, "--json") for _ in range(2))
    assert (made.exit_code, made.stdout) == (ExitCode.OK, again.stdout)
    (client,) = lines(made)
    assert client["external_ref"] == "dupain-01"
    shown = on_platform("clients", "get", client["client_id"])
    assert f"client_id          {client['client_id']}" in shown.stdout.splitlines()
    assert "organization_name  Boulangerie Dupain" in shown.stdout.splitlines()
    deleted = on_platform("clients", "delete", client["client_id"])
    assert deleted.stdout.split() == ["client_id", client["client_id"], "deleted", "yes"]
    gone = on_platform("clients", "get", client["client_id"])
    assert gone.exit_code == ExitCode.FAILURE
    assert "404" in one_error(gone)


def test_another_client_under_a_taken_reference_is_refused(on_platform: Command) -> None:
    on_platform("clients", "create", *DUPAIN)
    other = on_platform("clients", "create", *DUPAIN[:1], "Dupont", *DUPAIN[2:])
    assert other.exit_code == ExitCode.FAILURE
    assert "is not what was sent" in one_error(other)


def test_clients_are_a_table_of_80_columns_with_whole_ids(on_platform: Command) -> None:
    on_platform("clients", "create", *DUPAIN)
    heads, *rows = on_platform("clients", "list").stdout.splitlines()
    assert heads.split() == ["client", "status", "reference", "name"]
    assert max(map(len, [heads, *rows])) <= 80
    (row,) = [row for row in rows if "dupain-01" in row]
    assert row.split() == [row.split()[0], "active", "dupain-01", "Boulangerie", "Dupain"]


def test_a_client_is_found_by_reference(on_platform: Command) -> None:
    on_platform("clients", "create", *DUPAIN)
    (found,) = lines(on_platform("clients", "list", "--external-ref", "dupain-01", "--json"))
    assert found["organization_name"] == "Boulangerie Dupain"
    nobody = on_platform("clients", "list", "--external-ref", "nobody")
    assert (nobody.exit_code, nobody.stdout) == (ExitCode.OK, "no clients\n")
    assert on_platform("clients", "list", "--external-ref", "nobody", "--json").stdout == ""


def test_an_onboarding_link_is_made_and_followed(on_platform: Command) -> None:
    (link,) = lines(on_platform("clients", "onboarding", "client_abc123", "--kyc", "--signature", "--json"))
    assert link["client_id"] == "client_abc123"
    assert link["url"].startswith("https://")
    (status,) = lines(on_platform("clients", "onboarding-status", "client_abc123", "--json"))
    assert status["client_id"] == "client_abc123"
    assert None not in (status["kyc_completed"], status["signature_completed"])
    assert on_platform("clients", "onboarding-status", "sandbox-client-seqino").exit_code == ExitCode.FAILURE


def test_what_a_client_calls_itself_forges_no_line(on_platform: Command) -> None:
    on_platform(
        "clients", "create", "--name", "A\x1b[2J\nforged", "--email", "a@b.fr", "--external-ref", "x\ry[red]"
    )
    table = on_platform("clients", "list").stdout
    assert "A [2J forged" in table
    assert "x y[red]" in table
    assert "\x1b" not in table
    assert not any(line.startswith("forged") for line in table.splitlines())
    *_, last = on_platform("clients", "list", "--json").stdout.splitlines()
    assert last.isprintable()
    assert json.loads(last)["organization_name"] == "A\x1b[2J\nforged"


def test_an_id_that_is_a_path_goes_nowhere_else(on_platform: Command, platform: Platform) -> None:
    result = on_platform("clients", "get", "../health")
    assert result.exit_code in {ExitCode.FAILURE, ExitCode.INPUT}
    assert "\n" not in one_error(result)
    assert platform.sandbox.counters.requests <= 1


# --- settings


def test_settings_are_read_and_set(on_platform: Command) -> None:
    before = on_platform("settings", "get")
    assert before.stdout.split()[::2] == ["vat_regime", "transaction_periodicity", "payment_periodicity"]
    done = on_platform(
        *("settings", "set", "--vat-regime", "franchise", "--transaction-periodicity", "monthly"),
        *("--payment-periodicity", "bimonthly", "--json"),
    )
    assert lines(done) == lines(on_platform("settings", "get", "--json"))
    assert lines(done)[0]["vat_regime"] == "franchise"


def test_what_is_left_out_of_the_settings_stays(on_platform: Command) -> None:
    done = on_platform("settings", "set", "--transaction-periodicity", "monthly", "--json")
    assert lines(done) == [
        {
            "vat_regime": "real_normal_monthly",
            "transaction_periodicity": "monthly",
            "payment_periodicity": "monthly",
        }
    ]


def test_nothing_to_set_is_wrong_usage(on_platform: Command, platform: Platform) -> None:
    result = on_platform("settings", "set")
    assert result.exit_code == ExitCode.INPUT
    assert "give one option at least" in one_error(result)
    assert platform.sandbox.counters.requests == 0


# --- directory


def test_the_line_of_a_company_is_shown(on_platform: Command, platform: Platform) -> None:
    publish(platform, addressable=True)
    shown = on_platform("directory", "show", "552 100 554")
    assert "addressable  yes" in shown.stdout.splitlines()
    assert on_platform("directory", "show", "303265045").exit_code == ExitCode.FAILURE


def test_a_mistyped_company_is_told_before_anything_is_sent(on_platform: Command, platform: Platform) -> None:
    result = on_platform("directory", "show", "552100555")
    assert result.exit_code == ExitCode.INPUT
    assert "check digit" in one_error(result)
    assert platform.sandbox.counters.requests == 0


def test_all_lines_of_a_company_are_a_table(on_platform: Command, platform: Platform) -> None:
    publish(platform, addressable=True)
    code = "X" * 40
    publish(
        platform,
        siret=SIRET,
        routing_identifier=code,
        routing_identifier_type="0224",
        routing_code_label="Comptabilité",
        addressable=True,
    )
    heads, *rows = on_platform("directory", "lines", SIREN).stdout.splitlines()
    assert heads.split() == ["address", "addressable", "name", "routing", "code"]
    assert [row.split()[0] for row in rows] == [SIREN, f"{SIREN}_{SIRET}_{code}"]
    found = lines(on_platform("directory", "lines", SIREN, "--json"))
    assert [line.get("siret") for line in found] == [None, SIRET]


@pytest.mark.parametrize(
    ("entry", "address", "said", "reachable", "code"),
    [
        ({"addressable": True}, SIREN, "reachable (Atelier Bois)", True, ExitCode.OK),
        ({"addressable": True}, f"{SIREN}_COMPTA", "not in the directory", False, ExitCode.REJECTED),
        ({"suffix": "COMPTA", "addressable": True}, f"{SIREN}_COMPTA", "reachable", True, ExitCode.OK),
        ({"suffix": "COMPTA", "addressable": True}, SIREN, "not in the directory", False, ExitCode.REJECTED),
        (
            {"siret": SIRET, "addressable": False},
            f"{SIREN}_{SIRET}",
            "not addressable",
            False,
            ExitCode.REJECTED,
        ),
    ],
)
def test_the_very_address_is_checked(  # noqa: PLR0917 - what a case is made of
    on_platform: Command,
    platform: Platform,
    entry: dict[str, Any],
    address: str,
    said: str,
    code: ExitCode,
    *,
    reachable: bool,
) -> None:
    publish(platform, **entry)
    result = on_platform("directory", "check", address)
    assert result.exit_code == code
    assert said in result.stdout
    (line,) = lines(on_platform("directory", "check", address, "--json"))
    assert (line["address"], line["reachable"]) == (address, reachable)


def test_a_company_that_nobody_knows_is_not_reachable(on_platform: Command) -> None:
    assert on_platform("directory", "check", SIREN).exit_code == ExitCode.REJECTED


def test_a_directory_that_does_not_say_leaves_it_open() -> None:
    silent = Found(DirectoryEntry(siren=SIREN, name="Atelier Bois"), None)
    reachable, said, code = judge(silent)
    assert (reachable, code) == (None, ExitCode.IN_DOUBT)
    assert "does not say" in said


def test_a_company_may_be_found_in_one_way_and_not_in_the_other(
    on_platform: Command, platform: Platform
) -> None:
    publish(platform, addressable=True)
    platform.sandbox.faults.plan("status-404-before", operation="GET /mandates/directory/{siren}")
    assert on_platform("directory", "check", SIREN).exit_code == ExitCode.OK


def test_an_address_is_read_as_people_write_it(on_platform: Command, platform: Platform) -> None:
    publish(platform, addressable=True)
    assert on_platform("directory", "check", "552 100 554").exit_code == ExitCode.OK


@pytest.mark.parametrize(("days", "code"), [((1, 2), ExitCode.OK), ((2, 1), ExitCode.REJECTED)])
def test_a_superseded_line_of_an_address_does_not_decide(
    on_platform: Command, monkeypatch: pytest.MonkeyPatch, days: tuple[int, int], code: ExitCode
) -> None:
    found = [
        Found(
            DirectoryEntry(
                siren=SIREN, name="A", addressable=addressable, updated_at=datetime(2026, 9, day, tzinfo=UTC)
            ),
            None,
        )
        for addressable, day in zip((False, True), days, strict=True)
    ]

    async def shown(*_: object) -> list[Found[DirectoryEntry]]:
        return found

    monkeypatch.setattr("seqino.cli.command.Session.ask_all", shown)
    assert on_platform("directory", "check", SIREN).exit_code == code


def test_what_is_no_address_is_wrong_input(on_platform: Command, platform: Platform) -> None:
    result = on_platform("directory", "check", "paris")
    assert result.exit_code == ExitCode.INPUT
    assert "must begin with a SIREN" in one_error(result)
    assert platform.sandbox.counters.requests == 0
