"""The platform's own reader of invoice files: UBL, CII, and Factur-X (CII in a PDF), told apart by content.

It shares nothing with the client's reader, so that a fault of one cannot hide behind the other.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError, XMLParser

import attrs

from seqino.sandbox.shape import Terms
from seqino.sandbox.syntaxes import SYNTAXES

if TYPE_CHECKING:
    from seqino.sandbox.syntaxes import Syntax

__all__ = ["InvoiceFile", "NoInvoice", "read_ahead", "read_file"]

_ATTACHMENTS = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
"""Names under which a Factur-X PDF carries its CII (Factur-X 1.07 §6.1 and its forerunners)."""

_MOST_ELEMENTS = 1_000_000
"""More than the largest invoice has, and less than a small machine can hold."""


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
    if not terms.get("BT-1"):
        raise NoInvoice("it has no invoice number (BT-1)")
    try:
        date.fromisoformat(terms.get("BT-2", ""))
    except ValueError:
        raise NoInvoice("it has no readable issue date (BT-2)") from None
    return terms


def _attached(data: bytes) -> bytes:
    """Take the invoice out of a PDF/A-3."""
    from pypdf import PdfReader  # noqa: PLC0415 - needed for a PDF only

    try:
        attachments = PdfReader(io.BytesIO(data)).attachments
        for name in _ATTACHMENTS:
            if attachments.get(name):
                return attachments[name][0]
    except Exception as error:  # noqa: BLE001 - a hostile PDF fails in any way; the platform must stay up
        raise NoInvoice(f"a PDF that cannot be read: {type(error).__name__}: {error}") from None
    raise NoInvoice(f"a PDF without an invoice inside ({', '.join(_ATTACHMENTS)})")


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
