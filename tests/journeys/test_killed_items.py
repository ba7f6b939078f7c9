"""Whatever is killed in the middle of a thousand items: each runs once, and the results keep the order of the list."""

import pytest

from tests.journeys.killing import begin, check_calls, check_log, kill_now_and_then, post, wait_for

ITEMS = 1_000
EACH = """
name: each
input: {names: {type: array}}
steps:
  - id: visit
    type: sub_process
    for_each: {items: "{{ input.names }}", as: name, max_parallel: 40, key: "{{ name }}"}
    steps: [{id: greet, agent: careful, message: "{{ input.name }}"}]
    outputs: {greeted: "{{ input.name }}"}
outputs: {all: "{{ steps.visit.output }}"}
"""
STARTED = """select (convert_from(state, 'utf8')::json ->> 'item')::int, count(*) from stored_events
  where originator_id = '{}' and topic = 'ItemStarted' group by 1 order by 1"""
CHILDREN = """select count(*) filter (where topic = 'ExecutionStarted'),
    count(*) filter (where topic = 'ExecutionCompleted'), count(*) filter (where topic = 'StepCompleted')
  from stored_events where originator_id <> '{}'"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("victims", [("worker-1", "worker-2", "server", "worker-1")])
def test_each_item_runs_once_and_in_order_whatever_is_killed(site, victims):
    begin(site, [EACH])
    names = [f"n{n}" for n in range(ITEMS)]
    id = post(site, "/api/processes/each/executions", {"input": {"names": names}}, "start").json()["execution_id"]
    ended = f"select count(*) from stored_events where originator_id = '{id}' and topic = 'ExecutionCompleted'"
    begun = f"select count(*) from stored_events where originator_id = '{id}' and topic = 'ItemCompleted'"
    wait_for(lambda: site.rows(begun)[0][0] > 20)
    kill_now_and_then(site, victims)
    wait_for(lambda: site.rows(ended) == [(1,)])

    check_log(site)
    check_calls(site)
    assert site.rows(STARTED.format(id)) == [(n, 1) for n in range(ITEMS)]
    assert site.rows(CHILDREN.format(id)) == [(ITEMS, ITEMS, ITEMS)]
    [(position,)] = site.rows("select max(notification_id) from stored_events")
    found = site.client.get(f"/api/executions/{id}", params={"min_position": position}).json()
    assert found["outputs"] == {"all": [{"greeted": name} for name in names]}
    assert found["steps"][0]["items"] == {"count": ITEMS, "completed": ITEMS, "failed": 0}
    assert site.run("projections", "verify") == 0, site.words()
