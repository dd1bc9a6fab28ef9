"""VAT regime of a client, and how often it reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from seqino.sandbox.judge import Refusal
from seqino.sandbox.operations.base import Answer
from seqino.sandbox.world.settings import DEFAULT, Periodicity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.sandbox.operations.base import Call, Play
    from seqino.sandbox.world.settings import Settings

__all__ = ["SettingsOperations"]


class SettingsOperations:
    """What the tag *Settings* does.

    Args:
        settings: What it acts on.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def table(self) -> Mapping[str, Play]:
        """Its operations, by method and path template."""
        return {
            "GET /settings/periodicity": self.get_periodicity_settings,
            "PUT /settings/periodicity": self.set_periodicity_settings,
        }

    def get_periodicity_settings(self, call: Call) -> Answer:
        """Answer what the client set, or what holds until then."""
        return Answer(200, attrs.asdict(call.client.periodicity or DEFAULT))

    def set_periodicity_settings(self, call: Call) -> Answer:
        """Replace the settings; a regime that does not report so often, or so seldom, is refused with 400."""
        client = call.client
        asked = Periodicity(**{field.name: call.body[field.name] for field in attrs.fields(Periodicity)})
        if asked.clash is not None:
            raise Refusal(400, asked.clash)
        self._settings.set_periodicity(client, asked)
        return Answer(200)
