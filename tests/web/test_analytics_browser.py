"""Analytics in a real browser: figures that lead to their executions, charts, windows, tables as CSV, hostile texts."""

import csv
import io
import re
from urllib.parse import urlencode

import psycopg
import pytest
from playwright.sync_api import expect

from projections.locks import REBUILD_LOCK, wait_for_lock
from tests.waiting import until
from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched
from web.csv_tables import CsvTable, download

expect.set_options(timeout=LIMIT_MS)

HOSTILE = "=<img src=x onerror=alert(1)>"
WORKING = "name: working\nsteps:\n  - {id: work, agent: writer, message: go}\n"
FAILING = "name: failing\nsteps:\n  - {id: break, agent: breaker, message: go}\n"
ASKING = "name: asking\nsteps:\n  - {id: sign, type: human_approval, message: sure?, approvers: [ann]}\n"


def test_figures_lead_to_their_executions(served: Served, windows: Watched) -> None:
    # given a server on which nothing has ended
    served.publish(ASKING)
    served.begin("asking")
    page = windows.open("/analytics?days=7")
    expect(page.locator("main")).to_contain_text("Nothing ended in these 7 days")
    expect(page.locator("main")).to_contain_text("1 runs now")
    check_everywhere(page, "nothing to count")

    # when executions end
    cost = {"amount": "0.02", "currency": "USD"}
    served.publish(WORKING, writer={"script": "echo", "cost": cost})
    served.publish(FAILING, breaker={"script": "fail", "error": {"code": "refused", "permanent": True}})
    for _ in range(6):
        served.begin("working")
    served.begin("failing")
    counted = "/api/analytics/processes?days=7"
    until(lambda: served.client.get(counted).json()["total"]["ended"] == 7)

    # then the page shows them, with charts
    page.reload()
    expect(page.locator("dl.facts")).to_contain_text("85.7%")
    expect(page.get_by_role("img", name=re.compile("6 completed and 1 failed"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(r"Cost of calls each day in USD: 0\.12"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(r"6 ended since .*, at most 6 a day; 0 failed"))).to_be_visible()
    expect(page.locator("#reason-1")).to_contain_text("refused")
    expect(page.locator("#slowest-1")).to_contain_text("work")
    check_everywhere(page, "analytics")

    # when the window and the measure change, then both are in the address
    page.get_by_role("link", name="30 days", exact=True).click()
    page.locator("#h-slowest ~ .seg").get_by_role("link", name="Median").click()
    expect(page).to_have_url(re.compile("days=30.*measure=median"))

    # when a person follows a figure, then as many executions are listed as it says
    page.locator("#reason-1 a").click()
    expect(page.locator("tr[id^='row-']")).to_have_count(1)
    page.goto(f"{served.url}/analytics")
    page.locator("dl.facts").get_by_role("link", name="6", exact=True).first.click()
    expect(page.locator("tr[id^='row-']")).to_have_count(6)

    # when the address holds markup, then it is text
    page.goto(f"{served.url}/analytics?{urlencode({'label': HOSTILE, 'timezone': HOSTILE, 'version': HOSTILE})}")
    expect(page.get_by_label("Label of the process")).to_have_value(HOSTILE)
    expect(page.locator("main img")).to_have_count(0)

    # when a browser runs no scripts, then the tab of a process shows its versions and filters by a form
    plain = windows.plain("/processes/working/analytics")
    expect(plain.locator("tr#version-1")).to_contain_text("$0.0200")
    plain.get_by_label("Time zone").fill("Asia/Kathmandu")
    plain.get_by_role("button", name="Show").click()
    expect(plain.locator("header.head")).to_contain_text("in Asia/Kathmandu")
    listed = windows.open("/processes")
    expect(listed.locator("tr", has_text="working")).to_contain_text("$0.0200")
    tab = windows.open("/processes/working")
    tab.get_by_role("link", name="Analytics", exact=True).last.click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Analytics of working")
    check_everywhere(tab, "analytics of a process")
    check_tables(served)


def test_a_page_whose_read_model_is_built_gives_way_by_itself(served: Served, windows: Watched) -> None:
    # given a release that waits to build its tables
    with psycopg.connect(served.dsn, autocommit=True) as connection:
        wait_for_lock(connection, REBUILD_LOCK, "analytics")
        connection.execute("update projections set digest = 'another' where name = 'analytics'")

        # then the page says so, and what to do
        page = windows.open("/analytics")
        expect(page.get_by_role("heading", level=1)).to_have_text("Not ready yet")
        expect(page.locator("main")).to_contain_text("read_model_rebuilding")
        check_everywhere(page, "not ready yet")

    # when the tables are there, then the page is
    expect(page.get_by_role("heading", level=1)).to_have_text("Analytics")
    assert {each for each in windows.wrong if "503" not in each} == set()
    windows.wrong.clear()


def check_tables(served: Served) -> None:
    """Read every table as CSV: the figures are those that the page shows."""

    def rows(table: str) -> list[dict[str, str]]:
        answer = served.client.get("/analytics", params={"format": "csv", "table": table, "days": 2})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert f'filename="{table}.csv"' in answer.headers["content-disposition"]
        return list(csv.DictReader(io.StringIO(answer.text)))

    assert {row["process"]: row["cost_total"] for row in rows("processes")} == {
        "asking": "",
        "failing": "",
        "working": "0.12",
    }
    assert [row["completed"] for row in rows("trends")][-1] == "6"
    assert next((row["step"], row["n"]) for row in rows("slowest")) == ("work", "6")
    assert [row["currency"] for row in rows("most_expensive")] == ["USD"]
    assert [row["step"] for row in rows("longest_waiting")] == []
    assert [(row["code"], row["step"], row["count"]) for row in rows("failures")] == [("refused", "break", "1")]
    versions = served.client.get("/processes/working/analytics?format=csv&table=versions").text
    assert versions.splitlines()[1].startswith("1,6,6,0")


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_begins_a_formula_is_a_text(begins: str) -> None:
    answer = download(CsvTable("reasons", ("code", "count"), [(f"{begins}1+1", -1), ("plain", None)]))
    cells = list(csv.reader(io.StringIO(bytes(answer.body).decode(), newline="")))
    assert cells == [["code", "count"], [f"'{begins}1+1", "-1"], ["plain", ""]]
