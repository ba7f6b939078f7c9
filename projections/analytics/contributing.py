"""The contribution of an execution that has ended to the rollups: a function of its measure, to add or to take back."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from psycopg import Connection

from domain.analytics.measures import (
    APPROVAL,
    CHILD,
    QUEUE,
    RETRYING,
    TIMER,
    WORKING,
    ExecutionMeasure,
    Spent,
    microseconds,
)
from domain.analytics.sketch import count
from domain.executions.events.outcomes import CANCELLED, COMPLETED, FAILED
from domain.money import add
from projections.analytics.rollup import SpanRollup, span_of
from projections.analytics.rows import (
    ENDED,
    FAILURES,
    RUN_COSTS,
    RUNS,
    STEP_COSTS,
    STEPS,
    EndedRow,
    FailuresRow,
    RunCostsRow,
    RunsRow,
    StepCostsRow,
    StepsRow,
)
from projections.projection import clean

TREE, OWN = "tree", "own"
LONGEST_TEXT = 200

SpanKey = tuple[int, datetime, bytes, int, str]


class Rollups:
    """The changes of a page to all rollups of executions that ended."""

    def __init__(self) -> None:
        self.runs = SpanRollup(RUNS, RunsRow)
        self.run_costs = SpanRollup(RUN_COSTS, RunCostsRow)
        self.steps = SpanRollup(STEPS, StepsRow)
        self.step_costs = SpanRollup(STEP_COSTS, StepCostsRow)
        self.failures = SpanRollup(FAILURES, FailuresRow)
        self.ended = SpanRollup(ENDED, EndedRow)

    def contribute(self, measure: ExecutionMeasure, sign: int) -> None:
        """Add the contribution of an execution that has ended, or take it back; without the costs of its tree."""
        key = key_of(measure)
        self._run(key, measure, sign)
        self.costs(key, OWN, measure.outcome, measure.spent, sign)
        self._steps(key, measure, sign)
        if measure.outcome == FAILED:
            code, step = text_of_key(measure.error_code), text_of_key(measure.place(measure.failed_step))
            self.failures.row(*key, measure.is_called, code, step).n += sign

    def costs(self, key: SpanKey, scope: str, outcome: str, spent: Spent, sign: int) -> None:
        """Add what one execution spent, or take it back."""
        found = list(spent.costs())
        for currency, amount in found:
            _count(self.run_costs.row(*key, scope, outcome, currency), spent, amount, sign)
        if not found and spent.unpriced > 0:
            self.run_costs.row(*key, scope, outcome, "").of += sign

    def write(self, connection: Connection[Any]) -> None:
        """Write the changes in all grains."""
        for rollup in self._spread():
            rollup.write(connection)

    def load(self, connection: Connection[Any]) -> None:
        """Write the changes in all grains to tables that have no rows of these spans yet, as in a benchmark."""
        for rollup in self._spread():
            rollup.append(connection)

    def _spread(self) -> Sequence[SpanRollup[Any]]:
        self.ended.gather(self.runs, "called")
        rollups = (self.runs, self.ended, self.run_costs, self.steps, self.step_costs, self.failures)
        for rollup in rollups:
            rollup.spread()
        return rollups

    def _run(self, key: SpanKey, measure: ExecutionMeasure, sign: int) -> None:
        row, phases = self.runs.row(*key, measure.is_called), measure.phases
        if measure.outcome == COMPLETED:
            duration = microseconds(measure.duration)
            row.completed += sign
            row.duration += sign * duration
            row.working += sign * microseconds(phases[WORKING])
            row.retrying += sign * microseconds(phases[RETRYING])
            row.waiting_approval += sign * microseconds(phases[APPROVAL])
            row.waiting_child += sign * microseconds(phases[CHILD])
            row.waiting_timer += sign * microseconds(phases[TIMER])
            row.waiting_queue += sign * microseconds(phases[QUEUE])
            count(row.sketch, duration, sign)
        elif measure.outcome == CANCELLED:
            row.cancelled += sign
        else:
            row.failed += sign
            row.timed_out += sign * measure.is_timed_out

    def _steps(self, key: SpanKey, measure: ExecutionMeasure, sign: int) -> None:
        called = measure.is_called
        for step, found in measure.steps.items():
            name = text_of_key(measure.place(step))
            if found.tried:
                row = self.steps.row(*key, called, name, found.completed)
                worked, waited = microseconds(found.worked), microseconds(found.waited)
                row.n += sign
                row.worked += sign * worked
                row.waited += sign * waited
                count(row.worked_sketch, worked, sign)
                count(row.waited_sketch, waited, sign)
            if found.spent is not None:
                costs = list(found.spent.costs())
                for currency, amount in costs:
                    row_of_costs = self.step_costs.row(*key, called, name, found.completed, currency)
                    _count(row_of_costs, found.spent, amount, sign)
                if not costs and found.spent.unpriced > 0:
                    self.step_costs.row(*key, called, name, found.completed, "").of += sign


@lru_cache(1_000)
def text_of_key(text: str) -> str:
    """Return a text as a column of a key takes it: an error code is the agent's own."""
    return clean(text, LONGEST_TEXT)


def key_of(measure: ExecutionMeasure) -> SpanKey:
    """Return the beginning of the key of its rows, in the finest grain."""
    assert measure.ended_at is not None
    begins = span_of(measure.ended_at)
    return (*begins, measure.process_id, measure.version_of_process, text_of_key(measure.trigger))


def _count(row: RunCostsRow | StepCostsRow, spent: Spent, amount: Decimal, sign: int) -> None:
    row.of += sign
    if spent.unpriced <= 0:
        row.priced += sign
        row.amount = add(row.amount, amount if sign > 0 else amount.copy_negate())
        count(row.sketch, amount, sign)
