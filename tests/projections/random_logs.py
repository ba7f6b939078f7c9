"""Random logs: anything that could be in a log, and much that could not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from domain.agents.calls import StepError, Usage
from domain.agents.events import AgentRegistered, AgentRetired
from domain.catalogue import EVENTS
from domain.event import Event
from domain.executions.events import approval, child, compensation, step, timer
from domain.executions.events.cost import CostCorrected, CostRecorded
from domain.executions.events.execution import (
    ExecutionAdmitted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionQueued,
    ExecutionRetried,
    Trigger,
)
from domain.identity import agent_id, process_id, schedule_id, template_id
from domain.money import Money
from domain.processes import events as processes
from domain.processes.lineage import Lineage
from domain.schedules import events as schedules
from domain.templates import events as templates
from tests.projections.stories import BEGIN, Happened, Story

_STEP = st.sampled_from(["a", "b", "a.compensation"])
_DOCUMENT = st.sampled_from([None, 1, "nul \0 in it", {"k": [1, 2.5, None]}, "ä" * 300, 2**63 - 1])
_ERROR = st.builds(StepError, st.sampled_from(["agent_error", "x"]), st.sampled_from(["no", "a\0b" * 2_000]))
_TIME = st.none() | st.just(BEGIN)
_DUE = st.sampled_from([BEGIN, BEGIN + timedelta(hours=1)])
_AMOUNT = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=12)
_MONEY = st.none() | st.builds(Money, _AMOUNT | st.just(Decimal("1E+3")), st.sampled_from(["USD", "EUR"]))
_SKIPPED = ["condition_false", "branch_not_taken", "on_error", "on_timeout", "operator"]
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "after": _MONEY,
    "agent": st.sampled_from(["echo", "other", ""]),
    "approval_id": st.just("id"),
    "approvers": st.sampled_from([[], ["ann", "bob"]]),
    "artifacts": st.lists(_DOCUMENT, max_size=2),
    "attempt": st.integers(1, 3),
    "before": _MONEY,
    "by": st.just("user:ann"),
    "called_at": st.none() | st.just(datetime(2025, 12, 31, 23, 59, tzinfo=UTC)),
    "child": st.just(UUID(int=9)),
    "chosen": st.sampled_from([["b"], ["a", "b"]]),
    "code": st.just("agent_error"),
    "comment": st.sampled_from(["", "so\0so"]),
    "conditions": st.just([step.RouteChecked("b", True, "input.n > 0")]),
    "cost": _MONEY,
    "deadline": st.none() | _DUE,
    "definition": st.sampled_from([{}, {"description": "d", "labels": ["x"], "owner": "ann"}, {"owner": "bob"}]),
    "depth": st.just(1),
    "description": st.sampled_from(["", "so\0so"]),
    "detail": st.sampled_from(["", "so\0so"]),
    "due_at": _DUE,
    "error": _ERROR,
    "execution_id": st.just(UUID(int=8)),
    "failures": st.integers(0, 3),
    "flags": st.sampled_from([[], ["price_missing"]]),
    "input": st.just({}) | st.just({"n": 1}),
    "into": _TIME,
    "kind": st.sampled_from(["timer", "timeout", "retry", "deadline", "deadline"]),
    "lineage": st.none()
    | st.builds(Lineage, st.sampled_from(["org:t1", "bundled:x\0"]), st.integers(1, 3), st.just({"a": {"b": [1]}})),
    "message": _DOCUMENT,
    "mode": st.sampled_from(["queue", "refuse"]),
    "model": st.sampled_from(["", "m", "M"]),
    "next_at": _TIME,
    "on_deadline": st.just("reject"),
    "outcome": st.just("failed"),
    "output": _DOCUMENT,
    "parameters": st.just({}) | st.just({"k": 1}),
    "path": st.just([UUID(int=0)]),
    "price_source": st.sampled_from(["", "override"]),
    "process": st.just("p"),
    "process_id": st.just(process_id("p")),
    "provider": st.sampled_from(["", "House", "openai"]),
    "reason": st.sampled_from(["why", "execution_failed", "nul \0 in it"]),
    "response_id": st.just("resp_1"),
    "root": st.just(UUID(int=0)),
    "scheduled_at": _DUE,
    "scope": st.sampled_from(["attempt", "total"]),
    "shared_with": st.sampled_from(["private", "organisation"]),
    "source": st.integers(0, 999).map("revision {}".format),
    "started_at": _TIME,
    "step": _STEP,
    "tags": st.sampled_from([[], ["a"]]),
    "target": _STEP,
    "team": st.sampled_from(["", "desk"]),
    "title": st.sampled_from(["May it?", "nul \0 in it"]),
    "to": _DUE,
    "until": st.just(BEGIN),
    "usage": st.none() | st.builds(Usage, st.integers(0, 10**6), st.integers(0, 10**6)),
    "version": st.integers(1, 2),
    "wait": st.booleans(),
}
"""By its name, what a field holds in a random event; any other one has its default."""
_EXCEPT: dict[tuple[type[Event], str], st.SearchStrategy[Any]] = {
    (CostCorrected, "price_source"): st.just("override"),
    (templates.TemplatePublished, "process"): st.just("p0"),
    (processes.ProcessRestored, "source"): st.sampled_from([None, "draft"]),
    (schedules.ScheduleFired, "lateness"): st.sampled_from([0.0, 0.25, 1e20]),
    (step.StepCompleted, "started_at"): st.just(BEGIN),
    (step.StepSkipped, "reason"): st.sampled_from(_SKIPPED),
    (timer.TimerFired, "lateness"): st.just(timedelta(0)),
}
_OF_STEP = [
    kind
    for room in (approval, child, compensation, step, timer)
    for kind in EVENTS.values()
    if kind.__module__ == room.__name__ and kind not in (child.ItemStarted, compensation.CompensationRequired)
]
_OF_SCHEDULE = [
    kind
    for kind in EVENTS.values()
    if kind.__module__ == schedules.__name__
    and kind not in (schedules.ScheduleCarried, schedules.ScheduleNextRunChanged)
]
_OF_PROCESS = [
    processes.ProcessRevised,
    *[processes.ProcessPublished] * 2,
    processes.ProcessArchived,
    processes.ProcessRestored,
    processes.ProcessPaused,
    processes.ProcessResumed,
]
_OF_TEMPLATE = [templates.TemplateRevised, templates.TemplateShared, templates.TemplateWithdrawn]
_MADE_FROM = st.sampled_from([{}, {"template_id": "org:t1", "template_version": 2}])
_OF_END = {
    ExecutionCompleted: {"outputs": st.just({}) | st.just({"answer": 42})},
    ExecutionFailed: {"error": _ERROR},
    ExecutionCancelled: {"reason": st.just("enough")},
}


KINDS = ["step"] * 5 + [
    "schedule",
    "cost",
    "correction",
    "status",
    "undo",
    "end",
    "retry",
    "process",
    "agent",
    "template",
]


@st.composite
def random_log(draw: st.DrawFn) -> Happened:
    """Anything that could be in a log and much that could not: but what begins a stream is always first in it, and only
    what failed goes on.
    """
    story = Story()
    begun: set[Any] = set()
    ended: dict[UUID, type[Event]] = {}
    processes: dict[UUID, str] = {}
    paths: dict[UUID, list[UUID]] = {}
    for _ in range(draw(st.integers(0, 40))):
        kind = draw(st.sampled_from(KINDS))
        number = draw(st.integers(0, 3))
        execution, process = UUID(int=number), f"p{number % 2}"
        above = [id for id in processes if id.int < number]
        if kind == "process":
            _tell_process(draw, story, f"p{number}", begun)
        elif kind == "schedule":
            _tell_schedule(draw, story, f"t{number % 2}", begun)
        elif kind == "template":
            _tell_template(draw, story, f"t{number}", begun)
        elif kind == "agent":
            name = f"a{number % 2}"
            if draw(st.booleans()):
                facts = {"kind": "scripted", "config": {"kind": "scripted", "n": number}}
                story.tell(agent_id(name), AgentRegistered, name=name, **facts)
            else:
                story.tell(agent_id(name), AgentRetired, name=name, reason="old")
        elif execution not in begun:
            begun.add(execution)
            processes[execution] = process
            paths[execution] = []
            if above and draw(st.booleans()):
                parent = draw(st.sampled_from(above))
                paths[execution] = [*paths[parent], parent]
                story.call(paths[execution], execution, process, attempt=draw(st.integers(1, 3)))
                continue
            story.start(execution, process, trigger=Trigger(draw(st.sampled_from(["manual", "webhook"])), payload=[1]))
        elif kind == "step":
            event = draw(st.sampled_from(_OF_STEP))
            story.tell(execution, event, **_drawn(draw, event))
        elif kind == "cost":
            story.tell(execution, CostRecorded, **_drawn(draw, CostRecorded))
        elif kind == "correction":
            recorded = draw(st.integers(1, sum(stream == execution for stream, _ in story.happened)))
            story.tell(execution, CostCorrected, recorded=recorded, **_drawn(draw, CostCorrected))
        elif kind == "status" and execution not in ended:
            event = draw(st.sampled_from([ExecutionQueued, ExecutionAdmitted]))
            story.tell(execution, event, process_id=process_id(process))
        elif kind == "undo":
            outcome = {"outcome": "failed", "error": draw(_ERROR), "step": "a"}
            story.tell(execution, compensation.CompensationRequired, **outcome)
        elif kind == "retry" and ended.get(execution) is ExecutionFailed:
            del ended[execution]
            story.tell(execution, ExecutionRetried, reason="why", steps=draw(st.lists(_STEP, unique=True)))
        else:
            event = ended[execution] = draw(st.sampled_from([*_OF_END, ExecutionFailed]))
            facts = {name: draw(strategy) for name, strategy in _OF_END[event].items()}
            story.end(execution, event, process, **facts)
    return story.happened


def _drawn(draw: st.DrawFn, kind: type[Event]) -> dict[str, Any]:
    """The fields of an event of this kind."""
    strategies = _FIELDS | {name: strategy for (of, name), strategy in _EXCEPT.items() if of is kind}
    return {name: draw(strategies[name]) for name in kind.__struct_fields__ if name in strategies}


def _tell_process(draw: st.DrawFn, story: Story, name: str, begun: set[Any]) -> None:
    """Something happens to a process."""
    kind = draw(st.sampled_from(_OF_PROCESS)) if name in begun else processes.ProcessDrafted
    begun.add(name)
    facts = _drawn(draw, kind)
    if "version" in facts:
        published = [event for _, event in story.happened if isinstance(event, processes.ProcessPublished)]
        facts["version"] = sum(event.name == name for event in published) + (kind is processes.ProcessPublished)
    made_from = draw(_MADE_FROM) if kind is processes.ProcessPublished else {}
    story.tell(process_id(name), kind, name=name, **facts, **made_from)


def _tell_template(draw: st.DrawFn, story: Story, name: str, begun: set[Any]) -> None:
    """Something happens to a template."""
    stream = template_id(name)
    kind = draw(st.sampled_from(_OF_TEMPLATE)) if stream in begun else templates.TemplatePublished
    begun.add(stream)
    facts = _drawn(draw, kind)
    if "version" in facts:
        revised = [event for _, event in story.happened if isinstance(event, templates.TemplateRevised)]
        facts["version"] = 2 + sum(event.name == name for event in revised)
    story.tell(stream, kind, name=name, **facts)


def _tell_schedule(draw: st.DrawFn, story: Story, trigger: str, begun: set[Any]) -> None:
    stream = schedule_id(process_id("p0"), trigger)
    kind = draw(st.sampled_from(_OF_SCHEDULE))
    if stream not in begun or kind is schedules.ScheduleRegistered:
        begun.add(stream)
        named = {"process_id": process_id("p0"), "process": "p0", "trigger_id": trigger}
        rule, version = {"id": trigger, "cron": draw(st.sampled_from(["a", "b"]))}, draw(st.integers(1, 3))
        times = {"anchor": BEGIN, "since": BEGIN, "next_at": draw(_TIME)}
        story.tell(stream, schedules.ScheduleRegistered, rule=rule, version=version, **named, **times)
    else:
        story.tell(stream, kind, **_drawn(draw, kind))
