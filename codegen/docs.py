"""Docstrings of generated classes and functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from codegen.ir import MISSING, Alias, Answer, Enum, Field, Model, Operation, Parameter
from codegen.python_text import docstring, prose, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ERRORS = {
    "400": "BadRequest",
    "401": "AuthenticationFailed",
    "403": "PermissionDenied",
    "404": "NotFound",
    "409": "Conflict",
    "422": "UnprocessableContent",
    "429": "RateLimited",
}
_UNCLEAR = {
    "once": [("OutcomeUnknown", "It may have been done, and no answer says so.")],
    "readable": [
        ("OutcomeUnknown", "It may have been done, and looking for what it makes did not settle it."),
        ("ReconcileMismatch", "It was looked for, and what has the same key is not what was sent."),
        ("DuplicateDetected", "It was looked for, and is there more than once."),
        ("AnswerLost", "It was done and found, but not all that its lost answer told."),
    ],
    "create": [("OutcomeUnknown", "It may have been done, and nothing shows whether.")],
}
"""What an operation may raise whose second send is not harmless; a conflict (409) proves nothing there."""


def _entries(title: str, entries: Iterable[tuple[str, str]], indent: int) -> str:
    """Return a section of a docstring in Google's style; nothing without entries."""
    pad = " " * (indent + 4)
    lines = [
        f"{pad}{name}: {prose(text, indent=indent + 4, first=indent + 4 + len(name) + 2, hang=4)}".rstrip()
        for name, text in entries
    ]
    return "\n".join(["", "", f"{' ' * indent}{title}:", *lines]) if lines else ""


def _facts(evidence: str, term: str = "", shared: Mapping[str, str] | None = None) -> str:
    facts = [term] if term else []
    facts += [f"{term} in {group}" for group, term in (shared or {}).items()]
    facts += [f"evidence: {evidence}"] if evidence else []
    return f"({', '.join(facts)})" if facts else ""


def _joined(*texts: str) -> str:
    return " ".join(filter(None, texts))


def of_class(thing: Model | Enum | Alias) -> str:
    """Return the docstring of a class or an alias."""
    text = sentence(thing.description) or f"{thing.name}: the description says no more."
    term = thing.business_term if isinstance(thing, Model) else ""
    indent = 0 if isinstance(thing, Alias) else 4
    body = prose(_joined(text, _facts(thing.evidence, term)), indent=indent, first=indent + 3)
    if isinstance(thing, Model):
        body += _entries("Attributes", ((field.name, _of_field(field)) for field in thing.fields), 4)
    return docstring(body, indent=indent)


def _of_field(field: Field) -> str:
    default = (
        ""
        if field.default is MISSING or field.default is None
        else json.dumps(field.default, ensure_ascii=False)
    )
    return _joined(
        "Deprecated." if field.deprecated else "",
        sentence(field.description) or "See its type.",
        f"The API assumes {default}." if default else "",
        _facts(field.evidence, field.business_term, field.shared_terms),
    )


def of_operation(operation: Operation) -> str:
    """Return the docstring of an operation's function."""
    summary = sentence(operation.summary) or sentence(operation.name.replace("_", " ").capitalize())
    body = prose(summary, indent=4, first=7)
    more = _joined("Deprecated." if operation.deprecated else "", sentence(operation.description))
    if more:
        body += "\n\n    " + prose(more, indent=4, first=4)
    body += _entries("Args", _arguments(operation), 4)
    body += _entries("Returns", [("The answer", _returned(operation.answers))], 4).replace(
        "The answer: ", "", 1
    )
    body += _entries("Raises", _raised(operation), 4)
    last = (
        f"``{operation.method} {operation.path}``, effect {operation.effect}, evidence: {operation.evidence}."
    )
    body += "\n\n    " + prose(last, indent=4, first=4)
    return docstring(body, indent=4)


def _arguments(operation: Operation) -> list[tuple[str, str]]:
    arguments = [("client", "What performs the call, such as a ``SeqinoClient``.")]
    required = [p for p in operation.parameters if p.location == "path"]
    arguments += [(p.name, _of_parameter(p)) for p in required]
    if operation.body is not None:
        text = (
            sentence(operation.body.description)
            or "What to send: a model, or a mapping with the names of the API."
        )
        arguments.append(("body", text))
    arguments += [(p.name, _of_parameter(p)) for p in operation.parameters if p.location != "path"]
    return [*arguments, ("options", "What this call does otherwise than its client.")]


def _of_parameter(parameter: Parameter) -> str:
    text = sentence(parameter.description) or f"``{parameter.wire}``, not described further."
    if parameter.scope:
        return _joined(text, "The client's own where it is left out.")
    if parameter.default is not MISSING and parameter.default is not None:
        return _joined(text, f"The API assumes {json.dumps(parameter.default, ensure_ascii=False)}.")
    return text


def _returned(answers: Iterable[Answer]) -> str:
    texts = [sentence(answer.description) for answer in answers if answer.is_success]
    return _joined(*dict.fromkeys(filter(None, texts))) or "What the API answers."


def _raised(operation: Operation) -> list[tuple[str, str]]:
    raised: list[tuple[str, str]] = []
    if operation.body is not None:
        raised.append(("InvalidInput", "The body does not fit the description; nothing was sent."))
    raised += [
        (_ERRORS[answer.status], f"{sentence(answer.description)} ({answer.status})")
        for answer in operation.answers
        if answer.status in _ERRORS and not (answer.status == "409" and operation.effect in _UNCLEAR)
    ]
    raised += _UNCLEAR.get(operation.effect, [])
    return [*raised, ("CallError", "The call failed in another way; see ``seqino.errors``.")]
