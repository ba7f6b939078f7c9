"""Acts on many executions by keys alone: one batch is run, another one is left alone."""

from playwright.sync_api import expect

from tests.web.conftest import Served
from tests.web.tabbing import Keys


def act_on_many(person: Keys, served: Served) -> None:
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
