"""Whatever is killed while workers go through a batch of a thousand: each execution is acted on once."""

import pytest

from tests.journeys.killing import begin, check_log, kill_now_and_then, post, wait_for
from tests.waiting import patiently

COUNT = 1_000
HELD = "name: held\nsteps:\n  - {id: rest, type: timer, duration: 10h}\n"
ACTED = "select count(*), count(distinct originator_id) from stored_events where topic = 'ExecutionCancelled'"
CAUSES = """select count(*) from stored_events where topic = 'ExecutionCancelled'
  and convert_from(state, 'utf8')::json ->> 'causation' = 'batch:{0}'
  and convert_from(state, 'utf8')::json ->> 'actor' = 'user:ann'
  and convert_from(state, 'utf8')::json ->> 'reason' = 'the supplier is down'"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("victims", [("worker-1", "worker-2", "server", "worker-1")])
def test_each_execution_is_acted_on_once_whatever_is_killed(site, victims):
    begin(site, [HELD])
    for n in range(COUNT):
        post(site, "/api/processes/held/executions", {}, f"start-{n}")
    started = "select count(*) from execution_list where process = 'held'"
    wait_for(lambda: site.rows(started)[0][0] == COUNT)
    body = {"act": "cancel", "filter": {"process": "held", "status": "running"}}
    frozen = post(site, "/api/batches", body, "freeze", actor="ann").json()
    assert frozen["count"] == COUNT
    id = frozen["batch_id"]
    post(site, f"/api/batches/{id}/run", {"reason": "the supplier is down"}, "run", actor="ann")
    wait_for(lambda: site.rows(ACTED)[0][0] > 0)
    kill_now_and_then(site, victims)
    ended = f"select count(*) from stored_events where originator_id = '{id}' and topic = 'BatchEnded'"
    wait_for(lambda: site.rows(ended) == [(1,)])

    check_log(site)
    assert site.rows(ACTED) == [(COUNT, COUNT)]
    assert site.rows(CAUSES.format(id)) == [(COUNT,)]
    found = patiently(lambda: _ended(site, id), AssertionError)
    assert (found["done"], found["unchanged"], found["refused"]) == (COUNT, 0, [])
    assert site.run("projections", "verify") == 0, site.words()


def _ended(site, id):
    found = site.client.get(f"/api/batches/{id}").json()
    assert found["status"] == "ended"
    return found
