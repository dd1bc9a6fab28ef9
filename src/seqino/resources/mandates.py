"""Mandates: the right to act for one directory entry of a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino._generated import operations
from seqino.models import DirectoryEntry, Mandate
from seqino.pagination import Pager
from seqino.resources.base import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seqino._core.wire import JSON
    from seqino.models import MandateBatchCreate, MandateCreate, MandateStatus
    from seqino.options import CallOptions

__all__ = ["Mandates"]


class Mandates(Resource):
    """Mandates of a client, each tied to one entry of the directory."""

    __slots__ = ()

    def list(
        self,
        *,
        status: MandateStatus | str | None = None,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Pager[Mandate]:
        """List the mandates of a client.

        Args:
            status: Only those in this state.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.
        """
        return Pager[Mandate](
            self._client,
            lambda caller: operations.get_client_mandates(
                caller, status_filter=status, client_id=client_id, options=options
            ),
        )

    async def create(
        self,
        mandate: MandateCreate | Mapping[str, JSON],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Mandate:
        """Create a mandate and its directory entry.

        Raises:
            ReconcileMismatch: There is a mandate for the same entry with other dates.
            OutcomeUnknown: It may have been created, and is not to be found.
        """
        return await operations.create_mandate(self._client, mandate, client_id=client_id, options=options)

    async def create_batch(
        self,
        batch: MandateBatchCreate | Mapping[str, JSON],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Sequence[Mandate]:
        """Create several mandates, all of them or none."""
        return await operations.create_mandates_batch(
            self._client, batch, client_id=client_id, options=options
        )

    async def get(
        self, mandate_id: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> Mandate:
        """Get one mandate."""
        return await operations.get_mandate_details(
            self._client, mandate_id, client_id=client_id, options=options
        )

    async def revoke(
        self, mandate_id: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> None:
        """Revoke a mandate."""
        await operations.revoke_mandate(self._client, mandate_id, client_id=client_id, options=options)

    def list_directory_entries(
        self, siren: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> Pager[DirectoryEntry]:
        """List the directory entries of a company.

        Args:
            siren: Company number, 9 digits.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.
        """
        return Pager[DirectoryEntry](
            self._client,
            lambda caller: operations.get_directory_entries_by_siren(
                caller, siren, client_id=client_id, options=options
            ),
        )
