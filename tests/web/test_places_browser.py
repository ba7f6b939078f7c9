"""Back, reload and deep links keep the place: filters, the selected step, a point in the past."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

TWO = """
name: placed
steps:
  - {id: first, name: The first, agent: writer, message: go}
  - {id: second, name: The second, agent: writer, message: go, depends_on: first}
"""


@pytest.fixture(scope="module")
def placed(served: Served) -> str:
    """Return an execution with two steps."""
    served.publish(TWO, writer={"script": "echo"})
    return served.begin("placed")


def rows(page: Page) -> list[str]:
    """Return the addresses of the executions that a list shows."""
    links = page.get_by_role("rowheader").get_by_role("link")
    expect(links.first).to_be_visible()
    return [str(link.get_attribute("href")) for link in links.all()]


def test_back_leads_to_the_filtered_list(served: Served, windows: Watched, placed: str) -> None:
    page = windows.open("/executions?process=placed&status=completed")
    listed = rows(page)
    page.get_by_role("rowheader").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(f"/executions/{placed}"))
    page.get_by_role("link", name="The second").first.click()
    expect(page.locator("aside").get_by_role("heading", name="The second")).to_be_visible()
    page.go_back()
    expect(page.locator("aside").get_by_role("heading", name="The second")).to_have_count(0)
    page.go_back()
    expect(page).to_have_url(re.compile(r"process=placed&status=completed"))
    assert rows(page) == listed


def test_reload_and_a_second_window_show_the_same_place(served: Served, windows: Watched, placed: str) -> None:
    page = windows.open(f"/executions/{placed}")
    page.get_by_role("link", name="The first").first.click()
    expect(page.locator("aside").get_by_role("heading", name="The first")).to_be_visible()
    page.get_by_role("link", name="One event back").click()
    expect(page.get_by_text("as it was at event")).to_be_visible()
    address = page.url
    assert "as_of=" in address
    assert "step=first" in address
    page.reload()
    again = windows.open(address.removeprefix(served.url))
    for each in (page, again):
        expect(each.get_by_text("as it was at event")).to_be_visible()
        expect(each.locator("aside").get_by_role("heading", name="The first")).to_be_visible()
