"""An agent reads its inbox over the Model Context Protocol while servers die between delivery and acknowledgement."""

from collections import defaultdict

import httpx2
import pytest
from mcp.shared.exceptions import MCPError

from tests.journeys.killing import begin, post, wait_for
from tests.mcp_client import Agent
from tests.settled import settled
from tests.waiting import patiently

EXECUTIONS = 8
PROCESS = """
name: informing
steps:
  - {id: a, agent: careful, message: "{{ input.n }}", roles: {informed: [archive]}}
  - {id: b, agent: careful, message: b, depends_on: a, roles: {informed: [archive]}}
"""


def patient(site, agent, tool, **arguments):
    """What a tool answers once its server is back."""
    return patiently(lambda: agent.calls(tool, **arguments), httpx2.HTTPError, MCPError, OSError)


@pytest.mark.timeout(600)
def test_nothing_is_lost_and_what_comes_twice_has_the_same_id(site):
    servers = {"api": begin(site, [PROCESS]), "api-2": site.serve("api-2")}
    site.put("/api/agents/archive", {"kind": "scripted", "script": "echo"})
    for n in range(EXECUTIONS):
        post(site, "/api/processes/informing/executions", {"input": {"n": n}}, f"start-{n}")
    ended = "select count(*) from stored_events where topic = 'ExecutionCompleted'"
    wait_for(lambda: site.rows(ended)[0][0] >= EXECUTIONS)
    wait_for(lambda: settled(site.server.conninfo))  # from then on every page but the last has its four entries

    delivered = defaultdict(list)
    eras, names = ("2026-07-28", "legacy"), ("api", "api-2")
    for turn in range(7):
        name = names[turn % 2]
        agent = Agent(servers[name], "archive", eras[turn // 2 % 2])
        # The last turn waits for what does not come.
        seconds = 50 if len(delivered) < 2 * EXECUTIONS else 1
        page = patient(site, agent, "wait_for_event", limit=4, timeout_s=seconds)
        for event in page["items"]:
            delivered[event["event_id"]].append((event["execution_id"], event["step"]))
        if turn % 3 == 0:
            # The server dies, and so does the agent, before it acknowledges.
            site.kill(name)
            site.restart(name)
        else:
            patient(site, agent, "ack_events", cursor=page["cursor"])

    assert len(delivered) == 2 * EXECUTIONS
    assert all(len(set(about)) == 1 for about in delivered.values())
    assert len({about[0] for about in delivered.values()}) == 2 * EXECUTIONS
    assert any(len(about) > 1 for about in delivered.values())
    assert patient(site, Agent(servers["api-2"], "archive", "auto"), "list_events")["items"] == []
