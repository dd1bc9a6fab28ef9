"""The directory: where invoices for a company are delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino._generated import operations
from seqino.resources.base import Resource

if TYPE_CHECKING:
    from seqino.models import DirectoryEntry
    from seqino.options import CallOptions

__all__ = ["Directory"]


class Directory(Resource):
    """The directory of recipients."""

    __slots__ = ()

    async def get(
        self, siren: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> DirectoryEntry:
        """Get the directory entry of a company.

        Args:
            siren: Company number, 9 digits.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.
        """
        return await operations.get_directory_entry(self._client, siren, client_id=client_id, options=options)
