"""The editor suggests, inside a step that repeats others, the names that its expressions see."""

import re

from playwright.sync_api import expect

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
