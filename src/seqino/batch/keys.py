"""What makes an invoice the same one: keys, digests, and the address of a server in one form. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from seqino.errors import ConfigurationError, InvalidInput
from seqino.options import SERVERS

if TYPE_CHECKING:
    from seqino.documents import Document

__all__ = [
    "LONGEST",
    "canonical",
    "check_name",
    "digest",
    "file_key",
    "normalise_server",
]

LONGEST = 255
"""Characters of a key, a reference or a name."""

_PORTS = {"http": 80, "https": 443}
_SORTED = msgspec.json.Encoder(order="sorted").encode


def digest(content: bytes) -> str:
    """Return the SHA-256 of a content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def canonical(draft: bytes) -> bytes:
    """Write a draft so that the same draft always gives the same bytes, whatever the order of its members.

    Args:
        draft: JSON without fractions, as the SDK sends it (amounts are texts there).
    """
    return _SORTED(msgspec.json.decode(draft))


def file_key(document: Document) -> str:
    """Return the key of an invoice file: seller, number and year of issue (DSE v3.1 note 112).

    Args:
        document: The file, recognised.

    Raises:
        InvalidInput: The file does not say all of them.
        MissingExtra: The file is a PDF, and ``pypdf`` is not installed.
    """
    if document.key is not None:
        return check_name("the key of the file", document.key)
    told = {"seller": document.seller, "number": document.number, "date of issue": document.issue_date}
    missing = " and ".join(name for name, value in told.items() if not value)
    raise InvalidInput(
        f"{document.name}: has no {missing} from which a key could be made: give its key, such as your own "
        "number of the document"
    )


def check_name(what: str, value: object) -> str:
    """Return a key, a reference or a name, or refuse what cannot be one.

    Args:
        what: What to call it in the message.
        value: What was given.

    Raises:
        InvalidInput: It is no printable text of 1 to 255 characters without blanks around it.
    """
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST or not value.isprintable():
        raise InvalidInput(f"{what} must be a printable text of 1 to {LONGEST} characters, not {value!r}")
    if value != value.strip():
        raise InvalidInput(f"{what} must have no blanks around it: {value!r}")
    return value


def normalise_server(server: str) -> str:
    """Return the address of a server in the one form by which it is known again.

    Args:
        server: Name of a published server (``dev``, ``local``), or a URL.

    Raises:
        ConfigurationError: It is neither.
    """
    try:
        parts = urlsplit(SERVERS.get(server, server))
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    scheme = parts.scheme.lower()
    if not host or scheme not in _PORTS:
        raise ConfigurationError(
            f"the server must be one of {', '.join(SERVERS)} or an http(s) URL, not {_shown(server)!r}"
        )
    name = f"[{host}]" if ":" in host else host.lower()
    place = name if port in (None, _PORTS[scheme]) else f"{name}:{port}"
    return f"{scheme}://{place}{parts.path.rstrip('/')}"


def _shown(server: str) -> str:
    # What stands before the last "@" may be a password.
    return server.rpartition("@")[2]
