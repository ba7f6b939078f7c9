"""The contribution of an execution that has ended to the rollups: a function of its measure, to add or to take back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from psycopg import Connection

from domain.analytics.measures import (
    APPROVAL,
    CHILD,
    MICROSECOND,
    NONE,
    QUEUE,
    RETRYING,
    TIMER,
    WORKING,
    ExecutionMeasure,
    Spent,
    place_of,
)
from domain.analytics.sketch import ZERO, Buckets, add_to, count
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
_Times = list[timedelta]
_PHASES = (
    (WORKING, "working"),
    (RETRYING, "retrying"),
    (APPROVAL, "waiting_approval"),
    (CHILD, "waiting_child"),
    (TIMER, "waiting_timer"),
    (QUEUE, "waiting_queue"),
)


class Rollups:
    """The changes of a page to all rollups of executions that ended.

    Times come one by one and are added up when the page is written, as most of them change the same few rows.
    """

    def __init__(self) -> None:
        self.runs = SpanRollup(RUNS, RunsRow)
        self.run_costs = SpanRollup(RUN_COSTS, RunCostsRow)
        self.steps = SpanRollup(STEPS, StepsRow)
        self.step_costs = SpanRollup(STEP_COSTS, StepCostsRow)
        self.failures = SpanRollup(FAILURES, FailuresRow)
        self.ended = SpanRollup(ENDED, EndedRow)
        # By the key of the row, whether another execution called them, and the sign: the durations and the phases of
        # executions that completed; by these and the body, of each step: the times of its attempts and its waits.
        self._completed: dict[tuple[SpanKey, bool, int], list[tuple[timedelta, ...]]] = {}
        self._tried: dict[tuple[SpanKey, bool, int, str], dict[tuple[str, bool], tuple[_Times, _Times]]] = {}

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
        if spent.is_nothing:
            return
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
        self._add_up_runs()
        self._add_up_steps()
        self.ended.gather(self.runs, "called")
        rollups = (self.runs, self.ended, self.run_costs, self.steps, self.step_costs, self.failures)
        for rollup in rollups:
            rollup.spread()
        return rollups

    def _run(self, key: SpanKey, measure: ExecutionMeasure, sign: int) -> None:
        if measure.outcome == COMPLETED:
            group = (key, measure.is_called, sign)
            self._completed.setdefault(group, []).append((measure.duration, *measure.phases))
            return
        row = self.runs.row(*key, measure.is_called)
        if measure.outcome == CANCELLED:
            row.cancelled += sign
        else:
            row.failed += sign
            row.timed_out += sign * measure.is_timed_out

    def _add_up_runs(self) -> None:
        for (key, called, sign), found in self._completed.items():
            row = self.runs.row(*key, called)
            durations, *phases = zip(*found, strict=True)
            row.completed += sign * len(found)
            for phase, field in _PHASES:
                setattr(row, field, getattr(row, field) + sign * _sum(phases[phase]))
            row.duration += _count_times(row.sketch, durations, sign)
        self._completed.clear()

    def _steps(self, key: SpanKey, measure: ExecutionMeasure, sign: int) -> None:
        called = measure.is_called
        tried = self._tried.setdefault((key, called, sign, measure.body), {})
        for step, found in measure.steps.items():
            if found.tried:
                times = tried.get((step, found.completed))
                if times is None:
                    times = tried[step, found.completed] = ([], [])
                times[0].append(found.worked)
                if found.waited:
                    times[1].append(found.waited)
            if found.spent is not None:
                self._step_costs((*key, called, text_of_key(measure.place(step)), found.completed), found.spent, sign)

    def _step_costs(self, key: tuple[Any, ...], spent: Spent, sign: int) -> None:
        costs = list(spent.costs())
        for currency, amount in costs:
            _count(self.step_costs.row(*key, currency), spent, amount, sign)
        if not costs and spent.unpriced > 0:
            self.step_costs.row(*key, "").of += sign

    def _add_up_steps(self) -> None:
        for (key, called, sign, body), steps in self._tried.items():
            for (step, completed), (worked, waited) in steps.items():
                row = self.steps.row(*key, called, text_of_key(place_of(body, step)), completed)
                row.n += sign * len(worked)
                row.worked += _count_times(row.worked_sketch, worked, sign)
                row.waited += _count_times(row.waited_sketch, waited, sign)
                add_to(row.waited_sketch, ((ZERO, sign * (len(worked) - len(waited))),))
        self._tried.clear()


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
        count(row.sketch, (amount,), sign)


def _sum(times: Sequence[timedelta]) -> int:
    """Return the sum of times in microseconds."""
    return sum(times, NONE) // MICROSECOND


def _count_times(buckets: Buckets, times: Sequence[timedelta], sign: int) -> int:
    """Add times to a sketch, or take them out; return what that adds to their sum, in microseconds."""
    microseconds = [time // MICROSECOND for time in times]
    count(buckets, microseconds, sign)
    return sign * sum(microseconds)
