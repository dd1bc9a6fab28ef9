from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import validate

from seqino.sandbox.description import Description

if TYPE_CHECKING:
    from seqino.sandbox import Sandbox


@pytest.mark.parametrize("path", ["/openapi.json", "/api/openapi.json"])
async def test_it_serves_a_valid_description_of_all_it_answers(
    call: Any, sandbox: Sandbox, path: str
) -> None:
    reply = await call("GET", path, judged=False, headers={"Authorization": None, "X-PDP-Client-Id": None})
    assert reply.status == 200
    validate(reply.body)
    operations = {(one.path, one.method.lower()): one for one in Description().operations}
    for (path_, method), operation in operations.items():
        answers = reply.body["paths"][path_][method]["responses"]
        assert answers.keys() >= {str(status) for status in operation.responses}
        refusals = {"400", "401", "404", "409", "413", "429"}
        assert (answers.keys() >= refusals) == operation.authenticated
        assert all("content" in answers[one] for one in answers if int(one) >= 400)
    assert sandbox.counters.requests == 0


async def test_the_served_description_has_the_values_that_older_pages_list(call: Any) -> None:
    reply = await call("GET", "/openapi.json", judged=False)
    codes = reply.body["components"]["schemas"]["LifecycleStatusCode"]["enum"]
    assert "InvoiceLifecycleStatus.REFUSED" in codes
