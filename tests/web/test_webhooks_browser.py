"""The webhooks of an agent in a browser, by keys alone: added, failing, tried again, removed."""

from playwright.sync_api import expect

from tests.waiting import until
from tests.web.accessibility import check_everywhere
from tests.web.conftest import Served, Watched
from tests.web.tabbing import Keys

WATCHED = """
name: watched
steps:
  - {id: read, agent: writer, message: Read, roles: {informed: [archive]}}
"""
WEBHOOKS = "/api/agents/archive/webhooks"
SETTINGS = {"PROCESSION_AGENT_SECRETS": "ORDERS_SECRET", "ORDERS_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2Law=="}


def test_a_person_adds_tries_again_and_removes_a_webhook_by_keys(served: Served, windows: Watched) -> None:
    served.publish(WATCHED, writer={"script": "echo"}, archive={"script": "echo"})
    page = windows.open("/agents/archive/inbox")
    person = Keys(page, served.url)
    person.open("/agents/archive/inbox")
    person.press("Webhooks")
    expect(page.get_by_text("No webhook")).to_be_visible()
    person.write("#url", "http://hooks.invalid/inbox")
    person.write("#secret", "${ORDERS_SECRET}")
    person.press("Add the webhook")
    person.told("is added")
    # The address leads nowhere.
    until(lambda: served.client.get(WEBHOOKS).json()["items"][0]["state"] == "failing")
    person.open("/agents/archive/webhooks")
    check_everywhere(page, "a failing webhook")
    person.press("Try all again")
    person.told("tried again")
    person.press("Remove")
    person.press("Remove the webhook")
    person.told("is removed")
    expect(page.get_by_text("No webhook")).to_be_visible()
