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
from domain.executions.events import approval, child, cost, execution, repetition, step, timer
from domain.money import Money
from tests.projections.stories import Happened

ENDS = {
    execution.ExecutionCompleted: "completed",
    execution.ExecutionFailed: "failed",
    execution.ExecutionCancelled: "cancelled",
}
PHASES: dict[str, tuple[type[Event], ...]] = {
    "waiting_queue": (step.StepScheduled,),
    "working": (step.StepStarted, step.StepAccepted),
    "waiting_timer": (timer.TimerStarted, repetition.RoundCompleted),
    "waiting_approval": (approval.ApprovalRequested,),
    "waiting_child": (child.SubProcessStarted, repetition.ItemsListed, repetition.ItemsResumed),
    "retrying": (step.StepRetryScheduled, step.StepRetried, step.StepReassigned),
}
IDLE = (step.StepCompleted, step.StepFailed, step.StepTimedOut, step.StepCancelled, step.StepSkipped)
ENTERS = {kind: phase for phase, kinds in PHASES.items() for kind in kinds}
ENTERS |= dict.fromkeys((*IDLE, step.StepDiverted, step.GatewayEvaluated), "")
TRIED = tuple(kind for kind, phase in ENTERS.items() if phase not in ("", "retrying"))
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
    tried: set[str]
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
            used = event.flags or (event.usage and (event.usage.input_tokens or event.usage.output_tokens))
            if event.cost or used:
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
    completed, tried = set(), set()
    for event in events[: lasts[-1]]:
        if isinstance(event, execution.ExecutionFailed):
            moves["(all)"].append((event.at, "retrying"))
        elif isinstance(event, execution.ExecutionRetried):
            moves["(all)"].append((event.at, ""))
            for each in event.steps:
                moves[each].append((event.at, "retrying"))
        elif type(event) in ENTERS and getattr(event, "next_at", event):
            phase = ENTERS[type(event)] if getattr(event, "wait", True) else ""
            moves[event.step].append((event.at, phase))
            if isinstance(event, step.StepCompleted):
                completed.add(event.step)
            if isinstance(event, TRIED):
                tried.add(event.step)
    spans = {
        name: [(begin, after, phase) for (begin, phase), (after, _) in pairwise([*each, (end.at, "")]) if phase]
        for name, each in moves.items()
    }
    return Ended(events[0], end, ENDS[type(end)], spans, tried, completed, uses)


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
            place = place_of(run.begun, run.end.step) if run.end.step else ""
            add("analytics_failures", (*span, called, run.end.error.code, place), n=1)
        for name in run.tried:
            worked = run.time(name, "working")
            waited = run.time(name, "waiting_timer", "waiting_approval", "waiting_child")
            sketches = {"worked_sketch": [worked], "waited_sketch": [waited]}
            key = (*span, called, place_of(run.begun, name), name in run.completed)
            add("analytics_steps", key, n=1, worked=worked, waited=waited, **sketches)
        for name in {use.step for use in run.uses}:
            of_step = [use for use in run.uses if use.step == name]
            key = (*span, called, place_of(run.begun, name), name in run.completed)
            add_costs(add, "analytics_step_costs", key, of_step)
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
            if agents and agents[-1]:
                worked = (event.at - event.started_at) // MICROSECOND
                key = (minutes, floor(event.at, minutes), agents[-1], *of, place_of(events[0], event.step), code)
                add("analytics_answers", key, n=1, worked=worked, last_at=event.at, sketch=[worked])


def place_of(begun: Any, step: str) -> str:
    """The id of a step after those that hold it."""
    return f"{begun.body}/{step}" if begun.body else step


def floor(at: datetime, minutes: int) -> datetime:
    first = datetime(1970, 1, 1, tzinfo=UTC)
    return first + (at - first) // timedelta(minutes=minutes) * timedelta(minutes=minutes)
