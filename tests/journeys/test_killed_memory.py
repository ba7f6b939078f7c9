"""Workers with one folder of memories are killed again and again: each entry stands in the files once."""

import json
import random
import time

import pytest

from tests.journeys.killing import begin, post, wait_for

EXECUTIONS = 25
KILLS = 6
PROCESS = """
name: informing
steps:
  - {id: a, agent: careful, message: "{{ input.n }}", roles: {informed: [archive]}}
  - {id: b, agent: careful, message: b, depends_on: a, roles: {informed: [archive, other]}}
"""


@pytest.mark.timeout(600)
def test_each_entry_is_written_once_though_writers_are_killed(site):
    folder = site.directory / "memories"
    site.settings["PROCESSION_MEMORY_DIR"] = str(folder)
    site.settings["PROCESSION_MEMORY_SIZE"] = "64KiB"
    begin(site, [PROCESS])
    for agent in ("archive", "other"):
        site.put(f"/api/agents/{agent}", {"kind": "scripted", "script": "echo"})
    seed = time.time_ns()
    (site.directory / "seed").write_text(str(seed))
    chance = random.Random(seed)
    for n in range(EXECUTIONS):
        post(site, "/api/processes/informing/executions", {"input": {"n": n}}, f"start-{n}")
        if n % (EXECUTIONS // KILLS) == 0:
            name = chance.choice(("worker-1", "worker-2"))
            site.kill(name)
            site.restart(name)

    def written(agent):
        files = sorted((folder / agent).glob("*.ndjson"))
        return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]

    wait_for(lambda: (folder / "other").exists() and len(written("other")) >= EXECUTIONS)
    wait_for(lambda: len(written("archive")) >= 2 * EXECUTIONS)
    for agent, entries in (("archive", 2 * EXECUTIONS), ("other", EXECUTIONS)):
        answer = site.client.get(f"/api/agents/{agent}/memory").raise_for_status()
        expected = [json.loads(line) for line in answer.text.splitlines()]
        assert len(expected) == entries
        assert written(agent) == expected
