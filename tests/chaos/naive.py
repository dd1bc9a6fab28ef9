"""What a client does that reads nothing but status codes: the harness must see how that goes wrong.

Every operation counts as harmless to repeat, a refusal as a failure, a 2xx as success; and what failed is
submitted once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from seqino._core.wire import UNSET, Caller, Effect
from seqino._generated.operations import create_draft, submit_invoice_file, validate_draft
from seqino.errors import CallError
from seqino.models import InvoiceFileSubmission
from seqino.submission import Submission, Verdict
from tests.chaos.platform import INVOICE
from tests.chaos.world import FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino._core.wire import Operation
    from seqino.options import CallOptions
    from tests.chaos.rounds import Work
    from tests.chaos.world import World

__all__ = ["submit_naively"]


@attrs.frozen
class _Careless:
    """Calls every operation as one that may be repeated."""

    caller: Caller

    async def call(
        self,
        operation: Operation[Any],
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Any = UNSET,
        options: CallOptions | None = None,
    ) -> Any:
        harmless = attrs.evolve(operation, effect=Effect.SAFE)
        return await self.caller.call(harmless, parameters=parameters, body=body, options=options)


async def submit_naively(world: World, work: Work, item: str) -> Submission:
    """Submit an item as if nothing but the status mattered."""
    try:
        return await _submit(world, work, item)
    except CallError:
        return await _submit(world, work, item)


async def _submit(world: World, work: Work, item: str) -> Submission:
    careless = _Careless(world.engine)
    if work == "file":
        await submit_invoice_file(careless, InvoiceFileSubmission(file=FILE), client_id=item)
    else:
        draft = await create_draft(careless, INVOICE, client_id=item)
        await validate_draft(careless, draft.draft_id or "none", client_id=item)
    return Submission(verdict=Verdict.ACCEPTED_UNIDENTIFIED)
