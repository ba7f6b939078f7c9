"""Random logs: anything that could be in a log, and much that could not."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from domain.agents.calls import StepError
from domain.agents.events import AgentRegistered, AgentRetired
from domain.event import Event
from domain.executions.events.approval import (
    ApprovalCancelled,
    ApprovalChangesRequested,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
)
from domain.executions.events.child import SubProcessClosed, SubProcessStarted
from domain.executions.events.compensation import (
    CompensationCompleted,
    CompensationFailed,
    CompensationRequired,
    CompensationStarted,
)
from domain.executions.events.execution import (
    ExecutionAdmitted,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionQueued,
    ExecutionRetried,
    Trigger,
)
from domain.executions.events.step import (
    BackgroundResponseStarted,
    GatewayEvaluated,
    RouteChecked,
    StepAccepted,
    StepAnswerIgnored,
    StepCancelled,
    StepCompleted,
    StepDiverted,
    StepFailed,
    StepHeartbeatMissed,
    StepReassigned,
    StepReclaimed,
    StepRetried,
    StepRetryScheduled,
    StepScheduled,
    StepSkipped,
    StepStarted,
    StepTimedOut,
)
from domain.executions.events.timer import TimerCancelled, TimerFired, TimerMoved, TimerStarted
from domain.identity import agent_id, process_id, schedule_id
from domain.schedules.events import (
    ScheduleFired,
    ScheduleOccurrenceBackfilled,
    ScheduleOccurrenceCoalesced,
    ScheduleOccurrenceHeld,
    ScheduleOccurrenceMissed,
    ScheduleOccurrenceMoved,
    ScheduleOccurrenceSkipped,
    SchedulePaused,
    ScheduleRegistered,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleRunEnded,
    ScheduleRunStarted,
)
from tests.projections.random_costs import tell_correction, tell_cost
from tests.projections.random_processes import tell_process
from tests.projections.random_templates import tell_template
from tests.projections.stories import BEGIN, Happened, Story

_STEP = st.sampled_from(["a", "b", "a.compensation"])
_DOCUMENT = st.sampled_from([None, 1, "nul \0 in it", {"k": [1, 2.5, None]}, "ä" * 300, 2**63 - 1])
_ERROR = st.builds(StepError, st.sampled_from(["agent_error", "x"]), st.sampled_from(["no", "a\0b" * 2_000]))
_TIME = st.none() | st.just(BEGIN)
_DUE = st.sampled_from([BEGIN, BEGIN + timedelta(hours=1)])
_WHY = st.just("why")
_DECIDED = {"approval_id": st.just("id"), "by": st.just("user:ann"), "comment": st.sampled_from(["", "so\0so"])}
_OF_STEP = {
    StepScheduled: {
        "agent": st.sampled_from(["echo", ""]),
        "message": _DOCUMENT,
        "parameters": st.just({}) | st.just({"k": 1}),
    },
    StepStarted: {},
    StepReclaimed: {},
    StepAccepted: {},
    BackgroundResponseStarted: {"response_id": st.just("resp_1")},
    StepCompleted: {"output": _DOCUMENT, "started_at": st.just(BEGIN)},
    StepFailed: {"error": _ERROR, "started_at": _TIME},
    StepCancelled: {"reason": st.just("execution_failed"), "started_at": _TIME},
    StepTimedOut: {"scope": st.sampled_from(["attempt", "total"]), "started_at": _TIME},
    StepHeartbeatMissed: {},
    StepRetryScheduled: {"due_at": _DUE, "code": st.just("agent_error")},
    StepDiverted: {"target": _STEP, "reason": st.just("on_error")},
    StepAnswerIgnored: {"reason": st.just("step_timed_out")},
    StepRetried: {"reason": _WHY},
    StepReassigned: {"agent": st.sampled_from(["echo", "other"]), "reason": _WHY},
    StepSkipped: {
        "reason": st.sampled_from(["condition_false", "branch_not_taken", "on_error", "on_timeout", "operator"])
    },
    TimerStarted: {"due_at": _DUE},
    TimerFired: {"due_at": _DUE, "lateness": st.just(timedelta(0))},
    TimerCancelled: {"reason": st.just("step_timed_out")},
    TimerMoved: {
        "kind": st.sampled_from(["timer", "timeout", "retry", "deadline", "deadline"]),
        "due_at": _DUE,
        "reason": _WHY,
    },
    ApprovalRequested: {
        "approval_id": st.just("id"),
        "process_id": st.just(process_id("p")),
        "process": st.just("p"),
        "title": st.sampled_from(["May it?", "nul \0 in it"]),
        "approvers": st.sampled_from([[], ["ann", "bob"]]),
        "artifacts": st.lists(_DOCUMENT, max_size=2),
        "deadline": st.none() | _DUE,
    },
    ApprovalGranted: _DECIDED,
    ApprovalRefused: _DECIDED,
    ApprovalChangesRequested: _DECIDED,
    ApprovalExpired: {"approval_id": st.just("id"), "on_deadline": st.just("reject")},
    ApprovalCancelled: {"approval_id": st.just("id"), "reason": st.just("step_timed_out")},
    SubProcessStarted: {
        "child": st.just(UUID(int=9)),
        "process_id": st.just(process_id("p")),
        "process": st.just("p"),
        "version": st.just(1),
        "input": st.just({}) | st.just({"n": 1}),
        "root": st.just(UUID(int=0)),
        "depth": st.just(1),
        "path": st.just([UUID(int=0)]),
        "wait": st.booleans(),
    },
    SubProcessClosed: {"child": st.just(UUID(int=9)), "reason": st.just("step_timed_out")},
    CompensationStarted: {},
    CompensationCompleted: {},
    CompensationFailed: {"error": _ERROR},
    GatewayEvaluated: {
        "conditions": st.just([RouteChecked("b", True, "input.n > 0")]),
        "chosen": st.sampled_from([["b"], ["a", "b"]]),
    },
}
_OF_END = {
    ExecutionCompleted: {"outputs": st.just({}) | st.just({"answer": 42})},
    ExecutionFailed: {"error": _ERROR},
    ExecutionCancelled: {"reason": st.just("enough")},
}


_RUN = {"execution_id": st.just(UUID(int=8))}
_OF_SCHEDULE: dict[type[Event], dict[str, Any]] = {
    ScheduleRemoved: {"reason": _WHY, "until": st.just(BEGIN)},
    SchedulePaused: {"reason": st.sampled_from(["why", "nul \0 in it"])},
    ScheduleResumed: {"reason": _WHY},
    ScheduleRunStarted: _RUN,
    ScheduleRunEnded: {**_RUN, "outcome": st.just("failed"), "failures": st.integers(0, 3)},
}
_INSTANT = {"scheduled_at": _DUE, "version": st.integers(1, 2)}
_OF_INSTANT: dict[type[Event], dict[str, Any]] = {
    ScheduleFired: {**_RUN, "lateness": st.sampled_from([0.0, 0.25, 1e20])},
    ScheduleOccurrenceBackfilled: _RUN,
    ScheduleOccurrenceCoalesced: {"reason": _WHY, "into": _TIME},
    ScheduleOccurrenceHeld: {},
    ScheduleOccurrenceMissed: {"reason": _WHY},
    ScheduleOccurrenceMoved: {"to": _DUE},
    ScheduleOccurrenceSkipped: {"reason": _WHY, "detail": st.sampled_from(["", "so\0so"])},
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
            tell_process(draw, story, f"p{number}", begun)
        elif kind == "schedule":
            _tell_schedule(draw, story, f"t{number % 2}", begun)
        elif kind == "template":
            tell_template(draw, story, f"t{number}", begun)
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
            event = draw(st.sampled_from(list(_OF_STEP)))
            facts = {name: draw(strategy) for name, strategy in _OF_STEP[event].items()}
            if "attempt" in event.__struct_fields__:
                facts["attempt"] = draw(st.integers(1, 3))
            story.tell(execution, event, step=draw(_STEP), **facts)
        elif kind == "cost":
            tell_cost(draw, story, execution, draw(_STEP))
        elif kind == "correction":
            tell_correction(draw, story, execution, draw(_STEP))
        elif kind == "status" and execution not in ended:
            event = draw(st.sampled_from([ExecutionQueued, ExecutionAdmitted]))
            story.tell(execution, event, process_id=process_id(process))
        elif kind == "undo":
            outcome = {"outcome": "failed", "error": draw(_ERROR), "step": "a"}
            story.tell(execution, CompensationRequired, **outcome)
        elif kind == "retry" and ended.get(execution) is ExecutionFailed:
            del ended[execution]
            story.tell(execution, ExecutionRetried, reason="why", steps=draw(st.lists(_STEP, unique=True)))
        else:
            event = ended[execution] = draw(st.sampled_from([*_OF_END, ExecutionFailed]))
            facts = {name: draw(strategy) for name, strategy in _OF_END[event].items()}
            story.end(execution, event, process, **facts)
    return story.happened


def _tell_schedule(draw: st.DrawFn, story: Story, trigger: str, begun: set[Any]) -> None:
    stream, next_at = schedule_id(process_id("p0"), trigger), draw(_TIME)
    kind = draw(st.sampled_from([ScheduleRegistered, *_OF_SCHEDULE, *_OF_INSTANT]))
    if stream not in begun or kind is ScheduleRegistered:
        begun.add(stream)
        named = {"process_id": process_id("p0"), "process": "p0", "trigger_id": trigger}
        rule, version = {"id": trigger, "cron": draw(st.sampled_from(["a", "b"]))}, draw(st.integers(1, 3))
        times = {"anchor": BEGIN, "since": BEGIN, "next_at": next_at}
        story.tell(stream, ScheduleRegistered, rule=rule, version=version, **named, **times)
        return
    strategies = _OF_SCHEDULE[kind] if kind in _OF_SCHEDULE else {**_INSTANT, **_OF_INSTANT[kind]}
    story.tell(stream, kind, next_at=next_at, **{name: draw(strategy) for name, strategy in strategies.items()})
