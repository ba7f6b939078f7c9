"""Figures of errors, labels and steps with any characters link to as many executions as they say."""

from typing import Any

from starlette.testclient import TestClient

from domain.agents.calls import Failed, StepError
from tests.api.conftest import Installation
from web.app import PagesBeside, create_pages

CODES = (
    "a,b",
    '"',
    '"a",b',
    "100%2C&x=1",
    "🙂 é",
    "+",
    "-",
    " around ",
    "two\nlines",
    "<b>&amp;",
    "\\,",
    "nul\0",
    "",
    "long" * 100,
    "long" * 100 + "er",
)
LABELS = ["a,b", 'say "hi"', "50%", "a&b=c", "🙂", '"quoted"']
PROCESS = """
name: hostile
labels: {labels}
steps:
  - {{id: ask, agent: writer, message: go}}
"""


def test_figures_of_hostile_texts_link_to_as_many_executions_as_they_say(
    client: TestClient, installation: Installation
) -> None:
    installation.publish(client, PROCESS.format(labels=LABELS), writer={"script": "echo"})
    installation.publish(client, "name: other\nsteps:\n  - {id: ask, agent: writer, message: go}\n")
    for number, code in enumerate(CODES):
        for _ in range(1 + number % 2):
            installation.answer(installation.begin(client, "hostile"), "ask", Failed(StepError(code, "no")))
    installation.answer(installation.begin(client, "hostile"), "ask")
    installation.answer(installation.begin(client, "other"), "ask")
    installation.project()
    pages = create_pages(installation.door(api_key=None, hosts=installation.hosts), dict)
    browser = TestClient(PagesBeside(installation.app, pages))

    def require(link: str, count: int) -> None:
        assert len(client.get(f"/api{link}&limit=200").json()["items"]) == count, link
        assert browser.get(link).text.count('<tr id="row-') == count, link

    found: Any = client.get("/api/analytics/processes").json()
    assert len(found["failures"]) == len(CODES) - 1  # two long codes begin alike
    for each in found["failures"]:
        require(each["links"]["count"], each["count"])
    whole = sum(each["count"] for each in found["failures"]) + 1
    for label in LABELS:
        written = '"{}"'.format(label.replace('"', '""'))
        labelled = client.get("/api/analytics/processes", params={"label": written}).json()["total"]
        assert labelled["ended"] == whole
        require(labelled["links"]["ended"], whole)
        page = browser.get("/analytics", params={"label": written})
        assert f">{whole}</a>" in page.text
