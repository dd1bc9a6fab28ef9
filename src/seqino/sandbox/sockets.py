"""What sockets can do that no stream offers: end a connection with a reset."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

__all__ = ["reset"]


def reset(transport: asyncio.WriteTransport) -> None:
    """Close a connection with a reset (RST), so that the other side cannot take it for an orderly end."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # Lingering for 0 seconds makes close() send RST instead of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
