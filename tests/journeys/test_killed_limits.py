"""Worker processes are killed in the middle of an agent's limits: the limits hold, and nothing waits for ever."""

import pytest

from tests.counting_agent import counting_agent
from tests.journeys.killing import begin, check_log, kill_now_and_then, post, wait_for

EXECUTIONS = 60
PER_SECONDS = 2
CALLS, MOST_OPEN = 10, 4
RUN = "name: run\nsteps:\n  - {id: a, agent: counted, message: m, retry: {max_attempts: 5, delay: 10ms}}\n"
ENDED = "select count(*) from stored_events where topic = 'ExecutionCompleted'"


@pytest.mark.timeout(600)
def test_the_limits_of_an_agent_hold_whichever_workers_are_killed(site):
    """A call that a killed worker began may still be open at the agent when another worker repeats it, and counts."""
    with counting_agent() as counted:
        counted.takes = 0.02
        begin(site, [])
        rate = {"calls": CALLS, "per": f"{PER_SECONDS}s"}
        site.put("/api/agents/counted", {"kind": "http", "url": counted.url, "rate": rate, "max_open": MOST_OPEN})
        site.publish(RUN)
        runs = [post(site, "/api/processes/run/executions", {}, f"start-{n}").json() for n in range(EXECUTIONS)]
        wait_for(lambda: len(counted.begun) > 5)
        kill_now_and_then(site, ("worker-1", "worker-2", "worker-1"))
        wait_for(lambda: site.rows(ENDED) == [(EXECUTIONS,)])
        check_log(site)
        assert {key.split(":")[0] for key in counted.keys} == {run["execution_id"] for run in runs}
        assert len(counted.begun) <= EXECUTIONS + 3 * MOST_OPEN
        periods = EXECUTIONS // CALLS - 1
        assert max(counted.begun) - min(counted.begun) > (periods - 1) * PER_SECONDS
        assert counted.most_open <= MOST_OPEN
        assert site.rows("select count(*) from due_steps") == [(0,)]
