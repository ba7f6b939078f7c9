"""Workers that go through batches: several at once, in turns, past what cannot be acted on, each execution once."""

from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Json

from commands.batches import FreezeBatch, RunBatch, StopBatch
from scheduler import batches
from store.lists.running_batches import RUNNING_BATCHES
from tests.projections.releases import quiet

HELD = "name: held\nsteps:\n  - {id: rest, type: timer, duration: 10h}\n"
CALLED = "name: called\nsteps:\n  - {id: work, agent: slow, message: hello}\n"
REFUSE = """create function refuse() returns trigger language plpgsql as $$
begin raise exception 'not this one' using errcode = '23514'; end $$;
create trigger refuse before insert on stored_events for each row
when (new.originator_id = '{}' and new.topic = 'ExecutionCancelled') execute function refuse()"""


@pytest.fixture
def held(installation):
    installation.publish(HELD)
    return lambda count: [installation.start("held") for _ in range(count)]


@pytest.fixture
def frozen(installation):
    """Freeze a batch of these executions; return its id."""

    def freeze(ids, act="cancel", process="held", **more):
        command = FreezeBatch(act, {"process": process}, executions=tuple(ids), processes=(process,), **more)
        return UUID(installation.batches.freeze(command, installation.cause).facts["batch_id"])

    return freeze


@pytest.fixture
def run(installation):
    return lambda id: installation.batches.run(RunBatch(id, "enough"), installation.cause)


def topics(installation, id):
    return [type(event).__name__ for event in installation.log.stream(id)]


def over(installation, id):
    installation.until(lambda: topics(installation, id)[-1] in ("BatchEnded", "BatchStopped"))
    return installation.log.stream(id)


def refused(installation, id):
    advanced = [event for event in installation.log.stream(id) if type(event).__name__ == "BatchAdvanced"]
    return [(each.execution_id, each.code) for event in advanced for each in event.refused]


def test_two_workers_go_through_several_batches_and_act_on_each_execution_once(installation, held, frozen, run):
    ids = held(400)
    made = [frozen(ids[n::2]) for n in range(2)]
    for _ in range(2):
        installation.worker()
    for id in made:
        run(id)
    for id in made:
        last = over(installation, id)[-1]
        assert (last.done, last.unchanged, last.refused) == (200, 0, 0)
        advanced = [event for event in installation.log.stream(id) if type(event).__name__ == "BatchAdvanced"]
        assert sum(event.done for event in advanced) == 200
        assert {event.causation for event in advanced} == {f"batch:{id}"}
    assert installation.count("ExecutionCancelled") == 400
    assert installation.left("due_timers") == 0
    assert installation.rows("select from running_batches") == []
    assert RUNNING_BATCHES.verify(installation.datastore, quiet).samples == []


def test_a_batch_of_many_lets_a_small_one_pass(installation, held, frozen, run, monkeypatch):
    monkeypatch.setattr(batches, "MOST", 5)
    ids = held(200)
    large, small = frozen(ids[:190]), frozen(ids[190:])
    run(large)
    run(small)
    installation.worker()
    over(installation, small)
    over(installation, large)
    (ends,) = installation.rows(
        "select array_agg(originator_id order by notification_id) as ids from stored_events where topic = 'BatchEnded'"
    )
    assert ends["ids"] == [small, large]


def test_an_execution_that_the_database_refuses_to_record_is_refused_and_the_others_go_on(
    installation, held, frozen, run
):
    ids = held(60)
    with psycopg.connect(installation.datastore.dsn) as connection:
        connection.execute(REFUSE.format(ids[7]))
    id = frozen(ids)
    run(id)
    installation.worker()
    last = over(installation, id)[-1]
    assert refused(installation, id) == [(ids[7], "not_recorded")]
    assert (last.done, last.refused) == (59, 1)


def test_executions_that_cannot_be_read_are_refused_and_the_others_go_on(installation, held, frozen, run):
    ids = held(10)
    with psycopg.connect(installation.datastore.dsn) as connection:
        connection.execute(
            "update stored_events set state = convert_to(%s::text, 'utf8') where originator_id = %s and topic = %s",
            (Json({"at": "never"}), ids[3], "ExecutionStarted"),
        )
        connection.execute(
            "update stored_events set topic = 'StepFolded' where originator_id = %s and originator_version = 2",
            (ids[4],),
        )
    id = frozen(ids)
    run(id)
    installation.worker()
    last = over(installation, id)[-1]
    assert (last.done, last.unchanged) == (8, 0)
    assert refused(installation, id) == [(ids[3], "unreadable"), (ids[4], "unreadable")]


def test_what_an_execution_calls_ends_with_it(installation, frozen, run):
    installation.agent("slow", script="slow", delay="60s")
    installation.publish(CALLED)
    installation.publish("name: calling\nsteps:\n  - {id: call, type: sub_process, process: called}\n")
    installation.worker()
    ids = [installation.start("calling") for _ in range(5)]
    children = lambda: installation.rows("select execution_id from due_steps where owner is not null")  # noqa: E731
    installation.until(lambda: len(children()) == 5)
    called = [row["execution_id"] for row in children()]
    run(frozen(ids, process="calling"))
    installation.ended(*ids, *called)
    assert {installation.state(id).status for id in (*ids, *called)} == {"cancelled"}
    installation.until(lambda: installation.left("due_steps", "outbox") == 0)


def test_a_batch_that_stops_in_the_middle_leaves_the_rest_alone(installation, held, frozen, run, monkeypatch):
    monkeypatch.setattr(batches, "MOST", 1)
    ids = held(300)
    id = frozen(ids)
    run(id)
    installation.worker()
    installation.until(lambda: installation.count("ExecutionCancelled") > 5)
    installation.batches.stop(StopBatch(id, "wrong ones"), installation.cause)
    done = sum(event.done for event in over(installation, id) if type(event).__name__ == "BatchAdvanced")
    assert installation.count("ExecutionCancelled") == done < 300
    assert topics(installation, id)[-1] == "BatchStopped"
    assert installation.rows("select from running_batches") == []


def test_the_list_of_running_batches_is_proven_and_put_right(installation, held, frozen, run):
    ids = held(2)
    first, second = frozen(ids[:1]), frozen(ids[1:])
    run(first)
    run(second)
    assert RUNNING_BATCHES.verify(installation.datastore, quiet).differing == 0
    installation.rows("update running_batches set batch_id = gen_random_uuid() where batch_id = %s", first)
    assert RUNNING_BATCHES.verify(installation.datastore, quiet).differing == 2
    RUNNING_BATCHES.rebuild(installation.datastore, quiet)
    found = {row["batch_id"] for row in installation.rows("select batch_id from running_batches")}
    assert found == {first, second}
