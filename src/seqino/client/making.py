"""The engine of a new client: its configuration, and its way to the server, joined."""

from __future__ import annotations

from ssl import SSLContext
from typing import TYPE_CHECKING

import attrs

from seqino._core.call import CallEngine
from seqino._core.codec import Codec
from seqino._core.config import Secret
from seqino._core.network import resolve_network
from seqino._core.transport import Middleware, Session
from seqino._generated.operations import OPERATIONS
from seqino._generated.tables import CONSTRAINTS, WIRE_NAMES

if TYPE_CHECKING:
    from seqino._core.config import Config
    from seqino._core.runtime import Runtime
    from seqino._core.telemetry import Telemetry

__all__ = ["Way", "codec_of_api", "engine_of"]


@attrs.frozen(kw_only=True, repr=False)
class Way:
    """How requests get to the server; each as for ``SeqinoClient``.

    Args:
        proxy: URL of a proxy.
        trust_env: Whether that of the environment is taken where none is given.
        tls: Which certificates are trusted, and which is shown.
        session: A session to use and leave open.
        middlewares: What is run around each attempt.
    """

    proxy: Secret | None
    trust_env: bool
    tls: SSLContext | None
    session: Session | None
    middlewares: tuple[Middleware, ...]


def codec_of_api() -> Codec:
    """Return what checks and writes all that is sent to the API, and reads what it answers."""
    return Codec(CONSTRAINTS, WIRE_NAMES)


def engine_of(
    config: Config, way: Way, *, allow_insecure_http: bool, telemetry: Telemetry | None, runtime: Runtime
) -> CallEngine:
    """Return the engine of a new client.

    Args:
        config: Its configuration.
        way: How its requests get to the server.
        allow_insecure_http: Whether the key may be readable on the way.
        telemetry: Observes calls and their attempts.
        runtime: Clock, sleep, timers and chance.

    Raises:
        ConfigurationError: There is no such way.
    """
    network = resolve_network(
        base_url=config.base_url,
        proxy=way.proxy,
        trust_env=way.trust_env,
        tls=way.tls,
        session_is_given=way.session is not None,
        has_key=config.api_key is not None,
        allow_insecure_http=allow_insecure_http,
    )
    return CallEngine(
        config,
        codec_of_api(),
        operations=OPERATIONS,
        network=network,
        session=way.session,
        middlewares=way.middlewares,
        telemetry=telemetry,
        runtime=runtime,
    )
