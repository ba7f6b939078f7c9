"""The pictures of `docs/web.md` and of the README: real pages with example processes. `make pictures` keeps them."""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Page, expect

from app.demo.examples import example_agents, example_processes
from domain.analytics.measures import APPROVAL, QUEUE, RETRYING, WORKING, ExecutionMeasure, StepMeasure
from domain.executions.events.outcomes import COMPLETED, FAILED
from domain.identity import process_id
from domain.jsonvalue import parse_json
from domain.money import Money
from projections.analytics.contributing import TREE, Rollups, key_of
from projections.analytics.spending import SpendingRollups
from projections.origins import Origin
from store.datastore import Datastore
from tests.waiting import until
from tests.web.accessibility import check
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
LARGEST = 200_000
DAYS = 62
STARTS = {
    "invoice-check": "{type: schedule, id: office-hours, cron: '*/15 9-17 * * 1-5', timezone: Europe/Berlin}",
    "month-end": "{type: schedule, id: last-day, preset: monthly, day: 31, at: '18:00', timezone: America/New_York}",
    "nightly-digest": "{type: schedule, id: every-night, preset: daily, at: '02:30', timezone: Europe/Berlin}",
    "queue-sweep": "{type: schedule, id: sweep, every: 10s, overlap: allow}",
}
CLAIM_ROLES = """name: claim-roles
defaults: {roles: {monitors: ["team:claims"]}}
steps:
  - {id: read, name: Read the claim, agent: clerk, message: Read}
  - {id: research, name: Check the policy, agent: researcher, message: Check, depends_on: read}
  - {id: photos, name: Describe the photos, agent: triage, message: Describe, depends_on: read}
  - {id: route, name: Large, type: gateway, depends_on: [research, photos], routes: [{default: true, target: propose}]}
  - {id: propose, name: Propose, agent: writer, message: Propose, depends_on: route, roles: {monitors: [reviewer]}}
  - {id: sign-off, name: Sign-off, type: human_approval, title: Pay?, approvers: [ann], depends_on: propose}
  - {id: letter, name: Letter, agent: writer, message: Write, depends_on: sign-off, roles: {informed: [clerk]}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the pictures go: into docs/ if PICTURES asks for it."""
    return ROOT / "docs" / "pictures" if os.environ.get("PICTURES") else tmp_path


def keep(page: Page, folder: Path, name: str) -> None:
    check(page, name)
    page.screenshot(path=folder / f"{name}.png", animations="disabled")
    assert 5_000 < (folder / f"{name}.png").stat().st_size < LARGEST


def test_the_pages_look_as_the_documents_show_them(served: Served, windows: Watched, folder: Path) -> None:
    for name, config in example_agents(EXAMPLES).items():
        answer = served.client.put(f"/api/agents/{name}", json=config)
        assert answer.status_code == 200, answer.text
    for example in (*example_processes(EXAMPLES / "open"), *example_processes(EXAMPLES)):
        if Path(example.file).stem in ("expense-claim", "project-close", "trip-booking", "support-triage"):
            served.publish(example.source.decode())
    begun = {
        name: served.begin(name.partition(".")[0], **parse_json((EXAMPLES / f"{name}.input.json").read_bytes()))
        for name in ("trip-booking", "support-triage")
    }
    claim = served.begin("expense-claim", claim="Train to Hamburg, two nights", amount=412.5)
    served.begin("project-close", project="Harbour lights")
    page = windows.open(f"/executions/{begun['trip-booking']}", viewport={"width": 1120, "height": 720})
    expect(page.locator(".head")).to_contain_text("Failed")
    page.goto(f"{served.url}/executions/{begun['support-triage']}")
    expect(page.locator(".head")).to_contain_text("Completed")
    page.goto(f"{served.url}/executions/{claim}")
    expect(page.locator(".gantt")).to_contain_text("Sign-off")
    page.locator(".gantt").get_by_role("link", name=re.compile("Sign-off")).click()
    expect(page.locator("aside")).to_contain_text("Waiting")
    page.goto(f"{served.url}/")
    expect(page.get_by_role("link", name=re.compile("Pay 412.5 EUR"))).to_be_visible()
    keep(page, folder, "overview")
    page.goto(f"{served.url}/executions/{begun['trip-booking']}")
    keep(page, folder, "execution")
    page.emulate_media(color_scheme="dark")
    page.goto(f"{served.url}/executions/{begun['support-triage']}")
    keep(page, folder, "execution-dark")
    page.emulate_media(color_scheme="light")
    page.goto(f"{served.url}/approvals/{claim}:sign-off:1")
    keep(page, folder, "approval")
    page.goto(f"{served.url}/executions/{claim}/cancel")
    page.get_by_label("Reason").fill("filed twice")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("status")).to_contain_text("would be recorded")
    keep(page, folder, "preview")
    page.set_viewport_size({"width": 1120, "height": 760})
    page.goto(f"{served.url}/processes")
    keep(page, folder, "processes")
    page.goto(f"{served.url}/processes/expense-claim")
    keep(page, folder, "process")
    page.goto(f"{served.url}/processes/support-triage/edit")
    expect(page.locator("#problems")).to_contain_text("No problems")
    keep(page, folder, "editor")
    page.goto(f"{served.url}/agents")
    keep(page, folder, "agents")
    page.goto(f"{served.url}/operations")
    keep(page, folder, "operations")


def test_the_pages_of_schedules_look_as_the_documents_show_them(served: Served, windows: Watched, folder: Path) -> None:
    for name, trigger in STARTS.items():
        wait = "{id: wait, type: timer, duration: 1s}"
        served.publish(f"name: {name}\nsteps: [{wait}]\ntriggers: [{trigger}]\n")
    page = windows.open("/schedules", viewport={"width": 1280, "height": 760})
    row = page.get_by_role("row", name=re.compile("queue-sweep"))
    expect(row.locator("svg.ledger")).to_have_attribute("aria-label", re.compile("[3-9] started"))
    keep(page, folder, "schedules")
    row.get_by_role("link", name="queue-sweep").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("queue-sweep")
    keep(page, folder, "schedule")


def test_analytics_look_as_the_documents_show_them(served: Served, windows: Watched, folder: Path) -> None:
    figures = {"claims-intake": (14, 90, 22), "mail-triage": (40, 20, 4), "market-brief": (8, 240, 160)}
    for name in figures:
        served.publish(f"name: {name}\nsteps: [{{id: wait, type: timer, duration: 1s}}]\n")
    until(lambda: served.client.get("/api/processes?limit=200").json()["lag_seconds"] == 0)
    write_days(served.dsn, figures)
    page = windows.open(
        "/analytics?process=claims-intake,mail-triage,market-brief", viewport={"width": 1280, "height": 940}
    )
    expect(page.get_by_role("img", name=re.compile("ended since"))).to_have_count(3)
    keep(page, folder, "analytics")


def test_the_matrix_of_roles_looks_as_the_documents_show_it(served: Served, windows: Watched, folder: Path) -> None:
    for name, config in example_agents(EXAMPLES).items():
        assert served.client.put(f"/api/agents/{name}", json=config).status_code == 200
    served.publish(CLAIM_ROLES)
    page = windows.open("/processes/claim-roles/roles?of=draft", viewport={"width": 1280, "height": 860})
    page.get_by_role("gridcell", name="Sign-off, researcher: no role").press("i")
    page.get_by_role("gridcell", name="Propose, triage: no role").press("e")
    expect(page.locator("#save")).to_contain_text("3 changes, not saved")
    keep(page, folder, "roles")


def test_templates_look_as_the_documents_show_them(served: Served, windows: Watched, folder: Path) -> None:
    for name, config in example_agents(EXAMPLES).items():
        assert served.client.put(f"/api/agents/{name}", json=config).status_code == 200
    page = windows.open("/templates", viewport={"width": 1280, "height": 860})
    expect(page.locator("article").first).to_be_visible()
    keep(page, folder, "templates")
    page.goto(f"{served.url}/templates/bundled:due-diligence/use")
    page.get_by_label("Who decides").fill("ann")
    expect(page.locator("#tried")).to_contain_text("What you will get")
    keep(page, folder, "template-use")


def write_days(dsn: str, processes: Mapping[str, tuple[int, int, int]]) -> None:
    """Write the figures of DAYS days before today. processes: name → executions a day, seconds, cents of each."""
    random = Random(13)
    rollups, spending = Rollups(), SpendingRollups()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(1, DAYS):
        for name, (executions, seconds, cents) in processes.items():
            weekday = (midnight - timedelta(day)).weekday() < 5
            for _ in range(round(executions * (1 if weekday else 0.3) * random.uniform(0.8, 1.2))):
                ended_at = midnight - timedelta(days=day - random.random())
                measure = measured(random, name, ended_at, seconds, cents)
                rollups.contribute(measure, 1)
                rollups.costs(key_of(measure), TREE, measure.outcome, measure.spent, 1)
                origin = Origin(measure.process_id, name, 1, b"", measure.trigger, None)
                spending.spend(ended_at, origin, origin, Money(measure.spent.amounts["USD"], "USD"), 1)
    datastore = Datastore(dsn)
    with datastore.connect() as connection, connection.transaction():
        rollups.write(connection)
        spending.append(connection)
    datastore.close()


def measured(random: Random, name: str, ended_at: datetime, seconds: int, cents: int) -> ExecutionMeasure:
    worked, waited = (timedelta(seconds=seconds * random.lognormvariate(0, 0.4)) for _ in range(2))
    queued, retried = timedelta(seconds=random.random()), timedelta(seconds=seconds * 0.05 * random.random())
    measure = ExecutionMeasure(process_id(name).bytes, 1, "manual", None, ended_at - worked - waited - queued - retried)
    measure.at = measure.ended_at = ended_at
    for phase, length in ((WORKING, worked), (APPROVAL, waited), (QUEUE, queued), (RETRYING, retried)):
        measure.phases[phase] = length
    measure.outcome = COMPLETED if random.random() < 0.95 else FAILED
    if measure.outcome == FAILED:
        measure.error_code, measure.failed_step = random.choice(("agent_rate_limited", "step_timed_out")), "draft"
    for step, part in (("read", 0.3), ("draft", 0.7)):
        found = measure.steps[step] = StepMeasure(ended_at)
        found.worked, found.tried, found.completed = worked * part, True, measure.outcome == COMPLETED
        cost = Money(Decimal(cents) * Decimal(round(random.uniform(40, 160))).scaleb(-4), "USD")
        measure.spent.spend(cost)
        measure.step_spent(step).spend(cost)
    return measure
