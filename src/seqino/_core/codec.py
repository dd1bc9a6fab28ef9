"""JSON in and out of models: msgspec does the work, cattrs explains what does not fit.

Decimal numbers keep every digit, and nothing that is no plain decimal number passes for one. Reading takes
the decimals of XML Schema and of JSON (``12.50``, ``+1``, ``.5``, ``1E+2``), at most 100 digits, as a number
or as text. Writing uses text in plain notation. In members of unknown type, numbers with a fraction are read
as ``Decimal`` too: free where there are none, and well under a microsecond for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import msgspec

from seqino._core.decimals import fraction, fraction_or_text, odd_anywhere, odd_member, odd_written
from seqino._core.outgoing import Outgoing
from seqino._core.shortcuts import Recogniser, fill_in_defaults
from seqino._core.typegraph import is_model, models, numbers
from seqino.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cattrs.preconf.msgspec import MsgspecJsonConverter

    from seqino._core.constraints import Constraint
    from seqino._core.exact import ExactReader
    from seqino._core.wire import JSON

    Read: TypeAlias = Callable[[bytes], Any]

__all__ = ["Codec", "DecodeFault"]

_ENCODE = msgspec.json.Encoder().encode
_DECODE_PLAIN = msgspec.json.Decoder(float_hook=fraction_or_text).decode


class DecodeFault(ValueError):  # noqa: N818 - says what was found, as Fault does
    """A document that cannot be read.

    Args:
        faults: Each thing that is wrong, with its place; 100 at most, and a last one that says so.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults)
        self.faults = faults

    def __str__(self) -> str:
        return "; ".join(f"{path}: {message}" for path, message in self.faults)


class Codec:
    """Reads and writes models as JSON.

    Args:
        constraints: What the description asks of fields beyond their types, by model and field; checked
            before sending.
        wire_names: Names in JSON that differ from those in Python, by model and field.
    """

    def __init__(
        self,
        constraints: Mapping[type, Mapping[str, Constraint]] | None = None,
        wire_names: Mapping[type, Mapping[str, str]] | None = None,
    ) -> None:
        self._wire_names = wire_names or {}
        self._readers: dict[Any, Read] = {}
        self._recognisers: dict[Any, Callable[[Any], bool]] = {}
        self._recogniser = Recogniser(constraints or {}, self._wire_names)
        self._outgoing = Outgoing(constraints or {}, self._wire_names)
        self._exact: ExactReader | None = None
        self._constraints = constraints or {}
        self._lenient: Codec | None = None

    @property
    def lenient(self) -> Codec:
        """The same codec, but that it lets identifiers with a wrong check digit through."""
        if self._lenient is None:
            constraints = {
                model: {name: attrs.evolve(limits, check_digits=False) for name, limits in fields.items()}
                for model, fields in self._constraints.items()
            }
            self._lenient = Codec(constraints, self._wire_names)
        return self._lenient

    def decode(self, data: bytes, type: Any) -> Any:  # noqa: A002 - what it is
        """Read a JSON document.

        Args:
            data: The document, as it was received.
            type: The type form of what it holds.

        Raises:
            DecodeFault: It is no JSON, or does not fit the type; with every fault and its place.
        """
        reader = self._readers.get(type)
        if reader is None:
            reader = self._readers[type] = self._reader(type)
        try:
            return reader(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DecodeFault((Fault("$", _malformed(data, error)),)) from None
        except RecursionError:
            raise DecodeFault((Fault("$", "is nested too deeply"),)) from None

    def encode(self, value: Any, type: Any, *, extra: Mapping[str, JSON] | None = None) -> bytes:  # noqa: A002
        """Check a value and write it as JSON; the same value always gives the same bytes.

        Args:
            value: A model, or a mapping of the same members; members that the type does not know are kept.
            type: The type form of what is to be written.
            extra: Members to add to the object; they cannot replace any.

        Raises:
            InvalidInput: Something must not be sent so; with every fault and its place.
        """
        try:
            return self._encode(value, type, extra)
        except RecursionError:
            raise InvalidInput(
                "nothing was sent: the value is nested too deeply, or contains itself"
            ) from None

    def convert(self, value: Any, type: Any) -> Any:  # noqa: A002
        """Make what a type form describes of plain values.

        Args:
            value: Such as a mapping with the members of a model; dates and numbers may be text or Python's.
            type: The type form.

        Raises:
            InvalidInput: It does not fit; with every fault and its place.
        """
        from seqino._core.exact import Faulty  # noqa: PLC0415 - as in _exactly

        try:
            return self._reader_of_values().read(value, type)
        except Faulty as error:
            raise InvalidInput(f"this is no {_named(type)}:", faults=error.faults) from None
        except RecursionError:
            raise InvalidInput(
                f"this is no {_named(type)}: it is nested too deeply, or contains itself"
            ) from None

    @property
    def converter(self) -> MsgspecJsonConverter:
        """The cattrs converter in front: for hooks of your own, and to make plain values of models."""
        return self._reader_of_values().converter

    def _reader(self, form: Any) -> Read:
        """Bind the fastest way to read a type form that gives the same as the exact one."""

        def exactly(data: bytes) -> Any:
            from seqino._core.exact import Faulty  # noqa: PLC0415 - as in _reader_of_values

            try:
                return self._reader_of_values().read(_DECODE_PLAIN(data), form)
            except Faulty as error:
                raise DecodeFault(error.faults) from None

        decoder = self._native(form)
        if decoder is None:
            return exactly
        decode = decoder.decode
        odd = {"none": None, "members": odd_member, "anywhere": odd_anywhere}[numbers(form)]

        def natively(data: bytes) -> Any:
            if odd is not None and odd(data):
                return exactly(data)
            try:
                return decode(data)
            except msgspec.ValidationError as error:
                exactly(data)
                # Both ways read the same documents; should they ever differ, nothing doubtful is let in.
                raise DecodeFault((Fault("$", str(error)),)) from None

        return natively

    def _native(self, form: Any) -> msgspec.json.Decoder[Any] | None:
        """Give msgspec's decoder of a type form; None where it cannot read all of it."""
        reached = models(form)
        if not self._wire_names.keys().isdisjoint(reached):
            return None
        for model in reached:
            fill_in_defaults(model)
        try:
            return msgspec.json.Decoder(form, float_hook=fraction)
        except TypeError:
            return None

    def _reader_of_values(self) -> ExactReader:
        if self._exact is None:
            # Imported here: cattrs takes longer to import than most programs need to read their documents.
            from seqino._core.exact import ExactReader  # noqa: PLC0415

            self._exact = ExactReader(self._wire_names)
        return self._exact

    def _encode(self, value: Any, form: Any, extra: Mapping[str, JSON] | None) -> bytes:
        data = self._encoded_at_once(value, form)
        if data is not None and not extra:
            return data
        written, faults = self._outgoing.write(value, form)
        if extra:
            added, more = self._outgoing.write(extra, dict[str, Any])
            faults = (*faults, *more, *_clashes(written, added))
        else:
            added = {}
        if faults:
            raise InvalidInput("nothing was sent:", faults=faults)
        return _ENCODE({**written, **added} if added else written)

    def _encoded_at_once(self, value: Any, form: Any) -> bytes | None:
        """Encode a value that is plainly right; None where it needs a second look."""
        recognise = self._recognisers.get(form)
        if recognise is None:
            recognise = self._recognisers[form] = self._recogniser.recognise(form)
        try:
            if recognise(value):
                data = _ENCODE(value)
                return None if odd_written(data) else data
        except (AttributeError, UnicodeEncodeError):
            # A field was deleted, or a text holds half a character: the careful way says which.
            pass
        return None


def _clashes(written: Any, added: Any) -> list[Fault]:
    if not isinstance(written, dict):
        return [Fault("$", "extra members can be added to an object only")]
    return [
        Fault(f"$.{name}", "is given twice: in the body and as an extra member")
        for name in added
        if name in written
    ]


def _named(form: Any) -> str:
    return form.__name__ if is_model(form) else str(form)


def _malformed(data: bytes, error: Exception) -> str:
    """Say what is wrong with a document that is no JSON."""
    start = data.lstrip()[:1]
    if not start:
        return "is empty"
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return "begins with a byte order mark; JSON is UTF-8 without one (RFC 8259 §8.1)"
    if start == b"<":
        return "is HTML or XML, not JSON"
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8: {error.reason}"
    if isinstance(error, msgspec.ValidationError):
        return f"cannot be read: {error}"
    return f"is not JSON: {error}"
