"""The changes of a page to the figures of agents: what they answered, and what their calls cost."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection

from domain.analytics.grains import QUARTER, minutes_of
from domain.analytics.measures import ExecutionMeasure, microseconds
from domain.analytics.measuring import code_of
from domain.analytics.sketch import count
from domain.executions.state.cost import differences
from domain.money import Money, add
from projections.analytics.agent_rows import AGENT_SPENDING, ANSWERS, AgentSpendingRow, AnswersRow
from projections.analytics.contributing import text_of_key
from projections.analytics.rollup import SpanRollup, span_of
from projections.facts import Fact

FINEST = minutes_of(QUARTER)
WELL = ""
TIMED_OUT = "step_timed_out"


class AgentRollups:
    """Answers and costs by agent. An answer is never taken back, whatever becomes of its execution."""

    def __init__(self) -> None:
        self.answers = SpanRollup(ANSWERS, AnswersRow)
        self.spending = SpanRollup(AGENT_SPENDING, AgentSpendingRow)
        self._begins = self._ends = datetime.min.replace(tzinfo=UTC)

    def answer(self, measure: ExecutionMeasure, event: Any, code: str) -> None:
        """Add the end of an attempt, unless no agent had it."""
        step = measure.steps.get(event.step)
        if step is None or not step.agent or event.started_at is None:
            return
        at, agent, name = event.at, text_of_key(step.agent), text_of_key(measure.place(event.step))
        if not self._begins <= at < self._ends:  # the next answer mostly lies in the same span
            _, self._begins = span_of(at)
            self._ends = self._begins + QUARTER
        row = self.answers.row(FINEST, self._begins, agent, measure.process_id, measure.version_of_process, name, code)
        worked = microseconds(at - event.started_at)
        if worked < 0:
            worked = 0
        row.n += 1
        row.worked += worked
        if row.last_at is None or at > row.last_at:
            row.last_at = at
        count(row.sketch, worked, 1)

    def spend(self, measure: ExecutionMeasure, event: Any, agent: str, cost: Money) -> None:
        """Add the cost of a call."""
        span = span_of(event.called_at or event.at)
        row = self.spending.row(*span, text_of_key(agent), measure.process_id, cost.currency)
        row.amount = add(row.amount, cost.amount)

    def write(self, connection: Connection[Any]) -> None:
        """Write the changes in all grains."""
        self.answers.spread()
        self.answers.write(connection)
        self.spending.spread()
        self.spending.append(connection)


def _completed(rollups: AgentRollups, measure: ExecutionMeasure, fact: Fact) -> None:
    rollups.answer(measure, fact.event, WELL)


def _failed(rollups: AgentRollups, measure: ExecutionMeasure, fact: Fact) -> None:
    rollups.answer(measure, fact.event, text_of_key(code_of(fact.event.error)))


def _timed_out(rollups: AgentRollups, measure: ExecutionMeasure, fact: Fact) -> None:
    rollups.answer(measure, fact.event, TIMED_OUT)


def _cost_recorded(rollups: AgentRollups, measure: ExecutionMeasure, fact: Fact) -> None:
    if fact.event.cost is not None:
        rollups.spend(measure, fact.event, fact.event.agent, fact.event.cost)


def _cost_corrected(rollups: AgentRollups, measure: ExecutionMeasure, fact: Fact) -> None:
    for cost in differences(fact.event.before, fact.event.after):
        rollups.spend(measure, fact.event, measure.spenders.get(fact.event.recorded, ""), cost)


COUNTED: Mapping[str, Callable[[AgentRollups, ExecutionMeasure, Fact], None]] = {
    "StepCompleted": _completed,
    "StepFailed": _failed,
    "StepTimedOut": _timed_out,
    "CostRecorded": _cost_recorded,
    "CostCorrected": _cost_corrected,
}
"""By the stored name of an event, the function that adds it. The measure is that of its execution before the event."""
