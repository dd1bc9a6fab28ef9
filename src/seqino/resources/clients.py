"""Clients: the companies on whose behalf a sponsor calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqino._generated import operations
from seqino.errors import InvalidInput, NotFound
from seqino.models import Client
from seqino.pagination import Pager
from seqino.resources.base import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.models import (
        ClientCreate,
        OnboardingLink,
        OnboardingLinkRequest,
        OnboardingLinkStatus,
        PdpClientCreate,
        PdpClientCreated,
    )
    from seqino.options import CallOptions

__all__ = ["Clients"]


def _identified(client: Client) -> Client:
    """Give a client the one name of its identifier, whichever it came under."""
    client.client_id = client.client_id or client.id
    return client


class Clients(Resource):
    """Companies or departments managed by the sponsor."""

    __slots__ = ()

    def list(self, *, external_ref: str | None = None, options: CallOptions | None = None) -> Pager[Client]:
        """List the clients, or find one by reference (``GET /clients``).

        Args:
            external_ref: The sponsor's own reference of a client, exactly; all clients where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            The clients, fetched when it is read; ``client_id`` is set on each, under whichever name it came.

        Raises:
            NotFound: While reading: no client has the reference (a platform may answer with nothing instead).
            BrokenPages: While reading: its pages lead nowhere.
            CallError: While reading: a page could not be had; ``continuation`` says where to go on.
        """
        return Pager[Client](
            self._client,
            lambda caller: operations.get_clients(caller, external_ref=external_ref, options=options),
            # With a reference the platform may answer with the one client instead of an array.
            prepare=lambda found: [
                _identified(client) for client in ([found] if isinstance(found, Client) else found)
            ],
        )

    async def find(self, external_ref: str, *, options: CallOptions | None = None) -> Client | None:
        """Find the client that has a reference; ``None`` where none has it.

        Args:
            external_ref: The sponsor's own reference, exactly: case counts.
            options: What this call does otherwise than its client.

        Returns:
            The client, with its ``client_id``; ``None`` where no client has this very reference.

        Raises:
            InvalidInput: It is empty: the platform would answer with all clients. Nothing was sent.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        if not external_ref:
            raise InvalidInput("external_ref must not be empty: give the reference of one client")
        try:
            found = await self.list(external_ref=external_ref, options=options).to_list()
        except NotFound:
            return None
        return next((client for client in found if client.external_ref == external_ref), None)

    async def create(
        self, client: ClientCreate | Mapping[str, Any], *, options: CallOptions | None = None
    ) -> Client:
        """Create a client, or return the one that has the same reference and is the same otherwise.

        After a lost answer it is looked for by its reference (``docs/sending-once.md``).

        Args:
            client: The client: a name and a contact's e-mail address of at least one character, and
                ``external_ref``, your own reference, by which it is found again.
            options: What this call does otherwise than its client.

        Returns:
            The client, with its ``client_id``.

        Raises:
            InvalidInput: It does not fit the description; nothing was sent.
            ReconcileMismatch: Another client has the reference.
            DuplicateDetected: Several clients have it.
            OutcomeUnknown: It may have been created, and is not to be found; ``client.resume`` its ``token``.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return _identified(await operations.create_client(self._client, client, options=options))

    async def get(self, client_id: str, *, options: CallOptions | None = None) -> Client:
        """Get one client (``GET /clients/{client_id}``).

        Args:
            client_id: The platform's id of the client.
            options: What this call does otherwise than its client.

        Returns:
            The client, with its ``client_id``.

        Raises:
            InvalidInput: The id is empty, or none that a path can hold; nothing was sent.
            NotFound: There is no such client.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return _identified(await operations.get_client_details(self._client, client_id, options=options))

    async def delete(self, client_id: str, *, options: CallOptions | None = None) -> None:
        """Delete a client, which must have no mandate any more.

        Args:
            client_id: The platform's id of the client.
            options: What this call does otherwise than its client.

        Raises:
            InvalidInput: The id is empty, or none that a path can hold; nothing was sent.
            NotFound: There is no such client; it may have been deleted before.
            Conflict: It has mandates still (409, published).
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        await operations.delete_client(self._client, client_id, options=options)

    async def generate_onboarding_link(
        self,
        request: OnboardingLinkRequest | Mapping[str, Any],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> OnboardingLink:
        """Make a link under which a client identifies itself and signs its mandate; it replaces an older one.

        A link too many does no harm, so that a lost answer is no doubt.

        Args:
            request: Whether to ask for proof of identity (``include_kyc``) and for a signature
                (``include_signature``).
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            The link and when it expires.

        Raises:
            InvalidInput: It does not fit the description; nothing was sent.
            NotFound: There is no such client.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.generate_client_onboarding_link(
            self._client, request, client_id=client_id, options=options
        )

    async def get_onboarding_link_status(
        self, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> OnboardingLinkStatus:
        """Get how far the onboarding of a client has come.

        Args:
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            Its state, and which steps are done.

        Raises:
            NotFound: There is no such client, or it has no link.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.get_client_onboarding_link_status(
            self._client, client_id=client_id, options=options
        )

    async def create_pdp_client(
        self, client: PdpClientCreate | Mapping[str, Any], *, options: CallOptions | None = None
    ) -> PdpClientCreated:
        """Create a client the way the beta of the API did; deprecated by the platform, use ``create``.

        Args:
            client: Its reference and its name.
            options: What this call does otherwise than its client.

        Returns:
            The client.

        Raises:
            InvalidInput: It does not fit the description; nothing was sent.
            ReconcileMismatch: Another client has the reference.
            DuplicateDetected: Several clients have it.
            OutcomeUnknown: It may have been created, and is not to be found; ``client.resume`` its ``token``.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.create_pdp_client(self._client, client, options=options)
