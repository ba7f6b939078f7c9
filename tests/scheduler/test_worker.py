"""Workers on a real database: they share the work, drain, and take over from each other."""

from uuid import uuid4

from commands.agents import RetireAgent
from store.answers import find_answer
from store.unit import AnsweredStep, Unit
from tests.counting_agent import counting_agent

FAN = """
name: fan
steps:
  - {id: a, agent: echo, message: "{{ input.text }}"}
  - {id: b, agent: echo, message: "{{ steps.a.output }}!", depends_on: a}
  - {id: c, agent: echo, message: "{{ steps.a.output }}?", depends_on: a}
  - {id: d, agent: echo, message: "{{ steps.b.output }} {{ steps.c.output }}", depends_on: [b, c]}
outputs: {said: "{{ steps.d.output }}"}
"""
ONE = "name: one\nsteps:\n  - {id: a, agent: slow, message: hello}\n"


def test_an_execution_runs_from_start_to_outputs(installation):
    installation.agent("echo", script="echo")
    installation.publish(FAN)
    installation.worker()
    id = installation.start("fan", text="hi")
    installation.ended(id)
    last = installation.log.stream(id)[-1]
    assert last.outputs == {"said": "hi! hi?"}
    assert installation.due() == []


def test_work_that_was_due_before_the_worker_came_is_done(installation):
    installation.agent("echo", script="echo")
    installation.publish(FAN)
    ids = [installation.start("fan", text=str(n)) for n in range(30)]
    installation.worker()
    assert {execution.status for execution in installation.ended(*ids)} == {"completed"}


def test_several_workers_share_the_work_and_nothing_is_done_twice(installation, tmp_path):
    calls = tmp_path / "calls"
    installation.agent("echo", script="echo", record=str(calls))
    installation.publish(FAN)
    for _ in range(3):
        installation.worker(max_open=5)
    ids = [installation.start("fan", text=str(n)) for n in range(40)]
    installation.ended(*ids)
    keys = calls.read_text().split()
    assert len(keys) == len(set(keys)) == 160
    actors = {event.actor for id in ids for event in installation.log.stream(id) if event.actor.startswith("worker:")}
    assert len(actors) == 3


def test_an_agent_that_nobody_registered_fails_the_step_with_its_name(installation):
    installation.agent("slow", script="echo")
    installation.publish(ONE)
    installation.agents.retire(RetireAgent("slow"), installation.cause)
    installation.worker()
    (execution,) = installation.ended(installation.start("one"))
    assert execution.steps["a"].error.code == "agent_unknown"
    assert "'slow' is retired" in execution.steps["a"].error.message


def test_the_attempt_of_a_lost_worker_is_called_again_under_the_same_key(installation, tmp_path):
    calls = tmp_path / "calls"
    installation.agent("slow", script="echo", record=str(calls))
    installation.publish(ONE)
    id = installation.start("one")
    lost = uuid4()
    with installation.datastore.reading() as connection:
        connection.execute("update due_steps set owner = %s", (lost,))
    installation.worker(lease=60)
    installation.ended(id)
    assert calls.read_text().split() == [f"{id}:a:1"]


def test_cancelling_ends_the_open_call_and_frees_its_place(installation):
    installation.agent("slow", script="slow", delay="60s")
    installation.publish(ONE)
    worker = installation.worker(lease=60)
    id = installation.start("one")
    installation.until(lambda: worker.open_calls == 1)
    installation.cancel(id)
    installation.until(lambda: worker.open_calls == 0)
    assert installation.state(id).status == "cancelled"
    assert installation.topics(id)["StepCancelled"] == 1
    assert installation.due() == []


def test_stopping_waits_for_open_calls_and_records_their_answers(installation):
    installation.agent("slow", script="slow", delay="300ms")
    installation.publish(ONE)
    worker = installation.worker()
    id = installation.start("one")
    installation.until(lambda: worker.open_calls == 1)
    worker.stop()
    installation.workers.remove(worker)
    assert installation.state(id).status == "completed"


def test_what_a_stopping_worker_does_not_begin_is_left_to_others(installation):
    installation.agent("slow", script="slow", delay="200ms")
    installation.agent("echo", script="echo")
    installation.publish(
        "name: two\nsteps:\n  - {id: a, agent: slow, message: m}\n  - {id: b, agent: echo, message: m, depends_on: a}\n"
    )
    worker = installation.worker()
    id = installation.start("two")
    installation.until(lambda: worker.open_calls == 1)
    worker.stop()
    installation.workers.remove(worker)
    assert installation.due() == [("b", None)]
    installation.worker()
    assert installation.ended(id)[0].status == "completed"


def test_lost_connections_lose_and_double_nothing(installation, tmp_path):
    calls = tmp_path / "calls"
    installation.agent("echo", script="echo", record=str(calls))
    installation.publish(FAN)
    installation.worker(lease=0.5)
    ids = [installation.start("fan", text=str(n)) for n in range(50)]
    for _ in range(3):
        with installation.datastore.reading() as connection:
            connection.execute(
                """select pg_terminate_backend(pid, 10000) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()"""
            )
    executions = installation.ended(*ids)
    assert {execution.status for execution in executions} == {"completed"}
    for id in ids:
        topics = installation.topics(id)
        assert (topics["StepCompleted"], topics["ExecutionCompleted"]) == (4, 1)
    keys = calls.read_text().split()
    reclaimed = sum(installation.topics(id)["StepReclaimed"] for id in ids)
    assert len(keys) - len(set(keys)) <= reclaimed


def test_a_worker_holds_as_many_open_calls_as_it_may_and_no_more(installation):
    with counting_agent() as counted:
        counted.takes = 0.5
        installation.agent("slow", kind="http", url=counted.url)
        installation.publish(ONE)
        ids = [installation.start("one") for _ in range(12)]
        installation.worker(max_open=5)
        installation.ended(*ids)
    assert counted.most_open == 5


def test_an_execution_that_cannot_be_read_does_not_keep_others_from_running(installation):
    installation.agent("echo", script="echo")
    installation.publish(FAN)
    broken = installation.start("fan", text="x")
    with installation.datastore.reading() as connection:
        connection.execute("update stored_events set topic = 'FromTheFuture' where originator_id = %s", (broken,))
    installation.worker(lease=60)
    assert installation.ended(installation.start("fan", text="y"))[0].status == "completed"


def test_what_the_list_says_a_worker_has_but_it_has_not_is_given_back_and_called(installation):
    installation.agent("slow", script="slow", delay="60s")
    installation.agent("echo", script="echo")
    installation.publish(ONE)
    installation.publish(FAN)
    worker = installation.worker(lease=0.3, max_open=1)
    blocking = installation.start("one")
    installation.until(lambda: worker.open_calls == 1)
    id = installation.start("fan", text="x")
    with installation.datastore.reading() as connection:
        connection.execute("update due_steps set owner = %s where execution_id = %s", (worker.id, id))
    installation.cancel(blocking)
    assert installation.ended(id)[0].status == "completed"


def test_answers_that_are_a_week_old_are_dropped_and_newer_ones_kept(installation):

    for key in ("old", "new"):
        installation.log.append(Unit(uuid4(), 0, [], answered=AnsweredStep(key, b"", b"{}")))
    with installation.datastore.reading() as connection:
        connection.execute("update idempotency_keys set at = now() - interval '8 days' where key = 'old'")
    installation.worker()
    assert find_answer(installation.datastore, "old") is None
    assert find_answer(installation.datastore, "new") is not None


def test_the_open_call_of_a_cancelled_execution_ends_long_before_the_lease_is_renewed(installation):
    installation.agent("slow", script="slow", delay="1h")
    installation.publish(ONE)
    worker = installation.worker(lease=3600)
    id = installation.start("one")
    installation.until(lambda: worker.open_calls == 1)
    installation.cancel(id)
    installation.until(lambda: worker.open_calls == 0)
    assert installation.state(id).status == "cancelled"
