"""A synchronous standby that confirms no commits: commands end in time, and each is recorded once in the end."""

from time import monotonic

from tests.clusters.installation import Greeting
from tests.clusters.node import Cluster, Node
from tests.waiting import until

SECONDS = 2
STARTED = "select count(*) from stored_events where topic = 'ExecutionStarted'"
UNCONFIRMED = "select count(*) > 0 from pg_stat_activity where wait_event = 'SyncRep'"


def test_commands_end_in_time_and_nothing_is_doubled(cluster: Cluster, primary: Node, standby: Node) -> None:
    primary.synchronous("ANY 1 (two)")
    settings = {"PROCESSION_APPEND_TIMEOUT": f"{SECONDS}s"}
    with Greeting(cluster, primary.dsn, **settings) as installation:
        installation.launch("work", "work")
        installation.serve()
        installation.publish_hello()
        before = installation.completed(installation.start("before"))
        assert before["status"] == "completed"
        standby.freeze()
        path, body = "/api/processes/hello/executions", {"input": {}}
        for _ in range(2):  # the second one waits for the lock of the log, which the first one holds
            begun = monotonic()
            answer = installation.tried(path, body, "stalled")
            assert monotonic() - begun < 60
            assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
            assert "same Idempotency-Key" in answer.json()["detail"]
            assert answer.headers["Retry-After"]
        assert primary.rows(UNCONFIRMED) == [(True,)]
        health = installation.health()
        assert (health["status"], health["database"]) == ("degraded", "up")
        assert health["reason"]["code"] == "synchronous_standby_stalled"
        assert installation.client.get("/api/executions").is_success
        metrics = installation.client.get("/metrics").text
        waits = [line for line in metrics.splitlines() if line.startswith("procession_commit_wait_seconds ")]
        assert float(waits[0].split()[1]) > SECONDS
        words = installation.words("api")
        assert "waited for the lock of the log (4711), which process" in words
        assert "SyncRep" in words
        standby.thaw()
        receipt = installation.post(path, body, "stalled")
        assert installation.completed(receipt)["outputs"] == {"text": "Hello you"}
        # The repetition found its first answer. The next append shows that commits are confirmed again, or else a
        # minute without a failed one.
        assert installation.completed(installation.start("afterwards"))["outputs"] == {"text": "Hello you"}
        assert installation.health()["status"] == "ready"
    assert primary.rows(STARTED) == [(3,)]
    assert primary.rows("select count(*) from set_aside") == [(0,)]


def test_a_worker_goes_on_once_the_standby_is_back(cluster: Cluster, primary: Node, standby: Node) -> None:
    primary.synchronous("ANY 1 (two)")
    with Greeting(cluster, primary.dsn, PROCESSION_APPEND_TIMEOUT=f"{SECONDS}s") as installation:
        installation.serve()
        installation.publish_hello()
        receipts = [installation.start(f"number-{n}") for n in range(5)]
        standby.freeze()
        installation.launch("work", "work")
        until(lambda: "an append took longer than" in installation.words("work"))
        standby.thaw()
        for receipt in receipts:
            assert installation.completed(receipt)["outputs"] == {"text": "Hello you"}
    completed = "select count(*) from stored_events where topic = 'StepCompleted'"
    assert primary.rows(completed) == [(5,)]
    assert primary.rows("select count(*) from set_aside") == [(0,)]
