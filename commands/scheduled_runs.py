"""The executions that schedules start: the change of the log that begins one, and why none can begin."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from commands.deciding import Guards
from commands.plans import Callees, Plans
from domain.event import Cause
from domain.executions.decisions.execution import start_execution
from domain.executions.engine.queueing import refuse_misplaced
from domain.executions.events.execution import Trigger
from domain.executions.state.slot import slot_of
from domain.identity import schedule_id
from domain.processes.plan import Plan, accept_input
from domain.processes.process import ProcessPause
from domain.refusal import Refusal
from domain.schedules.due import Hindrance
from domain.schedules.schedule import Schedule
from store.unit import StreamChange


class ScheduledRuns(msgspec.Struct, frozen=True):
    """Begins executions of one schedule, by the version of its process whose rule is in force.

    guards: the versions of streams that the starts rest on. pauses: of the process, the latest ones; pause: the one
    that lasts, in which the executions wait.
    """

    id: UUID
    trigger_id: str
    plan: Plan
    input: dict[str, Any]
    callees: Callees
    guards: Guards
    pauses: tuple[ProcessPause, ...] = ()
    pause: ProcessPause | None = None

    def start(
        self, execution_id: UUID, scheduled_at: datetime | None, at: datetime, *, reports: bool = True
    ) -> StreamChange:
        """Return the change that begins an execution. reports: the schedule waits for its end."""
        actor = f"schedule:{self.id}"
        cause = Cause(at, actor, actor if scheduled_at is None else f"{actor}:{scheduled_at.isoformat()}")
        reports_to = self.id if reports else None
        trigger = Trigger("schedule", self.trigger_id, scheduled_at=scheduled_at, schedule_id=reports_to)
        waits = self.pause is not None
        unfolding = start_execution(
            execution_id, self.plan, self.input, trigger, cause, callees=self.callees, waits=waits
        )
        return StreamChange(
            execution_id,
            0,
            unfolding.events,
            timers_set=unfolding.timers_set,
            slot=slot_of("", unfolding.execution),
            process_id=self.plan.process_id,
        )


def scheduled_runs(plans: Plans, schedule: Schedule) -> ScheduledRuns:
    """Return what begins executions of `schedule`. Raises Hindrance when none can begin now."""
    registration = schedule.in_force
    if registration is None:
        raise Hindrance("removed", schedule.reason)
    try:
        starting = plans.starting(schedule.process_id, registration.version)
        plan = starting.plan
        given = registration.rule.get("input", {})
        input = accept_input(plan.input_spec.bare, given)
        refuse_misplaced(plan, input)
        callees, called = plans.callees(plan)
    except Refusal as refusal:
        raise Hindrance(refusal.code, refusal.message) from refusal
    id = schedule_id(schedule.process_id, schedule.trigger_id)
    guards = ((schedule.process_id, starting.revision), *called)
    return ScheduledRuns(
        id, schedule.trigger_id, plan, input, callees, guards, pauses=starting.pauses, pause=starting.pause
    )
