"""Queries on a replica: paused, it shows how far it is behind; down, queries go to the primary and health says so."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests.clusters.installation import Greeting
from tests.clusters.node import Cluster, Node
from tests.waiting import until


@pytest.fixture(scope="module")
def cluster(programs_in: Path) -> Iterator[Cluster]:
    """One cluster for all tests here, which leave it as it is."""
    with closing(Cluster(programs_in)) as made:
        yield made


@pytest.fixture(scope="module")
def primary(cluster: Cluster, migrated: Path) -> Node:
    return cluster.copy("one", migrated)


@pytest.fixture(scope="module")
def standby(cluster: Cluster, primary: Node) -> Node:
    return cluster.standby("two", primary)


@pytest.fixture(scope="module")
def serving(cluster: Cluster, primary: Node, standby: Node) -> Iterator[Greeting]:
    with Greeting(cluster, primary.dsn, READ_DATABASE_URL=standby.dsn) as made:
        made.launch("work", "work")
        made.serve()
        made.publish_hello()
        yield made


@pytest.fixture
def installation(serving: Greeting) -> Greeting:
    """Return the installation once it queries the replica again, which the test before may have ended and started."""
    until(lambda: serving.health()["replica"] == "up")
    return serving


def test_a_paused_replica_states_its_age_by_what_the_primary_has(installation: Greeting, standby: Node) -> None:
    held = installation.completed(installation.start("before"))
    assert installation.health()["replica"] == "up"
    standby.pause_replay()
    receipt = installation.start("while-paused")

    def behind() -> bool:
        found = installation.client.get("/api/executions").json()
        return found["items"][0]["execution_id"] == held["execution_id"] and found["lag_seconds"] > 2

    def lags() -> list[float]:
        return [each["lag_seconds"] for each in installation.client.get("/api/projections").json()["items"]]

    until(behind)
    until(lambda: min(lags()) > 2)
    assert min(each["lag"] for each in installation.health()["projections"].values()) > 0
    metrics = installation.client.get("/metrics").text
    (lag,) = [
        float(line.split()[1]) for line in metrics.splitlines() if line.startswith("procession_replica_lag_seconds ")
    ]
    assert lag > 2
    # Nobody sees the execution yet, and the stream waits for it as min_position does.
    answer = installation.client.get("/api/stream", params={"execution": receipt["execution_id"]})
    assert (answer.status_code, answer.json()["code"]) == (503, "not_yet")
    standby.resume_replay()
    assert installation.completed(receipt)["status"] == "completed"
    until(lambda: installation.client.get("/api/executions").json()["lag_seconds"] == 0)


def test_a_stream_begins_with_the_events_that_the_primary_had(installation: Greeting, standby: Node) -> None:
    standby.pause_replay()
    receipt = installation.start("streamed")
    waiting = """select count(*) > 0 from pg_stat_activity
      where query like '%stored_events%' and application_name = 'procession serve replica'"""
    with httpx2.Client(base_url=installation.client.base_url, timeout=60) as client:
        request = client.build_request("GET", "/api/stream", params={"execution": receipt["execution_id"]})
        with ThreadPoolExecutor(1) as pool:
            opening = pool.submit(client.send, request, stream=True)
            until(lambda: standby.rows(waiting) == [(True,)])
            standby.resume_replay()
            answer = opening.result(60)
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert "event: event" in [next(lines) for _ in range(3)]
        answer.close()
    installation.completed(receipt)


def test_a_command_shows_what_the_primary_had_when_it_began(
    installation: Greeting, primary: Node, standby: Node
) -> None:
    standby.pause_replay()
    receipt = installation.start("commanded")
    projected = "select min(notification_id) >= %s from notification_tracking"
    until(lambda: primary.rows(projected % receipt["position"]) == [(True,)])
    waiting = """select count(*) > 0 from pg_stat_activity
      where query like '%union all%' and application_name = 'procession replica'"""
    with ThreadPoolExecutor(1) as pool:
        showing = pool.submit(installation.run, "show", receipt["execution_id"])
        until(lambda: showing.done() or standby.rows(waiting) == [(True,)])
        assert not showing.done()
        standby.resume_replay()
        assert showing.result() == 0
    installation.completed(receipt)


def test_queries_go_to_the_primary_while_the_replica_is_down(installation: Greeting, standby: Node) -> None:
    standby.kill()
    receipt = installation.start("while-down")
    assert installation.completed(receipt)["outputs"] == {"text": "Hello you"}
    health = installation.health()
    assert (health["status"], health["database"], health["replica"]) == ("degraded", "up", "down")
    assert "procession_replica_up 0.0" in installation.client.get("/metrics").text
    standby.start()
    until(lambda: installation.health()["replica"] == "up")
    assert installation.health()["status"] == "ready"
    assert installation.completed(receipt)["status"] == "completed"


def test_without_the_fallback_health_states_that_the_replica_is_down(
    cluster: Cluster, primary: Node, standby: Node
) -> None:
    with Greeting(cluster, primary.dsn, READ_DATABASE_URL=standby.dsn, PROCESSION_READ_FALLBACK="off") as installation:
        installation.serve()
        standby.kill()

        def refused() -> bool:
            answer = installation.client.get("/api/executions")
            return answer.status_code == 503 and answer.json()["code"] == "replica_down"

        until(refused)
        health = installation.health()
        assert (health["status"], health["database"], health["replica"]) == ("unready", "up", "down")
        assert health["reason"]["code"] == "replica_down"
        assert installation.client.put("/api/agents/echo", json={"kind": "scripted", "script": "echo"}).is_success
        standby.start()
        until(lambda: installation.health()["status"] == "ready")


def test_a_replica_that_is_down_at_the_start_is_no_obstacle(cluster: Cluster, primary: Node, standby: Node) -> None:
    standby.kill()
    with Greeting(cluster, primary.dsn, READ_DATABASE_URL=standby.dsn) as installation:
        installation.serve()
        assert installation.client.get("/api/executions").is_success
        words = installation.words("api")
        assert "the replica of READ_DATABASE_URL is down, queries go to the primary" in words
        assert "refused" in words
    standby.start()


def test_figures_that_the_replica_ends_are_503_and_the_next_ones_are_right(
    installation: Greeting, primary: Node, standby: Node
) -> None:
    installation.completed(installation.start("counted"))

    def figures() -> httpx2.Response:
        return installation.client.get("/api/analytics/processes", timeout=120)

    until(lambda: figures().json()["total"]["running"] == 0)
    before = figures().json()["total"]["completed"]
    assert before > 0
    waiting = "select a.pid from pg_locks l join pg_stat_activity a using (pid) where not l.granted"
    waiting += " and a.application_name = 'procession serve replica'"
    # The replica takes the lock as it replays; its readers wait, as they do for a switch.
    with psycopg.connect(primary.dsn) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("lock table analytics_agent_spending in access exclusive mode")
        held = "select mode from pg_locks where relation = 'analytics_agent_spending'::regclass and granted"
        until(lambda: standby.rows(held) == [("AccessExclusiveLock",)])
        coming = pool.submit(figures)
        until(lambda: standby.rows(waiting))
        standby.rows(f"select pg_cancel_backend(pid) from ({waiting}) waiting")
        answer = coming.result()
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert figures().json()["total"]["completed"] == before
    assert installation.health()["replica"] == "up"
