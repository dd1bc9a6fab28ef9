"""Mandates: the right to act for one directory entry of a client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from seqino._generated import operations
from seqino.errors import NotReached, WaitTimedOut
from seqino.models import DirectoryEntry, Mandate, MandateStatus
from seqino.pagination import Pager
from seqino.resources.base import TimedResource
from seqino.resources.patience import PASSING, Patience, check_backoff, check_duration
from seqino.statuses import Backoff
from seqino.statuses.events import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from seqino.models import MandateBatchCreate, MandateCreate
    from seqino.options import CallOptions
    from seqino.resources.names import MandateStatusName

__all__ = ["OVER", "PACE", "Mandates", "ending_by"]

PACE = Backoff(first=timedelta(seconds=2), longest=timedelta(minutes=5), factor=1.6)
"""How the pauses grow while a mandate is awaited."""

OVER = frozenset({MandateStatus.ACTIVE, MandateStatus.EXPIRED, MandateStatus.ERROR})
"""What a mandate that is awaited comes to."""


def ending_by(mandates: Iterable[Mandate], last: datetime) -> Sequence[Mandate]:
    """Return the mandates that end by a moment, the first one first; one without an end never does.

    Args:
        mandates: The mandates.
        last: The moment, with its zone.
    """
    ends = [(instant(one.end_date), one) for one in mandates if one.end_date is not None]
    return [one for end, one in sorted(ends, key=lambda each: each[0]) if end <= last]


class Mandates(TimedResource):
    """Mandates of a client, each tied to one entry of the directory.

    Args:
        client: Performs the calls.
        runtime: Clock and pauses.
    """

    __slots__ = ()

    def list(
        self,
        *,
        status: MandateStatus | MandateStatusName | None = None,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Pager[Mandate]:
        """List the mandates of a client (``GET /mandates``).

        Args:
            status: Only those in this state.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            The mandates, fetched when it is read.

        Raises:
            InvalidInput: While reading: the state is no text; nothing was sent.
            BrokenPages: While reading: its pages lead nowhere.
            CallError: While reading: a page could not be had; ``continuation`` says where to go on.
        """
        return Pager[Mandate](
            self._client,
            lambda caller: operations.get_client_mandates(
                caller, status_filter=status, client_id=client_id, options=options
            ),
        )

    async def create(
        self,
        mandate: MandateCreate | Mapping[str, Any],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Mandate:
        """Create a mandate and its directory entry, or return the one that is there already, exactly so.

        After a lost answer it is looked for by the identifiers of its entry (``docs/choices.md``).

        Args:
            mandate: When it begins and ends (moments with their zone; no end where it is left out), and its
                directory entry: a SIREN of 9 digits and a name, and a SIRET, a suffix or a routing code where
                it is for a part of the company.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            The mandate; it is rarely active at once, so wait with ``wait_until_active``.

        Raises:
            InvalidInput: It does not fit the description, an identifier is none, or a moment has no zone;
                nothing was sent.
            ReconcileMismatch: There is a mandate for the same entry with other dates.
            DuplicateDetected: There are several for the same entry.
            OutcomeUnknown: It may have been created, and is not to be found; ``client.resume`` its ``token``.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.create_mandate(self._client, mandate, client_id=client_id, options=options)

    async def create_batch(
        self,
        batch: MandateBatchCreate | Mapping[str, Any],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Sequence[Mandate]:
        """Create several mandates, all of them or none: one failure rolls back the whole batch (published).

        Args:
            batch: The ``mandates``, each as for ``create``.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            The mandates.

        Raises:
            InvalidInput: Two of them are the same, or one does not fit the description; nothing was sent.
            ReconcileMismatch: There is a mandate for one of the entries with other dates.
            DuplicateDetected: There are several for one of the entries.
            OutcomeUnknown: They may have been created, and are not to be found; ``client.resume`` its
                ``token``.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.create_mandates_batch(
            self._client, batch, client_id=client_id, options=options
        )

    async def get(
        self, mandate_id: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> Mandate:
        """Get one mandate.

        Args:
            mandate_id: The platform's id of the mandate.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            The mandate.

        Raises:
            InvalidInput: The id is empty, or none that a path can hold; nothing was sent.
            NotFound: There is no such mandate; it may have been revoked.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.get_mandate_details(
            self._client, mandate_id, client_id=client_id, options=options
        )

    async def expiring(
        self, *, within: timedelta, client_id: str | None = None, options: CallOptions | None = None
    ) -> Sequence[Mandate]:
        """Return the active mandates that end soon, the first one first.

        Args:
            within: How soon at most. One whose end has passed, but that is shown as active still, is there
                too.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            The mandates, by their ends; one without an end never ends.

        Raises:
            InvalidInput: The time is none, or negative; nothing was sent.
            CallError: The list could not be had whole.
        """
        check_duration("within", within)
        active = self.list(status=MandateStatus.ACTIVE, client_id=client_id, options=options)
        last = datetime.fromtimestamp(self._runtime.wall(), UTC) + within
        return ending_by(await active.to_list(), last)

    async def wait_until_active(
        self,
        mandate_id: str,
        *,
        timeout: float,  # noqa: ASYNC109 - a look is ended by its own
        backoff: Backoff | None = None,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Mandate:
        """Wait until a mandate is active: look at once, then ever more seldom.

        Args:
            mandate_id: The mandate.
            timeout: Seconds for all of it; ``math.inf`` waits for ever. The last look begins a second before
                they are over.
            backoff: How the pauses grow; from two seconds to five minutes where it is left out.
            client_id: On whose behalf; the client's own where it is left out.
            options: What each look does otherwise than the client.

        Returns:
            The mandate, active.

        Raises:
            WaitTimedOut: It was not active in time; the cause is how the last look failed, if it did.
            NotReached: It is in error or has expired; ``history[-1]`` is the mandate.
            InvalidInput: The timeout or the id is none.
            NotFound: There is no such mandate; it may have been revoked.
            CallError: A look failed for a reason that does not pass.
        """
        patience = Patience(
            self._runtime,
            self._client,
            timeout=timeout,
            backoff=check_backoff(backoff, default=PACE),
            options=options,
        )
        seen: list[Mandate] = []
        while True:
            failure, told, states = None, 0.0, len(seen)
            try:
                mandate = await self.get(mandate_id, client_id=client_id, options=patience.options)
            except PASSING as error:
                failure, told = error, error.retry_after or 0.0
            else:
                if seen and seen[-1].status == mandate.status:
                    seen.pop()
                seen.append(mandate)
                if mandate.status == MandateStatus.ACTIVE:
                    return mandate
                if mandate.status in OVER:
                    raise _never_active(mandate_id, seen)
            if patience.is_over:
                state = seen[-1].status if seen else "not seen"
                raise WaitTimedOut(
                    f"mandate {mandate_id} is {state} after {timeout:g} s of waiting for it to be active; "
                    "wait again, or let a webhook tell",
                    object_id=mandate_id,
                    history=seen,
                ) from failure
            await patience.pause(news=len(seen) > states, told=told)

    async def revoke(
        self, mandate_id: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> None:
        """Revoke a mandate; its directory entry stays active (published).

        Args:
            mandate_id: The platform's id of the mandate.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Raises:
            InvalidInput: The id is empty, or none that a path can hold; nothing was sent.
            NotFound: There is no such mandate; it may have been revoked before.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        await operations.revoke_mandate(self._client, mandate_id, client_id=client_id, options=options)

    def list_directory_entries(
        self, siren: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> Pager[DirectoryEntry]:
        """List the directory entries of a company.

        Args:
            siren: Company number, 9 digits; its check digit is checked.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            Its entries, fetched when it is read.

        Raises:
            InvalidInput: While reading: it is no SIREN; nothing was sent.
            NotFound: While reading: the directory has no such company.
            CallError: While reading: a page could not be had; ``continuation`` says where to go on.
        """
        return Pager[DirectoryEntry](
            self._client,
            lambda caller: operations.get_directory_entries_by_siren(
                caller, siren, client_id=client_id, options=options
            ),
        )


def _never_active(mandate_id: str, seen: Sequence[Mandate]) -> NotReached:
    mandate = seen[-1]
    why = "" if mandate.error_cause is None else f" ({mandate.error_cause})"
    return NotReached(
        f"mandate {mandate_id} is {mandate.status}{why} and will not become active: create another one",
        object_id=mandate_id,
        history=seen,
    )
