"""`procession analytics`: figures by process, version, day and step, as a manager uses them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.wiring import Wiring
from tests.waiting import until

Run = Callable[..., Any]

PROCESS = "name: paid\nsteps:\n  - {id: work, agent: worker, message: hi}\n"


def test_figures_by_process_version_day_and_step(
    document: Run, procession: Run, working: Wiring, tmp_path: Path
) -> None:
    file, agent = tmp_path / "paid.yaml", tmp_path / "worker.yaml"
    file.write_text(PROCESS)
    agent.write_text('kind: scripted\nscript: echo\ncost: {amount: "0.30", currency: USD}\n')
    document("agents", "register", "worker", str(agent))
    document("publish", str(file))
    for _ in range(2):
        document("start", "paid", "--wait")
    until(lambda: document("analytics", "processes")["total"]["completed"] == 2)

    (paid,) = document("analytics", "processes", "--days", "7", "--timezone", "Asia/Kathmandu")["items"]
    assert (paid["process"], paid["ended"], paid["cost"][0]["total"]) == ("paid", 2, "0.6")
    (version,) = document("analytics", "processes", "--process", "paid")["items"]
    assert (version["version"], version["completed"]) == (1, 2)
    days = document("analytics", "trends", "--days", "3", "--process", "paid")["items"]
    assert [each["completed"] for each in days] == [0, 0, 0, 2]
    steps = document("analytics", "steps", "--order", "most_expensive", "--measure", "total")
    assert [(each["step"], each["n"]) for each in steps["too_few"]] == [("work", 2)]

    assert "paid" in procession("analytics", "processes").stdout
    assert "so far" in procession("analytics", "trends").stdout
    assert "fewer than five" in procession("analytics", "steps").stdout
    assert procession("analytics", "steps", "--order", "fastest").exit_code == 2
    assert procession("analytics", "trends", "--timezone", "Moon/Base").exit_code == 1
    assert procession("analytics", "trends", "--days", "367").exit_code == 2

    (listed,) = document("processes", "list")["items"]
    assert listed["success_rate_30d"] == 1
    answers = document("agents", "show", "worker")["last_24_hours"]
    assert (answers["completed"], answers["failed"]) == (2, 0)
    assert "2 attempts completed" in procession("agents", "show", "worker").stdout
    assert [each["last_24_hours"] for each in document("agents", "list")["items"]] == [answers]
    assert "well" in procession("agents", "list").stdout
    assert procession("agents", "show", "nobody").exit_code == 1
