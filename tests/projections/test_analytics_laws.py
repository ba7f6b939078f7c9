"""Analytics equal a slow recomputation from the log, whatever the pages of the projector and the measures it keeps."""

import math
import operator
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from domain.analytics.grains import ALL_GRAINS, minutes_of
from domain.analytics.sketch import ERROR, quantile, unpack
from domain.executions.events import approval, child, cost, execution, repetition, step, timer
from projections.analytics import TABLES, AnalyticsProjection, measured
from projections.analytics.rows import TREE_COSTS
from tests.histories import record
from tests.projections.measured_stories import MeasuredStory

PROJECTION = AnalyticsProjection()
APPEND = """insert into stored_events (notification_id, originator_id, originator_version, topic, state)
values (%s, encode(%s, 'hex')::uuid, %s, %s, %s)"""
PARTS = (0.0, 0.25, 0.5, 0.95, 1.0)
ENDS = {
    execution.ExecutionCompleted: "completed",
    execution.ExecutionFailed: "failed",
    execution.ExecutionCancelled: "cancelled",
}
PHASES = {
    "working": (step.StepStarted, step.StepAccepted),
    "retrying": (step.StepRetryScheduled, step.StepRetried, step.StepReassigned),
    "waiting_approval": (approval.ApprovalRequested,),
    "waiting_child": (child.SubProcessStarted, repetition.ItemsListed, repetition.ItemsResumed),
    "waiting_timer": (timer.TimerStarted, repetition.RoundCompleted),
    "waiting_queue": (step.StepScheduled,),
}
"""Of an execution the first phase counts in which one of its steps is."""
IDLE = (step.StepCompleted, step.StepFailed, step.StepTimedOut, step.StepCancelled, step.StepSkipped)
ENTERS = {kind: phase for phase, kinds in PHASES.items() for kind in kinds}
ENTERS |= dict.fromkeys((*IDLE, step.StepDiverted, step.GatewayEvaluated), "")
TRIED = tuple(kind for kind, phase in ENTERS.items() if phase not in ("", "retrying"))
BY_TIME = {"step_timed_out", "approval_expired", "deadline_exceeded", "heartbeat_missed"}
MOST, ALL_DAYS, DAYS = {15, 60, 1440, 23040}, {15, 60, 360, 1440, 23040}, {15, 60, 360, 1440}
GRAINS = {"analytics_runs": ALL_DAYS, "analytics_spending": ALL_DAYS, "analytics_ended": DAYS, "analytics_spent": DAYS}
"""The minutes of the spans of tables that do not have those of most tables."""


def micros(begin, end):
    return (end - begin) // timedelta(microseconds=1)


class Run:
    """An execution by its events. end: None if none came after it was last retried.

    uses: by its version, step and cost of each use as it counts in the end.
    """

    def __init__(self, events):
        self.events, self.begun = events, events[0]
        self.called = self.begun.parent is not None
        self.of = self.begun.process_id, self.begun.version, self.begun.trigger.type
        marks = [n for n, each in enumerate(events) if isinstance(each, (*ENDS, execution.ExecutionRetried))]
        self.end = events[marks[-1]] if marks and type(events[marks[-1]]) in ENDS else None
        self.before_end = events[: marks[-1]] if marks else events
        self.uses = {}
        for version, event in enumerate(events, 1):
            if isinstance(event, cost.CostRecorded):
                used = event.flags or (event.usage and (event.usage.input_tokens or event.usage.output_tokens))
                if event.cost or used:
                    self.uses[version] = event.step, event.cost
            elif isinstance(event, cost.CostCorrected):
                self.uses[event.recorded] = self.uses[event.recorded][0], event.after

    @cached_property
    def spans(self):
        """By step, when it was in which phase until the end; without a step, when an operator was waited for."""
        moves = defaultdict(list)
        for event in self.before_end:
            if isinstance(event, execution.ExecutionFailed):
                moves[None].append((event.at, "retrying"))
            elif isinstance(event, execution.ExecutionRetried):
                moves[None].append((event.at, ""))
                for each in event.steps:
                    moves[each].append((event.at, "retrying"))
            elif type(event) in ENTERS and getattr(event, "next_at", event):
                moves[event.step].append((event.at, ENTERS[type(event)] if getattr(event, "wait", True) else ""))
        ends = {name: pairwise([*each, (self.end.at, "")]) for name, each in moves.items()}
        return {name: [(begin, end, phase) for (begin, phase), (end, _) in each] for name, each in ends.items()}

    def split(self):
        """Microseconds by phase."""
        spans = [span for each in self.spans.values() for span in each]
        cuts = sorted({self.begun.at, self.end.at, *(at for begin, end, _ in spans for at in (begin, end))})
        found = dict.fromkeys(PHASES, 0)
        for begin, end in pairwise(cuts):
            inside = {phase for first, last, phase in spans if first <= begin and end <= last}
            found[next((phase for phase in PHASES if phase in inside), "waiting_queue")] += micros(begin, end)
        return found

    def time(self, step, *phases):
        """Microseconds that a step was in some phases."""
        return sum(micros(begin, end) for begin, end, phase in self.spans[step] if phase in phases)

    def steps(self, *kinds):
        """The steps that had such an event before the end."""
        return {each.step for each in self.before_end if isinstance(each, kinds)}

    def place(self, step):
        """The id of a step after those that hold it."""
        return f"{self.begun.body}/{step}" if self.begun.body and step else step or ""


class Expected:
    """The rows of each table in one grain: by key, the sum of each column and the values of each sketch."""

    def __init__(self, happened, minutes):
        self.minutes, self.tables, streams = minutes, defaultdict(dict), defaultdict(list)
        for stream, event in happened:
            streams[stream].append(event)
        self.runs = {id: Run(events) for id, events in streams.items()}
        for id, run in self.runs.items():
            self.add_events(run)
            if run.end is not None:
                self.add_run(id, run)
        self.tables = {name: rows for name, rows in self.tables.items() if minutes in GRAINS.get(name, MOST)}

    def add(self, table, *key, **values):
        row = self.tables[table].setdefault((self.minutes, *key), {})
        for name, value in values.items():
            joined = max if isinstance(value, datetime) else operator.add
            row[name] = joined(row[name], value) if name in row else value

    def floor(self, at):
        first, span = datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=self.minutes)
        return first + (at - first) // span * span

    def root_of(self, run):
        return self.runs[run.begun.parent.root] if run.called else run

    def add_run(self, id, run):
        outcome, span = ENDS[type(run.end)], (self.floor(run.end.at), *run.of)
        done, duration = outcome == "completed", micros(run.begun.at, run.end.at)
        counts = {**dict.fromkeys((*ENDS.values(), "timed_out"), 0), outcome: 1}
        if outcome == "failed":
            counts["timed_out"] = int(run.end.error.code in BY_TIME)
            self.add("analytics_failures", *span, run.called, run.end.error.code, run.place(run.end.step), n=1)
        times = run.split() if done else dict.fromkeys(PHASES, 0)
        sketch = [duration] * done
        self.add("analytics_runs", *span, run.called, **counts, **times, duration=duration * done, sketch=sketch)
        self.add("analytics_ended", span[0], run.called, **counts, sketch=sketch)
        uses = list(run.uses.values())
        self.add_costs("analytics_run_costs", (*span, "own", outcome), uses)
        if not run.called:
            tree = [use for each in self.runs.values() if self.root_of(each) is run for use in each.uses.values()]
            self.add_costs("analytics_run_costs", (*span, "tree", outcome), tree)
        completed = run.steps(step.StepCompleted)
        for name in run.steps(*TRIED):
            worked = run.time(name, "working")
            waited = run.time(name, "waiting_timer", "waiting_approval", "waiting_child")
            sums = {"n": 1, "worked": worked, "waited": waited, "worked_sketch": [worked], "waited_sketch": [waited]}
            self.add("analytics_steps", *span, run.called, run.place(name), name in completed, **sums)
        for name in {name for name, _ in uses}:
            key = (*span, run.called, run.place(name), name in completed)
            self.add_costs("analytics_step_costs", key, [use for use in uses if use[0] == name])

    def add_costs(self, table, key, uses):
        costs = [money for _, money in uses if money is not None]
        priced = len(costs) == len(uses)
        for currency in {each.currency for each in costs}:
            amounts = [each.amount for each in costs if each.currency == currency] * priced
            amount = sum(amounts, Decimal(0))
            self.add(table, *key, currency, of=1, priced=int(priced), amount=amount, sketch=[amount] * priced)
        if uses and not costs:
            self.add(table, *key, "", of=1, priced=0, amount=Decimal(0), sketch=[])

    def add_events(self, run):
        """Each answer by the agent that its step was scheduled for last, each cost by the agent that the log names."""
        agents = {}
        for version, event in enumerate(run.events, 1):
            if isinstance(event, step.StepScheduled):
                agents[event.step] = event.agent
            elif isinstance(event, cost.CostRecorded):
                self.add_spending(run, event, version, [(event.cost, 1)])
            elif isinstance(event, cost.CostCorrected):
                self.add_spending(run, event, event.recorded, [(event.before, -1), (event.after, 1)])
            elif isinstance(event, IDLE[:3]) and event.started_at is not None and agents.get(event.step):
                code = event.error.code if isinstance(event, step.StepFailed) else ""
                code = "step_timed_out" if isinstance(event, step.StepTimedOut) else code
                worked = micros(event.started_at, event.at)
                key = (self.floor(event.at), agents[event.step], *run.of[:2], run.place(event.step), code)
                self.add("analytics_answers", *key, n=1, worked=worked, last_at=event.at, sketch=[worked])

    def add_spending(self, run, event, recorded, changes):
        at, agent = self.floor(event.called_at or event.at), run.events[recorded - 1].agent
        for amount, currency in ((sign * money.amount, money.currency) for money, sign in changes if money is not None):
            self.add("analytics_spent", at, currency, amount=amount)
            self.add("analytics_agent_spending", at, agent, run.of[0], currency, amount=amount)
            for scope, each in (("own", run), ("tree", self.root_of(run))):
                self.add("analytics_spending", at, *each.of, scope, currency, amount=amount)


@contextmanager
def logged(read_tables, rows):
    """Within a transaction that leaves nothing behind, a log of these rows."""
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        with connection.cursor() as cursor:
            cursor.executemany(APPEND, rows)
        yield connection


def project(connection, rows, ends=(), forgetful=()):
    """Project pages that end at `ends`; before some, forget what was measured."""
    for number, (begin, end) in enumerate(zip([0, *ends], [*ends, len(rows)], strict=True)):
        if number in forgetful:
            measured.measures_of(connection).forget()
        PROJECTION.write(connection, PROJECTION.fold_rows(rows[begin:end], connection))


def found_rows(connection, minutes):
    """The rows of each table in one grain: by key, the columns that are not part of it."""
    tables = {}
    with connection.cursor(row_factory=dict_row) as cursor:
        for table in TABLES:
            if table is not TREE_COSTS:
                rows = cursor.execute(f"select * from {table.name} where grain = %s", (minutes,)).fetchall()
                tables[table.name] = {
                    tuple(row[name] for name in table.keys): {name: row[name] for name in table.values} for row in rows
                }
    return tables


def require_equal(found, expected):
    """Sums are equal; a sketch has as many values as there are, and their quantiles."""
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        for name, value in row.items():
            if not isinstance(value, list):
                assert found[key][name] == value, (key, name)
                continue
            buckets = unpack(bytes(found[key][name]))
            assert sum(buckets.values()) == len(value)
            for part in PARTS if value else ():
                exact = float(sorted(value)[max(1, math.ceil(part * len(value))) - 1])
                assert quantile(buckets, part) == pytest.approx(exact, rel=ERROR, abs=0), (key, name, part)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), events=st.integers(1, 220), data=st.data())
def test_figures_equal_a_slow_recomputation_however_the_log_is_read(read_tables, as_rows, rows_of, seed, events, data):
    happened = MeasuredStory(seed, events).happened
    rows = as_rows(happened)
    with logged(read_tables, rows) as connection:
        with connection.transaction(force_rollback=True):
            project(connection, rows)
            at_once = rows_of(connection, PROJECTION)
            for minutes in map(minutes_of, ALL_GRAINS):
                found, expected = found_rows(connection, minutes), Expected(happened, minutes).tables
                for table, present in found.items():
                    left = expected.get(table, {})
                    if table in ("analytics_spending", "analytics_spent", "analytics_agent_spending"):
                        present = {key: row for key, row in present.items() if row["amount"]}
                        left = {key: row for key, row in left.items() if row["amount"]}
                    require_equal(present, left)
        ends = sorted(data.draw(st.sets(st.integers(1, len(rows)), max_size=40)))
        forgetful = data.draw(st.sets(st.integers(0, len(ends))))
        with connection.transaction(force_rollback=True), pytest.MonkeyPatch.context() as patch:
            patch.setattr(measured, "KEPT", data.draw(st.sampled_from([0, 1, 2, 20_000])))
            project(connection, rows, ends, forgetful)
            assert rows_of(connection, PROJECTION) == at_once


@pytest.mark.parametrize("ends", [(), (2,)])
def test_an_execution_of_which_the_log_lacks_the_start_counts_nowhere(read_tables, ends):
    rows = [
        (n, row.stream.bytes, row.version, row.topic, row.state.encode())
        for n, row in enumerate(record.rows("execution-approved"), 1)
    ]
    assert rows[0][3] == measured.STARTED
    with logged(read_tables, rows[1:]) as connection:
        project(connection, rows[1:], ends)
        assert [connection.execute(f"select from {table.name}").rowcount for table in TABLES] == [0] * len(TABLES)
