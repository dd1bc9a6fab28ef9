"""Mandates of a client, each created with its directory line; a batch is taken whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from seqino.sandbox.judge import Refusal, Unprocessable, problem
from seqino.sandbox.meshes import mesh_problems
from seqino.sandbox.operations.base import CLIENT_HEADER, Answer, refuse_no_siren
from seqino.sandbox.world.mandates import Held, MandateRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from seqino.sandbox.operations.base import Call, Play
    from seqino.sandbox.world import Client, World
    from seqino.sandbox.world.mandates import Mandate, Mandates

__all__ = ["MandateOperations"]


class MandateOperations:
    """What the tag *Mandates* does.

    Args:
        world: What it reads.
        mandates: What it acts on.
    """

    def __init__(self, world: World, mandates: Mandates) -> None:
        self._world = world
        self._mandates = mandates

    @property
    def table(self) -> Mapping[str, Play]:
        """Its operations, by method and path template."""
        return {
            "GET /mandates": self.get_client_mandates,
            "POST /mandates": self.create_mandate,
            "POST /mandates/batch": self.create_mandates_batch,
            "GET /mandates/directory/{siren}": self.get_directory_entries_by_siren,
            "GET /mandates/{mandate_id}": self.get_mandate_details,
            "DELETE /mandates/{mandate_id}": self.revoke_mandate,
        }

    def get_client_mandates(self, call: Call) -> Answer:
        """List the client's mandates, oldest first, or those in one state."""
        wanted, now = call.parameters.get("status_filter"), self._world.clock.now()
        chosen = (one for one in call.client.mandates.values() if wanted in (None, one.status(now)))
        return Answer(200, [self._shown(call.client, one) for one in chosen])

    def create_mandate(self, call: Call) -> Answer:
        """Create a mandate; one with the same identifiers that has not expired is refused with 409."""
        (mandate,) = self._create(call.client, [(["body"], call.body)])
        return Answer(201, self._shown(call.client, mandate))

    def create_mandates_batch(self, call: Call) -> Answer:
        """Create several mandates, all of them or none."""
        asked = call.body["mandates"]
        created = self._create(
            call.client, [(["body", "mandates", place], one) for place, one in enumerate(asked)]
        )
        return Answer(201, [self._shown(call.client, one) for one in created])

    def get_directory_entries_by_siren(self, call: Call) -> Answer:
        """List every line of a company in the national directory."""
        if CLIENT_HEADER in call.parameters:
            _ = call.client  # an unknown one gets 404, as everywhere
        siren, now = call.parameters["siren"], self._world.clock.now()
        refuse_no_siren(siren)
        lines = self._world.directory.lines(siren, now)
        if not lines:
            raise Refusal(404, f"the directory has no line for {siren}")
        return Answer(200, [one.shown(now) for one in lines])

    def get_mandate_details(self, call: Call) -> Answer:
        """Answer one mandate: of the client, or of any of the sponsor's clients where none is named."""
        return Answer(200, self._shown(*_find(call)))

    def revoke_mandate(self, call: Call) -> Answer:
        """Delete a mandate; its line stays in the directory."""
        self._mandates.revoke(*_find(call))
        return Answer(204)

    def _create(self, client: Client, asked: Sequence[tuple[list[str | int], Any]]) -> list[Mandate]:
        details = [detail for loc, body in asked for detail in _problems(body, loc)]
        if details:
            raise Unprocessable(details)
        try:
            return self._mandates.create(client, [_request(body) for _, body in asked])
        except Held as error:
            raise Refusal(409, f"no mandate was created: {error}") from None

    def _shown(self, client: Client, mandate: Mandate) -> dict[str, Any]:
        return mandate.shown(self._world.clock.now(), client.lines[mandate.mandate_id])


def _find(call: Call) -> tuple[Client, Mandate]:
    mandate_id = call.parameters["mandate_id"]
    clients: Iterable[Client] = call.sponsor.clients.values()
    if CLIENT_HEADER in call.parameters:
        clients = [call.client]
    for client in clients:
        if mandate_id in client.mandates:
            return client, client.mandates[mandate_id]
    raise Refusal(404, f"mandate {mandate_id} does not exist")


def _problems(body: dict[str, Any], loc: list[str | int]) -> Iterator[dict[str, Any]]:
    """Yield what the description cannot say about a mandate: its identifiers, and the order of its dates."""
    yield from mesh_problems(body["directory_entry"], [*loc, "directory_entry"])
    moments: dict[str, datetime] = {}
    for name in ("start_date", "end_date"):
        if body.get(name) is not None:
            try:
                moments[name] = _moment(body[name])
            except (ValueError, OverflowError) as error:
                message = f"{body[name]} is no moment of the calendar: {error}"
                yield problem([*loc, name], message, "datetime_parsing")
    if len(moments) > 1 and moments["end_date"] <= moments["start_date"]:
        message = f"end_date {body['end_date']} is not after start_date {body['start_date']}"
        yield problem([*loc, "end_date"], message, "value_error")


def _request(body: dict[str, Any]) -> MandateRequest:
    end_date = body.get("end_date")
    return MandateRequest(
        start_date=body["start_date"],
        end_date=end_date,
        ends_at=None if end_date is None else _moment(end_date),
        file_attachment=body.get("file_attachment"),
        entry=body["directory_entry"],
    )


def _moment(text: str) -> datetime:
    # RFC 3339 §5.6 takes small letters, which Python does not.
    return datetime.fromisoformat(text.upper()).astimezone(UTC)
