"""Settings of a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqino._generated import operations
from seqino.resources.base import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino._core.wire import JSON
    from seqino.models import PeriodicitySettings
    from seqino.options import CallOptions

__all__ = ["Settings"]


class Settings(Resource):
    """VAT regime of a client, and how often it reports."""

    __slots__ = ()

    async def get_periodicity(
        self, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> PeriodicitySettings:
        """Get the VAT regime and the reporting frequencies.

        Args:
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            The settings as they are.

        Raises:
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.get_periodicity_settings(self._client, client_id=client_id, options=options)

    async def set_periodicity(
        self,
        settings: PeriodicitySettings | Mapping[str, Any],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> JSON:
        """Set the VAT regime and the reporting frequencies, all three; to set them again does no harm.

        Args:
            settings: All of it: what is meant to stay must be given too.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            What is answered, which is not published.

        Raises:
            InvalidInput: It does not fit the description; nothing was sent.
            BadRequest: The platform does not take these together.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.set_periodicity_settings(
            self._client, settings, client_id=client_id, options=options
        )
