"""The log loses its last events under running workers, as after a failover: everything heals or is set aside."""

import psycopg
import pytest

from tests.journeys.conftest import Site
from tests.journeys.killing import begin, check_log, post, wait_for

EXECUTIONS = 60
PROCESS = """
name: losing
steps:
  - {id: a, agent: careful, message: "{{ input.n }}"}
  - {id: pause, type: timer, duration: 300ms, depends_on: a}
  - {id: below, type: sub_process, process: beneath, depends_on: pause}
  - {id: b, agent: careful, message: "{{ steps.a.output }}", depends_on: below}
  - {id: c, agent: careful, message: "{{ steps.b.output }}", depends_on: b}
"""
BENEATH = "{name: beneath, max_running: 20, steps: [{id: w, agent: careful, message: hello}]}"
LISTS = ("due_steps", "due_timers", "outbox", "admissions", "families", "idempotency_keys", "set_aside")
COMPLETED = """select count(*) from stored_events e join stored_events s on s.originator_id = e.originator_id
where e.topic = 'ExecutionCompleted' and s.originator_version = 1
and convert_from(s.state, 'utf8')::json ->> 'process' = 'losing'"""
CALLED = """select originator_id from stored_events where originator_version = 1 and topic = 'ExecutionStarted'
and convert_from(state, 'utf8')::json -> 'parent' ->> 'execution_id' = any(%s)"""
# Before that, the read model would hold none of the events that are lost.
BEYOND_COPIES = """select t.notification_id > c.position from notification_tracking t, copied_end c
where t.application_name = 'execution_list'"""


def keep_copies(site: Site) -> None:
    """Keep the lists as they are with the present end of the log."""
    with psycopg.connect(site.server.conninfo) as connection:
        connection.execute("select pg_advisory_xact_lock(4711)")
        connection.execute("create table copied_end as select max(notification_id) as position from stored_events")
        for name in LISTS:
            connection.execute(f"create table copied_{name} as table {name}")  # type: ignore[arg-type]


def lose_tail(site: Site) -> int:
    """Go back to the copies; return how many events are lost. Later events get the same positions, as on a replica."""
    with psycopg.connect(site.server.conninfo) as connection:
        connection.execute("select pg_advisory_xact_lock(4711)")
        for name in LISTS:
            connection.execute(f"delete from {name}")  # type: ignore[arg-type]
            connection.execute(f"insert into {name} table copied_{name}")  # type: ignore[arg-type]
        lost = connection.execute(
            "delete from stored_events where notification_id > (select position from copied_end)"
        ).rowcount
        connection.execute("select setval('stored_events_notification_id_seq', (select position from copied_end))")
        return lost


def lose_tails_of_some(site: Site, some: list[str]) -> None:
    """Take back all but the start of some executions and all of what they have called, and their rows of the lists."""
    with psycopg.connect(site.server.conninfo) as connection:
        connection.execute("select pg_advisory_xact_lock(4711)")
        below = [str(id) for (id,) in connection.execute(CALLED, (some,)).fetchall()]
        for name in ("due_steps", "due_timers", "admissions"):
            connection.execute(f"delete from {name} where execution_id = any(%s::uuid[])", (some + below,))  # type: ignore[arg-type]
        connection.execute(
            "delete from outbox where recipient = any(%s::uuid[]) or source = any(%s::uuid[])",
            (some + below, some + below),
        )
        connection.execute("delete from families where root = any(%s::uuid[])", (some,))
        connection.execute("delete from stored_events where originator_id = any(%s::uuid[])", (below,))
        connection.execute(
            "delete from stored_events where originator_id = any(%s::uuid[]) and originator_version > 2", (some,)
        )
        connection.execute(
            "insert into due_steps (execution_id, step, attempt) select unnest(%s::uuid[]), 'a', 1", (some,)
        )


def start(site: Site, begin_at: int, count: int) -> list[str]:
    return [
        post(site, "/api/processes/losing/executions", {"input": {"n": n}}, f"start-{n}").json()["execution_id"]
        for n in range(begin_at, begin_at + count)
    ]


@pytest.mark.timeout(600)
def test_workers_go_on_after_the_log_has_lost_its_end(site: Site) -> None:
    begin(site, [BENEATH, PROCESS])
    started = start(site, 0, EXECUTIONS)
    keep_copies(site)
    wait_for(lambda: site.rows(COMPLETED)[0][0] >= 5)
    wait_for(lambda: site.rows(BEYOND_COPIES) == [(True,)])
    assert lose_tail(site) > 0
    lose_tails_of_some(site, started[:5])
    later = start(site, EXECUTIONS, 10)
    wait_for(lambda: site.rows(COMPLETED)[0][0] >= EXECUTIONS + 10)
    ended = {
        str(id) for (id,) in site.rows("select originator_id from stored_events where topic = 'ExecutionCompleted'")
    }
    aside = {str(id) for (id,) in site.rows("select execution_id from set_aside")}
    assert set(later) <= ended
    assert set(started) <= ended | aside
    check_log(site)

    # The read models were further than the log: they say so, and a rebuild puts them right.
    states = site.client.get("/api/projections").json()["items"]
    assert {each["state"] for each in states if each["name"] == "execution_list"} == {"failed"}
    assert "beyond the end of the log" in next(e["last_error"] for e in states if e["name"] == "execution_list")
    assert site.run("projections", "rebuild", "--all") == 0
    wait_for(lambda: site.run("projections", "verify") == 0, 60)
    assert site.run("projections", "verify") == 0

    # Workers end when they are to, whatever is set aside.
    for name in ("worker-1", "worker-2"):
        assert site.end(name) == 0
