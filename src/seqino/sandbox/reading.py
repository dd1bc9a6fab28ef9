"""The platform's own reader of invoice files: UBL, CII, and Factur-X (CII in a PDF), told apart by content.

It shares nothing with the client's reader, so that a fault of one cannot hide behind the other.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError, XMLParser

import attrs

from seqino.sandbox.shape import Terms
from seqino.sandbox.syntaxes import SYNTAXES

if TYPE_CHECKING:
    from pypdf.generic import EmbeddedFile

    from seqino.sandbox.syntaxes import Syntax

__all__ = ["InvoiceFile", "NoInvoice", "read_ahead", "read_file"]

_ATTACHMENTS = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
"""Names under which a Factur-X PDF carries its CII (Factur-X 1.07 §6.1 and its forerunners)."""

_MOST_ELEMENTS = 1_000_000
"""More than the largest invoice has, and less than a small machine can hold."""


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


class _ReadAhead(bytes):
    """A file, and what its reading came to."""

    outcome: InvoiceFile | NoInvoice


def read_ahead(data: bytes) -> bytes:
    """Read a file for later: ``read_file`` of what is returned takes no time. Made to run in a thread."""
    ahead = _ReadAhead(data)
    try:
        ahead.outcome = read_file(data)
    except NoInvoice as error:
        ahead.outcome = error
    return ahead


def read_file(data: bytes) -> InvoiceFile:
    """Read an invoice file.

    Raises:
        NoInvoice: It is empty, broken, of another kind, or without the number or date that every invoice has.
    """
    if isinstance(data, _ReadAhead):
        if isinstance(data.outcome, NoInvoice):
            raise data.outcome
        return data.outcome
    if data.startswith(b"%PDF-"):
        return InvoiceFile("factur-x", _read_xml(_attached(data))[1])
    syntax, terms = _read_xml(data)
    return InvoiceFile(syntax.name, terms)


def _read_xml(data: bytes) -> tuple[Syntax, Terms]:
    if not data.strip():
        raise NoInvoice("the file is empty")
    tree = _Tree()
    parser = XMLParser(target=tree)  # noqa: S314 - a DOCTYPE, and with it every entity, is refused
    try:
        parser.feed(data)
        parser.close()
    except ParseError as error:
        raise NoInvoice(f"neither XML nor PDF: {error}") from None
    except (LookupError, ValueError) as error:
        raise NoInvoice(f"its encoding cannot be read: {error}") from None
    for syntax in SYNTAXES:
        if tree.root_name in syntax.roots:
            return syntax, _checked(_terms(syntax, tree.root))
    raise NoInvoice(f"{tree.root_name} is neither a UBL invoice or credit note nor a CII invoice")


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


@attrs.define(eq=False)
class _Node:
    """An element: its text, its attributes, and its children by name without prefix."""

    attributes: Mapping[str, str]
    text: str = ""
    children: dict[str, list[_Node]] = attrs.field(factory=dict[str, "list[_Node]"])


class _Tree:
    """Builds nodes from a parser's events, and refuses what could make a small file large."""

    def __init__(self) -> None:
        self.root_name = ""
        self.root = _Node({})
        self._open = [self.root]
        self._text: list[str] = []
        self._elements = 0

    def doctype(self, name: str, *_identifiers: str | None) -> None:
        raise NoInvoice(f"it has a DOCTYPE ({name}), which no electronic invoice needs")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise NoInvoice(f"it has more than {_MOST_ELEMENTS} elements")
        if len(self._open) > _DEEPEST:
            raise NoInvoice(f"its elements stand in each other more than {_DEEPEST} levels deep")
        # Text before a child is white space: no element of an invoice holds both.
        self._text.clear()
        node = _Node(attributes)
        if not self.root_name:
            self.root_name, self.root = tag, node
        self._open[-1].children.setdefault(tag.rpartition("}")[2], []).append(node)
        self._open.append(node)

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, _tag: str) -> None:
        self._open.pop().text = "".join(self._text)
        self._text.clear()

    def close(self) -> None:
        """Nothing is left to do; a parser's target has to have it."""


def _terms(syntax: Syntax, root: _Node) -> Terms:
    terms: Terms = _values(root, syntax.terms)
    terms.update(_vat_totals(root, syntax, terms))
    for group, places in syntax.groups.items():
        found = [_values(node, place.terms) for place in places for node in _select(root, place.path)]
        if found:
            terms[group] = found
    return terms


def _values(node: _Node, terms: Mapping[str, tuple[str, ...]]) -> Terms:
    found: Terms = {}
    for term, paths in terms.items():
        value = next((text for path in paths if (text := _text(node, path))), None)
        if value is not None:
            found[term] = value
    return found


def _vat_totals(root: _Node, syntax: Syntax, terms: Terms) -> Terms:
    """Tell the VAT total in the invoice's currency (BT-110) from that in the accounting currency (BT-111)."""
    totals: Terms = {}
    for path in syntax.terms["BT-110"]:
        for node in _select(root, path):
            foreign = terms.get("BT-6") and node.attributes.get("currencyID") == terms["BT-6"] != terms.get(
                "BT-5"
            )
            totals.setdefault("BT-111" if foreign else "BT-110", node.text.strip())
    return totals


_STEP = re.compile(r"([\w.@]+)(?:\[([^=\]]+)(?:=([^\]]*))?\])?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)")


@lru_cache(maxsize=1024)
def _split(path: str) -> tuple[str, str]:
    """Split a path from the attribute at its end; an ``@`` inside brackets is a condition."""
    elements, slash, last = path.rpartition("/")
    return (elements, last[1:]) if last.startswith("@") else (elements + slash + last, "")


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[tuple[str, str, str], ...]:
    """Split a path at the slashes outside brackets: name, condition, wanted text."""
    steps = tuple((found[1], found[2] or "", found[3] or "") for found in _STEP.finditer(path))
    return () if steps and steps[0][0] == "." else steps


def _select(node: _Node, path: str) -> list[_Node]:
    """Return the elements at a path, in the order of the file."""
    nodes = [node]
    for name, condition, wanted in _steps(path):
        nodes = [
            child
            for parent in nodes
            for child in parent.children.get(name, ())
            if not condition or _holds(child, condition, wanted)
        ]
        if not nodes:
            break
    return nodes


def _holds(node: _Node, condition: str, wanted: str) -> bool:
    if not wanted:
        return bool(_select(node, condition))
    return _text(node, condition) == wanted


def _text(node: _Node, path: str) -> str:
    """Return the first text, or attribute, at a path; a compact date (format 102) as ISO 8601."""
    elements, attribute = _split(path)
    for found in _select(node, elements):
        text = (found.attributes.get(attribute, "") if attribute else found.text).strip()
        if found.attributes.get("format") == "102":
            return _COMPACT_DATE.sub(r"\1-\2-\3", text)
        if text:
            return text
    return ""
