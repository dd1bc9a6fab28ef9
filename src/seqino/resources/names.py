"""Names on the wire as types: what is written into a program is checked before it runs.

A name that the platform adds is given as its enum: ``MandateStatus("…")``.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["MandateStatusName", "ObjectTypeName", "UsagePeriodName"]

MandateStatusName: TypeAlias = Literal["processing", "created", "pending_kyc", "active", "expired", "error"]
"""States of a mandate (``MandateStatus``)."""

ObjectTypeName: TypeAlias = Literal[
    "invoice",
    "mandate",
    "directory_entry",
    "regulatory_data",
    "flow",
    "transaction_data",
    "lifecycle_status",
]
"""Kinds of object that have a lifecycle (``ObjectType``)."""

UsagePeriodName: TypeAlias = Literal["daily", "weekly", "monthly", "yearly"]
"""What usage is summed up by (``UsagePeriod``)."""
