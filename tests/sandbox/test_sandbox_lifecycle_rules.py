from __future__ import annotations

import json
from typing import Any

import pytest

from seqino.sandbox.description import SHIPPED
from seqino.sandbox.lifecycle_rules import FAMILIES, MANDATORY, STATUSES, breaches, progress
from seqino.sandbox.scenarios import Step
from seqino.statuses import Party, meaning_of

NUMBERS = {one.number: key for key, one in STATUSES.items() if one.number is not None}
DUE = {206: "QTE_ERR", 207: "PU_ERR", 208: "JUSTIF_ABS", 210: "CALCUL_ERR", 213: "REJ_ADR",
       251: "REJ_UNI", 501: "IRR_SYNTAX", 601: "REJ_RG"}  # fmt: skip
SENT, RECEIVED, AVAILABLE = [200, 201], [200, 201, 202], [200, 201, 202, 203]


def step(number: int, **changes: Any) -> Step:
    """A status as it should be, with what is given in place of its own."""
    about, status = NUMBERS[number]
    values: dict[str, Any] = {
        "emitter": STATUSES[about, status].emitters[0],
        "rejection_reason": DUE.get(number),
        "reason": "En toutes lettres.",
        **changes,
    }
    return Step(after=0, status=status, about=about, **values)


def broken(before: list[int], said: Step) -> list[str]:
    return list(breaches([step(number) for number in before], said))


def test_the_statuses_of_an_invoice_and_its_parts_are_those_of_the_description() -> None:
    described = json.loads(SHIPPED.read_bytes())["components"]["schemas"]["LifecycleStatusCode"]
    families = set(FAMILIES.values())
    wanted = {
        one
        for one in (*described["enum"], *described["x-published-additional-values"])
        if one.partition(".")[0] in families
    }
    assert {f"{FAMILIES[about]}.{name}" for about, name in STATUSES} == wanted


def test_four_statuses_are_mandatory() -> None:
    assert {STATUSES[None, name].number for name in MANDATORY} == {200, 210, 212, 213}


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ([], 200), ([], 213), ([200], 201), (SENT, 202), (SENT, 213), (RECEIVED, 203),
        (AVAILABLE, 204), (AVAILABLE, 205), (AVAILABLE, 210), (AVAILABLE, 212),
        ([*AVAILABLE, 205], 210), ([*AVAILABLE, 212], 212), ([*AVAILABLE, 208], 209),
        ([*AVAILABLE, 205], 204),
        ([*AVAILABLE, 208, 209, 208], 209), ([*AVAILABLE, 210], 207), ([*AVAILABLE, 210], 211),
        ([200], 250), ([200], 251), ([], 500), ([], 501), ([200], 601),
    ],
)  # fmt: skip
def test_what_the_reform_lets_happen_breaks_no_rule(before: list[int], said: int) -> None:
    emitter = {213: "PDPE" if not before else "PDPR"}.get(said)
    assert broken(before, step(said, **({"emitter": emitter} if emitter else {}))) == []


@pytest.mark.parametrize("end", [210, 213])
@pytest.mark.parametrize("said", [200, 210, 212, 213])
def test_no_mandatory_status_follows_a_refusal_or_a_rejection(end: int, said: int) -> None:
    found = broken([200, 201, end], step(said))
    assert any(f"after {end} no mandatory status may be set" in one and "§2.5" in one for one in found)


@pytest.mark.parametrize("number", DUE)
def test_a_reason_that_is_due_cannot_be_missing(number: int) -> None:
    found = broken([200, 201], step(number, rejection_reason=None))
    assert any("needs a rejection_reason" in one and DUE[number] in one for one in found)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (200, "REJ_ADR"),
        (206, "TX_TVA_ERR"),
        (208, "AUTRE"),
        (210, "AUTRE"),
        (213, "PU_ERR"),
        (601, "REJ_UNI"),
    ],
)
def test_a_reason_of_another_status_is_no_reason(number: int, reason: str) -> None:
    found = broken([], step(number, rejection_reason=reason))
    assert any(f"cannot give {reason}" in one and "BR-FR-CDV-CL-09" in one for one in found)


@pytest.mark.parametrize("number", [201, 202, 203, 204, 205, 209, 211, 212, 250, 500])
def test_a_status_without_a_list_gives_no_reason(number: int) -> None:
    found = broken([200, 208], step(number, rejection_reason="AUTRE"))
    assert any("gives no rejection_reason" in one for one in found)


@pytest.mark.parametrize("words", [None, "", "  "])
@pytest.mark.parametrize("number", [208, 210])
def test_a_suspension_and_a_refusal_say_why_in_words(number: int, words: str | None) -> None:
    (found,) = broken(AVAILABLE, step(number, reason=words))
    assert "needs a reason in words (G7.25)" in found


@pytest.mark.parametrize(("about", "name"), STATUSES)
def test_nobody_sets_a_status_that_is_anothers(about: str | None, name: str) -> None:
    for emitter in {"PDPE", "PDPR", "PPF", "me"} - set(STATUSES[about, name].emitters):
        said = Step(after=0, status=name, about=about, emitter=emitter)
        assert any(f"not by {emitter}" in one for one in breaches([], said))


@pytest.mark.parametrize("before", [AVAILABLE, [*AVAILABLE, 208, 209]])
def test_a_completion_answers_a_suspension(before: list[int]) -> None:
    assert any("answers a 208" in one for one in broken(before, step(209)))


@pytest.mark.parametrize("number", [201, 202, 203, 204, 205, 206, 207, 208, 210, 211])
def test_a_buyer_without_a_platform_answers_nothing(number: int) -> None:
    undelivered = [step(200, rejection_reason="NON_TRANSMISE")]
    assert any("has no platform" in one for one in breaches(undelivered, step(number)))


@pytest.mark.parametrize("number", [212, 250])
def test_an_invoice_that_could_not_be_transmitted_is_paid_and_reported_all_the_same(number: int) -> None:
    assert list(breaches([step(200, rejection_reason="NON_TRANSMISE")], step(number))) == []


@pytest.mark.parametrize(
    ("before", "said", "emitter", "reached"),
    [
        ([], 201, "PDPE", "nothing is"),
        ([200], 200, "PDPE", "200 is"),
        ([200], 202, "PDPR", "200 is"),
        (AVAILABLE, 202, "PDPR", "200 to 203 are"),
        ([200], 213, "PDPE", "200 is"),
        ([200], 213, "PDPR", "200 is"),
        (RECEIVED, 213, "PDPR", "200 to 202 are"),
    ],
)
def test_platforms_carry_an_invoice_in_order(
    before: list[int], said: int, emitter: str, reached: str
) -> None:
    (found,) = broken(before, step(said, emitter=emitter))
    assert f"cannot be set once {reached} set" in found
    assert "(213 on issue | 200), 201, (213 on receipt | 202), 203" in found


@pytest.mark.parametrize(
    ("before", "said", "message"),
    [
        ([], 250, "there is none"),
        ([213], 251, "there is none"),
        ([], 601, "601 answers a mandatory status"),
        ([500], 601, "601 answers a mandatory status"),
        ([200], 501, "501 comes before business processing"),
    ],
)
def test_what_is_said_of_data_and_envelopes_follows_on_what_came_before(
    before: list[int], said: int, message: str
) -> None:
    (found,) = broken(before, step(said))
    assert message in found


def test_the_portal_may_find_an_envelope_inadmissible_later() -> None:
    assert broken([200], step(501, emitter="PPF")) == []


@pytest.mark.parametrize("number", [500, 501])
@pytest.mark.parametrize("before", [[], [200], [200, 201]])
def test_the_buyers_platform_judges_the_envelope_before_the_invoice(before: list[int], number: int) -> None:
    assert broken(before, step(number, emitter="PDPR")) == []
    (found,) = broken([200, 201, 202], step(501, emitter="PDPR"))
    assert "501 comes before business processing" in found


@pytest.mark.parametrize("number", [500, 501])
def test_who_judges_an_envelope_is_the_same_for_the_client(number: int) -> None:
    sides = {"PDPE": Party.SELLER_PLATFORM, "PDPR": Party.BUYER_PLATFORM, "PPF": Party.PORTAL}
    said = step(number)
    meaning = meaning_of(f"FlowStatus.{said.status}")
    assert meaning is not None
    assert {sides[one] for one in STATUSES[said.about, said.status].emitters} == meaning.set_by


def test_a_status_without_a_number_is_named_alone() -> None:
    said = Step(after=0, status="MADE_AVAILABLE", about="regulatory_data", emitter="PDPE")
    (first, _) = breaches([], said)
    assert first.startswith("MADE_AVAILABLE is set by PPF")


def test_progress_is_how_far_the_platforms_carried_it() -> None:
    assert progress([]) == 0
    assert progress([step(250), step(213)]) == 0
    assert [progress([step(one) for one in AVAILABLE[:count]]) for count in range(1, 5)] == [1, 2, 3, 4]
