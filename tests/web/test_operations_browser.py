"""The operator's pages in a real browser."""

import re
from datetime import datetime, timedelta

import psycopg
import pytest
from playwright.sync_api import expect

from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

PAUSING = """
name: pausing
steps:
  - {id: pause, name: Wait for documents, type: timer, duration: 1h}
  - {id: after, agent: writer, message: go, depends_on: pause}
"""
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">{{ 1 }} \u202eevil"
PATHS = (
    "/operations",
    "/operations/timers",
    "/operations/timers?due=overdue",
    "/operations/batches",
    "/operations/batches/new?status=failed",
    "/operations/set-aside",
    "/operations/dead-letters",
    "/operations/workers",
    "/operations/sizes",
    "/operations/settings",
)


@pytest.fixture(scope="module", autouse=True)
def _published(served: Served) -> None:
    served.publish(PAUSING, writer={"script": "echo"})


def test_a_person_finds_a_timer_and_fires_it_by_keyboard(served: Served, windows: Watched) -> None:
    id = served.begin("pausing")
    page = windows.open("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Timers").click()
    page.locator(f"a.btn[href*='{id}']").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Wait of the process")
    page.locator("#fire-reason").focus()
    page.keyboard.type("no need to wait")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("fired")
    page.goto(f"{served.url}/executions/{id}")
    expect(page.locator(".head")).to_contain_text("Completed")


def test_a_person_moves_a_timer(served: Served, windows: Watched) -> None:
    id = served.begin("pausing")
    page = windows.open(f"/operations/timers/{id}/pause/timer")
    expect(page.get_by_text("in Europe/Berlin", exact=True)).to_be_visible()
    due_at = datetime.fromisoformat(page.get_by_label("Due at").input_value())
    # A timer is moved by at most a year.
    page.get_by_label("Due at").fill((due_at + timedelta(days=363)).isoformat(timespec="seconds"))
    page.locator("#move-reason").fill("next year")
    page.get_by_role("button", name="Move the timer").click()
    expect(page.get_by_role("status")).to_contain_text("another time")
    expect(page.locator(f"tr:has(a[href*='{id}'])").first).to_contain_text(re.compile(r"in 36[0-9] d"))


def test_the_pages_follow_workers_without_an_event(served: Served, windows: Watched) -> None:
    page = windows.open("/operations/workers")
    expect(page.locator("main")).to_contain_text("Active")
    with psycopg.connect(served.dsn, autocommit=True) as connection:
        connection.execute(
            "insert into workers values (gen_random_uuid(), %s, 7, now(), now() + interval '1 hour')", (HOSTILE,)
        )
    expect(page.locator("main")).to_contain_text("<script>")
    assert "owned" not in page.title()
    assert page.locator("main script, main img").count() == 0


def test_a_person_rebuilds_a_read_model_and_watches_it(served: Served, windows: Watched) -> None:
    page = windows.open("/operations")
    page.get_by_role("link", name="Verify key_list").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("key_list")
    page.locator("#verify-reason").fill("to be sure")
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("section", has=page.locator("#h-req"))).to_contain_text("Every row is as the log says")
    page.goto(f"{served.url}/operations")
    expect(page.locator("#row-key_list")).to_contain_text("all rows as the log says")
    page.get_by_role("link", name="key_list", exact=True).click()
    page.locator("summary", has_text="Rebuild").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("there is no way back to them")).to_be_visible()
    page.locator("#rebuild-reason").focus()
    page.keyboard.type("to see")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#h-req")).to_have_text("Rebuild")
    expect(page.locator("section", has=page.locator("#h-req"))).to_contain_text("Done")
    page.locator("summary", has_text="Build beside").click()
    page.locator("#build-reason").fill("half a sente")
    with page.expect_response(lambda answer: answer.url.startswith(f"{served.url}/operations/read-models/")):
        pass  # the page reads itself again without an event, and keeps what is typed
    expect(page.locator("#build-reason")).to_have_value("half a sente")
    expect(page.locator("#build-reason")).to_be_focused()
    page.get_by_role("button", name="Build beside").click()
    expect(page.locator("main")).to_contain_text("Finished")
    page.locator("summary", has_text="Compare").click()
    page.locator("#compare-reason").fill("to see")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#h-diff")).to_be_visible()


def test_the_pages_can_be_used_without_scripts(served: Served, windows: Watched) -> None:
    id = served.begin("pausing")
    page = windows.open("/operations/timers", java_script_enabled=False)
    page.locator(f"a.btn[href*='{id}']").click()
    page.locator("#fire-reason").fill("without scripts")
    page.get_by_role("button", name="Fire the timer").click()
    expect(page.get_by_role("status")).to_contain_text("fired")


def test_the_pages_are_accessible_and_fit_at_every_width(served: Served, windows: Watched) -> None:
    id = served.begin("pausing")
    with psycopg.connect(served.dsn, autocommit=True) as connection:
        connection.execute(
            "insert into dead_letters values ('approvals', 1, %s) on conflict do nothing", (HOSTILE * 3,)
        )
        connection.execute(
            """insert into set_aside (execution_id, error, next_try)
            values ('0193f5a2-7c41-7b1e-9d52-1f3a4f6a91e2', %s, now() + interval '1 day') on conflict do nothing""",
            (HOSTILE * 3,),
        )
    page = windows.open("/operations")
    one = (
        "/operations/read-models/approvals",
        "/operations/dead-letters/approvals/1",
        f"/operations/timers/{id}/pause/timer",
        "/operations/set-aside/0193f5a2-7c41-7b1e-9d52-1f3a4f6a91e2",
    )
    for path in (*PATHS, *one):
        page.goto(served.url + path)
        check_everywhere(page, path)
    assert "owned" not in page.title()
