"""An agent reads its inbox from two servers that are killed between delivery and acknowledgement: nothing is lost."""

import threading

import httpx2
import pytest

from tests.journeys.killing import begin, post, wait_for

EXECUTIONS = 20
KILLS = 3
PROCESS = """
name: informing
input: {n: {type: integer, required: true}}
steps:
  - {id: a, agent: careful, message: "{{ input.n }}", roles: {informed: [archive]}}
  - {id: b, agent: flaky, message: "{{ input.n }}", retry: {max_attempts: 2, delay: 50ms}, roles: {informed: [archive]}}
"""


def start_all(site):
    for n in range(EXECUTIONS):
        post(site, "/api/processes/informing/executions", {"input": {"n": n}}, f"start-{n}")


@pytest.mark.timeout(600)
def test_an_agent_in_two_copies_loses_nothing_when_servers_are_killed_between_delivery_and_ack(site):
    servers = {"api": begin(site, []), "api-2": site.serve("api-2")}
    site.publish(PROCESS, archive={"script": "echo"})
    starting = threading.Thread(target=start_all, args=(site,), daemon=True)
    starting.start()
    delivered, read, kills = {}, [], 0

    def take_a_page():
        """Read a page from one of the servers, and acknowledge it, unless the server is killed before."""
        nonlocal kills
        name = ("api", "api-2")[len(read) % 2]
        path = f"{servers[name]}/api/agents/archive/inbox"
        try:
            page = site.client.get(path, params={"wait": "1s", "limit": 5}).raise_for_status().json()
            read.append(len(page["items"]))
            for entry in page["items"]:
                assert delivered.setdefault(entry["event_id"], entry) == entry
            positions = [entry["position"] for entry in page["items"]]
            assert positions == sorted(positions)
            if page["items"] and kills < KILLS and len(read) % 3 == 0:
                kills += 1
                site.kill(name)
                site.restart(name)
            elif page["items"]:
                site.client.post(f"{path}/ack", json={"cursor": page["cursor"]}).raise_for_status()
        except httpx2.HTTPError:
            read.append(0)  # the server is not back yet: the other one is next
        return len(delivered) >= EXECUTIONS * 2 and kills == KILLS

    wait_for(take_a_page)
    starting.join()
    completed = site.rows(
        "select originator_id || ':' || originator_version from stored_events where topic = 'StepCompleted'"
    )
    assert set(delivered) == {id for (id,) in completed}
    assert len(completed) == EXECUTIONS * 2
    assert sum(read) > len(delivered)  # pages that were not acknowledged came again
