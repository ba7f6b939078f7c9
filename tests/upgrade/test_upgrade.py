"""A database is upgraded under an API and a worker of the release before: all that is under way ends well."""

import pytest

from store.datastore import Datastore
from store.lists.registry import LISTS
from tests.processes import Processes
from tests.upgrade.conftest import ReleaseBefore
from tests.waiting import until

PACKING = """
name: packing
max_running: 2
steps:
  - {id: pack, agent: careful, message: pack}
  - {id: dry, type: timer, duration: 300ms, depends_on: pack}
  - {id: check, type: human_approval, depends_on: dry, approvers: [ann], title: Is it dry?, deadline: 1h}
  - {id: seal, agent: careful, message: seal, depends_on: check, timeout: 1h}
"""
ORDER = """
name: order
steps:
  - {id: take, agent: careful, message: take, timeout: 1h}
  - {id: rest, type: timer, duration: 500ms, depends_on: take}
  - {id: pack, type: sub_process, process: packing, depends_on: take}
  - {id: aside, type: sub_process, process: packing, depends_on: take, wait: false, on_parent_close: abandon}
  - {id: ask, type: human_approval, depends_on: take, approvers: [ann], title: May it go?}
  - {id: way, type: gateway, gateway_type: inclusive, depends_on: take, default_route: call,
     routes: [{condition: "false", target: pack-slip}]}
  - {id: call, type: notification, channel: webhook, message: taken, on_error: skip_step}
  - {id: pack-slip, agent: careful, message: write, compensation: {agent: careful, message: tear}}
  - {id: bill, agent: careful, message: bill, depends_on: [rest, pack, ask, call, pack-slip], retry: {max_attempts: 2}}
"""
UNDER_WAY = 8
TOGETHER = 4
LEFT = "select " + " + ".join(
    f"(select count(*) from {kept})" for kept in ("due_steps", "due_timers", "outbox", "admissions")
)
ENDS = """select topic, count(*) from stored_events
where topic ~ '^Execution(Started|Completed|Failed|Cancelled)$' group by topic"""
ASKED = """select convert_from(state, 'utf8')::json ->> 'approval_id' from stored_events
where topic = 'ApprovalRequested' and convert_from(state, 'utf8')::json ->> 'title' = 'May it go?'"""
CHECKS = ASKED.replace("May it go?", "Is it dry?")
BY = """select count(*) from stored_events where notification_id > %s
and convert_from(state, 'utf8')::json ->> 'actor' = %s"""
GAPS = """select count(*) from (select originator_id from stored_events group by originator_id
having max(originator_version) <> count(*)) as gap"""


def start(release: Processes, times: int) -> None:
    for _ in range(times):
        release.post("/api/processes/order/executions", {"input": {}})


def worker_of(release: Processes) -> str:
    """Begin a worker, without a projector; return the actor of what it records, once it lives."""
    release.launch("worker", "work", "--no-projector")
    query = "select worker_id::text from workers where pid = %s"
    until(lambda: release.lives("worker") and release.rows(query, release.pid("worker")))
    return f"worker:{release.rows(query, release.pid('worker'))[0][0]}"


class Checks:
    """The approvals of packings. Until the first of them, the queue stands."""

    def __init__(self, *releases: Processes) -> None:
        self._releases = releases
        self._decided: set[str] = set()

    def decided(self) -> bool:
        """Approve what has been asked since the last time; return whether nothing is left to do."""
        for (approval,) in self._releases[0].rows(CHECKS):
            if approval not in self._decided:
                release = self._releases[len(self._decided) % len(self._releases)]
                release.post(f"/api/approvals/{approval}/approve", {}, actor="ann")
                self._decided.add(approval)
        return self._releases[0].rows(LEFT) == [(0,)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", ["api", "worker"])
def test_all_ends_well_whichever_is_upgraded_first(old: ReleaseBefore, new: Processes, first: str) -> None:
    # given: the release before, with executions, timers, children and queued ones under way
    assert old.run("migrate") == 0, old.words()
    old.serve()
    old_worker = worker_of(old)
    old.put("/api/agents/careful", {"kind": "scripted", "script": "slow", "delay": "20ms"})
    for source in (PACKING, ORDER):
        old.publish(source)
    start(old, UNDER_WAY)
    until(lambda: old.lives("worker") and len(old.rows(ASKED)) == UNDER_WAY)
    queued = "select count(*) > 0 from admissions where not running"
    until(lambda: old.rows(queued) == [(True,)])

    # when: this release upgrades the database and starts, one part after the other, beside the old ones
    assert new.run("migrate") == 0, new.words()
    [(upgraded,)] = new.rows("select max(notification_id) from stored_events")
    if first == "api":
        new.serve()
        # A field of agents that the old worker lacks: it goes on with the rest of the configuration.
        slow = {"kind": "scripted", "script": "slow", "delay": "20ms"}
        new.put("/api/agents/careful", slow | {"provider": "house"})
        start(new, TOGETHER)
        until(lambda: old.lives("worker") and len(new.rows(ASKED)) == UNDER_WAY + TOGETHER)
        assert new.rows(BY, upgraded, old_worker)[0][0] > 0
        new_worker = worker_of(new)
    else:
        new_worker = worker_of(new)
        start(old, TOGETHER)
        new.serve()
    for release in (old, new):
        start(release, TOGETHER)
    started = UNDER_WAY + 3 * TOGETHER
    until(lambda: len(new.rows(ASKED)) == started)
    for n, (approval,) in enumerate(new.rows(ASKED)):
        (old, new)[n % 2].post(f"/api/approvals/{approval}/approve", {}, actor="ann")
    until(Checks(old, new).decided)

    # then: every execution has completed, the lists are empty and are what the log adds up to
    assert dict(new.rows(ENDS)) == {"ExecutionStarted": 3 * started, "ExecutionCompleted": 3 * started}
    assert new.rows(GAPS) == [(0,)]
    for worker in (old_worker, new_worker):
        assert new.rows(BY, upgraded, worker)[0][0] > 0
    datastore = Datastore(new.dsn, pool_size=1)
    try:
        assert {kept.name: kept.verify(datastore, lambda _done, _total: None).samples for kept in LISTS} == {
            kept.name: [] for kept in LISTS
        }
    finally:
        datastore.close()
    for release in (old, new):
        for name in ("api", "worker"):
            assert release.lives(name)
            assert "Traceback" not in release.words(name)
            assert "could not be decided on" not in release.words(name)
