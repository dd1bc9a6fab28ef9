"""Whether what is kept fits the description of the API that it is to be shown by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino.sandbox.world.kinds import KINDS, Misfit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import jsonschema_rs

    from seqino.sandbox.description import Description
    from seqino.sandbox.world import Sponsor
    from seqino.sandbox.world.records import Record

__all__ = ["misfits"]


def misfits(description: Description, sponsors: Iterable[Sponsor]) -> Iterator[Misfit]:
    """Yield the records that could not be answered as the description says.

    An operation that it does not have answers nothing, so that nothing can be wrong with that.
    """
    answers = {one.key: one.responses.get(200) for one in description.operations}
    validators: dict[str, jsonschema_rs.Draft202012Validator] = {}
    for name, kind in KINDS.items():
        schema = answers.get(kind.operation or "")
        if schema is not None:
            validators[name] = description.validator(schema)
    for sponsor in sponsors:
        for record in _records(sponsor):
            validator = validators.get(record.kind)
            shown = None if validator is None else getattr(record, KINDS[record.kind].shown)
            if validator is not None and shown is not None:
                for error in validator.iter_errors(shown):
                    # Not the error's own words: they repeat the record.
                    place = ".".join(map(str, error.instance_path)) or "as a whole"
                    what = f"{record.kind} {record.key}"
                    yield Misfit(f"{what} does not fit the description: {place} ({error.kind.name})")


def _records(sponsor: Sponsor) -> Iterator[Record]:
    yield from sponsor.records()
    for client in sponsor.clients.values():
        yield from client.records()
