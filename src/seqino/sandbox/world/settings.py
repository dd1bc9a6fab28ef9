"""VAT regime of a client, and how often it reports. Nothing here knows HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

if TYPE_CHECKING:
    from seqino.sandbox.world import Client, World

__all__ = ["DEFAULT", "Periodicity", "Settings"]


@attrs.frozen(kw_only=True)
class Periodicity:
    """How often a client reports transactions and payments (DSE v3.1 §3.7)."""

    kind: ClassVar[str] = "periodicity"

    vat_regime: str
    transaction_periodicity: str
    payment_periodicity: str

    @property
    def key(self) -> str:
        """A client has one."""
        return "periodicity"

    @property
    def clash(self) -> str | None:
        """Why these do not go together; ``None`` where they do."""
        if self.transaction_periodicity == "decade" and self.vat_regime != "real_normal_monthly":
            return (
                f"a client of the regime {self.vat_regime} does not report transactions by decade: "
                "real_normal_monthly alone does"
            )
        if self.payment_periodicity == "bimonthly" and self.vat_regime != "franchise":
            return (
                f"a client of the regime {self.vat_regime} does not report payments every two months: "
                "franchise alone does"
            )
        return None


DEFAULT = Periodicity(
    vat_regime="real_normal_monthly", transaction_periodicity="decade", payment_periodicity="monthly"
)
"""What holds until a client says otherwise."""


class Settings:
    """Settings of the clients of a world.

    Args:
        world: Where they are.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def set_periodicity(self, client: Client, periodicity: Periodicity) -> None:
        """Put other settings in place of a client's."""
        client.periodicity = periodicity
        self._world.save(client, periodicity)
        self._world.counters.settings_saved += 1
