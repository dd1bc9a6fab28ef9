"""How deliveries to a webhook are signed, and how a receiver verifies them: as the description says. Pure.

Header, encoding and signed content are read from ``x-webhook-signature``, so that a platform that signs in
another way is a change of data. The key is the secret's text in UTF-8.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["NAME", "Scheme", "SignatureError"]

NAME = "x-webhook-signature"
"""Where a description says how deliveries are signed."""

_ALGORITHMS = {"hmac-sha256": hashlib.sha256, "hmac-sha384": hashlib.sha384, "hmac-sha512": hashlib.sha512}
_ENCODINGS: dict[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "base64": lambda digest: base64.b64encode(digest).decode(),
}
_TICKS = {"unix-seconds": 1, "unix-milliseconds": 1000}
"""Ticks of a second, by format of the timestamp."""

_PLACE = re.compile(r"\{(timestamp|body)\}")


class SignatureError(ValueError):
    """A delivery is not signed, not signed with the secret, or not now; the message says which."""


@attrs.frozen(kw_only=True)
class Scheme:
    """A way of signing: what is signed, with what, and in which headers it stands."""

    header: str
    timestamp_header: str
    ticks: int
    """Ticks of the timestamp in a second."""
    algorithm: str
    encoding: str
    prefix: str
    """Text before each signature, such as ``sha256=``."""
    separator: str
    """Text between signatures, where several stand in the header while a secret is being changed."""
    signed_content: str
    """What is signed, with ``{timestamp}`` and ``{body}`` in their places."""
    tolerance: int
    """Seconds by which a timestamp may differ from the receiver's clock."""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Scheme:
        """Read the scheme of a description.

        Raises:
            ValueError: The description says nothing of it, or something that is not known here.
        """
        try:
            facts: dict[str, Any] = document[NAME]
            return cls(
                header=facts["header"],
                timestamp_header=facts["timestamp-header"],
                ticks=_known(_TICKS, "timestamp-format", facts),
                algorithm=facts["algorithm"] if _known(_ALGORITHMS, "algorithm", facts) else "",
                encoding=facts["encoding"] if _known(_ENCODINGS, "encoding", facts) else "",
                prefix=facts["prefix"],
                separator=facts["separator"],
                signed_content=facts["signed-content"],
                tolerance=facts["tolerance-seconds"],
            )
        except KeyError as error:
            raise ValueError(
                f"the description does not say how webhook deliveries are signed: {NAME} needs {error}"
            ) from None

    def sign(self, secret: str, body: bytes, *, at: float) -> dict[str, str]:
        """Return the headers that sign a body.

        Args:
            secret: The webhook's secret.
            body: The bytes that are sent.
            at: Moment of sending, in seconds since 1970.
        """
        timestamp = str(int(at * self.ticks))
        return {
            self.timestamp_header: timestamp,
            self.header: self.prefix + self._signature(secret, timestamp, body),
        }

    def verify(self, secrets: Iterable[str], headers: Mapping[str, str], body: bytes, *, now: float) -> None:
        """Judge a delivery; every signature is compared in constant time.

        Args:
            secrets: The secrets that are good: two, while one is being changed.
            headers: Headers received, in any case.
            body: The bytes received, before anything reads them.
            now: The receiver's time, in seconds since 1970.

        Raises:
            SignatureError: A header is missing, the timestamp is too far from now, or no signature is good.
        """
        found = {name.lower(): value for name, value in headers.items()}
        for name in (self.timestamp_header, self.header):
            if name.lower() not in found:
                raise SignatureError(f"the header {name} is missing")
        timestamp = found[self.timestamp_header.lower()]
        self._check_time(timestamp, now)
        given = found[self.header.lower()]
        signatures = [one.strip() for one in (given.split(self.separator) if self.separator else [given])]
        is_good = False
        for secret in secrets:
            expected = (self.prefix + self._signature(secret, timestamp, body)).encode()
            for signature in signatures:
                is_good |= hmac.compare_digest(expected, signature.encode(errors="replace"))
        if not is_good:
            raise SignatureError(f"no signature in {self.header} is good: another secret, or another body")

    def _check_time(self, timestamp: str, now: float) -> None:
        if not re.fullmatch(r"[0-9]{1,18}", timestamp):
            raise SignatureError(f"the timestamp in {self.timestamp_header} cannot be read")
        age = now - int(timestamp) / self.ticks
        if abs(age) > self.tolerance:
            where = "old" if age > 0 else "ahead"
            raise SignatureError(f"the timestamp is {abs(age):.0f} s {where}; {self.tolerance} s are allowed")

    def _signature(self, secret: str, timestamp: str, body: bytes) -> str:
        values = {"timestamp": timestamp.encode(), "body": body}
        pieces = _PLACE.split(self.signed_content)  # text and names take turns
        content = b"".join(values[one] if place % 2 else one.encode() for place, one in enumerate(pieces))
        digest = hmac.new(secret.encode(), content, _ALGORITHMS[self.algorithm]).digest()
        return _ENCODINGS[self.encoding](digest)


def _known(table: Mapping[str, Any], name: str, facts: Mapping[str, Any]) -> Any:
    if facts[name] not in table:
        raise ValueError(f"{NAME}: {name} {facts[name]!r} is not known here; known: {', '.join(table)}")
    return table[facts[name]]
