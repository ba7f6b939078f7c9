"""The costs of steps: the part of execution_detail that has a row a step and currency."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec

from projections.table import Table, key, total


class StepCostRow(msgspec.Struct, gc=False):
    """The cost that a page adds to a step."""

    execution_id: Annotated[bytes, key("uuid not null")]
    step: Annotated[str, key("text not null")]
    currency: Annotated[str, key("text not null")]
    amount: Annotated[Decimal, total("numeric")]


COSTS = Table("execution_step_costs", StepCostRow)


def is_unpriced(event: Any) -> bool:
    """Return whether a CostRecorded without a cost stands for a use that costs something."""
    usage = event.usage
    return bool(event.flags) or (usage is not None and bool(usage.input_tokens or usage.output_tokens))
