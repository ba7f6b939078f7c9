"""Decisions of one batch that answer each other are recorded together, whichever was taken first."""

from datetime import UTC, datetime
from functools import partial

from commands.agents import RetireAgent
from commands.plans import Plans
from commands.policies import whenever
from commands.states import ExecutionStates, StreamStates
from domain.agents.agent import Agent, fold
from domain.agents.decisions import register_agent, retire_agent
from domain.event import Cause
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.step import complete_step, start_step
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.step import StepScheduled
from domain.executions.state.model import Execution
from domain.identity import agent_id, child_id, new_id, process_id
from domain.processes.plan import Limits
from scheduler.abandoning import abandoned
from scheduler.batch import Batch
from store.lists import outbox
from store.unit import Conflict

CALLEE = "name: callee\nsteps: [{id: work, agent: echo, message: hello}]\n"
CALLER = """
name: caller
steps:
  - {id: own, agent: echo, message: hello}
  - {id: call, type: sub_process, process: callee}
"""


def test_a_parent_that_has_an_answer_of_its_own_is_recorded_after_the_child_whose_end_it_takes_in(installation):
    installation.agent("echo", script="echo")
    installation.publish(CALLEE)
    installation.publish(CALLER)
    parent, cause = installation.start("caller"), installation.cause
    child = child_id(parent, "call", 1)
    callee = installation.plans.get(process_id("callee"), 1)

    begin = batch_on(installation, {parent: installation.state(parent), child: Execution(child, callee)})
    begin.decide(parent, lambda execution: start_step(execution, "own", 1, cause))
    with installation.datastore.reading() as connection:
        (asked,) = outbox.claim(connection, 10)
    begin.decide(child, whenever(asked, cause, 1), asked.key)
    recorded(installation, begin)

    both = batch_on(installation, {id: installation.state(id) for id in (parent, child)})
    both.decide(parent, lambda execution: complete_step(execution, "own", 1, "done", cause))
    both.decide(child, lambda execution: complete_step(execution, "work", 1, "done", cause))
    (end,) = both.sent()
    both.decide(parent, whenever(end, cause, 0), end.key)
    recorded(installation, both)
    assert installation.state(parent).status == "completed"
    assert installation.left() == 0


def test_calls_are_given_up_only_by_what_was_recorded(installation):
    installation.agent("echo", script="echo")
    installation.publish(CALLEE)
    id, cause = installation.start("callee"), installation.cause
    begin = batch_on(installation, {id: installation.state(id)})
    begin.decide(id, lambda execution: start_step(execution, "work", 1, cause))
    recorded(installation, begin)
    for outcome, given in ((Conflict("somebody was quicker"), []), (7, [(id, "work", 1)])):
        batch = batch_on(installation, {id: installation.state(id)})
        batch.decide(id, lambda execution: cancel_execution(execution, "enough", cause))
        batch.settle([outcome])
        assert abandoned(batch) == given


def test_streams_of_other_kinds_are_decided_on_in_the_same_batch(installation):
    installation.agent("echo", script="echo")
    installation.publish(CALLEE)
    id, cause = installation.start("callee"), installation.cause
    agents = StreamStates(installation.log.streams, Agent(), fold)
    known, new = agent_id("echo"), agent_id("new")

    batch = batch_on(installation, {id: installation.state(id)})
    batch.decide(id, lambda execution: start_step(execution, "work", 1, cause))
    assert batch.decide_on(agents, new, lambda agent: register_agent(agent, "new", {"kind": "scripted"}, cause))
    assert batch.decide_on(agents, new, lambda agent: retire_agent(agent, "new", "at once", cause))
    assert not batch.decide_on(agents, agent_id("none"), lambda agent: retire_agent(agent, "none", "no", cause))
    assert batch.decide_on(agents, known, lambda agent: retire_agent(agent, "echo", "old", cause))
    installation.agents.retire(RetireAgent("echo"), cause)
    again = batch.settle(installation.log.append_all(batch.units()))

    assert again == {known}
    assert agents.kept(known) is None
    assert installation.topics(new) == {"AgentRegistered": 1, "AgentRetired": 1}
    assert agents.kept(new) == agents.load([new], fresh=True)[new]
    assert batch.taken == [(installation.state(id), "work")]


def batch_on(installation, loaded):
    return Batch(ExecutionStates(installation.log.streams, installation.plans), loaded, new_id())


def recorded(installation, batch):
    outcomes = installation.log.append_all(batch.units())
    assert all(isinstance(outcome, int) for outcome in outcomes)


def test_a_decision_that_the_log_does_not_take_fails_its_execution_alone(installation):
    installation.agent("echo", script="echo")
    installation.publish(CALLEE)
    huge, small = installation.start("callee"), installation.start("callee")
    batch = batch_on(installation, {id: installation.state(id) for id in (huge, small)})
    for id, output in ((huge, "x" * (9 << 20)), (small, "fine")):
        batch.decide(id, lambda execution: start_step(execution, "work", 1, installation.cause))
        batch.decide(id, partial(answer, output=output, cause=installation.cause))
    recorded(installation, batch)
    assert installation.state(small).status == "completed"
    failed = installation.log.stream(huge)[-1]
    assert (type(failed).__name__, failed.error.code) == ("ExecutionFailed", "result_too_large")


def test_a_batch_is_full_by_its_bytes_and_an_execution_grows_to_its_bound(installation):
    installation.agent("echo", script="echo")
    installation.publish(CALLEE)
    plans = Plans(installation.log, Limits(max_execution=20 << 20))
    states = ExecutionStates(installation.log.streams, plans)
    id = installation.start("callee")
    for expected in ("running", "running", "failed"):
        (state,) = states.load([id]).values()
        batch = Batch(states, {id: state}, new_id())
        batch.decide(id, lambda execution: start_step(execution, "work", execution.steps["work"].attempt, CAUSE))
        batch.decide(id, partial(again, cause=CAUSE))
        assert not batch.full
        assert batch.settle(installation.log.append_all(batch.units())) == set()
        assert installation.state(id).status == expected


CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "worker:test")


def answer(execution, output, cause):
    return complete_step(execution, "work", 1, output, cause)


def again(execution, cause):
    """Record an answer of seven megabytes, and keep the step open."""
    unfolding = Unfolding(execution, cause)
    text = "x" * (7 << 20)
    attempt = execution.steps["work"].attempt + 1
    unfolding.record(StepScheduled, step="work", attempt=attempt, agent="echo", message=text)
    return unfolding
