"""The changes of a page to the figures of agents: what they answered, and what their calls cost."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from domain.analytics.grains import QUARTER, minutes_of
from domain.analytics.measures import MICROSECOND, ExecutionMeasure, place_of
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
        # By the beginning of the span, agent, process, version, body, step and code: the times, and when they ended.
        self._answered: dict[tuple[Any, ...], tuple[list[timedelta], list[datetime]]] = {}

    def answer(self, measure: ExecutionMeasure, fact: Fact, code: str = WELL) -> None:
        """Add the end of an attempt, unless no agent had it."""
        event = fact.event
        step = measure.steps.get(event.step)
        if step is None or not step.agent or event.started_at is None:
            return
        at = event.at
        if not self._begins <= at < self._ends:  # the next answer mostly lies in the same span
            _, self._begins = span_of(at)
            self._ends = self._begins + QUARTER
        process = (measure.process_id, measure.version_of_process, measure.body)
        key = (self._begins, step.agent, *process, event.step, code)
        found = self._answered.get(key)
        if found is None:
            found = self._answered[key] = ([], [])
        found[0].append(at - event.started_at)
        found[1].append(at)

    def spend(self, measure: ExecutionMeasure, event: Any, agent: str, cost: Money) -> None:
        """Add the cost of a call."""
        span = span_of(event.called_at or event.at)
        row = self.spending.row(*span, text_of_key(agent), measure.process_id, cost.currency)
        row.amount = add(row.amount, cost.amount)

    def write(self, connection: Connection[Any]) -> None:
        """Write the changes in all grains."""
        self._add_up()
        self.answers.spread()
        self.answers.write(connection)
        self.spending.spread()
        self.spending.append(connection)

    def _add_up(self) -> None:
        for (begins, agent, process_id, version, body, step, code), (times, ends) in self._answered.items():
            name = text_of_key(place_of(body, step))
            row = self.answers.row(FINEST, begins, text_of_key(agent), process_id, version, name, code)
            worked = [max(0, time // MICROSECOND) for time in times]
            row.n += len(worked)
            row.worked += sum(worked)
            row.last_at = max(ends) if row.last_at is None else max(row.last_at, *ends)
            count(row.sketch, worked)
        self._answered.clear()


def _failed(rollups: AgentRollups, measure: ExecutionMeasure, fact: Fact) -> None:
    rollups.answer(measure, fact, text_of_key(code_of(fact.event.error)))


def _timed_out(rollups: AgentRollups, measure: ExecutionMeasure, fact: Fact) -> None:
    rollups.answer(measure, fact, TIMED_OUT)


def _cost_recorded(rollups: AgentRollups, measure: ExecutionMeasure, fact: Fact) -> None:
    if fact.event.cost is not None:
        rollups.spend(measure, fact.event, fact.event.agent, fact.event.cost)


def _cost_corrected(rollups: AgentRollups, measure: ExecutionMeasure, fact: Fact) -> None:
    for cost in differences(fact.event.before, fact.event.after):
        rollups.spend(measure, fact.event, measure.spenders.get(fact.event.recorded, ""), cost)


COUNTED: Mapping[str, Callable[[AgentRollups, ExecutionMeasure, Fact], None]] = {
    "StepCompleted": AgentRollups.answer,
    "StepFailed": _failed,
    "StepTimedOut": _timed_out,
    "CostRecorded": _cost_recorded,
    "CostCorrected": _cost_corrected,
}
"""By the stored name of an event, the function that adds it. The measure is that of its execution before the event."""
