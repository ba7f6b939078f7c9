"""The state of a busy installation: of everything that needs a person, more than the overview shows."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bench.rig import CAUSE, Rig, now
from bench.workloads import AGENT, WORKLOADS
from commands.agents import RegisterAgent
from commands.cost_thresholds import SetCostThresholds, WrittenLevel
from commands.processes import DraftProcess, PublishProcess
from domain.agents.calls import StepError
from domain.agents.kinds import parse_agent
from domain.event import Cause
from domain.executions.decisions.execution import fail_execution, start_execution
from domain.executions.events.execution import Trigger
from domain.identity import new_id, process_id, schedule_id
from domain.schedules.decisions import register_schedule, run_now
from domain.schedules.due import end_run
from domain.schedules.rules import terms_of
from domain.schedules.schedule import fold
from store.lists.set_aside import set_aside
from store.unit import Unit

MANY = 12
"""Of each: the page shows ten."""
ASKING = "bench-asking"
UNPRICED = "bench-unpriced"
SOURCES = {
    ASKING: "name: {name}\nsteps: [{{id: ask, type: human_approval, title: May it go on?}}]\n",
    UNPRICED: "name: {name}\nsteps: [{{id: s0, agent: unpriced, message: go}}]\n",
    **{
        f"bench-duty-{n}": "name: {name}\nsteps: [{{id: s0, agent: noop, message: go}}]\noutputs: {{}}\n"
        for n in range(MANY)
    },
}
COST = {"amount": "0.0001", "currency": "USD"}
LOW = "0.00005"
EVERY = timedelta(hours=1)
PARKED = "insert into dead_letters (projection, position, error) values ('execution_list', %s, 'KeyError: none')"


def publish_needs(rig: Rig) -> None:
    """Publish the processes, and set the threshold that each execution of one of them reaches."""
    rig.agents.register(RegisterAgent("noop", parse_agent("noop", AGENT | {"cost": COST})), CAUSE)
    rig.agents.register(RegisterAgent("unpriced", parse_agent("unpriced", AGENT | {"usage": "counted"})), CAUSE)
    for name, source in SOURCES.items():
        rig.processes.draft(DraftProcess(source.format(name=name)), CAUSE)
        rig.processes.publish(PublishProcess(process_id(name)), CAUSE)
    child = process_id(WORKLOADS["child"].name)
    rig.cost_thresholds.set(SetCostThresholds(child, [WrittenLevel(LOW, "USD")]), CAUSE)


def start_costly(rig: Rig) -> None:
    """Start executions that a worker takes to a limit of their costs, and those whose calls have no price."""
    rig.start("child", MANY)
    for _ in range(MANY):
        _start(rig, UNPRICED)


def record_needs(rig: Rig) -> None:
    """Record what needs a person; no worker runs any more, so timers and schedules stay late."""
    for _ in range(MANY):
        _start(rig, ASKING)
    rig.start("timer", MANY, {"at": (datetime.now(UTC) - EVERY).isoformat()})
    for n in range(MANY):
        _record_schedules(rig, f"bench-duty-{n}")
    aside = [_start(rig, f"bench-duty-{n}") for n in range(MANY)]
    with rig.datastore.connect() as connection:
        for id in aside:
            set_aside(connection, id, "KeyError: none", new_id(), ())
        for position in range(1, MANY + 1):
            connection.execute(PARKED, (position,))


def _record_schedules(rig: Rig, name: str) -> None:
    """Register a schedule that is late, one whose runs fail, and one that is due in an hour."""
    late = Cause(datetime.now(UTC) - 2 * EVERY, CAUSE.actor)
    for trigger, cause in (("late", late), ("failing", now()), ("hourly", now())):
        rule: dict[str, Any] = {"type": "schedule", "id": trigger, "every": "1h"}
        id = schedule_id(process_id(name), trigger)
        events = register_schedule(None, process_id(name), name, 1, rule, {}, cause, terms_of)
        for _ in range(2 if trigger == "failing" else 0):
            execution = _fail(rig, name)
            schedule = fold(None, events)
            assert schedule is not None
            events += run_now(schedule, execution, "", cause, terms_of)
            schedule = fold(None, events)
            assert schedule is not None
            events += end_run(schedule, execution, "failed", cause, terms_of)
        rig.log.append(Unit(id, 0, events))


def _fail(rig: Rig, name: str) -> Any:
    plan, _ = rig.plans.startable(process_id(name), None)
    id, cause = new_id(), now()
    started = start_execution(id, plan, {}, Trigger(), cause)
    ended = fail_execution(started.execution, StepError("agent_error", "the agent is away"), cause)
    rig.log.append(Unit(id, 0, [*started.events, *ended.events], process_id=plan.process_id))
    return id


def _start(rig: Rig, name: str) -> Any:
    plan, _ = rig.plans.startable(process_id(name), None)
    id = new_id()
    started = start_execution(id, plan, {}, Trigger(), now())
    timers = started.execution.timers
    rig.log.append(Unit(id, 0, started.events, timers_set=timers, process_id=plan.process_id))
    return id
