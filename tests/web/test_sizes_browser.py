"""Long names, many steps and children, large outputs and a deep run, in a real browser at every width."""

import re

from playwright.sync_api import Page, expect

from tests.waiting import until
from tests.web.accessibility import WIDTHS, check, check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

DEPTH = 50
CHILDREN = 500
WIDE = "wide-" + "w" * 59
RIGHT_TO_LEFT = "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd"
EMOJI = "\U0001f600\U0001f469\u200d\U0001f680"
NAME = f"{RIGHT_TO_LEFT} {EMOJI} {'n' * 48}"
LEAF = "name: leaf\nsteps: [{id: rest, type: timer, duration: 1d}]\n"
CALLER = f"name: {WIDE}\nsteps:\n" + "".join(
    f'  - {{id: {"s" * 61}{n:03}, name: "{NAME}", type: sub_process, process: PROCESS, wait: false,'
    " on_parent_close: abandon}\n"
    for n in range(CHILDREN)
)
LARGE = "name: large\nsteps: [{id: talk, agent: talker, message: go}]\n"
SETTINGS = {"PROCESSION_MAX_DEPTH": str(DEPTH)}


def fits(page: Page, at: str) -> None:
    before = page.viewport_size
    assert before is not None
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{at} at {width}"
    page.set_viewport_size(before)


def test_names_sizes_and_numbers_at_their_limits_fit_every_width(served: Served, windows: Watched) -> None:
    served.publish(LEAF)
    served.publish(CALLER.replace("PROCESS", "leaf"))
    served.publish(
        "name: twice\nsteps:\n"
        + "".join(
            f"  - {{id: call{n}, type: sub_process, process: {WIDE}, wait: false, on_parent_close: abandon}}\n"
            for n in (1, 2)
        )
    )
    served.publish(LARGE, talker={"script": "answers", "answers": [{"text": f"{RIGHT_TO_LEFT}{EMOJI}" * 34_000}]})
    run, large = served.begin("twice"), served.begin("large")
    page = windows.open(f"/executions/{large}?step=talk", viewport={"width": 390, "height": 800})
    expect(page.locator("aside header")).to_contain_text("Completed")
    output = served.client.get(f"/api/executions/{large}").json()["steps"][0]["output"]["text"]
    assert len(output.encode()) > 1 << 20
    expect(page.locator("aside")).to_contain_text("cut;")
    check_everywhere(page, "an output of 1 MiB")

    def children() -> list[str]:
        listed = served.client.get("/api/executions", params={"root": run, "process": WIDE}).json()["items"]
        return [each["execution_id"] for each in listed]

    until(lambda: len(children()) == 2)
    wide = children()[0]
    page.goto(f"{served.url}/executions/{wide}?step={'s' * 61}007")
    expect(page.locator(".gantt li")).to_have_count(CHILDREN)
    expect(page.locator("aside").get_by_role("link", name="leaf")).to_be_visible()
    expect(page.locator("aside header")).to_contain_text(EMOJI)
    fits(page, "500 steps")
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    check(page, "500 steps")
    page.goto(f"{served.url}/executions?process={WIDE}&include_children=true")
    expect(page.get_by_role("rowheader")).to_have_count(2)
    check_everywhere(page, "the list with names of 64 characters")
    page.goto(f"{served.url}/executions/{run}/tree")
    expect(page.get_by_role("rowheader")).to_have_count(1_000)
    fits(page, "the tree, its first page")
    page.get_by_role("link", name="Further").click()
    expect(page.get_by_role("rowheader")).to_have_count(3)


def test_a_run_fifty_levels_deep_shows_the_way_from_its_root(served: Served, windows: Watched) -> None:
    served.publish("name: level50\nsteps: [{id: rest, type: timer, duration: 1s}]\n")
    for level in reversed(range(DEPTH)):
        step = f"{{id: down, type: sub_process, process: level{level + 1:02}}}"
        served.publish(f"name: level{level:02}\nsteps: [{step}]\n")
    root = served.begin("level00")

    def run() -> list[dict[str, str]]:
        items: list[dict[str, str]] = served.client.get(f"/api/executions/{root}/tree").json()["items"]
        return items

    until(lambda: len(run()) == DEPTH + 1)
    ids = [each["execution_id"] for each in run()]
    page = windows.open(f"/executions/{ids[-1]}", viewport={"width": 1440, "height": 800})
    crumbs = page.get_by_role("navigation", name="Breadcrumb")
    expect(crumbs.get_by_role("link")).to_have_text(["Executions", "level00", "level01", "47 more", "level49"])
    page.set_viewport_size({"width": 390, "height": 800})
    check_everywhere(page, "a breadcrumb of 50 levels")
    expect(crumbs.get_by_role("link").last).to_be_visible()
    expect(crumbs.locator("[aria-current]")).to_be_visible()
    crumbs.get_by_role("link").last.click()
    expect(page).to_have_url(re.compile(ids[-2]))
    page.set_viewport_size({"width": 1440, "height": 800})
    crumbs.get_by_role("link", name="46 more").click()
    expect(page.get_by_role("rowheader")).to_have_count(DEPTH + 1)
    page.get_by_role("rowheader").first.get_by_role("link").click()
    expect(page).to_have_url(re.compile(root))
    expect(page.locator(".head")).to_contain_text("Completed")
