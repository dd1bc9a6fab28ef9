"""Why a status was set: the reason codes, what they mean, which status takes which, and what to do. Pure.

Lists: CDAR schematron V1.4.0 of FNFE-MPE (BR-FR-CDV-CL-09) and annex 7 of the DSE. French labels of the
business reasons, and of REJ and IRR codes of an invoice, are those of the official table ("Tableau des motifs
de statuts"); where ``is_ours`` is set no source gave one, and the label is ours. English labels are
translations.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REASONS", "Reason", "find_reason"]


@attrs.frozen(kw_only=True)
class Reason:
    """A reason code (MDT-113).

    Args:
        code: Such as ``REJ_ADR``.
        label_fr: What it means, in French.
        label_en: What it means, in English.
        advice: What the seller can do, where that is known; else empty.
        advice_fr: The same in French.
        is_ours: Whether no source gave its label, so that the French one is ours too.
    """

    code: str
    label_fr: str
    label_en: str
    advice: str = ""
    advice_fr: str = ""
    is_ours: bool = False


_CORRECT = (
    "issue a corrective invoice (384) or a credit note (381)",
    "émettez une facture rectificative (384) ou un avoir (381)",
)
_ROUTE = (
    "read the directory again, correct the buyer's electronic address (BT-49); it may be delivered anew",
    "relisez l'annuaire, corrigez l'adresse électronique de l'acheteur (BT-49) ; elle peut être renvoyée",
)

_ADVICE = {
    "NON_TRANSMISE": (
        "no failure: the invoice is issued; hand a copy over by other means",
        "ce n'est pas un échec : la facture est émise ; remettez-en une copie par un autre moyen",
    ),
    "JUSTIF_ABS": (
        "complete it (209) with the missing documents",
        "complétez-la (209) avec les pièces manquantes",
    ),
    "ROUTAGE_ERR": (
        "transmit it again unchanged, once the directory is corrected",
        "transmettez-la à nouveau telle quelle, une fois l'annuaire corrigé",
    ),
    "DOUBLON": (
        "nothing to send again: the invoice that is held already stays valid",
        "rien à renvoyer : la facture déjà déposée reste valable",
    ),
    "MONTANTTOTAL_ERR": _CORRECT,
    "CALCUL_ERR": _CORRECT,
    "ADR_ERR": _ROUTE,
    "REJ_ADR": _ROUTE,
    "REJ_SEMAN": (
        "correct the data, and issue it under a new number",
        "corrigez les données, et émettez-la sous un nouveau numéro",
    ),
}

_OFFICIAL = {
    "NON_TRANSMISE": ("Destinataire non connecté", "Recipient not connected"),
    "JUSTIF_ABS": ("Justificatif absent ou insuffisant", "Supporting document missing or insufficient"),
    "ROUTAGE_ERR": ("Erreur de routage", "Routing error"),
    "AUTRE": ("Autre", "Other"),
    "COORD_BANC_ERR": ("Erreur de coordonnées bancaires", "Wrong bank details"),
    "TX_TVA_ERR": ("Taux de TVA erroné", "Wrong VAT rate"),
    "MONTANTTOTAL_ERR": ("Montant total erroné", "Wrong total amount"),
    "CALCUL_ERR": ("Erreur de calcul de la facture", "Calculation error"),
    "NON_CONFORME": ("Mention légale manquante", "Legal mention missing"),
    "DOUBLON": ("Facture en doublon (déjà émise / reçue)", "Duplicate invoice (already issued or received)"),
    "DEST_INC": ("Destinataire inconnu", "Unknown recipient"),
    "DEST_ERR": ("Erreur de destinataire", "Wrong recipient"),
    "TRANSAC_INC": ("Transaction inconnue", "Unknown transaction"),
    "EMMET_INC": ("Émetteur inconnu", "Unknown issuer"),
    "CONTRAT_TERM": ("Contrat terminé", "Contract ended"),
    "DOUBLE_FACT": ("Déjà facturé sur autre facture", "Already charged on another invoice"),
    "CMD_ERR": ("N° de commande incorrect ou manquant", "Order number wrong or missing"),
    "ADR_ERR": ("Adresse de facturation électronique erronée", "Wrong electronic address"),
    "SIRET_ERR": ("SIRET erroné ou absent", "SIRET wrong or missing"),
    "CODE_ROUTAGE_ERR": ("Code routage absent ou erroné", "Routing code missing or wrong"),
    "REF_CT_ABSENT": (
        "Référence contractuelle nécessaire pour le traitement de la facture manquante",
        "Contract reference missing that the invoice's processing needs",
    ),
    "REF_ERR": ("Référence incorrecte", "Wrong reference"),
    "PU_ERR": ("Prix unitaires incorrects", "Wrong unit prices"),
    "REM_ERR": ("Remise erronée", "Wrong discount"),
    "QTE_ERR": ("Quantité facturée incorrecte", "Wrong quantity"),
    "ART_ERR": ("Article facturé incorrect", "Wrong item"),
    "MODPAI_ERR": ("Modalités de paiement incorrectes", "Wrong payment terms"),
    "QUALITE_ERR": ("Qualité d'article livré incorrecte", "Defective item"),
    "LIVR_INCOMP": ("Problème de livraison", "Delivery incomplete or not as agreed"),
    "REJ_SEMAN": ("Rejet pour erreur sémantique", "Semantic error"),
    "REJ_UNI": ("Rejet sur contrôle unicité", "Not unique"),
    "REJ_COH": ("Rejet sur contrôle cohérence de données", "Inconsistent data"),
    "REJ_ADR": ("Rejet sur contrôle d'adressage", "Address check failed"),
    "REJ_CONT_B2G": ("Rejet sur contrôles métier B2G", "Public-sector checks failed"),
    "REJ_REF_PJ": ("Rejet sur référence de PJ", "Wrong reference to an attachment"),
    "REJ_ASS_PJ": ("Rejet sur erreur d'association de la PJ", "Attachment not associated"),
    "IRR_VIDE_F": ("Contrôle de non vide sur les fichiers du flux", "Empty file"),
    "IRR_TYPE_F": ("Contrôle de type et extension des fichiers du flux", "Wrong type or extension of a file"),
    "IRR_SYNTAX": ("Contrôle syntaxique des fichiers du flux", "Syntax error in a file"),
    "IRR_TAILLE_PJ": ("Contrôle de taille des PJ de chaque fichier du flux", "Attachment too large"),
    "IRR_NOM_PJ": ("Contrôle du nom des PJ de chaque fichier du flux", "Name of an attachment not allowed"),
    "IRR_VID_PJ": ("Contrôle de PJ non vide de chaque fichier du flux", "Empty attachment"),
    "IRR_EXT_DOC": (
        "Contrôle de l'extension des PJ de chaque fichier du flux",
        "Extension of an attachment not allowed",
    ),
    "IRR_TAILLE_F": ("Contrôle de taille max des fichiers contenus dans le flux", "File too large"),
    "IRR_ANTIVIRUS": ("Contrôle anti-virus", "Virus check failed"),
}

_OURS = {
    # Of a flow; but for the first, added by the portal (DSE annex 7).
    "IRR_NOM_F": ("Contrôle du nom des fichiers du flux", "Name of a file not allowed"),
    "IRR_TAILLE": ("Taille du flux non admise", "Flow too large"),
    "IRR_UNICITE": ("Flux déjà reçu", "Flow received before"),
    "IRR_VIDE": ("Flux vide", "Empty flow"),
    "IRR_FORM": ("Format du flux non admis", "Format of the flow not allowed"),
    "IRR_TYPE": ("Type du flux non admis", "Type of the flow not allowed"),
    "IRR_CODE_INTER": ("Code interface inconnu", "Unknown interface code"),
    "IRR_EXTRAC": ("Extraction du flux impossible", "Flow cannot be unpacked"),
    "IRR_CODE_APP": ("Code application inconnu", "Unknown application code"),
    # Of transaction data, directory lines and reported statuses.
    "REJ_PER": ("Rejet sur contrôle de période", "Wrong period"),
    "REJ_RG": ("Rejet sur règle de gestion", "A rule of the portal is broken"),
    "REJ_HAB": ("Rejet sur habilitation", "Not entitled"),
    "REJ_VAL_INC": ("Rejet sur valeur incorrecte", "Wrong value"),
    "REJ_INC": ("Rejet sur statut incohérent", "Inconsistent status"),
    "REJ_INEX": ("Rejet sur objet inexistant", "What it is about does not exist"),
    "REJ_ENCAISSEMENT": (
        "Rejet sur données d'encaissement",
        "Payment data missing or wrong (amounts by VAT rate: G7.45)",
    ),
    # Of a refusal by a public buyer.
    "RETRAIT_MAN_SERV": ("Retrait à la demande du service", "Withdrawn at the service's request"),
    "ST_CT_NON_DECLAR": (
        "Sous-traitant ou cotraitant non déclaré",
        "Subcontractor or co-contractor not declared",
    ),
    "SUPPR_COMP_AVOIR": ("Suppression pour compensation par avoir", "Removed, offset by a credit note"),
    "TRANSF_PMNT_REGIE": ("Transfert pour paiement en régie", "Passed on for payment by an imprest account"),
    "CONTACT_ACHTR": ("Autre : contacter l'acheteur", "Other: contact the buyer"),
}


def _reasons(labels: Mapping[str, tuple[str, str]], *, ours: bool) -> dict[str, Reason]:
    return {
        code: Reason(code=code, label_fr=fr, label_en=en, advice=advice, advice_fr=advice_fr, is_ours=ours)
        for code, (fr, en) in labels.items()
        for advice, advice_fr in [_ADVICE.get(code, ("", ""))]
    }


REASONS: Mapping[str, Reason] = {**_reasons(_OFFICIAL, ours=False), **_reasons(_OURS, ours=True)}
"""All reasons that are known here, by code."""

_CONTENT = "CMD_ERR SIRET_ERR CODE_ROUTAGE_ERR REF_CT_ABSENT REF_ERR"
_LINES = "PU_ERR REM_ERR QTE_ERR ART_ERR MODPAI_ERR QUALITE_ERR LIVR_INCOMP"

_BY_NUMBER = {
    200: "NON_TRANSMISE",
    206: f"AUTRE {_CONTENT} {_LINES}",
    207: (
        "AUTRE COORD_BANC_ERR TX_TVA_ERR MONTANTTOTAL_ERR CALCUL_ERR NON_CONFORME DOUBLON DEST_INC DEST_ERR "
        "TRANSAC_INC EMMET_INC CONTRAT_TERM DOUBLE_FACT CMD_ERR ADR_ERR SIRET_ERR CODE_ROUTAGE_ERR "
        f"REF_CT_ABSENT REF_ERR {_LINES}"
    ),
    208: f"JUSTIF_ABS COORD_BANC_ERR {_CONTENT}",
    # Without AUTRE: a buyer in business has to say why it refuses.
    210: (
        "TX_TVA_ERR MONTANTTOTAL_ERR CALCUL_ERR NON_CONFORME DOUBLON DEST_ERR TRANSAC_INC EMMET_INC "
        "CONTRAT_TERM DOUBLE_FACT CMD_ERR ADR_ERR REF_CT_ABSENT"
    ),
    213: (
        "MONTANTTOTAL_ERR CALCUL_ERR DOUBLON DEST_INC ADR_ERR REJ_SEMAN REJ_UNI REJ_COH REJ_ADR REJ_CONT_B2G "
        "REJ_REF_PJ REJ_ASS_PJ"
    ),
    221: "ROUTAGE_ERR",
    251: "REJ_SEMAN REJ_UNI REJ_COH",
    301: "REJ_SEMAN REJ_UNI REJ_COH REJ_PER",
    401: "REJ_RG REJ_HAB REJ_COH REJ_VAL_INC",
    501: (
        "IRR_VIDE_F IRR_TYPE_F IRR_SYNTAX IRR_TAILLE_PJ IRR_NOM_PJ IRR_VID_PJ IRR_EXT_DOC IRR_TAILLE_F "
        "IRR_ANTIVIRUS IRR_NOM_F IRR_TAILLE IRR_UNICITE IRR_VIDE IRR_FORM IRR_TYPE IRR_CODE_INTER IRR_EXTRAC "
        "IRR_CODE_APP"
    ),
    601: "REJ_INC REJ_INEX REJ_RG REJ_HAB REJ_ENCAISSEMENT",
}
_PUBLIC_SECTOR = {
    210: (
        "RETRAIT_MAN_SERV ST_CT_NON_DECLAR SUPPR_COMP_AVOIR TRANSF_PMNT_REGIE CONTACT_ACHTR AUTRE "
        "COORD_BANC_ERR"
    )
}


def allowed(number: int) -> tuple[Reason, ...]:
    """Return the reasons that a status takes, by its number."""
    return tuple(REASONS[code] for code in _BY_NUMBER.get(number, "").split())


def allowed_to_public_buyers(number: int) -> tuple[Reason, ...]:
    """Return the reasons that a status takes beyond those where the buyer is a public body."""
    return tuple(REASONS[code] for code in _PUBLIC_SECTOR.get(number, "").split())


_CODE = re.compile(r"[A-Z][A-Z0-9_]+")


def find_reason(text: str | None) -> Reason | None:
    """Find the reason code in what a platform wrote.

    Args:
        text: ``rejection_reason`` of an event: a code alone, in any case, or in capitals somewhere in a text.

    Returns:
        The reason; ``None`` where no known code is found. The text itself stays what was written.
    """
    if text is None:
        return None
    alone = REASONS.get(text.strip().upper())
    if alone is not None:
        return alone
    return next((REASONS[code] for code in _CODE.findall(text) if code in REASONS), None)
