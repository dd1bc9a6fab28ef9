"""What each status is said to mean, against the table of the sources."""

from __future__ import annotations

import pytest

from seqino import models
from seqino.statuses import REASONS, Family, Party, Phase, StatusMeaning, find_reason, meaning_of
from seqino.statuses.meanings import MEANINGS

E, R = Party.SELLER_PLATFORM, Party.BUYER_PLATFORM
SELLER, BUYER = Party.SELLER, Party.BUYER
TRANSMISSION, TREATMENT = Phase.TRANSMISSION, Phase.TREATMENT

# number: phase, who sets it, to the portal, needs a reason, needs a comment, final
NOBODY: set[Party] = set()

TABLE: dict[int, tuple[Phase | None, set[Party], bool, bool, bool, bool]] = {
    200: (TRANSMISSION, {E}, True, False, False, False),
    201: (TRANSMISSION, {E}, False, False, False, False),
    202: (TRANSMISSION, {R}, False, False, False, False),
    203: (TRANSMISSION, {R}, False, False, False, False),
    204: (TREATMENT, {BUYER}, False, False, False, False),
    205: (TREATMENT, {BUYER}, False, False, False, False),
    206: (TREATMENT, {BUYER}, False, True, False, False),
    207: (TREATMENT, {BUYER}, False, True, False, False),
    208: (TREATMENT, {BUYER}, False, True, True, False),
    209: (TREATMENT, {SELLER}, False, False, False, False),
    210: (TREATMENT, {BUYER}, True, True, True, True),
    211: (TREATMENT, {BUYER, SELLER}, False, False, False, False),
    212: (TREATMENT, {SELLER}, True, False, False, False),
    213: (TRANSMISSION, {E, R}, True, True, False, True),
    214: (TREATMENT, {Party.APPROVER}, False, False, False, False),
    220: (TREATMENT, {SELLER, BUYER}, False, False, False, True),
    221: (TRANSMISSION, {R}, False, False, False, False),
    224: (TREATMENT, NOBODY, False, False, False, False),
    225: (TREATMENT, {SELLER, Party.FACTOR}, False, False, False, False),
    226: (TREATMENT, {SELLER, Party.FACTOR}, False, False, False, False),
    227: (TREATMENT, {SELLER, Party.FACTOR}, False, False, False, False),
    228: (TREATMENT, {SELLER, Party.FACTOR}, False, False, False, False),
    501: (None, {E, R, Party.PORTAL}, False, True, False, False),
    601: (None, {Party.PORTAL}, False, False, False, False),
}


class Code(StatusMeaning):
    """As generated code derives it."""

    INVOICE_DEPOSITED = "InvoiceLifecycleStatus.DEPOSITED"


BY_NUMBER = {meaning.number: Code(meaning.value) for meaning in MEANINGS.values() if meaning.number}


@pytest.mark.parametrize("number", TABLE)
def test_a_status_knows_its_phase_its_setters_and_what_it_needs(number: int) -> None:
    code = BY_NUMBER[number]
    assert (
        code.phase,
        set(code.set_by),
        code.reaches_portal,
        code.needs_reason,
        code.needs_comment,
        code.is_final,
    ) == TABLE[number]
    assert code.meaning is not None
    assert code.meaning.only_for_vat_on_payment == (number == 212)
    assert code.meaning.value == code


def test_every_status_of_an_invoice_is_in_the_table() -> None:
    numbers = {meaning.number for meaning in MEANINGS.values() if meaning.family is Family.INVOICE}
    assert numbers == {number for number in TABLE if number < 250}


def test_of_an_unknown_status_nothing_is_claimed() -> None:
    code = Code("InvoiceLifecycleStatus.TELEPORTED")
    assert code.meaning is None
    assert (code.phase, code.reaches_portal, code.needs_reason, code.needs_comment, code.is_final) == (
        (None,) * 5
    )
    assert (code.set_by, code.reasons) == (frozenset(), ())


@pytest.mark.reconstruction
def test_every_published_status_has_a_meaning() -> None:
    assert [code for code in models.LifecycleStatusCode if not code.has_meaning] == []


def test_a_bare_name_has_a_meaning_only_where_its_family_is_named() -> None:
    assert meaning_of("DEPOSITED") is None
    numbers = [
        meaning.number
        for family in (Family.INVOICE, Family.REGULATORY_DATA, Family.TRANSACTION_DATA, Family.FLOW)
        if (meaning := meaning_of("DEPOSITED", family=family))
    ]
    assert numbers == [200, 250, 300]
    meaning = meaning_of("FlowStatus.RECEIVABLE", family=Family.INVOICE)
    assert meaning is not None
    assert meaning.number == 500


@pytest.mark.parametrize(
    ("emitter", "party"),
    [
        ("PDPE", E),
        ("pdpe", E),
        ("PA-E", E),
        ("PAE", E),
        ("PDP-R", R),
        ("PDPR", R),
        ("PAR", R),
        ("PA R", R),
        ("PPF", Party.PORTAL),
        ("PPF 9998", Party.PORTAL),
        ("Seqino", None),
        ("", None),
        ("BUYER", None),
    ],
)
def test_an_emitter_is_read_under_its_old_and_new_name(emitter: str, party: Party | None) -> None:
    assert Party.of(emitter) is party


# --- Reasons

SIZES = {200: 1, 206: 13, 207: 26, 208: 7, 210: 13, 213: 12, 221: 1, 251: 3, 301: 4, 401: 4, 501: 18, 601: 5}


@pytest.mark.parametrize("number", BY_NUMBER)
def test_a_status_takes_the_reasons_of_its_list(number: int) -> None:
    reasons = BY_NUMBER[number].reasons
    assert len(reasons) == len({reason.code for reason in reasons}) == SIZES.get(number, 0)


def test_a_business_refuses_with_one_of_thirteen_reasons_and_never_without_saying_why() -> None:
    codes = {reason.code for reason in BY_NUMBER[210].reasons}
    assert "AUTRE" not in codes
    meaning = BY_NUMBER[210].meaning
    assert meaning is not None
    more = {reason.code for reason in meaning.public_sector_reasons}
    assert {"AUTRE", "CONTACT_ACHTR", "COORD_BANC_ERR"} <= more
    assert not codes & more
    other = BY_NUMBER[207].meaning
    assert other is not None
    assert other.public_sector_reasons == ()


def test_statuses_without_a_number_take_no_reasons() -> None:
    meaning = meaning_of("MandateLifecycleStatus.CREATED")
    assert meaning is not None
    assert (meaning.reasons, meaning.public_sector_reasons) == ((), ())


def test_a_reason_has_labels_in_both_languages_and_says_whose_they_are() -> None:
    assert all(
        reason.label_fr and reason.label_en and code == reason.code for code, reason in REASONS.items()
    )
    assert REASONS["REJ_ADR"].label_fr == "Rejet sur contrôle d'adressage"
    assert not REASONS["REJ_ADR"].is_ours
    assert REASONS["REJ_RG"].is_ours
    assert "directory" in REASONS["REJ_ADR"].advice
    assert "annuaire" in REASONS["REJ_ADR"].advice_fr
    assert REASONS["PU_ERR"].advice == ""
    assert all(bool(reason.advice) == bool(reason.advice_fr) for reason in REASONS.values())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DOUBLON", "DOUBLON"),
        (" doublon ", "DOUBLON"),
        ("REJ_SEMAN: BR-CO-10, autre chose", "REJ_SEMAN"),
        ("[TX_TVA_ERR] Taux faux", "TX_TVA_ERR"),
        ("Facture refusée, motif CMD_ERR", "CMD_ERR"),
        ("un autre motif", None),
        ("REJ_NEUF", None),
        ("", None),
        (None, None),
    ],
)
def test_a_reason_is_found_in_what_a_platform_wrote(text: str | None, code: str | None) -> None:
    found = find_reason(text)
    assert (found.code if found else None) == code
