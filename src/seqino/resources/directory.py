"""The directory: where invoices for a company are delivered."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING

from seqino._generated import operations
from seqino.errors import NotFound
from seqino.identifiers import check_address
from seqino.models import DirectoryEntry
from seqino.options import checks_digits
from seqino.pagination import Pager
from seqino.resources.base import Resource
from seqino.statuses.events import instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seqino.options import CallOptions

__all__ = ["Directory", "address_of", "current_line", "is_addressable"]


def address_of(entry: DirectoryEntry) -> str:
    """Return the electronic address that a line of the directory is for, such as ``552100554_COMPTA``."""
    parts = (entry.siren, entry.siret, entry.routing_identifier, entry.suffix)
    return "_".join(part for part in parts if isinstance(part, str) and part)


def is_addressable(entry: DirectoryEntry | None) -> bool | None:
    """Tell whether invoices can be delivered to a line: ``None`` where it does not say, which is no yes.

    Args:
        entry: The line; ``None`` where the directory has none, so that nothing can be delivered.
    """
    if entry is None:
        return False
    return entry.addressable if isinstance(entry.addressable, bool) else None


def current_line(lines: Iterable[DirectoryEntry], address: str) -> DirectoryEntry | None:
    """Return the line of an address that counts; ``None`` where there is none.

    A line is never deleted, only superseded, and those of one address do not overlap in time (DSE v3.1 §3.5):
    of several the newest counts. Where dates do not tell which that is, any of them may be valid, and one
    that can be addressed goes before one that does not say, and that before one that cannot.

    Args:
        lines: Lines of the directory, of this address and of others.
        address: The address, in its normal form.
    """
    own = [line for line in lines if address_of(line) == address]
    newest = max(filter(None, map(_changed_at, own)), default=None)
    valid = [line for line in own if _changed_at(line) in (None, newest)]
    return max(valid, key=lambda line: _RANK[is_addressable(line)], default=None)


_RANK = {True: 2, None: 1, False: 0}


def _changed_at(line: DirectoryEntry) -> datetime | None:
    moments = [instant(one) for one in (line.created_at, line.updated_at) if isinstance(one, datetime)]
    return max(moments, default=None)


class Directory(Resource):
    """The directory of recipients."""

    __slots__ = ()

    async def get(
        self, siren: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> DirectoryEntry:
        """Get the directory entry of a company as a whole; for one address use ``find``.

        Args:
            siren: Company number, 9 digits; its check digit is checked.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            The entry.

        Raises:
            InvalidInput: It is no SIREN; nothing was sent.
            NotFound: The directory has no such company.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.get_directory_entry(self._client, siren, client_id=client_id, options=options)

    async def find(
        self, address: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> DirectoryEntry | None:
        """Find the line of exactly one electronic address; ``None`` where the directory has none.

        Where it has several, because a line is superseded and never deleted, the one that counts is found.

        Args:
            address: SIREN, SIREN_SIRET, SIREN_SIRET_CODE or SIREN_SUFFIX, at most 125 characters (BT-34,
                BT-49).
            client_id: On whose behalf; the client's own where it is left out.
            options: What each call does otherwise than its client.

        Returns:
            The line; ``None`` where the directory has none of this very address.

        Raises:
            InvalidInput: It is no address; nothing was sent.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        sought = check_address(
            address, check_digits=checks_digits(options, default=self._client.check_digits)
        )
        lines = Pager[DirectoryEntry](
            self._client,
            lambda caller: operations.get_directory_entries_by_siren(
                caller, sought.siren, client_id=client_id, options=options
            ),
        )
        with contextlib.suppress(NotFound):
            found = current_line(await lines.to_list(), sought.value)
            if found is not None:
                return found
        if sought.value == sought.siren:
            # A platform may find a company in one way, and not in the other.
            with contextlib.suppress(NotFound):
                line = await self.get(sought.siren, client_id=client_id, options=options)
                return line if address_of(line) == sought.value else None
        return None

    async def is_reachable(
        self, address: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> bool | None:
        """Tell whether invoices reach this very address; that its company has one proves nothing.

        Args:
            address: As for ``find``.
            client_id: As for ``find``.
            options: As for ``find``.

        Returns:
            ``True`` or ``False``; ``None`` where the directory has the address, and does not say.

        Raises:
            InvalidInput: It is no address; nothing was sent.
            CallError: As for ``find``.
        """
        return is_addressable(await self.find(address, client_id=client_id, options=options))
