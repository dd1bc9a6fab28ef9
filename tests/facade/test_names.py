"""Names that are types are those of the description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from seqino._generated.operations import OPERATIONS
from seqino.client.resuming import Resumed
from seqino.models import MandateStatus, ObjectType, UsagePeriod
from seqino.resources.names import MandateStatusName, ObjectTypeName, UsagePeriodName
from seqino.submission import Submission

if TYPE_CHECKING:
    from enum import StrEnum


@pytest.mark.parametrize(
    ("names", "kind"),
    [(MandateStatusName, MandateStatus), (ObjectTypeName, ObjectType), (UsagePeriodName, UsagePeriod)],
)
def test_each_value_of_the_description_has_its_name(names: Any, kind: type[StrEnum]) -> None:
    assert get_args(names) == tuple(kind)


def test_what_can_be_looked_for_is_what_a_doubt_may_be_resumed_to() -> None:
    looked_for = [one for one in OPERATIONS.values() if one.look_up is not None and one.effect == "readable"]
    assert looked_for
    made = {str(form) for one in looked_for for form in one.responses.values()}
    assert made | {str(Submission)} == {str(form) for form in get_args(Resumed)}
