"""Drafts: invoices that are not issued yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs

from seqino._generated import operations
from seqino.errors import InvalidInput
from seqino.models import ValidateInvoiceDataRequest
from seqino.resources.base import Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino._core.wire import Operation
    from seqino.models import DraftCreated, DraftValidated, InvoiceDataValidation, InvoiceDraft
    from seqino.options import CallOptions

__all__ = ["Drafts"]

_GET_WHOLE: Operation[dict[str, Any]] = attrs.evolve(
    cast("Operation[Any]", operations.GET_DRAFT), responses={200: dict[str, Any]}
)
"""A draft with the members that its model does not know."""

_MARKS = frozenset(
    "draft_id status invoice_id invoice_number errors warnings created_at updated_at".split()  # noqa: SIM905 - one line
)
"""What the platform itself writes into a draft."""


class Drafts(Resource):
    """Drafts of invoices; to send an invoice once, whatever happens, use ``client.submit``."""

    __slots__ = ()

    async def create(
        self,
        invoice: InvoiceDraft | Mapping[str, Any],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> DraftCreated:
        """Create a draft, which has no legal effect; what is wrong with it is told with it.

        A draft too many does no harm, so that a lost answer is no doubt: repeat it.

        Args:
            invoice: The invoice, as a model or as a mapping with the names of the wire; amounts are
                ``Decimal`` or text. The description requires ``issue_date``, ``type_code``, ``currency_code``
                and ``seller`` with its name and address, though the platform's page says that partial data is
                accepted (``docs/choices.md``).
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            Its ``draft_id``, and the findings: ``errors`` keep it from being an invoice, ``warnings`` do not.

        Raises:
            InvalidInput: It does not fit the description, or an identifier in it is none; nothing was sent.
            UnprocessableContent: The platform cannot take it.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.create_draft(self._client, invoice, client_id=client_id, options=options)

    async def get(
        self, draft_id: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> InvoiceDraft:
        """Get a draft.

        Args:
            draft_id: The platform's id of the draft.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            The draft, with its findings.

        Raises:
            InvalidInput: The id is empty, or none that a path can hold; nothing was sent.
            NotFound: There is no such draft; it may have been deleted.
            ResponseDecodeError: It lacks what the description requires of a draft; ``modify`` reads it.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.get_draft(self._client, draft_id, client_id=client_id, options=options)

    async def replace(
        self,
        draft_id: str,
        invoice: InvoiceDraft | Mapping[str, Any],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> DraftCreated:
        """Replace the whole content of a draft; what is left out is gone.

        Args:
            draft_id: The platform's id of the draft.
            invoice: As for ``create``, all of it.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            Its findings, as for ``create``.

        Raises:
            InvalidInput: It does not fit the description, an identifier in it is none, or the id is; nothing
                was sent.
            NotFound: There is no such draft.
            Conflict: The draft has become an invoice, which cannot change.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.update_draft(
            self._client, draft_id, invoice, client_id=client_id, options=options
        )

    async def modify(
        self,
        draft_id: str,
        change: Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any] | None],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> DraftCreated:
        """Read a draft, change some of it, and put it back with all the rest, unknown members included.

        The platform has no version to compare: what somebody else changes in between is overwritten.

        Args:
            draft_id: The draft.
            change: A JSON Merge Patch (RFC 7396): objects are merged, ``None`` removes a member, and anything
                else, lists too, replaces it. Or a function of the draft as it came, without the platform's
                own marks: names of the wire, numbers with a fraction as ``Decimal``, and amounts that came as
                text as text. It changes the draft, or returns what to put in its place.
            client_id: On whose behalf; the client's own where it is left out.
            options: What each of the two calls does otherwise than its client.

        Returns:
            Its findings, as for ``create``.

        Raises:
            InvalidInput: The change is none, or what it makes of the draft lacks what ``create`` needs;
                nothing was changed.
            NotFound: There is no such draft.
            Conflict: The draft has become an invoice, which cannot change.
            CallError: It failed in another way; the draft is as it was, or changed.
        """
        if not isinstance(change, Mapping) and not callable(change):
            raise InvalidInput("change must be a mapping of members, or a function of the draft")
        came = await self._client.call(
            _GET_WHOLE, parameters={"draft_id": draft_id, "client_id": client_id}, options=options
        )
        draft = {name: value for name, value in came.items() if name not in _MARKS}
        if isinstance(change, Mapping):
            changed: object = _merged(draft, cast("object", change))
        else:
            made = change(draft)
            changed = draft if made is None else made
        if not isinstance(changed, Mapping):
            raise InvalidInput(
                f"the change returned {type(changed).__name__}: return the draft as a mapping, or change the "
                "one that it is given and return nothing"
            )
        return await self.replace(
            draft_id, cast("Mapping[str, Any]", changed), client_id=client_id, options=options
        )

    async def delete(
        self, draft_id: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> None:
        """Delete a draft for good.

        Args:
            draft_id: The platform's id of the draft.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Raises:
            InvalidInput: The id is empty, or none that a path can hold; nothing was sent.
            NotFound: There is no such draft; it may have been deleted before.
            Conflict: It has become an invoice, which stays.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        await operations.delete_draft(self._client, draft_id, client_id=client_id, options=options)

    async def validate(
        self,
        draft_id: str,
        *,
        format: str | None = None,  # noqa: A002 - the name on the wire
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> DraftValidated:
        """Validate a draft and issue it as an invoice, which gets its number and can no longer change.

        Args:
            draft_id: The draft.
            format: Target format; that it can be chosen is published, its name and values are inferred.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            What the platform answered, the invoice's id and number where it tells them.

        Raises:
            InvalidInput: The id is empty, or none that a path can hold; nothing was sent.
            NotFound: There is no such draft.
            Rejected: The platform refused it; it is a draft still.
            OutcomeUnknown: It may have been issued: never make a second draft of the same invoice, but let
                ``client.resume`` settle it. ``client.submit_draft`` looks by itself.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.validate_draft(
            self._client, draft_id, format=format, client_id=client_id, options=options
        )

    async def validate_data(
        self,
        invoice: InvoiceDraft | Mapping[str, Any],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> InvoiceDataValidation:
        """Have the platform judge an invoice; nothing is stored.

        Args:
            invoice: As for ``create``.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            Whether it is ``valid`` (``None`` where the answer does not say), with ``errors`` and
            ``warnings``.

        Raises:
            InvalidInput: It does not fit the description, or an identifier in it is none; nothing was sent.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        body = (
            {"invoice_data": invoice}
            if isinstance(invoice, Mapping)
            else ValidateInvoiceDataRequest(invoice_data=invoice)
        )
        return await operations.validate_invoice_data(
            self._client, body, client_id=client_id, options=options
        )


def _merged(target: object, patch: object) -> Any:
    """Apply a JSON Merge Patch (RFC 7396 §2)."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(cast("Mapping[str, Any]", target)) if isinstance(target, Mapping) else {}
    for name, value in cast("Mapping[str, Any]", patch).items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merged(result.get(name), value)
    return result
