"""The editor suggests, inside a step that repeats others, the names that its expressions see."""

import re

from playwright.sync_api import Route, expect

from tests.web.conftest import LIMIT_MS, Served, Watched
from tests.web.test_editor_browser import editor, write

expect.set_options(timeout=LIMIT_MS)

BODY = """\
name: a
steps:
  - id: review
    type: sub_process
    steps:
      - {id: ask, type: human_approval, title: Out?, approvers: [ann]}
    outputs: {decision: steps.ask.output.decision}
    repeat:
      until: round == 2
      carry:
        said: \
"""


def test_names_and_keys_are_suggested_beside_a_body(served: Served, windows: Watched) -> None:
    page = windows.open("/processes/new")
    editor(page)
    write(page, BODY)
    expect(page.locator("#drawing")).to_contain_text("review")
    page.keyboard.type('"{{ ')
    for typed, suggested in (("las", "last"), (".ou", "output"), (".dec", "decision")):
        page.keyboard.type(typed)
        option = page.get_by_role("option", name=re.compile(f"^{suggested}"))
        expect(option).to_have_attribute("aria-selected", "true")
        option.click()
    expect(page.locator(".cm-content")).to_contain_text("{{ last.output.decision")


def test_names_are_suggested_while_the_schema_is_on_its_way(served: Served, windows: Watched) -> None:
    page = windows.open("/processes/new")
    editor(page)
    held: list[Route] = []
    page.route("**/api/schema", lambda route: held.append(route))
    with page.expect_request("**/api/schema"):
        write(page, BODY)
    expect(page.locator("#drawing")).to_contain_text("review")
    page.keyboard.type('"{{ las')
    held[0].continue_()
    expect(page.get_by_role("option", name=re.compile("^last"))).to_be_visible()


def test_a_schema_that_did_not_come_is_asked_for_again(served: Served, windows: Watched) -> None:
    page = windows.open("/processes/new")
    editor(page)
    page.route("**/api/schema", lambda route: route.fulfill(body="cut off"), times=1)
    write(page, "")
    with page.expect_response("**/api/schema"):
        page.keyboard.type("nam")
    page.keyboard.type("e")
    expect(page.get_by_role("option", name=re.compile("^name"))).to_be_visible()
