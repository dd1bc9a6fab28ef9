"""The platform's own reader of invoice files: UBL, CII, and Factur-X (CII in a PDF), told apart by content.

It shares nothing with the client's reader, so that a fault of one cannot hide behind the other.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError, TreeBuilder, XMLParser

import attrs

from seqino.sandbox.paths import Paths
from seqino.sandbox.shape import Terms
from seqino.sandbox.syntaxes import SYNTAXES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

    from pypdf.generic import EmbeddedFile

    from seqino.sandbox.syntaxes import Syntax

__all__ = ["LARGE", "InvoiceFile", "NoInvoice", "read_ahead", "read_file"]

_ATTACHMENTS = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
"""Names under which a Factur-X PDF carries its CII (Factur-X 1.07 §6.1 and its forerunners)."""

_MOST_TAGS = 2_000_000
"""More than the largest invoice has, and fewer than a small machine can hold."""

LARGE = 256 * 1024
"""Bytes from which on a file is to be read in a thread; up to there, starting one takes longer."""


_LONGEST_NUMBER = 1000
"""Characters of what can be taken for a number at all; which numbers are right, other rules say."""

_DEEPEST = 100
"""Levels of elements: many more than any invoice has."""


class NoInvoice(Exception):  # noqa: N818 - an answer, not a fault of the sandbox
    """The file is no invoice that the platform can read; the message says why."""


@attrs.frozen
class InvoiceFile:
    """An invoice read from a file."""

    syntax: str
    """``ubl``, ``cii`` or ``factur-x``."""
    terms: Terms


def read_ahead(data: bytes) -> InvoiceFile | NoInvoice:
    """Read a file for later: what keeps it from being an invoice is returned. Made to run in a thread."""
    try:
        return read_file(data)
    except NoInvoice as error:
        return error


def read_file(data: bytes) -> InvoiceFile:
    """Read an invoice file.

    Raises:
        NoInvoice: It is empty, broken, of another kind, or without the number or date that every invoice has.
    """
    if data.startswith(b"%PDF-"):
        return InvoiceFile("factur-x", _read_xml(_attached(data))[1])
    syntax, terms = _read_xml(data)
    return InvoiceFile(syntax.name, terms)


def _read_xml(data: bytes) -> tuple[Syntax, Terms]:
    if not data.strip():
        raise NoInvoice("the file is empty")
    # In every encoding that is read, a tag has this byte.
    if data.count(b"<") > _MOST_TAGS:
        raise NoInvoice(f"it has more than {_MOST_TAGS} tags")
    builder = _Builder() if len(data) <= LARGE else _PatientBuilder()
    parser = XMLParser(target=builder)  # noqa: S314 - a DOCTYPE, and with it every entity, is refused
    try:
        # Never in pieces: a token that goes through all of them would be read again with each.
        parser.feed(data)
        root = parser.close()
    except ParseError as error:
        raise NoInvoice(f"neither XML nor PDF: {error}") from None
    except (LookupError, ValueError) as error:
        raise NoInvoice(f"its encoding cannot be read: {error}") from None
    for syntax in SYNTAXES:
        if root.tag in syntax.roots:
            return syntax, _checked(_terms(syntax, root))
    raise NoInvoice(f"{root.tag} is neither a UBL invoice or credit note nor a CII invoice")


def _checked(terms: Terms) -> Terms:
    number = terms.get("BT-1")
    if not number or len(number) > _LONGEST_NUMBER:
        raise NoInvoice(f"it has no invoice number (BT-1), or one of more than {_LONGEST_NUMBER} characters")
    try:
        date.fromisoformat(terms.get("BT-2", ""))
    except ValueError:
        raise NoInvoice("it has no readable issue date (BT-2)") from None
    return terms


def _attached(data: bytes) -> bytes:
    """Take the invoice out of a PDF/A-3."""
    from pypdf import PdfReader  # noqa: PLC0415 - needed for a PDF only

    try:
        streams = {name: one for one in PdfReader(io.BytesIO(data)).attachment_list for name in _names(one)}
        for name in _ATTACHMENTS:
            if name in streams:
                return _content(name, streams[name])
    except NoInvoice:
        raise
    except Exception as error:  # noqa: BLE001 - a hostile PDF fails in any way; the platform must stay up
        raise NoInvoice(f"a PDF that cannot be read: {type(error).__name__}: {error}") from None
    raise NoInvoice(f"a PDF without an invoice inside ({', '.join(_ATTACHMENTS)})")


def _names(attachment: EmbeddedFile) -> set[str]:
    """Return all names that an attachment has: in the tree of names, and in its specification."""
    specification = attachment.pdf_object
    return {attachment.name, *(str(specification[key]) for key in ("/UF", "/F") if key in specification)}


def _content(name: str, attachment: EmbeddedFile) -> bytes:
    """Decode an attachment, which is deflated or stored as it is.

    The other filters of PDF have no bound on what comes out of them, or are slow, and no invoice needs them.
    """
    files: Any = attachment.pdf_object["/EF"]
    stream: Any = files["/UF" if "/UF" in files else "/F"]
    filters = _several(stream.get("/Filter"))
    predictors = [one.get("/Predictor", 1) for one in _several(stream.get("/DecodeParms")) if one]
    if filters not in ([], ["/FlateDecode"]) or any(one != 1 for one in predictors):
        raise NoInvoice(
            f"{name} in the PDF is packed with {', '.join(map(str, filters[:3])) or 'a predictor'}:"
            " an attachment is deflated (FlateDecode), without a predictor, or not packed at all"
        )
    content: bytes = stream.get_data()
    return content


def _several(value: Any) -> list[Any]:
    """Return what a PDF gives once or in an array, resolved, without nulls."""
    from pypdf.generic import NullObject  # noqa: PLC0415 - needed for a PDF only

    value = None if value is None else value.get_object()
    found: list[Any] = [*value] if isinstance(value, list) else [value]
    found = [one.get_object() for one in found if one is not None]
    return [one for one in found if not isinstance(one, NullObject)]


class _Builder(TreeBuilder):
    """Builds the tree, of a file without entities of its own."""

    def doctype(self, name: str, *_identifiers: str | None) -> None:
        raise NoInvoice(f"it has a DOCTYPE ({name}), which no electronic invoice needs")


class _PatientBuilder(_Builder):
    """Lets other threads have their turn: what is in C from end to end keeps them waiting."""

    _levels = 0

    def start(self, tag: str, attributes: dict[str, str], /) -> Element:
        self._levels += 1
        if self._levels > _DEEPEST:
            raise NoInvoice(f"its elements stand in each other more than {_DEEPEST} levels deep")
        return super().start(tag, attributes)

    def end(self, tag: str, /) -> Element:
        self._levels -= 1
        return super().end(tag)


@attrs.frozen(eq=False)
class _Reader:
    """The paths of a syntax, made ready once."""

    header: Paths
    groups: Mapping[str, Paths]
    """The paths inside each element that repeats, by the path of that."""

    @classmethod
    def of(cls, syntax: Syntax) -> _Reader:
        repeated = {place.path: place for places in syntax.groups.values() for place in places}
        elements = {path: (path,) for path in repeated}
        return cls(
            Paths(syntax.terms, {**elements, "BT-110": syntax.terms["BT-110"]}),
            {path: Paths(place.terms) for path, place in repeated.items()},
        )


_READERS = {syntax.name: _Reader.of(syntax) for syntax in SYNTAXES}


def _terms(syntax: Syntax, root: Element) -> Terms:
    reader = _READERS[syntax.name]
    texts, elements = reader.header.read(root)
    terms: Terms = {**texts}
    terms.update(_vat_totals(elements.get("BT-110", ()), terms))
    for group, places in syntax.groups.items():
        found = [
            reader.groups[place.path].read(element)[0]
            for place in places
            for element in elements.get(place.path, ())
        ]
        if found:
            terms[group] = found
    _lift_references(terms)
    return terms


def _lift_references(terms: Terms) -> None:
    """Add what the lines refer to to what the invoice does: the API has one place for both.

    EN 16931 has the reference in the header (BG-3); in France each line may have one instead (BR-FR-CO-05).
    """
    references: list[Terms] = terms.get("BG-3", [])
    known = {(one.get("BT-25"), one.get("BT-26")) for one in references}
    for line in terms.get("BG-25", ()):
        number, day = line.pop("BT-25", None), line.pop("BT-26", None)
        if number and (number, day) not in known:
            known.add((number, day))
            references.append({"BT-25": number, **({"BT-26": day} if day else {})})
    if references:
        terms["BG-3"] = references


def _vat_totals(amounts: Iterable[Element], terms: Terms) -> Terms:
    """Tell the VAT total in the invoice's currency (BT-110) from that in the accounting currency (BT-111)."""
    totals: Terms = {}
    for amount in amounts:
        foreign = terms.get("BT-6") and amount.get("currencyID") == terms["BT-6"] != terms.get("BT-5")
        totals.setdefault("BT-111" if foreign else "BT-110", (amount.text or "").strip())
    return totals
