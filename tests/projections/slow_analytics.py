"""The figures of analytics worked out slowly, from whole histories and lists of values: what the rollups must equal."""

import operator
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

import msgspec

from domain.event import Event
from domain.executions.events import approval, child, cost, execution, step, timer
from domain.money import Money
from tests.projections.stories import Happened

ENDS = {
    execution.ExecutionCompleted: "completed",
    execution.ExecutionFailed: "failed",
    execution.ExecutionCancelled: "cancelled",
}
ENTERS: dict[type[Event], str] = {
    step.StepScheduled: "waiting_queue",
    step.StepStarted: "working",
    step.StepAccepted: "working",
    timer.TimerStarted: "waiting_timer",
    approval.ApprovalRequested: "waiting_approval",
    child.SubProcessStarted: "waiting_child",
    step.StepRetryScheduled: "retrying",
    step.StepRetried: "retrying",
    step.StepCompleted: "",
    step.StepFailed: "",
    step.StepTimedOut: "",
    step.StepCancelled: "",
}
ORDER = ("working", "retrying", "waiting_approval", "waiting_child", "waiting_timer", "waiting_queue")
BY_TIME = {"step_timed_out", "approval_expired", "deadline_exceeded", "heartbeat_missed"}
ANSWERS: dict[type[Event], str] = {step.StepCompleted: "", step.StepFailed: "", step.StepTimedOut: "step_timed_out"}
MICROSECOND = timedelta(microseconds=1)
GRAINS = {
    "analytics_runs": {15, 60, 360, 1440, 23040},
    "analytics_spending": {15, 60, 360, 1440, 23040},
    "analytics_ended": {15, 60, 360, 1440},
    "analytics_spent": {15, 60, 360, 1440},
}
"""The minutes of the spans of tables that do not have those of most tables."""


class Use(msgspec.Struct):
    """A use as it counts in the end."""

    step: str
    cost: Money | None


class Ended(msgspec.Struct):
    """An execution that has ended. spans: by step, when it was in which phase."""

    begun: Any
    end: Any
    outcome: str
    spans: dict[str, list[tuple[datetime, datetime, str]]]
    completed: set[str]
    uses: list[Use]

    @property
    def split(self) -> dict[str, int]:
        """Microseconds by phase: each moment for the first phase that a step is in."""
        spans = [span for each in self.spans.values() for span in each]
        cuts = sorted({self.begun.at, self.end.at, *(at for begin, end, _ in spans for at in (begin, end))})
        found = dict.fromkeys(ORDER, 0)
        for begin, end in pairwise(cuts):
            inside = {phase for first, last, phase in spans if first <= begin and end <= last}
            found[next((phase for phase in ORDER if phase in inside), "waiting_queue")] += (end - begin) // MICROSECOND
        return found

    def time(self, step: str, *phases: str) -> int:
        """Microseconds that a step was in some phases."""
        return sum(((end - begin) // MICROSECOND for begin, end, phase in self.spans[step] if phase in phases), 0)


def ended_runs(happened: Happened) -> tuple[dict[UUID, Ended], dict[UUID, list[Use]], dict[UUID, UUID]]:
    """The executions that have ended; the uses of all; and the root of each."""
    streams: dict[UUID, list[Any]] = defaultdict(list)
    for stream, event in happened:
        streams[stream].append(event)
    uses = {id: list(uses_of(events).values()) for id, events in streams.items()}
    roots = {id: events[0].parent.root if events[0].parent else id for id, events in streams.items()}
    found = {id: ended_run(events, uses[id]) for id, events in streams.items()}
    return {id: each for id, each in found.items() if each is not None}, uses, roots


def uses_of(events: list[Any]) -> dict[int, Use]:
    found: dict[int, Use] = {}
    for version, event in enumerate(events, 1):
        if isinstance(event, cost.CostRecorded):
            found[version] = Use(event.step, event.cost)
        elif isinstance(event, cost.CostCorrected):
            found[event.recorded].cost = event.after
    return found


def ended_run(events: list[Any], uses: list[Use]) -> Ended | None:
    lasts = [
        n for n, event in enumerate(events) if type(event) in ENDS or isinstance(event, execution.ExecutionRetried)
    ]
    if not lasts or type(events[lasts[-1]]) not in ENDS:
        return None
    end = events[lasts[-1]]
    moves: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    completed = set()
    for event in events[: lasts[-1]]:
        if isinstance(event, execution.ExecutionFailed):
            moves["(all)"].append((event.at, "retrying"))
        elif isinstance(event, execution.ExecutionRetried):
            moves["(all)"].append((event.at, ""))
            for each in event.steps:
                moves[each].append((event.at, "retrying"))
        elif type(event) in ENTERS:
            moves[event.step].append((event.at, ENTERS[type(event)]))
            if isinstance(event, step.StepCompleted):
                completed.add(event.step)
    spans = {
        name: [(begin, after, phase) for (begin, phase), (after, _) in pairwise([*each, (end.at, "")]) if phase]
        for name, each in moves.items()
    }
    return Ended(events[0], end, ENDS[type(end)], spans, completed, uses)


Rows = dict[tuple[Any, ...], dict[str, Any]]
Add = Callable[..., None]


def expected_rows(happened: Happened, minutes: int) -> dict[str, Rows]:
    """The rows of each table in one grain: by key, the sum of each column and the values of each sketch."""
    runs, uses, roots = ended_runs(happened)
    tables: dict[str, Rows] = defaultdict(dict)

    def add(table: str, key: tuple[Any, ...], **values: Any) -> None:
        row = tables[table].setdefault(key, {})
        for name, value in values.items():
            joined = max if isinstance(value, datetime) else operator.add
            row[name] = joined(row[name], value) if name in row else value

    for id, run in runs.items():
        called, end = run.begun.parent is not None, run.end.at
        span = (minutes, floor(end, minutes), run.begun.process_id, run.begun.version, run.begun.trigger.type)
        add_run(add, (*span, called), run)
        add_costs(add, "analytics_run_costs", (*span, "own", run.outcome), run.uses)
        if not called:
            tree = [use for other, each in uses.items() if roots[other] == id for use in each]
            add_costs(add, "analytics_run_costs", (*span, "tree", run.outcome), tree)
        if run.outcome == "failed":
            add("analytics_failures", (*span, called, run.end.error.code, run.end.step or ""), n=1)
        for name in run.spans.keys() - {"(all)"}:
            worked = run.time(name, "working")
            waited = run.time(name, "waiting_timer", "waiting_approval", "waiting_child")
            sketches = {"worked_sketch": [worked], "waited_sketch": [waited]}
            add(
                "analytics_steps",
                (*span, called, name, name in run.completed),
                n=1,
                worked=worked,
                waited=waited,
                **sketches,
            )
        for name in {use.step for use in run.uses}:
            of_step = [use for use in run.uses if use.step == name]
            add_costs(add, "analytics_step_costs", (*span, called, name, name in run.completed), of_step)
    add_spending(add, happened, roots, minutes)
    add_agents(add, happened, minutes)
    return {table: rows for table, rows in tables.items() if minutes in GRAINS.get(table, {15, 60, 1440, 23040})}


def add_run(add: Add, key: tuple[Any, ...], run: Ended) -> None:
    zeros = dict.fromkeys(("completed", "failed", "timed_out", "cancelled", "duration", *ORDER), 0)
    by_time = run.outcome == "failed" and run.end.error.code in BY_TIME
    add("analytics_runs", key, **{**zeros, run.outcome: 1, "timed_out": int(by_time)}, sketch=[])
    if run.outcome == "completed":
        duration = (run.end.at - run.begun.at) // MICROSECOND
        add("analytics_runs", key, duration=duration, sketch=[duration], **run.split)
    counts = {**dict.fromkeys(("completed", "failed", "timed_out", "cancelled"), 0), run.outcome: 1}
    sketch = [(run.end.at - run.begun.at) // MICROSECOND] if run.outcome == "completed" else []
    add("analytics_ended", (*key[:2], key[-1]), **{**counts, "timed_out": int(by_time)}, sketch=sketch)


def add_costs(add: Add, table: str, key: tuple[Any, ...], uses: list[Use]) -> None:
    costs = [use.cost for use in uses if use.cost is not None]
    priced = len(costs) == len(uses)
    for currency in {each.currency for each in costs}:
        amount = sum((each.amount for each in costs if each.currency == currency), Decimal(0))
        counted = {"amount": amount, "sketch": [amount]} if priced else {"amount": Decimal(0), "sketch": []}
        add(table, (*key, currency), of=1, priced=int(priced), **counted)
    if uses and not costs:
        add(table, (*key, ""), of=1, priced=0, amount=Decimal(0), sketch=[])


def add_spending(add: Add, happened: Happened, roots: dict[UUID, UUID], minutes: int) -> None:
    begun = {id: event for id, event in reversed(happened) if isinstance(event, execution.ExecutionStarted)}
    for id, event in happened:
        if isinstance(event, cost.CostRecorded):
            changes = [(event.cost, 1)]
        elif isinstance(event, cost.CostCorrected):
            changes = [(event.before, -1), (event.after, 1)]
        else:
            continue
        for scope, each in (("own", begun[id]), ("tree", begun[roots[id]])):
            for money, sign in changes:
                if money is not None:
                    at = floor(event.called_at or event.at, minutes)
                    key = (minutes, at, each.process_id, each.version, each.trigger.type, scope, money.currency)
                    add("analytics_spending", key, amount=sign * money.amount)
                    if scope == "own":
                        add("analytics_spent", (minutes, at, money.currency), amount=sign * money.amount)


def add_agents(add: Add, happened: Happened, minutes: int) -> None:
    """Each answer by the agent that its step was scheduled for last, each cost by the agent that the log names."""
    streams: dict[UUID, list[Any]] = defaultdict(list)
    for id, event in happened:
        events = streams[id]
        events.append(event)
        of = (events[0].process_id, events[0].version)
        if isinstance(event, cost.CostRecorded | cost.CostCorrected):
            changes = (
                [(event.cost, 1)] if isinstance(event, cost.CostRecorded) else [(event.before, -1), (event.after, 1)]
            )
            agent = (event if isinstance(event, cost.CostRecorded) else events[event.recorded - 1]).agent
            for money, sign in changes:
                if money is not None:
                    span = (minutes, floor(event.called_at or event.at, minutes))
                    key = (*span, agent, of[0], money.currency)
                    add("analytics_agent_spending", key, amount=sign * money.amount)
        elif isinstance(event, tuple(ANSWERS)) and event.started_at is not None:
            agents = [each.agent for each in events if isinstance(each, step.StepScheduled) and each.step == event.step]
            code = event.error.code if isinstance(event, step.StepFailed) else ANSWERS[type(event)]
            if agents:
                worked = (event.at - event.started_at) // MICROSECOND
                key = (minutes, floor(event.at, minutes), agents[-1], *of, event.step, code)
                add("analytics_answers", key, n=1, worked=worked, last_at=event.at, sketch=[worked])


def floor(at: datetime, minutes: int) -> datetime:
    first = datetime(1970, 1, 1, tzinfo=UTC)
    return first + (at - first) // timedelta(minutes=minutes) * timedelta(minutes=minutes)
