"""Onboarding links, and what a client's people do with them on the clock. Nothing here knows HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from seqino.sandbox.clock import stamp

if TYPE_CHECKING:
    from seqino.sandbox.world import Client, World
    from seqino.sandbox.world.mandates import Mandates

__all__ = ["OnboardingLink", "Onboardings"]

_ADDRESS = "https://onboarding.example/"
"""Where links seem to lead; nothing is there, and the name is reserved for examples (RFC 2606)."""
_VALID = timedelta(days=7)
_STEP = timedelta(seconds=10)
"""How long people take for each step that they are asked for."""


@attrs.define(eq=False, kw_only=True)
class OnboardingLink:
    """The link of a client, and when each step is done: ``None`` where it is not asked for or not done."""

    kind: ClassVar[str] = "onboarding"

    client_id: str
    url: str
    created_at: datetime
    expires_at: datetime
    include_kyc: bool
    include_signature: bool
    kyc_at: datetime | None
    """When the client's identity is verified, under this link or an earlier one."""
    signed_at: datetime | None
    completed_at: datetime | None

    @property
    def key(self) -> str:
        """Its client: a client has one link at a time."""
        return self.client_id

    def shown(self) -> dict[str, Any]:
        """Return it as the API answers who asked for it."""
        return {
            "url": self.url,
            "client_id": self.client_id,
            "expires_at": stamp(self.expires_at),
            "created_at": stamp(self.created_at),
        }

    def progress(self, now: datetime) -> dict[str, Any]:
        """Return how far it has come by ``now``."""
        kyc = _is_past(self.kyc_at, now) if self.include_kyc else None
        signature = _is_past(self.signed_at, now) if self.include_signature else None
        if self.completed_at is not None and self.completed_at <= now:
            status, completed_at = "completed", stamp(self.completed_at)
        elif self.expires_at <= now:
            status, completed_at = "expired", None
        else:
            status, completed_at = "in_progress" if kyc or signature else "pending", None
        return {
            "client_id": self.client_id,
            "status": status,
            "kyc_completed": kyc,
            "signature_completed": signature,
            "expires_at": stamp(self.expires_at),
            "completed_at": completed_at,
        }


class Onboardings:
    """Onboarding links of a world.

    Args:
        world: Where they are.
        mandates: What waits for them.
    """

    def __init__(self, world: World, mandates: Mandates) -> None:
        self._world = world
        self._mandates = mandates

    def generate(self, client: Client, *, include_kyc: bool, include_signature: bool) -> OnboardingLink:
        """Make a link in place of an earlier one of the client."""
        now = self._world.clock.now()
        earlier = client.onboarding.kyc_at if client.onboarding else None
        # An identity stays verified; a step that was not done yet is not to be done under the old link.
        kyc_at = earlier if _is_past(earlier, now) else now + _STEP if include_kyc else None
        asked_until = max(kyc_at, now) if kyc_at is not None and include_kyc else None
        signed_at = (asked_until or now) + _STEP if include_signature else None
        link = OnboardingLink(
            client_id=client.client_id,
            url=_ADDRESS + self._world.new_id("onboarding"),
            created_at=now,
            expires_at=now + _VALID,
            include_kyc=include_kyc,
            include_signature=include_signature,
            kyc_at=kyc_at,
            signed_at=signed_at,
            completed_at=signed_at or asked_until or now + _STEP,
        )
        self._world.counters.onboarding_links_created += 1
        self._keep(client, link)
        return link

    def complete(self, client: Client, link: OnboardingLink) -> None:
        """Let every step be done by now.

        Raises:
            ValueError: The link has expired.
        """
        now = self._world.clock.now()
        if link.expires_at <= now:
            raise ValueError(f"{link.url} has expired")
        if link.include_kyc:
            link.kyc_at = _earlier(link.kyc_at, now)
        if link.include_signature:
            link.signed_at = _earlier(link.signed_at, now)
        link.completed_at = _earlier(link.completed_at, now)
        self._keep(client, link)

    def ignore(self, client: Client, link: OnboardingLink) -> None:
        """Let no further step be done: the link expires, unless it is completed already."""
        now = self._world.clock.now()
        link.kyc_at = link.kyc_at if _is_past(link.kyc_at, now) else None
        link.signed_at = link.signed_at if _is_past(link.signed_at, now) else None
        link.completed_at = link.completed_at if _is_past(link.completed_at, now) else None
        self._keep(client, link)

    def _keep(self, client: Client, link: OnboardingLink) -> None:
        client.onboarding = link
        self._world.save(client, link)
        self._mandates.await_kyc(client, link.kyc_at)


def _is_past(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _earlier(moment: datetime | None, now: datetime) -> datetime:
    return now if moment is None else min(moment, now)
