"""Failures that simulations found: messages and decisions that were not recorded."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from commands.executions import answer_step
from domain.agents.calls import Answer, Completed, Failed, StepError
from domain.executions.decisions.repairs import skip_step
from domain.executions.events.outcomes import COMPLETED, RUNNING
from domain.identity import child_id
from store.lists.outbox import Message, ReportUnreadable
from store.unit import Conflict, Unit
from store.waiting_units import Outcome

PARENT = UUID(int=1)
CHILD = {
    "name": "child",
    "input": {"n": {"type": "integer"}},
    "steps": [{"id": "do", "type": "agent_task", "agent": "echo", "message": "do it"}],
}
CALLS = {"type": "sub_process", "process": "child", "input_mapping": {"n": 1}}
CALLER = {"name": "caller", "input": {"n": {"type": "integer"}}, "steps": [{"id": "a"} | CALLS, {"id": "b"} | CALLS]}


def test_a_message_that_meant_nothing_after_a_decision_that_was_not_recorded_is_handled_again() -> None:
    """One child fails, and with it the parent; a failed parent ignores the end of the other child. But while the worker
    decides so, an operator skips the step of the first child: the parent waits for the other, and needs its end.
    """
    world = quiet_world()
    for definition in (CHILD, CALLER):
        world.publish(definition)
    world.start(PARENT, CALLER)
    worker = world.workers[0]
    worker.exhaust()
    answer(world, child_id(PARENT, "a", 1), Failed(StepError("broken", "it broke", permanent=True)))
    answer(world, child_id(PARENT, "b", 1), Completed("done"))

    append_all, tries = world.store.append_all, []

    def contended(units: Sequence[Unit]) -> list[Outcome]:
        if worker.id not in {unit.owner for unit in units if unit.stream == PARENT}:
            return append_all(units)  # type: ignore[no-any-return]
        tries.append(len(units))
        if len(tries) == 1:
            return [Conflict()] * len(units)
        if len(tries) == 2:
            world.command(PARENT, skip_step, "a", "not needed")
        return append_all(units)  # type: ignore[no-any-return]

    world.store.append_all = contended
    worker.exhaust()

    assert len(tries) > 2
    assert world.execution(PARENT).status == COMPLETED
    worker.exhaust()
    assert world.lists.outbox == {}


def test_a_message_that_somebody_else_struck_off_does_not_keep_a_worker_busy() -> None:
    """The message has an effect again, but its answer conflicts for ever."""
    world = quiet_world()
    for definition in (CHILD, CALLER):
        world.publish(definition)
    world.start(PARENT, CALLER)
    worker = world.workers[0]
    worker.exhaust()
    answer(world, child_id(PARENT, "a", 1), Completed("done"))
    claim = world.lists.claim_messages

    def claim_and_lose(limit: int, unreadable: ReportUnreadable) -> list[Message]:
        claimed: list[Message] = claim(limit, unreadable)
        world.lists.drop_messages([message.key for message in claimed])
        return claimed

    world.lists.claim_messages = claim_and_lose
    worker.exhaust()
    answer(world, child_id(PARENT, "b", 1), Completed("done"))
    assert world.execution(PARENT).status == RUNNING


def quiet_world() -> Any:
    from simulated_world import World  # importable once conftest.py has set the path

    return World(0, executions=0, workers=1, faults=0)


def answer(world: Any, child: UUID, given: Answer) -> None:
    assert world.decide(child, lambda execution: answer_step(execution, "do", 1, given, world.cause("agent")))
