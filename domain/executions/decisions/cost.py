"""Decisions about the cost of an attempt: what is booked, once, and what is corrected later."""

from msgspec.structs import asdict

from domain.agents.calls import Usage
from domain.costs.calculator import REPORTED
from domain.costs.usage import Metered
from domain.event import Cause
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.cost import CostCorrected, CostRecorded
from domain.executions.state.model import Execution
from domain.money import Money


def book(
    unfolding: Unfolding,
    step: str,
    attempt: int,
    usage: Usage | None,
    cost: Money | None,
    metered: Metered | None,
) -> None:
    """Record the use and the cost of an attempt: nothing if there is neither, or if the execution booked it before.

    cost: as the agent reports it; it counts before what `metered` comes to.
    """
    if usage is None and cost is None and metered is None:
        return
    execution = unfolding.execution
    state = execution.steps[step]
    called_at = state.started_at if attempt == state.attempt else None
    if metered is None:
        unfolding.record(
            CostRecorded,
            step=step,
            attempt=attempt,
            agent=state.agent,
            usage=usage,
            cost=cost,
            called_at=called_at,
        )
        return
    if metered.usage_id and metered.usage_id in execution.usage_ids:
        return
    facts = asdict(metered)
    facts["called_at"] = metered.called_at or called_at
    counts = metered.calculated if cost is None else cost
    source = metered.calculated_by if cost is None else REPORTED
    unfolding.record(
        CostRecorded,
        step=step,
        attempt=attempt,
        agent=state.agent,
        usage=usage,
        cost=counts,
        reported=cost,
        price_source=source,
        **facts,
    )


def correct_cost(
    execution: Execution,
    booked: CostRecorded,
    recorded: int,
    before: Money | None,
    priced: Metered,
    reason: str,
    cause: Cause,
) -> Unfolding:
    """Let the amount of `priced` count in place of `before`. Returns no events when it does already.

    recorded: the version of `booked` in the stream of the execution. A cost that the agent reported stands.
    """
    unfolding = Unfolding(execution, cause)
    if booked.reported is None and priced.calculated is not None and priced.calculated != before:
        unfolding.record(
            CostCorrected,
            step=booked.step,
            attempt=booked.attempt,
            recorded=recorded,
            before=before,
            after=priced.calculated,
            reason=reason,
            called_at=booked.called_at,
            provider=booked.provider,
            model=booked.model,
            unit_prices=priced.unit_prices,
            price_source=priced.calculated_by,
        )
    return unfolding
