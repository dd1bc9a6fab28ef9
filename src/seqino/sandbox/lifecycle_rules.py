"""What the French reform says about lifecycle statuses: who sets which, why, and after what. Pure.

Sources: statuses, emitters and order, XP Z12-014 Annex A (V1.3, §2.1 to §2.5); statuses and reasons of the
portal, DSE v3.1 §3.4.4, §3.6.4 to §3.6.9 and its annex 7; reasons of each invoice status, CDAR schematron
V1.4.0 of FNFE-MPE (BR-FR-CDV-15, BR-FR-CDV-CL-09). No order between treatment statuses is judged, since they
"can be set independently" (Annex A §2.1).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = [
    "BUYER_SIDE",
    "ENDS",
    "FAMILIES",
    "INVOICE",
    "MANDATORY",
    "MISROUTED",
    "PORTAL",
    "SELLER_SIDE",
    "STATUSES",
    "Said",
    "Status",
    "breaches",
    "progress",
]

INVOICE = "InvoiceLifecycleStatus"
"""The family of an invoice's statuses, as it stands on the wire."""

FAMILIES: Mapping[str | None, str] = MappingProxyType(
    {
        None: INVOICE,
        "regulatory_data": "RegulatoryDataStatus",
        "flow": "FlowStatus",
        "lifecycle_status": "LifecycleStatusReporting",
    }
)
"""Families of the statuses that an invoice and what belongs to it get, by the object they are about."""

SELLER_SIDE = "PDPE"
"""The seller's platform (*plateforme d'émission*)."""
BUYER_SIDE = "PDPR"
"""The buyer's platform (*plateforme de réception*)."""
PORTAL = "PPF"
"""The public portal (*portail public de facturation*)."""


@attrs.frozen(kw_only=True)
class Status:
    """What is known of a status."""

    number: int | None
    """Number in the reform; ``None`` where no source gives one."""
    emitters: tuple[str, ...]
    """Who may set it, through which platform; the usual one first."""
    is_mandatory: bool = False
    """Whether it has to reach the portal within 24 hours (DSE v3.1 §3.6.5)."""
    reasons: frozenset[str] = frozenset()
    """Reasons that it may give; empty where it gives none."""
    needs_reason: bool = False
    """Whether one of them has to be given (BR-FR-CDV-15)."""
    needs_comment: bool = False
    """Whether a comment has to be given (G7.25)."""


class Said(Protocol):
    """A status that was set, or will be."""

    @property
    def status(self) -> str:
        """Name without its family, such as ``DEPOSITED``."""
        ...

    @property
    def about(self) -> str | None:
        """Object type that it is about; ``None`` for the invoice itself."""
        ...

    @property
    def emitter(self) -> str:
        """Who set it."""
        ...

    @property
    def rejection_reason(self) -> str | None:
        """Reason code."""
        ...

    @property
    def reason(self) -> str | None:
        """Comment."""
        ...


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PARTIAL = _codes(
    "AUTRE CMD_ERR SIRET_ERR CODE_ROUTAGE_ERR REF_CT_ABSENT REF_ERR PU_ERR REM_ERR QTE_ERR ART_ERR "
    "MODPAI_ERR QUALITE_ERR LIVR_INCOMP"
)
_DISPUTE = _PARTIAL | _codes(
    "COORD_BANC_ERR TX_TVA_ERR MONTANTTOTAL_ERR CALCUL_ERR NON_CONFORME DOUBLON DEST_INC DEST_ERR "
    "TRANSAC_INC EMMET_INC CONTRAT_TERM DOUBLE_FACT ADR_ERR"
)
_SUSPENSION = _codes("JUSTIF_ABS COORD_BANC_ERR CMD_ERR SIRET_ERR CODE_ROUTAGE_ERR REF_CT_ABSENT REF_ERR")
# Between businesses; an administration has more of them, AUTRE among them.
_REFUSAL = _codes(
    "TX_TVA_ERR MONTANTTOTAL_ERR CALCUL_ERR NON_CONFORME DOUBLON DEST_ERR TRANSAC_INC EMMET_INC CONTRAT_TERM "
    "DOUBLE_FACT CMD_ERR ADR_ERR REF_CT_ABSENT"
)
_REJECTION = _codes(
    "MONTANTTOTAL_ERR CALCUL_ERR DOUBLON DEST_INC ADR_ERR REJ_SEMAN REJ_UNI REJ_COH REJ_ADR REJ_CONT_B2G "
    "REJ_REF_PJ REJ_ASS_PJ"
)
_INADMISSIBLE = _codes(
    "IRR_VIDE_F IRR_TYPE_F IRR_SYNTAX IRR_TAILLE_PJ IRR_NOM_PJ IRR_VID_PJ IRR_EXT_DOC IRR_TAILLE_F "
    "IRR_ANTIVIRUS IRR_NOM_F IRR_TAILLE IRR_UNICITE IRR_VIDE IRR_FORM IRR_TYPE IRR_CODE_INTER IRR_EXTRAC "
    "IRR_CODE_APP"
)


def _status(number: int | None, *emitters: str, is_mandatory: bool = False) -> Status:
    return Status(number=number, emitters=emitters, is_mandatory=is_mandatory)


def _reasoned(
    number: int,
    reasons: frozenset[str],
    *emitters: str,
    is_mandatory: bool = False,
    needs_comment: bool = False,
) -> Status:
    return Status(
        number=number,
        emitters=emitters,
        is_mandatory=is_mandatory,
        reasons=reasons,
        needs_reason=True,
        needs_comment=needs_comment,
    )


STATUSES: Mapping[tuple[str | None, str], Status] = MappingProxyType(
    {
        (None, "DEPOSITED"): Status(
            number=200, emitters=(SELLER_SIDE,), is_mandatory=True, reasons=_codes("NON_TRANSMISE")
        ),
        (None, "TRANSMITTED_BY_PLATFORM"): _status(201, SELLER_SIDE),
        (None, "RECEIVED_BY_PLATFORM"): _status(202, BUYER_SIDE),
        (None, "MADE_AVAILABLE"): _status(203, BUYER_SIDE),
        (None, "ACKNOWLEDGED"): _status(204, BUYER_SIDE),
        (None, "APPROVED"): _status(205, BUYER_SIDE),
        (None, "PARTIALLY_APPROVED"): _reasoned(206, _PARTIAL, BUYER_SIDE),
        (None, "IN_DISPUTE"): _reasoned(207, _DISPUTE, BUYER_SIDE),
        (None, "SUSPENDED"): _reasoned(208, _SUSPENSION, BUYER_SIDE, needs_comment=True),
        (None, "COMPLETED"): _status(209, SELLER_SIDE),
        (None, "REFUSED"): _reasoned(210, _REFUSAL, BUYER_SIDE, is_mandatory=True, needs_comment=True),
        # The seller pays too: what a credit note gives back.
        (None, "PAYMENT_TRANSMITTED"): _status(211, BUYER_SIDE, SELLER_SIDE),
        (None, "COLLECTED"): _status(212, SELLER_SIDE, is_mandatory=True),
        (None, "REJECTED"): _reasoned(213, _REJECTION, BUYER_SIDE, SELLER_SIDE, is_mandatory=True),
        ("regulatory_data", "DEPOSITED"): _status(250, PORTAL),
        ("regulatory_data", "REJECTED"): _reasoned(251, _codes("REJ_SEMAN REJ_UNI REJ_COH"), PORTAL),
        ("regulatory_data", "MADE_AVAILABLE"): _status(None, PORTAL),
        ("regulatory_data", "ACCEPTED_BY_ADMINISTRATION"): _status(None, PORTAL),
        ("regulatory_data", "REFUSED_BY_ADMINISTRATION"): _status(None, PORTAL),
        # An envelope is judged by whoever gets it: either platform, or the portal (annex 2 of the DSE).
        ("flow", "RECEIVABLE"): _status(500, SELLER_SIDE, BUYER_SIDE, PORTAL),
        ("flow", "UNACCEPTABLE"): _reasoned(501, _INADMISSIBLE, SELLER_SIDE, BUYER_SIDE, PORTAL),
        ("lifecycle_status", "REJECTED"): _reasoned(
            601, _codes("REJ_INC REJ_INEX REJ_RG REJ_HAB REJ_ENCAISSEMENT"), PORTAL
        ),
    }
)
"""The statuses that an invoice and what belongs to it get, by the object they are about and their name."""

MANDATORY = frozenset(name for (about, name), one in STATUSES.items() if one.is_mandatory and about is None)
"""Statuses of an invoice that have to reach the portal within 24 hours."""

ENDS = ("REFUSED", "REJECTED")
"""After these no other mandatory status may be set."""

MISROUTED = ("ADR_ERR", "REJ_ADR")
"""Reasons of a rejection (213) after which the same invoice may be delivered again, its address mended."""

_ANNEX_A = "XP Z12-014 Annex A"
_ORDER = ("DEPOSITED", "TRANSMITTED_BY_PLATFORM", "RECEIVED_BY_PLATFORM", "MADE_AVAILABLE")


def progress(before: Iterable[Said]) -> int:
    """Return how far the platforms have carried an invoice: 0 not at all, 4 once it was made available."""
    return max((_ORDER.index(one.status) + 1 for one in before if _is_transmission(one)), default=0)


def breaches(before: Sequence[Said], said: Said) -> Iterator[str]:
    """Yield the rules that a status would break.

    Args:
        before: What was set before it, in any order.
        said: The status; one of ``STATUSES``.
    """
    status = STATUSES[said.about, said.status]
    yield from _alone(status, said)
    yield from _beside(before, said) if said.about else _after(before, status, said)


def _alone(status: Status, said: Said) -> Iterator[str]:
    """Judge what a status says, whatever was set before it."""
    name = _named(status, said)
    if said.emitter not in status.emitters:
        setters = " or ".join(status.emitters)
        yield f"{name} is set by {setters}, not by {said.emitter} ({_ANNEX_A} §2.1)"
    if said.rejection_reason is None:
        if status.needs_reason:
            yield f"{name} needs a rejection_reason, one of {_listed(status.reasons)} (BR-FR-CDV-15)"
    elif not status.reasons:
        yield f"{name} gives no rejection_reason (BR-FR-CDV-CL-09)"
    elif said.rejection_reason not in status.reasons:
        yield (
            f"{name} cannot give {said.rejection_reason}: its reasons are {_listed(status.reasons)} "
            "(BR-FR-CDV-CL-09)"
        )
    if status.needs_comment and not (said.reason or "").strip():
        yield f"{name} needs a reason in words (G7.25)"


def _after(before: Sequence[Said], status: Status, said: Said) -> Iterator[str]:
    """Judge a status of the invoice itself by what was set before it."""
    name = _named(status, said)
    own = [one for one in before if one.about is None]
    end = next((one for one in own if one.status in ENDS), None)
    if end is not None and status.is_mandatory:
        number = STATUSES[None, end.status].number
        yield f"{name} is mandatory, and after {number} no mandatory status may be set ({_ANNEX_A} §2.5)"
    if said.status == "COMPLETED" and not _is_suspended(own):
        yield f"{name} answers a 208, and none is open ({_ANNEX_A} §2.1)"
    undelivered = any(one.rejection_reason == "NON_TRANSMISE" for one in own)
    if undelivered and (said.emitter == BUYER_SIDE or said.status in _ORDER):
        yield f"{name} cannot be set: the buyer has no platform that could receive it (200 NON_TRANSMISE)"
    yield from _in_order(own, name, said)


def _in_order(own: Sequence[Said], name: str, said: Said) -> Iterator[str]:
    """Judge the order of transmission: (213 on issue | 200), 201, (213 on receipt | 202), 203."""
    stage = progress(own)
    order = "transmission statuses come in the order (213 on issue | 200), 201, (213 on receipt | 202), 203"
    if said.status == "REJECTED":
        expected = 2 if said.emitter == BUYER_SIDE else 0
    elif said.status in _ORDER:
        expected = _ORDER.index(said.status)
    else:
        return
    if stage != expected:
        reached = f"200 to {199 + stage} are" if stage > 1 else "200 is" if stage else "nothing is"
        yield f"{name} cannot be set once {reached} set: {order} ({_ANNEX_A} §2.1)"


def _beside(before: Sequence[Said], said: Said) -> Iterator[str]:
    """Judge what is said of an invoice's data, envelope and statuses: it follows on what came before."""
    own = [one for one in before if one.about is None]
    if said.about == "regulatory_data" and not any(one.status == "DEPOSITED" for one in own):
        yield "the portal gets an invoice's data with its 200, and there is none (DSE v3.1 §3.4.4)"
    if said.status == "UNACCEPTABLE" and _is_processed_by(said.emitter, own):
        yield "501 comes before business processing, and the invoice has a status (DSE v3.1 §3.6.9)"
    if said.about == "lifecycle_status" and not any(STATUSES[None, one.status].is_mandatory for one in own):
        yield "601 answers a mandatory status, and there is none (DSE v3.1 §3.6.9)"


def _is_processed_by(platform: str, own: Sequence[Said]) -> bool:
    """Whether a platform has gone on from an invoice's envelope to the invoice itself."""
    if platform == SELLER_SIDE:
        return bool(own)
    # What the seller's side says is no sign that the buyer's platform has opened what it was sent.
    return platform == BUYER_SIDE and any(one.emitter == BUYER_SIDE for one in own)


def _is_suspended(own: Sequence[Said]) -> bool:
    answers = [one.status for one in own if one.status in ("SUSPENDED", "COMPLETED")]
    return answers.count("SUSPENDED") > answers.count("COMPLETED")


def _is_transmission(said: Said) -> bool:
    return said.about is None and said.status in _ORDER


def _named(status: Status, said: Said) -> str:
    return said.status if status.number is None else f"{status.number} {said.status}"


def _listed(reasons: frozenset[str]) -> str:
    return ", ".join(sorted(reasons))
