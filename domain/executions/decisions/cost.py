"""Decisions about the cost of an attempt: what is booked, once, and what is corrected later."""

from collections.abc import Iterable

import msgspec
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


def book_unreported(execution: Execution, step: str, attempt: int, metered: Metered | None, cause: Cause) -> Unfolding:
    """Record the use of a call that was cancelled without a report. Returns no events for an attempt that goes on."""
    unfolding = Unfolding(execution, cause)
    if f"{step}:{attempt}" in execution.unanswered:
        book(unfolding, step, attempt, None, None, metered)
    return unfolding


class Correction(msgspec.Struct, frozen=True):
    """A cost that is priced anew. recorded: the version of its event. before: the amount that counts until now."""

    booked: CostRecorded
    recorded: int
    before: Money | None
    priced: Metered

    @property
    def changes(self) -> bool:
        """Whether another amount counts from now on. A cost that the agent reported stands."""
        return (
            not is_reported(self.booked)
            and self.priced.calculated is not None
            and self.priced.calculated != self.before
        )


def is_reported(booked: CostRecorded) -> bool:
    """Return whether the amount of a cost is the agent's own."""
    return booked.reported is not None or (booked.cost is not None and not booked.price_source)


def correct_costs(execution: Execution, corrections: Iterable[Correction], reason: str, cause: Cause) -> Unfolding:
    """Let the new amounts count in place of those before. Returns no events for amounts that count already."""
    unfolding = Unfolding(execution, cause)
    for each in corrections:
        if each.changes:
            booked, priced = each.booked, each.priced
            unfolding.record(
                CostCorrected,
                step=booked.step,
                attempt=booked.attempt,
                recorded=each.recorded,
                before=each.before,
                after=priced.calculated,
                reason=reason,
                called_at=booked.called_at or booked.at,
                provider=booked.provider,
                model=booked.model,
                unit_prices=priced.unit_prices,
                price_source=priced.calculated_by,
            )
    return unfolding
