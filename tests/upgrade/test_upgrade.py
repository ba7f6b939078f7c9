"""A database is upgraded under an API and a worker of the release before: all that is under way ends well."""

import pytest

from store.datastore import Datastore
from store.lists.registry import LISTS
from tests.upgrade.conftest import HERE, Releases

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


def start(releases: Releases, url: str, times: int) -> None:
    for _ in range(times):
        releases.post(url, "/api/processes/order/executions", {"input": {}})


class Checks:
    """The approvals of packings. Until the first of them, the queue stands."""

    def __init__(self, releases: Releases, *urls: str) -> None:
        self._releases, self._urls = releases, urls
        self._decided: set[str] = set()

    def decided(self) -> bool:
        """Approve what has been asked since the last time; return whether nothing is left to do."""
        for (approval,) in self._releases.rows(CHECKS):
            if approval not in self._decided:
                url = self._urls[len(self._decided) % len(self._urls)]
                self._releases.post(url, f"/api/approvals/{approval}/approve", {}, "ann")
                self._decided.add(approval)
        return self._releases.rows(LEFT) == [(0,)]


def at(releases: Releases) -> int:
    position: int = releases.rows("select max(notification_id) from stored_events")[0][0]
    return position


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", ["api", "worker"])
def test_all_ends_well_whichever_is_upgraded_first(releases: Releases, first: str) -> None:
    # given: the release before, with executions, timers, children and queued ones under way
    releases.run(releases.before, "migrate")
    old_api = releases.launch_api("old-api", releases.before)
    old_worker = releases.launch_worker("old-worker", releases.before)
    releases.put(old_api, "/api/agents/careful", {"kind": "scripted", "script": "slow", "delay": "20ms"})
    for source in (PACKING, ORDER):
        id = releases.post(old_api, "/api/processes", {"definition": source})["process_id"]
        releases.post(old_api, f"/api/processes/{id}/publish", {})
    start(releases, old_api, UNDER_WAY)
    releases.until(lambda: len(releases.rows(ASKED)) == UNDER_WAY, "approvals of the release before")
    queued = "select count(*) > 0 from admissions where not running"
    releases.until(lambda: releases.rows(queued) == [(True,)], "executions in the queue")

    # when: this release upgrades the database and starts, one part after the other, beside the old ones
    releases.run(HERE, "migrate")
    upgraded = at(releases)
    if first == "api":
        new_api = releases.launch_api("new-api", HERE)
        # A field of agents that the old worker lacks: it goes on with the rest of the configuration.
        slow = {"kind": "scripted", "script": "slow", "delay": "20ms"}
        releases.put(new_api, "/api/agents/careful", slow | {"provider": "house"})
        start(releases, new_api, TOGETHER)
        releases.until(lambda: len(releases.rows(ASKED)) == UNDER_WAY + TOGETHER, "the old worker goes on")
        assert releases.rows(BY, upgraded, old_worker)[0][0] > 0
        new_worker = releases.launch_worker("new-worker", HERE)
    else:
        new_worker = releases.launch_worker("new-worker", HERE)
        start(releases, old_api, TOGETHER)
        new_api = releases.launch_api("new-api", HERE)
    for url in (old_api, new_api):
        start(releases, url, TOGETHER)
    started = UNDER_WAY + 3 * TOGETHER
    releases.until(lambda: len(releases.rows(ASKED)) == started, "every order asks")
    for n, (approval,) in enumerate(releases.rows(ASKED)):
        releases.post((old_api, new_api)[n % 2], f"/api/approvals/{approval}/approve", {}, "ann")
    releases.until(Checks(releases, old_api, new_api).decided, "everything ends")

    # then: every execution has completed, the lists are empty and are what the log adds up to
    assert dict(releases.rows(ENDS)) == {"ExecutionStarted": 3 * started, "ExecutionCompleted": 3 * started}
    assert releases.rows(GAPS) == [(0,)]
    for worker in (old_worker, new_worker):
        assert releases.rows(BY, upgraded, worker)[0][0] > 0
    datastore = Datastore(releases.database, pool_size=1)
    try:
        assert {kept.name: kept.verify(datastore, lambda _done, _total: None).samples for kept in LISTS} == {
            kept.name: [] for kept in LISTS
        }
    finally:
        datastore.close()
    for name in ("old-worker", "old-api", "new-worker", "new-api"):
        assert "Traceback" not in releases.log(name)
        assert "could not be decided on" not in releases.log(name)
