"""Every act of the pages, reached by Tab and sent by keys alone: no form of a page needs a mouse."""

import re

import psycopg
import pytest
from playwright.sync_api import expect
from starlette.routing import compile_path

from tests.web.conftest import LIMIT_MS, Served, Watched
from tests.web.tabbing import Keys, routes

expect.set_options(timeout=LIMIT_MS)

WORK = """
name: work
input: {text: {type: string, default: hello}}
steps:
  - {id: long, name: Long work, agent: sleeper, message: go}
  - {id: ask, type: human_approval, title: "Out?"}
  - {id: rest, type: timer, duration: 9d}
  - {id: last, agent: writer, message: "{{ input.text }}", depends_on: [long, ask, rest]}
triggers: [{type: schedule, id: nightly, cron: "0 3 * * *"}]
"""
FAILING = "name: failing\nsteps: [{id: try, agent: breaker, message: go}]\n"
SPENDER = """
name: spender
steps: [{id: pay, agent: dear, message: go}]
costs: {daily: {amount: "0.01", currency: USD}, per_execution: {amount: "0.01", currency: USD}}
"""
USAGE = {"input_tokens": 1_000_000, "output_tokens": 5, "model": "own"}
UNPRICED = "name: unpriced\nsteps: [{id: pay, agent: house, message: go}]\n"


@pytest.mark.timeout(600)
def test_every_act_of_the_pages_is_sent_by_keys(served: Served, windows: Watched) -> None:
    slow = {"script": "slow", "delay": "10m"}
    served.publish(WORK, sleeper=slow, other=slow, writer={"script": "echo"})
    served.publish(FAILING, breaker={"script": "fail"})
    served.publish(SPENDER, dear={"script": "echo", "cost": {"amount": "0.02", "currency": "USD"}})
    served.publish(UNPRICED, house={"script": "echo", "provider": "house", "usage": USAGE})
    page = windows.open("/")
    person = Keys(page, served.url)
    for part in (_executions, _waits, _processes, _agents, _schedules, _operations, _money, _this_browser, _keys):
        part(person, served)
    missing = [path for path in routes() if not any(compile_path(path)[0].fullmatch(each) for each in person.sent)]
    assert missing == [], "send these by keys too"
    windows.wrong = [text for text in windows.wrong if not {"401", "409"} & set(re.findall("[0-9]+", text))]


def _executions(person: Keys, served: Served) -> None:
    id, page = served.begin("work"), person.page
    person.open(f"/executions/{id}?step=long")
    person.press("Reassign step")
    person.write("#agent", "other")
    person.write("#reason", "knows more")
    person.press("Reassign step")
    person.told("another agent")
    person.press("Retry step")
    person.write("#step-retry-reason", "once more")
    person.press("Retry step", of="details[open] form")
    person.told("new attempt of the step")
    person.press("Skip step")
    person.write("#step-skip-reason", "not needed")
    person.press("Skip step", of="details[open] form")
    person.told("goes on without")
    person.open(f"/executions/{id}")
    person.press("Cancel execution")
    person.write("#cancel-reason", "enough")
    person.press("Cancel execution", of="details[open] form")
    person.told("is cancelled")
    person.press("Start again with this input")
    person.reach(page.locator("textarea[name='input.text']"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("hello again")
    person.press("Start")
    person.told("has begun")
    expect(page.locator("pre").filter(has_text="hello again")).to_have_count(1)
    person.open(f"/executions/{served.begin('failing')}")
    expect(page.locator(".head")).to_contain_text("Failed")
    person.press("Retry")
    person.press("Retry", of="details[open] form")
    person.told("new attempt")
    _many(person, served)


def _many(person: Keys, served: Served) -> None:
    """Filter executions of `work`, freeze them, and run or leave the batch."""
    for word, reason in (("Cancel", "run-reason"), ("Leave it", "stop-reason")):
        for _ in range(2):
            served.begin("work")
        person.open("/executions?process=work&status=running")
        expect(person.page.locator("#list tbody tr")).not_to_have_count(0)
        person.press("Act on these")
        person.press("Freeze the list")
        expect(person.page.locator(".head")).to_contain_text("Ready to run")
        person.write(f"#{reason}", "enough")
        person.press(word, exact=False)
        person.told("go through the list" if word == "Cancel" else "is stopped")


def _waits(person: Keys, served: Served) -> None:
    ids = [served.begin("work") for _ in range(3)]
    for id, verdict in zip(ids, ("Approve", "Ask for changes", "Reject"), strict=True):
        person.open(f"/approvals/{served.approval(id, 'ask')}")
        person.write("#comment", "read it")
        person.press(verdict)
        person.told("is recorded")
    id = served.begin("work")
    person.open(f"/operations/timers/{id}/rest/timer")
    person.write("#due-at", "12")
    person.write("#move-reason", "later")
    person.press("Move the timer")
    person.told("another time")
    person.open(f"/operations/timers/{id}/rest/timer")
    person.write("#fire-reason", "no need to wait")
    person.press("Fire the timer")
    person.told("has fired")


def _processes(person: Keys, served: Served) -> None:
    page = person.page
    person.open("/processes/new")
    expect(page.locator(".cm-content")).to_be_visible()
    person.reach(page.locator(".cm-content"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text("name: typed\nsteps: [{id: a, type: timer, duration: 1s}]\n")
    expect(page.locator("#problems")).to_contain_text("No problems")
    page.keyboard.press("Escape")
    person.press("Save draft")
    person.told("draft is saved")
    person.open("/processes/typed/edit")
    person.reach(page.locator(".cm-content"))
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.insert_text("# later\n")
    page.keyboard.press("Escape")
    person.press("Save draft")
    person.told("draft is saved")
    person.open("/processes/typed/publish")
    person.press("Publish version 1")
    person.told("is published")
    person.open("/processes/typed")
    person.press("Pause")
    person.write("#reason-pause", "a quiet hour")
    person.press("Pause typed")
    person.told("is paused")
    person.press("Resume")
    person.write("#reason-resume", "over")
    person.press("Resume typed")
    person.told("again")
    person.press("Archive")
    person.write("#reason", "not needed")
    person.press("Archive typed")
    person.told("in the archive")
    person.press("Take out of the archive")
    person.write("#reason", "needed")
    person.press("Take out of the archive", of="details[open] form")
    person.told("in use again")
    person.open("/processes/typed/costs?kind=daily&amount=5&currency=USD")
    person.press("Use as the limit now", exact=False)
    person.told("limit is in force")


def _agents(person: Keys, served: Served) -> None:
    person.open("/agents/-/register?kind=scripted")
    person.write("#name", "by-keys")
    person.reach(person.page.locator("#script"))
    person.page.keyboard.type("echo")
    person.press("Register")
    person.told("is registered")
    person.write("#message", "by hand")
    person.press("Try")
    expect(person.page.get_by_label("Output")).to_have_text("by hand")
    person.open("/agents/by-keys")
    person.press("Retire")
    person.write("textarea[name=reason]", "not needed")
    person.press("Retire by-keys")
    person.told("is retired")
    person.open("/agents/other/inbox")
    person.press("Set the filter")
    person.told("later events")


def _schedules(person: Keys, served: Served) -> None:
    page = person.page
    person.open("/schedules")
    person.press("work")
    person.write("#pause-reason", "a quiet night")
    person.press("Pause the schedule")
    person.told("is paused")
    person.write("#resume-reason", "over")
    person.press("Resume the schedule")
    person.told("again")
    person.write("#run-reason", "now")
    person.press("Run it now")
    person.told("has begun")
    for field, day in (("from", "01012026"), ("to", "01032026")):
        person.reach(page.locator(f"#fill-{field}"))
        page.keyboard.type(day)
        page.keyboard.press("Tab")
        page.keyboard.type("010000AM")
    person.press("Backfill the range")
    person.told("of the range have begun")


def _operations(person: Keys, served: Served) -> None:
    page, ids = person.page, [served.begin("work") for _ in range(2)]
    with psycopg.connect(served.dsn, autocommit=True) as connection:
        connection.execute("insert into dead_letters values ('key_list', 1, 'no'), ('approvals', 1, 'no')")
        for id in ids:
            connection.execute(
                "insert into set_aside (execution_id, error, next_try) values (%s, 'no', now() + interval '1 day')",
                (id,),
            )
    person.open(f"/operations/set-aside/{ids[0]}")
    person.write("#retry-reason", "mended")
    person.press("Try again")
    person.told("tries the execution again")
    person.open(f"/operations/set-aside/{ids[1]}")
    person.write("#cancel-reason", "enough")
    person.press("Cancel the execution")
    person.told("is cancelled")
    person.open("/operations/dead-letters/approvals/1")
    person.write("#skip-reason", "known")
    person.press("Skip the event")
    person.told("is skipped")
    person.open("/operations/dead-letters/key_list/1")
    person.write("#retry-reason", "mended")
    person.press("Build it anew")
    request = page.locator("section", has=page.locator("#h-req"))
    expect(request).to_contain_text("Done")
    for word, name in (
        ("Verify", "verify"),
        ("Build beside", "build"),
        ("Compare", "compare"),
        ("Switch over", "promote"),
        ("Go back", "rollback"),
    ):
        person.open("/operations/read-models/key_list")
        person.press(word, exact=False)
        person.write(f"#{name}-reason", "to see")
        person.press(word, of="details[open] form", exact=False)
        expect(page.locator("#h-req")).to_contain_text(word)
        expect(request).to_contain_text("Done")


def _money(person: Keys, served: Served) -> None:
    page = person.page
    for _ in range(2):
        served.begin("spender")
    served.begin("unpriced")
    for word, told in (("Acknowledge", "acknowledged"), ("Snooze", "snooze is over"), ("Dismiss", "dismissed")):
        person.open("/alerts")
        person.reach(page.locator("main article h2 a").first)
        page.keyboard.press("Enter")
        person.write("input[name=note]", "seen")
        person.press(word)
        person.told(told)
    person.open("/costs")
    expect(page.get_by_role("row").filter(has_text="price missing")).to_have_count(1)
    person.press("Add a price")
    person.write("input[name=input]", "2.50")
    person.press("Add the price")
    person.told("price counts")
    person.press("Price anew")
    person.write("details[open] input[name=reason]", "it was missing")
    person.press("Price anew", of="details[open] form")
    person.told("priced anew")


def _this_browser(person: Keys, served: Served) -> None:
    page = person.page
    person.open("/settings")
    person.reach(page.locator("#theme"))
    page.keyboard.type("Dark")
    person.press("Save")
    person.told("are saved")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def _keys(person: Keys, served: Served) -> None:
    page = person.page
    root = served.client.post("/api/keys", json={"name": "root", "scopes": ["admin"]}).json()["key"]
    person.open("/keys")
    person.reach(page.locator("#key"))
    page.keyboard.type(root)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Signed in as")).to_have_count(1)
    person.open("/keys")
    person.write("#name", "guest")
    person.write("#scopes", "viewer")
    person.press("Make the key")
    expect(page.locator("main")).to_contain_text("pp_")
    person.press("All keys")
    person.press("Revoke")
    person.write("details[open] input[name=reason]", "left")
    person.press("Revoke the key")
    person.told("is revoked")
    person.press("Sign out", of="nav.side")
    expect(page.get_by_label("Your key")).to_be_visible()
