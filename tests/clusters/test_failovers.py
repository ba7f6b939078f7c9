"""Failovers under load, of whole installations: nothing acknowledged is lost, or callers are informed of the loss."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.clusters.installation import impatient
from tests.clusters.node import Node, both
from tests.journeys.conftest import Site
from tests.journeys.killing import check_log, post, wait_for
from tests.waiting import until

PROCESS = """
name: going
steps:
  - {id: a, agent: careful, message: "{{ input.n }}"}
  - {id: pause, type: timer, duration: 200ms, depends_on: a}
  - {id: b, agent: careful, message: "{{ steps.a.output }}", depends_on: pause}
"""
ENDED = "select count(*) from stored_events where topic = 'ExecutionCompleted'"
STARTED = "select count(*) from stored_events where topic = 'ExecutionStarted'"
VERSIONS = """select distinct convert_from(state, 'utf8')::json ->> 'version' from stored_events
where topic = 'ExecutionStarted' order by 1"""
STREAMS = "select originator_id::text from stored_events where topic = 'ExecutionStarted'"


class FailoverSite(Site):
    """API and workers on two nodes. dsn: of the one that the test itself asks."""

    def __init__(self, directory: Path, primary: Node, standby: Node) -> None:
        settings = {"DATABASE_URL": both(primary, standby), "PROCESSION_LEASE": "PT1S"}
        super().__init__(directory, primary.dsn, **settings)

    def begin(self) -> None:
        """Start an API and two workers, and publish the process."""
        self.serve()
        for name in ("worker-1", "worker-2"):
            self.launch(name, "work")
        self.publish(PROCESS, careful={"script": "slow", "delay": "20ms", "record": str(self.directory / "calls")})

    def start(self, n: int) -> dict[str, Any]:
        """Start an execution, with as many requests as it takes; return the receipt, with the epoch of its position."""
        answer = post(self, "/api/processes/going/executions", {"input": {"n": n}}, f"going-{n}")
        return {**answer.json(), "epoch": answer.headers["procession-epoch"]}

    def holding(self, receipt: dict[str, Any]) -> httpx2.Response:
        """Return the answer to a query for the position of a receipt, once the read model has got so far."""

        def answer() -> httpx2.Response:
            return self.get("/api/executions", min_position=receipt["position"], epoch=receipt["epoch"])

        until(lambda: answer().status_code != 503)
        return answer()


def all_end(site: FailoverSite) -> None:
    """Return once every execution that the log holds has ended."""
    wait_for(lambda: site.rows(ENDED) >= site.rows(STARTED))
    assert site.rows(ENDED) == site.rows(STARTED)
    assert site.rows("select count(*) from set_aside") == [(0,)]
    check_log(site)


def verify(site: FailoverSite) -> None:
    """Prove every read model and list against the log."""
    until(lambda: site.run("projections", "verify") == 0, 60)


@pytest.mark.timeout(600)
def test_a_synchronous_standby_takes_over_under_load(primary: Node, standby: Node, tmp_path: Path) -> None:
    primary.synchronous("ANY 1 (two)")
    with FailoverSite(tmp_path, primary, standby) as site, ThreadPoolExecutor(4) as callers:
        site.begin()
        receipts = [callers.submit(site.start, n) for n in range(80)]
        until(lambda: sum(each.done() for each in receipts) >= 25)
        primary.kill()
        standby.promote()
        site.dsn = standby.dsn
        acknowledged = [each.result(300) for each in receipts]
        all_end(site)
        assert {each for (each,) in site.rows(STREAMS)} == {each["execution_id"] for each in acknowledged}
        # Positions of before are as good as those of after.
        for receipt in (acknowledged[0], acknowledged[-1]):
            answer = site.holding(receipt)
            assert answer.status_code == 200, answer.text
        assert site.get("/health/ready").json()["epoch"]["number"] == 2
        verify(site)


@pytest.mark.timeout(600)
def test_an_asynchronous_standby_lacks_the_last_events(primary: Node, standby: Node, tmp_path: Path) -> None:
    with FailoverSite(tmp_path, primary, standby) as site:
        site.begin()
        kept = [site.start(n) for n in range(10)]
        standby.cut_off(primary)
        # Version 2 runs from here on; every process has it in memory.
        site.put("/api/processes/going", {"definition": PROCESS.replace("200ms", "100ms")})
        assert site.post("/api/processes/going/publish", {})["version"] == 2
        lost = [site.start(n) for n in range(10, 30)]
        assert site.rows(VERSIONS) == [("1",), ("2",)]
        last = f"{lost[-1]['epoch']}.{lost[-1]['position']}"
        cursor = events_until(site, lost[-1]["position"])
        standby.take_over(primary)
        site.dsn = standby.dsn
        later = [site.start(n) for n in range(30, 60)]
        all_end(site)

        found = {each for (each,) in site.rows(STREAMS)}
        assert {each["execution_id"] for each in (*kept, *later)} <= found
        assert found.isdisjoint(each["execution_id"] for each in lost)
        assert site.rows(VERSIONS) == [("1",)]
        informed(site, kept[0], lost[-1], later[-1], last, cursor)
        assert "epoch 2 of the log has begun" in site.words("api")
        verify(site)


def events_until(site: FailoverSite, position: int) -> str:
    """Return a cursor of the log that lies behind `position`."""
    page = site.get("/api/events", after=position - 1, limit=1).json()
    while page["next_cursor"] is None:
        page = site.get("/api/events", after=position - 1, limit=1).json()
    cursor: str = page["next_cursor"]
    return cursor


def informed(
    site: FailoverSite, kept: dict[str, Any], lost: dict[str, Any], later: dict[str, Any], last: str, cursor: str
) -> None:
    """Prove that whoever holds a lost position is informed, and nobody else."""
    for receipt, status in ((kept, 200), (lost, 409), (later, 200)):
        answer = site.holding(receipt)
        assert answer.status_code == status, answer.text
    refused = site.get("/api/events", cursor=cursor)
    assert (refused.status_code, refused.json()["code"]) == (409, "log_went_back")
    epoch = site.get("/health/ready").json()["epoch"]
    assert (refused.json()["epoch"], epoch["number"]) == (epoch["epoch"], 2)
    assert kept["position"] <= epoch["begins_at"] < lost["position"]
    with site.client.stream("GET", "/api/stream", headers={"Last-Event-ID": last}) as stream:
        assert stream.status_code == 200
        first = [line for line, _ in zip(stream.iter_lines(), range(3), strict=False)]
    assert f'"epoch":"{epoch["epoch"]}"' in "".join(first)


@pytest.mark.timeout(600)
def test_an_old_primary_that_nobody_fenced_acknowledges_nothing(primary: Node, standby: Node, tmp_path: Path) -> None:
    with FailoverSite(tmp_path, primary, standby) as site:
        # A request waits in vain for a connection, several times in a row.
        site.prepare = impatient
        site.begin()
        site.start(0)
        until(lambda: site.rows("select count(*) from workers") == [(2,)])
        standby.cut_off(primary)
        standby.take_over(primary)
        site.dsn = standby.dsn
        site.start(1)
        # A process that has not met the new primary cannot know better than the address.
        names = ("api", "worker-1", "worker-2")
        until(lambda: all("epoch 2 of the log has begun" in site.words(name) for name in names))
        primary.start()  # its address comes first
        before = primary.rows("select count(*) from stored_events")
        # The connections to the new primary end, as they do after hours: only the old one is found.
        standby.stop()
        path = "/api/processes/going/executions"
        answers = [site.tried(path, {"input": {"n": n}}, f"once-{n}") for n in range(100, 112)]
        assert {answer.status_code for answer in answers} == {503}
        assert primary.rows("select count(*) from stored_events") == before
        reason = site.get("/health/ready").json()["reason"]
        assert reason["code"] == "older_server"
        primary.stop()
        standby.start()
        site.start(2)
        all_end(site)
