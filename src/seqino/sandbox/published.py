"""The description as the sandbox itself would publish it: what it answers in addition is documented there."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from seqino.sandbox.description import opened

if TYPE_CHECKING:
    from seqino.sandbox.description import Description

__all__ = ["PATH", "published"]

PATH = "/openapi.json"
"""Where it is served, as FastAPI services do."""

_REFUSALS = (400, 401, 404, 409, 413, 429)
"""What any operation with a key may answer, though the public pages show it for a few of them only."""


def published(description: Description) -> bytes:
    """Return the description in JSON, each operation with all that the sandbox may answer.

    Enums have the values that older public pages list, text that stands for an amount has to be a number, and
    the refusals common to all operations are there with their body.
    """
    document: dict[str, Any] = opened(description.document)
    document["servers"] = [{"url": "/", "description": "This sandbox"}]
    for operation in description.operations:
        item: dict[str, Any] = document["paths"][operation.path]
        item[operation.method.lower()].pop("servers", None)
        answers: dict[str, Any] = item[operation.method.lower()]["responses"]
        refusals = _REFUSALS if operation.authenticated else ()
        for status in {*refusals, *(int(one) for one in answers if one.isdigit())}:
            if status >= HTTPStatus.BAD_REQUEST and not answers.get(str(status), {}).get("content"):
                answers[str(status)] = _refusal(status)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _refusal(status: int) -> dict[str, Any]:
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
    return {"description": HTTPStatus(status).phrase, "content": body}
