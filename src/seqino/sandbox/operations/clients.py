"""Clients of a sponsor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino.sandbox.judge import Refusal
from seqino.sandbox.operations.base import Answer, find_client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.sandbox.operations.base import Call, Play
    from seqino.sandbox.world import World

__all__ = ["ClientOperations"]


class ClientOperations:
    """What the tag *Clients* does.

    Args:
        world: What it acts on.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def table(self) -> Mapping[str, Play]:
        """Its operations, by method and path template."""
        return {
            "GET /clients": self.get_clients,
            "POST /clients": self.create_client,
            "GET /clients/{client_id}": self.get_client_details,
            "DELETE /clients/{client_id}": self.delete_client,
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
        if any(one.account.shown["external_ref"] == reference for one in call.sponsor.clients.values()):
            raise Refusal(409, f"a client with external_ref {reference} exists")
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
        """Delete a client with all that it holds."""
        self._world.remove_client(find_client(call.sponsor, call.parameters["client_id"]))
        return Answer(204)
