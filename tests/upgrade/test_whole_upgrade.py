"""A whole upgrade by stop and start: data of every step type, every query before and after, every command after it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import cli
from tests.loopback import Reply, answering
from tests.processes import Processes
from tests.upgrade.conftest import ReleaseBefore
from tests.waiting import until

PARTS = "name: parts\nmax_running: 3\nsteps:\n  - {id: fetch, agent: echo, message: fetch}\n"
EVERYTHING = """
name: everything
labels: [all]
input: {way: {type: string, default: left}}
triggers:
  - {type: webhook, id: all-of-it, enabled: true}
steps:
  - {id: take, agent: echo, message: "take {{ input.way }}"}
  - {id: which, type: gateway, gateway_type: exclusive, depends_on: take, default_route: right,
     routes: [{condition: input.way == 'left', target: left}]}
  - {id: left, agent: echo, message: left, compensation: {agent: echo, message: give back}}
  - {id: right, agent: echo, message: right}
  - {id: pack, type: sub_process, process: parts, depends_on: take}
  - {id: rest, type: timer, duration: 1h, depends_on: take}
  - {id: ask, type: human_approval, depends_on: take, approvers: [ann], title: May it go?}
  - {id: weigh, agent: shaky, message: weigh, depends_on: rest, condition: "input.way == 'heavy'",
     retry: {max_attempts: 2, delay: 1ms}}
  - {id: note, type: notification, channel: webhook, url: "URL", message: done, depends_on: [left, right, pack, ask]}
  - {id: bill, agent: echo, message: bill, depends_on: [weigh, note], timeout: 1h}
outputs: {chosen: "{{ steps.which.output.chosen | first }}"}
"""
PATH = "/api/processes/everything/executions"
OPEN = "select count(*) from due_timers where step = 'rest'"
ENDED = "select count(*) from stored_events where topic = %s"
# Members of answers that move with time, or describe the process that answers.
MOVING = {"as_of_position", "lag", "lag_seconds", "built_at", "overdue_seconds", "worst_seconds", "next_cursor"}
DECISION = {"decision", "by", "comment"}
HEAVY = ("failing", "skipping", "giving")
GOES_ON = {"reason": "the upgrade is done"}


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that notifications reach."""
    monkeypatch.setenv("PROCESSION_WEBHOOK_SECRET", "a secret of this test")
    with answering(lambda _: Reply()) as url:
        yield url


@pytest.mark.timeout(600)
def test_all_of_an_installation_goes_on_after_stop_and_start(
    old: ReleaseBefore, new: Processes, receiver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: the release before at work; executions that have ended in every way, and some under way
    assert old.run("migrate") == 0, old.words()
    old.serve("up", "up")
    old.publish(PARTS, echo={"script": "echo"}, shaky={"script": "fail"})
    old.publish(EVERYTHING.replace("URL", receiver))
    ways = dict.fromkeys(("completed", "rejected", "cancelled", "approving", "changing", "waiting", "dropped"), "left")
    ways |= dict.fromkeys(HEAVY, "heavy")
    given = {name: old.post(PATH, {"input": {"way": way}})["execution_id"] for name, way in ways.items()}
    given["posted"] = old.post("/api/triggers/webhook/all-of-it", {"way": "right"})["execution_id"]
    until(lambda: old.rows(OPEN) == [(len(given),)])
    until(lambda: len(asked(old)) == len(given))
    approvals = asked(old)
    fire(old, given["completed"])
    old.post(f"/api/approvals/{approvals[given['completed']]}/approve", {"comment": "yes"}, actor="ann")
    old.post(f"/api/approvals/{approvals[given['rejected']]}/reject", {"comment": "no"}, actor="ann")
    old.post(f"/api/executions/{given['cancelled']}/cancel", {"reason": "not needed"})
    for name in HEAVY:
        fire(old, given[name])
    ends = {"ExecutionFailed": 4, "ExecutionCancelled": 1, "ExecutionCompleted": 1 + len(given)}
    for topic, count in ends.items():
        until(lambda topic=topic, count=count: old.rows(ENDED, topic) == [(count,)])
    settled(old)
    # The schema describes what may be published from now on, and no installation.
    paths = [path for path in every_path(old, given, approvals) if path != "/api/schema"]
    before = {path: old.get(path).json() for path in paths}
    assert len(paths) > 50
    assert old.end("up") == 0, old.words("up")

    # when: this release migrates and starts
    assert new.run("migrate") == 0, new.words()
    assert new.run("migrate") == 0, new.words()
    new.serve("up", "up")
    settled(new)

    # then: every query answers what it answered, and more at most
    lost = [each for path in paths for each in missing(before[path], new.get(path).json(), path)]
    assert lost == []
    for path in every_path(new, given, approvals):
        assert new.get(path).status_code == 200, path

    # and: every command goes on with what was under way
    new.put("/api/agents/shaky", {"kind": "scripted", "script": "echo"})
    monkeypatch.setenv("DATABASE_URL", new.dsn)
    failing, skipping, giving = (given[name] for name in HEAVY)
    procession("retry", failing, "--reason", "mended")
    procession("reassign", giving, "weigh", "echo", "--reason", "mended")
    new.post(f"/api/executions/{skipping}/steps/weigh/skip", GOES_ON)
    changing = new.post(f"/api/approvals/{approvals[given['changing']]}/request-changes", {"comment": "?"}, actor="ann")
    assert changing["execution_id"] == given["changing"]
    procession("cancel", given["dropped"], "--reason", "not needed")
    procession("approve", approvals[given["approving"]], "--as", "ann")
    fire(new, given["approving"])
    procession("move-timer", given["waiting"], "rest", "--in", "1s", "--reason", "sooner")
    procession("fire-timer", given["posted"], "rest", "--reason", "now")
    new.post("/api/triggers/webhook/all-of-it", {"way": "left"})
    procession("start", "parts", "--wait", "--timeout", "100s")
    goes_on = ("failing", "skipping", "giving", "approving", "waiting", "posted")
    approved = {approvals[given["approving"]]}
    until(lambda: completed(new, [given[name] for name in goes_on], approved))
    for name, end in (("changing", "failed"), ("dropped", "cancelled")):
        until(lambda id=given[name], end=end: status(new, id) == end)
    assert new.get(f"/api/executions/{given['posted']}").json()["outputs"] == {"chosen": "right"}
    new.post("/api/processes/everything/archive", {})

    # and: the pages of an operator show no fault
    settled(new)
    for words in (
        ("projections", "list"),
        ("projections", "dead-letters"),
        ("executions",),
        ("timers",),
        ("approvals",),
    ):
        procession(*words)
    for id in given.values():
        procession("show", id)
        procession("show", id, "--events")
    assert {each["differing"] for each in procession("projections", "verify")["verified"]} == {0}
    assert procession("projections", "rebuild", "execution_list")["rebuilt"]
    for release in (old, new):
        assert "Traceback" not in release.words("up")
    assert new.end("up") == 0, new.words("up")


def procession(*words: str) -> Any:
    """Run a command of this release in this process; the document it writes."""
    done = CliRunner().invoke(cli, [*words, "--json"])
    assert done.exit_code == 0, (words, done.output)
    return json.loads(done.stdout)


def fire(release: Processes, id: str) -> None:
    release.post(f"/api/executions/{id}/timers/rest/timer/fire", GOES_ON)


def status(release: Processes, id: str) -> Any:
    return release.get(f"/api/executions/{id}").json().get("status")


def completed(release: Processes, ids: list[str], approved: set[str]) -> bool:
    """Approve what waits for it, once; return whether every execution has completed."""
    for item in release.get("/api/approvals?status=open&limit=100").json()["items"]:
        if item["execution_id"] in ids and item["approval_id"] not in approved:
            approved.add(item["approval_id"])
            release.post(f"/api/approvals/{item['approval_id']}/approve", {}, actor="ann")
    return all(status(release, id) == "completed" for id in ids)


def asked(release: Processes) -> dict[str, str]:
    """Approvals by execution."""
    items = release.get("/api/approvals?limit=100").json()["items"]
    return {item["execution_id"]: item["approval_id"] for item in items}


def settled(release: Processes) -> None:
    """Return when every read model of a release holds the whole log."""

    def there() -> bool:
        items = release.get("/api/projections").json()["items"]
        return all(item.get("ready", True) and item["state"] == "running" and item["lag"] == 0 for item in items)

    until(there)


def every_path(release: Processes, given: dict[str, str], approvals: dict[str, str]) -> list[str]:
    """Every query of the API of a release, for everything that is there."""
    known = {
        "execution_id": [*given.values()],
        "approval_id": [*approvals.values()],
        "process": ["everything", "parts"],
        "version": ["1"],
        "name": ["echo", "shaky"],
        "template_id": ["bundled:content-review"],
    }
    paths = release.get("/openapi.json").json()["paths"]
    if "/api/schedules" in paths:
        known["schedule_id"] = [item["schedule_id"] for item in release.get("/api/schedules").json()["items"]]
    # A release before this one has no alerts, and the processes here have no thresholds.
    known["alert_id"] = []
    # The agents of these processes are informed of nothing.
    known["event_id"] = []
    known["webhook_id"] = []
    # Nothing was done to many executions at once.
    known["batch_id"] = []
    head = release.rows("select max(notification_id) from stored_events")[0][0]
    found = []
    for path, item in paths.items():
        # A comparison is there once a read model was built beside, a calendar once somebody has defined it, a large
        # result where they are allowed, an update of a template for what was made from one.
        later = ("/api/stream", "/api/projections/{name}/diff", "/api/calendars/{name}")
        later += ("/api/processes/{process}/template-update",)
        if "get" not in item or path in later or "{digest}" in path:
            continue
        named = [path.replace("{name}", "execution_list") if path.startswith("/api/projections") else path]
        for name, values in known.items():
            holder = "{" + name + "}"
            named = [each.replace(holder, value) for each in named for value in (values if holder in each else [""])]
        assert not [each for each in named if "{" in each], f"a query of something new: {path}"
        query = f"?from={head}&to={head}" if path.endswith("/diff") else ""
        found += [each + query for each in named if each.startswith("/api/") or "health" in each]
    return found


def missing(was: Any, now: Any, where: str) -> list[str]:
    """Return what an answer of the release before holds and the present one does not, or differently."""
    if isinstance(was, dict) and isinstance(now, dict):
        kept = {name: value for name, value in was.items() if name not in MOVING}
        gone = [f"{where}: no {name}" for name in kept if name not in now]
        return gone + [
            each for name in kept if name in now for each in missing(kept[name], now[name], f"{where}.{name}")
        ]
    if where == "/api/projections.items":  # this release may have more read models
        was, now = ({each["name"]: each for each in items} for items in (was, now))
        return missing(was, now, where)
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        return [each for n, (a, b) in enumerate(zip(was, now, strict=True)) for each in missing(a, b, f"{where}[{n}]")]
    if was == now or is_decision(was, now, where) or is_more(was, now, where):
        return []
    return [f"{where}: {was!r} became {now!r}"]


def is_decision(was: Any, now: Any, where: str) -> bool:
    """Whether a step that the release before showed without output has the output of a refused approval."""
    return was is None and where.endswith(".output") and isinstance(now, dict) and set(now) == DECISION


def is_more(was: Any, now: Any, where: str) -> bool:
    """Whether a number has grown that grows with the upgrade.

    The first start records what earlier versions state, the roles for one; and the uses without a price of an execution
    are those of called executions too.
    """
    grows = where.endswith(".cost.unpriced") or (where.startswith("/api/projections") and where.endswith(".position"))
    return grows and isinstance(was, int) and isinstance(now, int) and was < now
