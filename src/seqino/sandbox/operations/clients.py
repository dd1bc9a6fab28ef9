"""Clients of a sponsor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino.sandbox.judge import Refusal
from seqino.sandbox.operations.base import Answer, find_client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.sandbox.operations.base import Call, Play
    from seqino.sandbox.world import Sponsor, World
    from seqino.sandbox.world.onboarding import Onboardings

__all__ = ["ClientOperations"]


class ClientOperations:
    """What the tag *Clients* does.

    Args:
        world: What it acts on.
        onboardings: Its onboarding links.
    """

    def __init__(self, world: World, onboardings: Onboardings) -> None:
        self._world = world
        self._onboardings = onboardings

    @property
    def table(self) -> Mapping[str, Play]:
        """Its operations, by method and path template."""
        return {
            "GET /clients": self.get_clients,
            "POST /clients": self.create_client,
            "GET /clients/{client_id}": self.get_client_details,
            "DELETE /clients/{client_id}": self.delete_client,
            "POST /clients/pdp-clients": self.create_pdp_client,
            "POST /clients/onboarding-link": self.generate_client_onboarding_link,
            "GET /clients/onboarding-link/status": self.get_client_onboarding_link_status,
        }

    def get_clients(self, call: Call) -> Answer:
        """List the sponsor's clients, or answer the one with a reference; an empty list where none has it."""
        records = [client.account.shown for client in call.sponsor.clients.values()]
        wanted = call.parameters.get("external_ref")
        if wanted is None:
            return Answer(200, records)
        found = [one for one in records if one["external_ref"] == wanted]
        return Answer(200, found[0] if found else [])

    def create_client(self, call: Call) -> Answer:
        """Create a client; a reference that another one has is refused with 409."""
        body = call.body
        reference = body["external_ref"]
        _refuse_known(call.sponsor, reference)
        client = self._world.add_client(
            call.sponsor,
            self._world.new_id("client"),
            body["organization_name"],
            body["contact_email"],
            reference,
        )
        self._world.counters.clients_created += 1
        return Answer(201, client.account.shown)

    def get_client_details(self, call: Call) -> Answer:
        """Answer one client."""
        return Answer(200, find_client(call.sponsor, call.parameters["client_id"]).account.shown)

    def delete_client(self, call: Call) -> Answer:
        """Delete a client with all that it holds; one that has mandates is refused with 409."""
        client = find_client(call.sponsor, call.parameters["client_id"])
        if client.mandates:
            ids = ", ".join(client.mandates)
            raise Refusal(409, f"client {client.client_id} still has mandates: revoke them first ({ids})")
        self._world.remove_client(client)
        return Answer(204)

    def create_pdp_client(self, call: Call) -> Answer:
        """Create a client as the beta did; it is one like any other."""
        body = call.body
        reference = body["external_reference"]
        _refuse_known(call.sponsor, reference)
        client_id = self._world.new_id("pdp")
        # The beta asked for no address, and every client shows one.
        email = f"{client_id}@example.com"
        client = self._world.add_client(call.sponsor, client_id, body["client_name"], email, reference)
        self._world.counters.clients_created += 1
        shown = client.account.shown
        return Answer(
            201,
            {
                "pdp_client_id": client_id,
                "external_reference": reference,
                "client_name": shown["organization_name"],
                "status": shown["status"],
                "created_at": shown["created_at"],
                "message": f"client {client_id} was created",
            },
        )

    def generate_client_onboarding_link(self, call: Call) -> Answer:
        """Make an onboarding link for the client, in place of an earlier one."""
        link = self._onboardings.generate(
            call.client,
            include_kyc=call.body.get("include_kyc", False),
            include_signature=call.body.get("include_signature", False),
        )
        return Answer(201, link.shown())

    def get_client_onboarding_link_status(self, call: Call) -> Answer:
        """Answer how far the onboarding of the client has come."""
        link = call.client.onboarding
        if link is None:
            raise Refusal(404, f"client {call.client.client_id} has no onboarding link: generate one first")
        return Answer(200, link.progress(self._world.clock.now()))


def _refuse_known(sponsor: Sponsor, reference: str) -> None:
    if any(one.account.shown["external_ref"] == reference for one in sponsor.clients.values()):
        raise Refusal(409, f"a client with external_ref {reference} exists")
