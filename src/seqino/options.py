"""What a caller may set: once for a client, or for one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino._core.wire import JSON

SERVERS: Mapping[str, str] = {
    "dev": "https://pdp.seqino.dev/api",
    "local": "http://localhost:8052",
}
"""Published servers by name; any URL may stand where a name does."""

DEFAULT_SERVER = "dev"
"""The only public server whose address the platform's documentation still shows."""


@attrs.frozen(kw_only=True)
class CallOptions:
    """What one call may do otherwise than its client; a field left ``None`` keeps the client's value.

    Args:
        timeout: Seconds for the whole logical call: waiting for a connection, attempts and pauses.
            ``math.inf`` waits for ever.
        max_retries: How often a failed attempt may be repeated, 0 or more; only where a repetition is safe.
        extra_headers: Added to the request; they cannot replace the key or the client id.
        extra_body: Members added to a JSON body, for fields that the description does not know yet.
    """

    timeout: float | None = None
    max_retries: int | None = None
    extra_headers: Mapping[str, str] | None = None
    extra_body: Mapping[str, JSON] | None = None
