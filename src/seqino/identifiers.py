"""French identifiers: companies, establishments, VAT numbers and electronic addresses, checked. Pure.

Each function takes what a person or a file wrote, and returns it as the network writes it, or says what is
wrong with it, where, and what to do. Nothing is looked up: that a number is well formed does not mean that it
exists.

>>> check_siren("552 100 554")
'552100554'
>>> check_address("552100554_COMPTA").suffix
'COMPTA'
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seqino._core.wire import IdentifierKind

__all__ = [
    "ADDRESS_SCHEME",
    "AddressForm",
    "FrenchAddress",
    "check",
    "check_address",
    "check_routing_code",
    "check_siren",
    "check_siret",
    "check_suffix",
    "check_vat_number",
    "fault",
    "siren_of_vat_number",
    "vat_number_of_siren",
]

ADDRESS_SCHEME = "0225"
"""Scheme (EAS) of French electronic addresses."""

MOST_CHARACTERS = 125
"""Length of an electronic address (BR-FR-21 to 25)."""
MOST_IN_SUFFIX = MOST_CHARACTERS - len("123456789_")
MOST_IN_ROUTING_CODE = MOST_IN_SUFFIX - len("12345678901234_")

_STRANGE = re.compile(r"[^A-Za-z0-9._-]")
_CHARACTERS = "letters without accents, digits, '-', '_' and '.'"
LENIENCE = "check_digits=False, for a client or a call, lets test numbers through"
"""How a test number is sent all the same; commands say it in their own words."""
_MISTYPED = f"has a wrong check digit: was a digit mistyped? {LENIENCE}"

_NOBODY = "000000000"
_NOBODYS = "has zeros alone for a SIREN, which nobody has"


class _NoIdentifierError(ValueError):
    """What is wrong, in a sentence without its subject."""


def _siren(text: str, *, check_digits: bool) -> str:
    # Imported here and below: it takes longer to load than most programs need it.
    from stdnum.fr import siren  # noqa: PLC0415

    number = _digits(text, 9, "a SIREN")
    if number == _NOBODY:
        raise _NoIdentifierError(_NOBODYS)
    if check_digits and not siren.is_valid(number):
        raise _NoIdentifierError(_MISTYPED)
    return number


def _siret(text: str, *, check_digits: bool) -> str:
    from stdnum.fr import siret  # noqa: PLC0415

    number = _digits(text, 14, "a SIRET")
    if number.startswith(_NOBODY):
        raise _NoIdentifierError(_NOBODYS)
    # Those of La Poste have another check digit than all others, which the library knows.
    if check_digits and not siret.is_valid(number):
        raise _NoIdentifierError(_MISTYPED)
    return number


def _digits(text: str, count: int, what: str) -> str:
    number = _joined(text)
    if re.fullmatch(rf"[0-9]{{{count}}}", number) is None:
        raise _NoIdentifierError(f"is not {what}, which has {count} digits")
    return number


def _joined(text: str) -> str:
    """Drop what people put between the groups of a number."""
    return re.sub(r"[\s.]", "", text)


def _vat_number(text: str, *, check_digits: bool) -> str:
    from stdnum.fr import tva  # noqa: PLC0415

    number = re.sub(r"[\s.-]", "", text).upper()
    # A key has digits, or letters but for I and O, which look like them.
    if re.fullmatch(r"FR[0-9A-HJ-NP-Z]{2}[0-9]{9}", number) is None:
        raise _NoIdentifierError(
            "is not a French VAT number, which has FR, a key of two characters and nine digits"
        )
    if number.endswith(_NOBODY):
        raise _NoIdentifierError(_NOBODYS)
    if check_digits and not tva.is_valid(number):
        raise _NoIdentifierError(_MISTYPED)
    return number


def _part(text: str, *, most: int, what: str) -> str:
    part = text.strip()
    if not part:
        raise _NoIdentifierError(f"is empty: leave it out where there is no {what}")
    strange = _STRANGE.search(part)
    if strange is not None:
        raise _NoIdentifierError(f"may hold {_CHARACTERS} only, not {strange[0]!r}")
    if len(part) > most:
        raise _NoIdentifierError(f"has {len(part)} characters, and at most {most} are allowed")
    return part


def _routing_code(text: str, *, check_digits: bool) -> str:
    del check_digits  # it has none
    return _part(text, most=MOST_IN_ROUTING_CODE, what="routing code")


def _suffix(text: str, *, check_digits: bool) -> str:
    del check_digits  # it has none
    part = _part(text, most=MOST_IN_SUFFIX, what="suffix")
    if _is_establishment(part.partition("_")[0]):
        raise _NoIdentifierError(
            "begins with 14 digits, which are read as a SIRET behind a SIREN: give them as the SIRET"
        )
    return part


def _is_establishment(text: str) -> bool:
    """Whether the part of an address behind the SIREN is meant to be a SIRET."""
    return re.fullmatch(r"[0-9]{14}", _joined(text)) is not None


class AddressForm(StrEnum):
    """The four forms of a French electronic address, from the whole company to one of its services."""

    SIREN = "SIREN"
    SIREN_SIRET = "SIREN_SIRET"
    SIREN_SIRET_ROUTING = "SIREN_SIRET_CODEROUTAGE"
    SIREN_SUFFIX = "SIREN_SUFFIXE"


@attrs.frozen(kw_only=True)
class FrenchAddress:
    """A French electronic address (BT-34, BT-49; scheme 0225), taken apart.

    Args:
        siren: The company.
        siret: The establishment, or ``None``.
        routing_code: The service of the establishment, or ``None``; it has to be in the directory.
        suffix: What the company added itself, or ``None``; it needs no prior creation.
    """

    siren: str
    siret: str | None = None
    routing_code: str | None = None
    suffix: str | None = None

    @property
    def value(self) -> str:
        """The address as it is written, such as ``552100554_55210055400013_COMPTA``."""
        parts = (self.siren, self.siret, self.routing_code, self.suffix)
        return "_".join(part for part in parts if part is not None)

    @property
    def form(self) -> AddressForm:
        """Which of the four forms it has."""
        if self.suffix is not None:
            return AddressForm.SIREN_SUFFIX
        if self.routing_code is not None:
            return AddressForm.SIREN_SIRET_ROUTING
        return AddressForm.SIREN if self.siret is None else AddressForm.SIREN_SIRET

    def __str__(self) -> str:
        return self.value


def _taken_apart(text: str, *, check_digits: bool) -> FrenchAddress:
    head, dash, rest = text.strip().partition("_")
    second = rest.partition("_")[0]
    if _is_establishment(second):
        rest = _joined(second) + rest[len(second) :]
    address = _part(_joined(head) + dash + rest, most=MOST_CHARACTERS, what="address")
    head, dash, rest = address.partition("_")
    try:
        siren = _siren(head, check_digits=check_digits)
    except _NoIdentifierError as error:
        raise _NoIdentifierError(f"must begin with a SIREN, and {head!r} {error}") from None
    if not dash:
        return FrenchAddress(siren=siren)
    second, dash, code = rest.partition("_")
    if not rest:
        raise _NoIdentifierError("ends with '_': a SIRET or a suffix is missing")
    if not _is_establishment(second):
        return FrenchAddress(siren=siren, suffix=rest)
    try:
        siret = _siret(second, check_digits=check_digits)
    except _NoIdentifierError as error:
        raise _NoIdentifierError(f"has a SIRET, {second!r}, that {error}") from None
    if not siret.startswith(siren):
        raise _NoIdentifierError(f"has a SIRET, {siret}, of another company than its SIREN {siren}")
    if dash and not code:
        raise _NoIdentifierError("ends with '_': a routing code is missing")
    return FrenchAddress(siren=siren, siret=siret, routing_code=code or None)


def _address(text: str, *, check_digits: bool) -> str:
    return _taken_apart(text, check_digits=check_digits).value


_KINDS: Mapping[IdentifierKind, Callable[..., str]] = {
    "siren": _siren,
    "siret": _siret,
    "vat_number": _vat_number,
    "routing_code": _routing_code,
    "suffix": _suffix,
    "address": _address,
}


def fault(kind: IdentifierKind, text: str, *, check_digits: bool = True) -> str:
    """Say what is wrong with an identifier that is sent as it stands, or nothing.

    Args:
        kind: What it should be.
        text: The identifier; it must be in its normal form.
        check_digits: Whether a wrong check digit is a fault.
    """
    try:
        normal = _KINDS[kind](text, check_digits=check_digits)
    except _NoIdentifierError as error:
        return f"{text[:40]!r} {error}"
    return "" if normal == text else f"{text[:40]!r} must be written {normal!r}"


def check(kind: IdentifierKind, text: str, *, where: str, check_digits: bool = True) -> str:
    """Return an identifier in its normal form.

    Args:
        kind: What it should be.
        text: What was written.
        where: Name of the place it comes from, for the message.
        check_digits: Whether a wrong check digit is a fault.

    Raises:
        InvalidInput: It is none.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - a number loses its zeros
        raise InvalidInput(f"{where} must be text, not {text!r}: a number would lose its leading zeros")
    try:
        return _KINDS[kind](text, check_digits=check_digits)
    except _NoIdentifierError as error:
        raise InvalidInput(f"{where}: {text[:40]!r} {error}") from None


def check_siren(text: str, *, where: str = "siren", check_digits: bool = True) -> str:
    """Return the number of a company (SIREN): 9 digits, the last a check digit (Luhn).

    Args:
        text: Blanks and dots in it are dropped.
        where: Name of the place it comes from, for the message.
        check_digits: Whether a wrong check digit is refused.

    Raises:
        InvalidInput: It is none.
    """
    return check("siren", text, where=where, check_digits=check_digits)


def check_siret(
    text: str, *, siren: str | None = None, where: str = "siret", check_digits: bool = True
) -> str:
    """Return the number of an establishment (SIRET): 14 digits, of which the first 9 are its company's.

    Args:
        text: Blanks and dots in it are dropped. Those of La Poste have a check digit of their own.
        siren: The company that it should belong to, where that is known; read in the same way.
        where: Name of the place it comes from, for the message.
        check_digits: Whether a wrong check digit is refused.

    Raises:
        InvalidInput: It is none, or one of another company, or ``siren`` is none.
    """
    number = check("siret", text, where=where, check_digits=check_digits)
    if siren is not None:
        company = check("siren", siren, where="siren", check_digits=check_digits)
        if number[:9] != company:
            raise InvalidInput(f"{where}: {number} belongs to the company {number[:9]}, not to {company}")
    return number


def check_vat_number(text: str, *, where: str = "vat_number", check_digits: bool = True) -> str:
    """Return a French VAT number: ``FR``, a key of two characters, and the SIREN; or one of Monaco.

    Args:
        text: Blanks, dots and dashes in it are dropped.
        where: Name of the place it comes from, for the message.
        check_digits: Whether a wrong key, or a wrong check digit of the SIREN, is refused.

    Raises:
        InvalidInput: It is none.
    """
    return check("vat_number", text, where=where, check_digits=check_digits)


def siren_of_vat_number(text: str) -> str | None:
    """Return the company of a French VAT number; ``None`` for one of Monaco, which has no SIREN.

    Raises:
        InvalidInput: It is no French VAT number.
    """
    number = check_vat_number(text)
    return None if number[4:].startswith("000") else number[4:]


def vat_number_of_siren(siren: str) -> str:
    """Return the VAT number of a company, with a key of digits.

    Most companies have that one; the tax office may have given one with letters, so that it is no more than a
    proposal.

    Raises:
        InvalidInput: It is no SIREN.
    """
    from stdnum.fr.siren import to_tva  # noqa: PLC0415

    return f"FR{to_tva(check_siren(siren))}"


def check_routing_code(text: str, *, where: str = "routing_code") -> str:
    """Return a routing code (code routage): a service of an establishment, as the directory knows it.

    Args:
        text: At most 100 letters without accents, digits, ``-``, ``_`` and ``.``.
        where: Name of the place it comes from, for the message.

    Raises:
        InvalidInput: It is none.
    """
    return check("routing_code", text, where=where)


def check_suffix(text: str, *, where: str = "suffix") -> str:
    """Return a suffix that a company adds to its SIREN in an electronic address.

    Args:
        text: At most 115 letters without accents, digits, ``-``, ``_`` and ``.``; not 14 digits at its
            beginning, which are read as a SIRET.
        where: Name of the place it comes from, for the message.

    Raises:
        InvalidInput: It is none.
    """
    return check("suffix", text, where=where)


def check_address(
    text: str, *, siren: str | None = None, where: str = "address", check_digits: bool = True
) -> FrenchAddress:
    """Take a French electronic address (scheme 0225) apart.

    Args:
        text: ``SIREN``, ``SIREN_SIRET``, ``SIREN_SIRET_CODEROUTAGE`` or ``SIREN_SUFFIXE``, at most 125
            characters (BR-FR-21 to 25). Blanks and dots in SIREN and SIRET are dropped; in the other parts
            blanks are refused.
        siren: The company that it must begin with, where that is known: the buyer's for a buyer's address
            (BR-FR-21), the seller's for a seller's in self-billing (BR-FR-22). It is read in the same way.
        where: Name of the place it comes from, for the message.
        check_digits: Whether wrong check digits are refused.

    Raises:
        InvalidInput: It is none, or one of another company, or ``siren`` is none.
    """
    normal = check("address", text, where=where, check_digits=check_digits)
    address = _taken_apart(normal, check_digits=False)
    if siren is not None:
        company = check("siren", siren, where="siren", check_digits=check_digits)
        if address.siren != company:
            raise InvalidInput(
                f"{where}: {normal[:40]!r} is of the company {address.siren}, not of {company}"
            )
    return address
