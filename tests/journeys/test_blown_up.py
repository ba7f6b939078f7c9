"""Whatever an execution multiplies, in processes with little memory: it fails alone, and all others go on."""

import resource
from functools import partial

import pytest

from tests.journeys.killing import post, wait_for

ADDRESS_SPACE = 2_600_000 << 10
BIG = "x" * 1_000_000
FIRST = 'steps:\n- {id: big, agent: echo, message: "{{ input.big }}"}\n'
AFTER = "agent: echo, depends_on: big"


def many(count, reference):
    return ", ".join(f'p{n}: "{reference}"' for n in range(count))


def after_big(count, fields):
    return FIRST + "".join(f"- {{id: s{n}, {AFTER}, {fields}}}\n" for n in range(count))


REFERENCE = "{{ steps.big.output }}"
LISTED = ", ".join([f'"{REFERENCE}"'] * 90)
CHAIN = "".join(
    f'- {{id: s{n}, agent: echo, depends_on: {f"s{n - 1}" if n else "big"}, message: "{{{{ input.big }}}}"}}\n'
    for n in range(40)
)
FILTERS = " ".join(f'"p{n}" in (steps.big.output | json | upper | json | lower | json) or' for n in range(20))
DISTINCT = "".join(f"{{{{ steps.big.output | json | truncate({n + 1}) }}}}" for n in range(1_000))
CHILDREN = "steps:\n" + "".join(
    f'- {{id: c{n}, type: sub_process, process: child, input_mapping: {{big: "{{{{ input.big }}}}"}}}}\n'
    for n in range(10)
)
TOO_LARGE = {
    "parameters": after_big(1, f"message: x, parameters: {{{many(1_100, REFERENCE)}}}"),
    "texts": after_big(1, f"message: x, parameters: {{{many(1_100, 'a ' + REFERENCE)}}}"),
    "started": f"steps:\n- {{id: a, agent: echo, message: x, parameters: {{{many(1_100, '{{ input.big }}')}}}}}\n",
    "fan": after_big(300, f'message: "b {REFERENCE}"'),
    "approvals": f"{FIRST}- {{id: ask, type: human_approval, depends_on: big, artifacts: [{LISTED}]}}\n",
    "outputs": after_big(1, "message: x") + f"outputs: {{{many(190, REFERENCE)}}}\n",
    "filters": after_big(1, f"message: x, condition: '{FILTERS} false'"),
    "truncated": after_big(1, f"message: '{DISTINCT}'"),
    "chain": FIRST + CHAIN,
}
COMPLETED = {
    "child": after_big(1, "message: x") + f'outputs: {{big: "{REFERENCE}"}}\n',
    "parent": CHILDREN + "outputs: {one: done}\n",
}
CODES = """select convert_from(s.state, 'utf8')::json->>'process', e.topic,
  convert_from(e.state, 'utf8')::json->'error'->>'code'
from stored_events e join stored_events s on s.originator_id = e.originator_id and s.originator_version = 1
where e.topic ~ '^Execution(Completed|Failed)$' and e.originator_id = any(%s::uuid[])"""


def start(site, name, n=0):
    answer = post(site, f"/api/processes/{name}/executions", {"input": {"big": BIG}}, f"start-{name}-{n}")
    return answer.json()["execution_id"]


def ask(site, path):
    """Ask as a page does, until the read model is there."""
    answer = site.client.get(path)
    answer.raise_for_status()
    return answer


@pytest.mark.timeout(600)
def test_an_execution_that_multiplies_fails_alone(site):
    site.prepare = partial(resource.setrlimit, resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    site.settings["PROCESSION_MAX_EXECUTION"] = "40MiB"
    site.serve()
    site.put("/api/agents/echo", {"kind": "scripted", "script": "echo", "usage": "none"})
    for name, text in (COMPLETED | TOO_LARGE).items():
        site.publish(f"name: {name}\n{text}")
    site.launch("worker", "work")
    begun = {start(site, name): name for name in TOO_LARGE | COMPLETED}
    beside = {start(site, "child", n): "child" for n in range(1, 4)}

    ids = [*begun, *beside]
    wait_for(lambda: len(site.rows(CODES, ids)) == len(ids))
    ends = {(name, topic, code) for name, topic, code in site.rows(CODES, ids)}
    failed = {(name, "ExecutionFailed", "result_too_large") for name in TOO_LARGE}
    assert ends == failed | {(name, "ExecutionCompleted", None) for name in COMPLETED}
    assert site.rows("select count(*) from stored_events where octet_length(state) > 8 * 1024 * 1024") == [(0,)]

    last = site.rows("select max(notification_id) from stored_events")[0][0]
    wait_for(lambda: all(each["position"] >= last for each in ask(site, "/api/projections").json()["items"]))
    for id in begun:
        path = f"/api/executions/{id}"
        for view in (path, f"{path}?as_of={last}", f"{path}/diff?from=1&to={last}", f"{path}/events?limit=200"):
            assert len(site.client.get(view).content) < 24 << 20
    assert len(ask(site, "/api/events?limit=200").content) < 24 << 20
    assert len(ask(site, "/api/approvals?limit=200").content) < 24 << 20
    assert site.lives("api")
    assert site.lives("worker")
    assert site.run("projections", "rebuild", "execution_detail") == 0
