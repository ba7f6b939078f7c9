"""Analytics over HTTP: every figure shows as many executions as it says; windows, changes, limits, refusals."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from commands.executions import AnswerStep, CancelExecution, StartExecution, unit_of
from domain.agents.calls import Answer, Completed, Failed, StepError
from domain.event import Cause
from domain.executions.decisions.step import start_step
from domain.identity import process_id
from domain.money import Money
from queries.analytics.step_figures import ORDERS
from scheduler.worker import Worker
from tests.api.conftest import Installation, Making, browsing

PAID = {"script": "echo", "cost": {"amount": "0.25", "currency": "USD"}}
UNPRICED = {"script": "echo", "usage": {"input_tokens": 10, "output_tokens": 5}}
AGENTS = {
    "payer": PAID,
    "euro": {"script": "echo", "cost": {"amount": "2", "currency": "EUR"}},
    "meter": UNPRICED,
    "unknown": {"script": "echo"},
    "breaker": {"script": "fail"},
    "sleepy": {"script": "slow", "delay": "1h"},
}
TWO_STEPS = """
name: two-steps
labels: [money]
triggers: [{type: webhook, id: two-steps-hook}]
steps:
  - {id: ask, agent: payer, message: go}
  - {id: file, agent: unknown, message: go, depends_on: ask}
"""
SECOND_VERSION = TWO_STEPS.replace("agent: unknown", "agent: euro")
OTHERS = (
    "name: metered\nsteps:\n  - {id: ask, agent: meter, message: go}\n",
    "name: broken\nsteps:\n  - {id: ask, agent: payer, message: go}\n"
    "  - {id: break, agent: breaker, message: go, depends_on: ask}\n",
    "name: late\nsteps:\n  - {id: sleep, agent: sleepy, message: go, timeout: 100ms}\n",
    "name: asking\nsteps:\n  - {id: sign, type: human_approval, message: sure?, approvers: [ann]}\n",
    "name: calling\nlabels: [money]\nsteps:\n  - {id: call, type: sub_process, process: two-steps}\n"
    "  - {id: rest, type: timer, duration: 50ms, depends_on: call}\n",
)
STARTS = ("two-steps", "two-steps", "metered", "broken", "broken", "late", "asking", "asking", "calling", "calling")
QUERIES: tuple[dict[str, str], ...] = (
    {"days": "2"},
    {"include_children": "true", "days": "2"},
    {"version": "1", "days": "2"},
    {"version": "2", "include_children": "true", "days": "2"},
    {"trigger": "webhook", "days": "2"},
    {"trigger": "sub_process", "include_children": "true", "days": "2"},
    {"label": "money", "days": "2"},
    {"process": "two-steps,late", "days": "2"},
    {"timezone": "Asia/Kathmandu", "days": "1"},
)


@pytest.fixture
def busy(client: TestClient, installation: Installation, worker: Worker) -> Installation:
    """Return an installation in which executions completed, failed, timed out, were cancelled, and wait."""
    installation.publish(client, TWO_STEPS, **AGENTS)
    ids = [installation.begin(client, "two-steps") for _ in range(6)]
    ids += [UUID(client.post("/api/triggers/webhook/two-steps-hook", json={}).json()["execution_id"])]
    yaml = {"Content-Type": "application/yaml"}
    assert client.put("/api/processes/two-steps", content=SECOND_VERSION, headers=yaml).status_code == 200
    assert client.post("/api/processes/two-steps/publish").status_code == 200
    for source in OTHERS:
        installation.publish(client, source)
    ids += [installation.begin(client, name) for name in STARTS]
    stays, cancelled = (id for id, name in zip(ids[-len(STARTS) :], STARTS, strict=True) if name == "asking")
    assert client.post(f"/api/executions/{cancelled}/cancel", json={}).status_code == 200

    def over() -> bool:
        installation.project()
        items = client.get("/api/executions?include_children=true&limit=200").json()["items"]
        return [each["execution_id"] for each in items if each["ended_at"] is None] == [str(stays)]

    installation.until(over)
    return installation


def figures(found: Any) -> Iterator[tuple[str, int, str]]:
    """Yield each figure with a link: its name, its value, its link."""
    if isinstance(found, dict):
        for name, link in found.get("links", {}).items():
            yield name, found[name], link
        for each in found.values():
            yield from figures(each)
    elif isinstance(found, list):
        for each in found:
            yield from figures(each)


def answered(client: TestClient, path: str, **query: str) -> Any:
    answer = client.get(f"/api/analytics/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def browser(busy: Installation) -> Iterator[TestClient]:
    with browsing(busy) as entered:
        yield entered


def test_every_figure_links_to_as_many_executions_as_it_says(client: TestClient, browser: TestClient) -> None:
    shown: dict[str, int] = {}
    for query in QUERIES:
        of_one = {name: value for name, value in query.items() if name != "process"}
        answers = [answered(client, path, **query) for path in ("processes", "trends")]
        answers += [answered(client, f"processes/{name}", **of_one) for name in ("two-steps", "broken")]
        answers += [answered(client, "steps", order=order, **query) for order in ORDERS]
        for name, figure, link in figures(answers):
            if link not in shown:
                shown[link] = len(client.get(f"/api{link}&limit=200").json()["items"])
                if figure:  # a page links a figure that is not zero
                    page = browser.get(link)
                    assert page.text.count('<tr id="row-') == figure, (query, name, link)
            assert shown[link] == figure, (query, name, link)
    assert sum(map(bool, shown.values())) > 100


def test_what_was_spent_links_to_the_executions_that_spent_it(client: TestClient, browser: TestClient) -> None:
    links = 0
    for query in QUERIES:
        spent = answered(client, "processes", **query)["total"]["spent"]
        today = answered(client, "trends", **query)["items"][-1]
        assert {cost["currency"]: cost["amount"] for cost in today["cost"]} == {
            each["currency"]: each["amount"] for each in spent
        }
        for each in spent:
            part = "own" if "include_children" in query else "with_children"
            for link in (each["link"], today["cost_links"][each["currency"]]):
                found = [item["execution_id"] for item in client.get(f"/api{link}&limit=200").json()["items"]]
                totals = [client.get(f"/api/executions/{id}/costs").json()["total"][part] for id in found]
                amounts = [
                    Decimal(cost["amount"]) for of in totals for cost in of if cost["currency"] == each["currency"]
                ]
                assert len(amounts) == len(found) > 0, (query, link)
                assert sum(amounts) == Decimal(each["amount"]), (query, link)
                assert browser.get(link).text.count('<tr id="row-') == len(found)
                links += 1
    assert links > 10
    early = "/api/executions?called_from=2000-01-01T00:00:00Z&called_to=2000-01-02T00:00:00Z"
    assert client.get(early).json()["items"] == []


def test_the_figures_of_each_outcome_cost_and_reason(
    client: TestClient, busy: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = answered(client, "processes")
    total = found["total"]
    counts = {name: total[name] for name in ("ended", "completed", "failed", "timed_out", "cancelled", "running")}
    assert counts == {"ended": 16, "completed": 12, "failed": 3, "timed_out": 1, "cancelled": 1, "running": 1}
    assert total["success_rate"] == 0.8
    took = total["duration"]
    assert took["mean"] == pytest.approx(took["working"] + took["waiting"] + took["retrying"], abs=1e-5)
    costs = {each["currency"]: each for each in total["cost"]}
    # Two of the second version, and two of its callers; the first version uses an agent without a price.
    assert (costs["USD"]["priced"], costs["USD"]["of"], costs["USD"]["mean"]) == (4, 12, "0.25")
    assert (costs["EUR"]["priced"], costs["EUR"]["of"], costs["EUR"]["total"]) == (4, 5, "8")
    assert {each["currency"]: each["amount"] for each in total["spent"]} == {"EUR": "8", "USD": "3.25"}
    assert [(each["code"], each["step"], each["count"]) for each in found["failures"]][1:] == [
        ("step_timed_out", "sleep", 1)
    ]
    assert found["failures"][0]["count"] == 2
    assert (len(found["items"]), found["truncated"]) == (6, False)
    monkeypatch.setattr("queries.analytics.process_figures.MOST_PROCESSES", 1)
    fewer = answered(client, "processes")
    assert ([each["process"] for each in fewer["items"]], fewer["truncated"]) == (["two-steps"], True)
    assert fewer["total"]["ended"] == 16
    assert found["definitions"]["success_rate"]["good"] == "higher"
    versions = answered(client, "processes/two-steps")["items"]
    assert [(each["version"], each["completed"]) for each in versions] == [(2, 2), (1, 7)]
    with_called = answered(client, "processes/two-steps", include_children="true")["items"]
    assert [(each["version"], each["completed"]) for each in with_called] == [(2, 4), (1, 7)]
    waits = answered(client, "steps", order="longest_waiting", measure="total")["too_few"]
    assert {each["step"] for each in waits} == {"call", "rest"}
    dearest = answered(client, "steps", order="most_expensive", measure="total")
    assert [(each["step"], each["n"], each["currency"]) for each in dearest["items"]] == [("ask", 9, "USD")]


def test_a_key_that_is_limited_to_processes_gets_figures_of_these_alone(
    client: TestClient, busy: Installation, key: Making
) -> None:
    limited = key("viewer", processes=["metered", "la*"])
    found = client.get("/api/analytics/processes", headers=limited).json()
    assert [each["process"] for each in found["items"]] == ["late", "metered"]
    assert (found["total"]["ended"], found["total"]["timed_out"]) == (2, 1)
    assert {each["code"] for each in found["failures"]} == {"step_timed_out"}
    steps = client.get("/api/analytics/steps", headers=limited).json()
    assert {each["process"] for each in (*steps["items"], *steps["too_few"])} == {"metered"}
    assert client.get("/api/analytics/processes/two-steps", headers=limited).status_code == 404


@pytest.mark.parametrize(
    "query", [{"days": "0"}, {"days": "367"}, {"timezone": "Moon/Base"}, {"order": "fastest"}, {"measure": "mode"}]
)
def test_a_question_that_means_nothing_is_refused(client: TestClient, query: dict[str, str]) -> None:
    assert client.get("/api/analytics/steps", params=query).status_code == 400


def ran(
    installation: Installation, client: TestClient, began: datetime, seconds: float, answer: Answer | None = None
) -> None:
    """An execution of the greeting, that began then and lasted so long, as its events say; cancelled without answer."""
    causes = Cause(began, "worker:test"), Cause(began + timedelta(seconds=seconds), "worker:test")
    command = StartExecution(process_id("greeting"), {"name": "Ann"})
    id = UUID(str(installation.executions.start(command, causes[0]).facts["execution_id"]))
    if answer is None:
        installation.executions.cancel(CancelExecution(id, "late"), causes[1])
        return
    for step in ("greet", "check"):
        execution = installation.executions.load(id)
        installation.log.append(unit_of(execution, start_step(execution, step, 1, causes[0])))
        installation.executions.answer(AnswerStep(id, step, 1, answer), causes[1])
        if isinstance(answer, Failed):
            return


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_days_are_those_of_the_zone_and_changes_leave_today_out(
    client: TestClient, installation: Installation, greeting: str, zone: str
) -> None:
    today = answered(client, "trends", days="1", timezone=zone)["window"]["today"]
    midnight = datetime.fromisoformat(today)
    paid, failed = Completed("hi", cost=Money(Decimal("0.5"), "USD")), Failed(StepError("no", "no", permanent=True))
    yesterday, before = midnight - timedelta(hours=1), midnight - timedelta(hours=25)
    for began, seconds, answer in (
        (before, 10, paid),
        (before, 10, failed),
        (yesterday, 20, paid),
        (yesterday, 40, paid),
        (yesterday, 3599, paid),
        (yesterday, 3600, failed),  # the first instant of today
        (yesterday, 30, None),
    ):
        ran(installation, client, began, seconds, answer)
    installation.project()

    trends = answered(client, "trends", days="1", timezone=zone)
    days = [(each["completed"], each["failed"], each["cancelled"], each["partial"]) for each in trends["items"]]
    assert days == [(3, 0, 1, False), (0, 1, 0, True)]
    assert [(each["completed"], each["failed"]) for each in trends["previous"]] == [(1, 1)]
    assert [each["cost"] for each in trends["items"]] == [[{"amount": "3", "currency": "USD"}], []]
    total = answered(client, "processes", days="1", timezone=zone)["total"]
    assert (total["ended"], total["success_rate"]) == (5, 0.75)
    assert total["changes"]["success_rate"] == {"now": 1.0, "before": 0.5, "difference": 0.5, "is_good": True}
    assert total["changes"]["duration_median"]["is_good"] is False
    assert total["duration"]["mean"] == pytest.approx((20 + 40 + 3599) / 3)
    assert total["duration"]["median"] == pytest.approx(40, rel=0.011)
    assert total["spent"][0]["change"]["difference"] == 2.0


def test_a_zone_that_is_west_of_us_has_its_own_today(client: TestClient, installation: Installation) -> None:
    window = answered(client, "trends", days="7", timezone="Pacific/Pago_Pago")["window"]
    assert datetime.fromisoformat(window["today"]) <= datetime.now(UTC) < datetime.fromisoformat(window["to"])
    assert window["days"] == 7


SCHEDULED = """
name: scheduled
triggers: [{type: schedule, id: monthly, preset: monthly, day: 1, at: "00:00", timezone: UTC}]
steps:
  - {id: work, agent: writer, message: go}
"""


def test_the_usual_of_a_process_stands_beside_its_schedules_and_its_running_executions(
    client: TestClient, installation: Installation, greeting: str, worker: Worker
) -> None:
    installation.publish(client, SCHEDULED, writer={**PAID, "usage": "none"})

    def usual() -> Any:
        installation.project()
        (found,) = client.get("/api/schedules", params={"process": "scheduled"}).json()["items"] or [None]
        return found

    installation.until(usual)
    for _ in range(4):
        installation.begin(client, "scheduled")
    installation.until(lambda: usual() and answered(client, "processes")["total"]["completed"] == 4)
    assert (usual()["usual_duration"], usual()["usual_cost"]) == (None, None)
    installation.begin(client, "scheduled")
    installation.until(lambda: usual()["usual_duration"] is not None)
    found = usual()
    assert found["usual_duration"] == answered(client, "processes")["total"]["duration"]["median"]
    (cost,) = found["usual_cost"]
    assert float(cost["amount"]) == pytest.approx(0.25, rel=0.011)
    assert client.get("/api/processes/scheduled").json()["success_rate_30d"] == 1
    answers = client.get("/api/agents/writer").json()["last_24_hours"]
    assert (answers["completed"], answers["failed"]) == (5, 0)
    assert answers["median"] > 0
