"""The to-do list of the clock against the log: proven, and put right without taking timers out of a worker's hand."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from commands.agents import Agents, RegisterAgent
from commands.executions import Executions, StartExecution
from commands.plans import Plans
from commands.processes import DraftProcess, Processes, PublishProcess
from domain.agents.calls import StepError
from domain.agents.kinds import parse_agent
from domain.event import Cause
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.repairs import retry_execution, skip_step
from domain.executions.decisions.step import accept_step, fail_step, start_step
from domain.executions.decisions.timer import fire_timer_early, move_timer
from domain.executions.engine.unfolding import Unfolding
from domain.identity import process_id
from store.datastore import Datastore
from store.lists.due_steps import DUE_STEPS
from store.lists.due_timers import DUE_TIMERS, put_off
from store.lists.running_timers import RunningTimers
from store.log import Log
from store.reading import connect
from store.unit import Unit
from tests.projections.releases import quiet

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOURCE = """
name: timed
steps:
  - {id: pause, type: timer, duration: 1h}
  - id: a
    agent: echo
    message: hello
    timeout: 10m
    total_timeout: 2h
    heartbeat: 5m
    retry: {max_attempts: 2, delay: 20m}
  - {id: b, agent: echo, message: hello, depends_on: a, timeout: 1m}
"""


class Operated:
    """Executions of one process, decided on by hand and recorded as everyone records them."""

    def __init__(self, datastore: Datastore) -> None:
        self.datastore, self.log = datastore, Log(datastore)
        agents = Agents(self.log)
        agents.register(RegisterAgent("echo", parse_agent("echo", {"kind": "scripted", "script": "echo"})), _cause(0))
        processes = Processes(self.log, agents)
        drafted = processes.draft(DraftProcess(SOURCE), _cause(0))
        processes.publish(PublishProcess(drafted.stream), _cause(0))
        self.executions = Executions(self.log, Plans(self.log))

    def start(self) -> UUID:
        return self.executions.start(StartExecution(process_id("timed"), {}), _cause(0)).stream

    def decide(self, id: UUID, decision: Callable[..., Unfolding], *command: Any, after: float = 60) -> None:
        before = self.executions.load(id)
        decided = decision(before, *command, cause=_cause(after))
        unit = Unit(
            id,
            before.version,
            decided.events,
            timers_set=decided.timers_set,
            timers_dropped=decided.timers_dropped,
        )
        (outcome,) = self.log.append_all([unit])
        assert isinstance(outcome, int)

    def rows(self) -> list[tuple[Any, ...]]:
        query = "select execution_id, step, kind, due_at from due_timers order by 1, 2, 3"
        with self.datastore.reading() as connection:
            return [tuple(row.values()) for row in connection.execute(query).fetchall()]

    def run(self, query: str, *parameters: Any) -> int:
        with self.datastore.reading() as connection:
            return connection.execute(query, parameters).rowcount

    def expected(self, *ids: UUID) -> list[tuple[Any, ...]]:
        timers = [(id, *key, due_at) for id in ids for key, due_at in self.executions.load(id).timers.items()]
        return sorted(timers)


def _cause(seconds: float) -> Cause:
    return Cause(BEGIN + timedelta(seconds=seconds), "user:test")


@pytest.fixture
def operated(datastore: Datastore) -> Any:
    made = Operated(datastore)
    yield made
    made.log.close()


@pytest.fixture
def on_their_way(operated: Operated) -> list[UUID]:
    """Executions in every state that timers come with: waiting, under way, between attempts, over, and going on."""
    ids = [operated.start() for _ in range(8)]
    for id in ids[1:]:
        operated.decide(id, start_step, "a", 1)
    operated.decide(ids[2], accept_step, "a", 1)
    for id in ids[3:]:
        operated.decide(id, fail_step, "a", 1, StepError("agent_error", "no"), after=120)
    operated.decide(ids[3], move_timer, "a", "retry", BEGIN + timedelta(hours=1), "later", after=130)
    for id in ids[4:7]:
        operated.decide(id, fire_timer_early, "a", "retry", "now", after=130)
        operated.decide(id, start_step, "a", 2, after=140)
    for id in ids[5:7]:
        operated.decide(id, fail_step, "a", 2, StepError("agent_error", "no"), after=150)
    operated.decide(ids[6], retry_execution, "again", after=160)
    operated.decide(ids[6], start_step, "a", 3, after=170)
    operated.decide(ids[7], skip_step, "a", "never mind", after=180)
    cancelled = operated.start()
    operated.decide(cancelled, cancel_execution, "enough")
    return ids


def test_the_list_that_appends_keep_is_what_the_log_adds_up_to(operated: Operated, on_their_way: list[UUID]) -> None:
    found = DUE_TIMERS.verify(operated.datastore, quiet)
    assert (found.differing, found.samples) == (0, [])
    assert found.rows == len(operated.rows())
    assert operated.rows() == operated.expected(*on_their_way)
    assert {kind for _, _, kind, _ in operated.rows()} == {"timer", "timeout", "total_timeout", "retry", "heartbeat"}
    assert DUE_STEPS.verify(operated.datastore, quiet).differing == 0


def test_a_list_that_is_lost_is_built_again_from_the_log(operated: Operated, on_their_way: list[UUID]) -> None:
    kept = operated.rows()
    operated.run("delete from due_timers")
    operated.run("delete from due_steps")
    assert DUE_TIMERS.verify(operated.datastore, quiet).differing == len(kept)
    told: list[tuple[int, int]] = []
    built = DUE_TIMERS.rebuild(operated.datastore, lambda done, total: told.append((done, total)))
    assert built.events == operated.log.last_position() == told[-1][0]
    assert operated.rows() == kept
    DUE_STEPS.rebuild(operated.datastore, quiet)
    assert DUE_STEPS.verify(operated.datastore, quiet).differing == 0


def test_what_was_touched_is_found_and_put_right_and_what_is_in_hand_stays_there(
    operated: Operated, on_their_way: list[UUID]
) -> None:
    kept, (waiting, begun, *_) = operated.rows(), on_their_way
    in_hand = "update due_timers set claimed_until = now() + interval '1 hour' where execution_id = %s and step = 'a'"
    assert operated.run(in_hand, begun) == 2
    assert operated.run("update due_timers set due_at = due_at + interval '1 s' where execution_id = %s", waiting) == 1
    operated.run("insert into due_timers values (%s, 'surplus', 'timer', now())", uuid4())
    found = DUE_TIMERS.verify(operated.datastore, quiet)
    assert found.differing == 2
    shown = {sample.key["step"]: (sample.live, sample.rebuilt) for sample in found.samples}
    assert shown["pause"] == ({"due_at": "2026-01-01T13:00:01+00:00"}, {"due_at": "2026-01-01T13:00:00+00:00"})
    assert shown["surplus"][1] is None
    DUE_TIMERS.rebuild(operated.datastore, quiet)
    assert operated.rows() == kept
    assert operated.run("select from due_timers where claimed_until is not null") == 2
    assert DUE_TIMERS.verify(operated.datastore, quiet).differing == 0


def test_a_heartbeat_may_be_due_later_than_the_log_knows_but_not_earlier(
    operated: Operated, on_their_way: list[UUID]
) -> None:
    accepted = on_their_way[2]
    by_the_log = operated.executions.load(accepted).timers["a", "heartbeat"]
    for due_at, differing, after in [
        (by_the_log + timedelta(minutes=5), 0, by_the_log + timedelta(minutes=5)),
        (by_the_log - timedelta(minutes=1), 1, by_the_log),
    ]:
        with operated.datastore.reading() as connection:
            put_off(connection, (accepted, "a", "heartbeat"), due_at)
        assert DUE_TIMERS.verify(operated.datastore, quiet).differing == differing
        DUE_TIMERS.rebuild(operated.datastore, quiet)
        assert (accepted, "a", "heartbeat", after) in operated.rows()


def test_the_log_may_be_read_in_any_two_parts(operated: Operated, on_their_way: list[UUID]) -> None:
    end = operated.log.last_position()
    with closing(connect(operated.datastore)) as connection:
        at_once = RunningTimers(connection)
        at_once.read_to(end, quiet)
        for cut in range(end):
            in_parts = RunningTimers(connection)
            in_parts.read_to(cut, quiet)
            in_parts.read_to(end, quiet)
            assert in_parts.timers == at_once.timers
