"""Metrics: what the log, the lists and the requests of a process amount to, in the text format of Prometheus."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

from prometheus_client.parser import text_string_to_metric_families as parsed
from starlette.testclient import TestClient

from queries.metrics import MEASURES, MOST
from store.datastore import Datastore

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}")
Sample = tuple[str, tuple[tuple[str, str], ...]]


def scrape(client: TestClient) -> dict[Sample, float]:
    """Every sample, by name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = [sample for family in parsed(answer.text) for sample in family.samples]
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def value(found: dict[Sample, float], name: str, **labels: str) -> float:
    return found[f"procession_{name}", tuple(sorted(labels.items()))]


def test_the_figures_are_those_of_the_log_and_the_lists(client: TestClient, installation: Any, start: Any) -> None:
    installation.project()
    started = [start() for _ in range(3)]
    with installation.datastore.reading() as connection:
        claim = "update due_steps set owner = gen_random_uuid() where execution_id = %s"
        connection.execute(claim, (started[0],))
        connection.execute("update due_steps set due_at = now() - interval '2 minutes' where owner is null")
        connection.execute("insert into due_timers values (%s, 'x', 'timeout', now() - interval '9 s')", (started[0],))
        connection.execute("insert into due_timers values (%s, 'y', 'timeout', now() + interval '9 h')", (started[0],))
        schedules = "insert into due_schedules (schedule_id, process_id, due_at) values (%s, %s, now() - %s)"
        for minutes in (0, 2):
            connection.execute(schedules, (uuid4(), uuid4(), timedelta(minutes=minutes)))
        connection.execute("insert into dead_letters values ('execution_list', 1, 'e'), ('execution_list', 2, 'e')")
        connection.execute(
            "insert into workers (worker_id, host, pid, lease_until) values"
            " (gen_random_uuid(), 'h', 1, now() + interval '1 h'), (gen_random_uuid(), 'h', 2, now() - interval '1 h')"
        )
        connection.execute("update projections set failure = 'no' where name = 'approvals'")
    found = scrape(client)
    head = installation.log.last_position()
    expected = {
        "database_up": 1,
        "log_position": head,
        "due_steps": 2,
        "overdue_steps": 2,
        "claimed_steps": 1,
        "paused_agents": 0,
        "overdue_timers": 1,
        "overdue_schedules": 1,
        "messages": 0,
        "queued_executions": 0,
        "live_workers": 1,
    }
    assert {name: value(found, name) for name in expected} == expected
    assert 120 <= value(found, "oldest_due_step_seconds") < 600
    assert 9 <= value(found, "oldest_overdue_timer_seconds") < 600
    model = {"read_model": "execution_list"}
    behind = value(found, "read_model_lag_events", **model)
    assert behind > 0
    assert value(found, "read_model_position", **model) == head - behind
    assert 0 <= value(found, "read_model_lag_seconds", **model) < 600
    assert value(found, "dead_letters", **model) == 2
    assert value(found, "read_model_failed", **model) == 0
    assert value(found, "read_model_failed", read_model="approvals") == 1
    assert value(found, "append_seconds_count") > 0
    installation.project()
    assert value(scrape(client), "read_model_lag_events", **model) == 0


def test_requests_are_counted_by_route_and_no_label_holds_an_id(
    client: TestClient, installation: Any, start: Any
) -> None:
    id = start()
    installation.project()
    for path in (f"/api/executions/{id}", "/api/executions/unheard-of", f"/nothing/{id}", "/api/events?after=x"):
        client.get(path)
    client.request("BREW", "/health/live")
    found = scrape(client)
    counted = {
        tuple(dict(labels).values()): number
        for (name, labels), number in found.items()
        if name == "procession_request_seconds_count"
    }
    shown = "/api/executions/{execution_id}"
    assert (counted["GET", shown, "2xx"], counted["GET", shown, "4xx"]) == (1, 1)
    assert counted["GET", "other", "4xx"] == 1
    assert counted["GET", "/api/events", "4xx"] == 1
    assert [method for method, _, _ in counted if method not in ("GET", "PUT", "POST")] == ["other"]
    labels = {text for _, pairs in found for pair in pairs for text in pair}
    assert [text for text in labels if ID.search(text) or "unheard" in text or "nothing" in text] == []


def test_long_lists_are_counted_up_to_a_bound(client: TestClient, read_tables: Datastore) -> None:
    with read_tables.reading() as connection:
        connection.execute(
            "insert into due_steps (execution_id, step, attempt, due_at)"
            " select gen_random_uuid(), 's', 1, now() - interval '1 h' from generate_series(1, %s)",
            (MOST + 5_000,),
        )
    found = scrape(client)
    assert (value(found, "due_steps"), value(found, "overdue_steps")) == (MOST, MOST)


def test_metrics_need_the_key_where_there_is_one(keyed: Any) -> None:
    with TestClient(keyed("the key of this test").app) as client:
        assert client.get("/metrics").status_code == 401
        shown = {"Authorization": "Bearer the key of this test"}
        assert client.get("/metrics", headers=shown).status_code == 200


def test_without_the_database_the_times_of_the_process_are_left(client: TestClient, installation: Any) -> None:
    client.get("/health/live")
    installation.datastore.pool.close()
    found = scrape(client)
    assert value(found, "database_up") == 0
    assert value(found, "request_seconds_count", method="GET", route="/health/live", status="2xx") == 1
    assert not any(f"procession_{measure.name}" in {name for name, _ in found} for measure in MEASURES)
