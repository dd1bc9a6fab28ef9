"""How much a client has used the API, and how much it may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino._generated import operations
from seqino.resources.base import Resource

if TYPE_CHECKING:
    import datetime as dt

    from seqino.models import UsageLimits, UsageMetrics, UsagePeriod, UsageSummary
    from seqino.options import CallOptions
    from seqino.resources.names import UsagePeriodName

__all__ = ["Usage"]


class Usage(Resource):
    """Calls made, and the limits on them."""

    __slots__ = ()

    async def get_metrics(
        self,
        *,
        period: UsagePeriod | UsagePeriodName | None = None,
        start_date: dt.date | None = None,
        end_date: dt.date | None = None,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> UsageMetrics:
        """Get figures by endpoint.

        Args:
            period: How they are summed; the platform takes ``monthly`` where it is left out.
            start_date: First day.
            end_date: Last day.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            Numbers of calls, in all and by endpoint; ``success_rate`` is a percentage, times are
            milliseconds.

        Raises:
            InvalidInput: A day is none; nothing was sent.
            PermissionDenied: The key may not see it.
            NotFound: There is nothing to see.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.get_usage_metrics(
            self._client,
            period=period,
            start_date=start_date,
            end_date=end_date,
            client_id=client_id,
            options=options,
        )

    async def get_summary(
        self, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> UsageSummary:
        """Get an overview of this month and the last.

        Args:
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            Numbers of calls; ``month_over_month_change`` is a percentage.

        Raises:
            PermissionDenied: The key may not see it.
            NotFound: There is nothing to see.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.get_usage_summary(self._client, client_id=client_id, options=options)

    async def get_limits(
        self,
        *,
        endpoint: str | None = None,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> UsageLimits:
        """Get how many calls are allowed.

        Args:
            endpoint: Only for this path of the API, such as ``/drafts``; all together where it is left out.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            Calls for each minute, hour, day and month, ``None`` where there is no limit. Its fields are
            inferred.

        Raises:
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.get_usage_limits(
            self._client, endpoint=endpoint, client_id=client_id, options=options
        )
