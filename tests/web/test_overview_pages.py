"""The overview: five figures of today, what needs a person, and what ended by the hour."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from queries.analytics.today import figures_of_today
from queries.reading import Reading
from queries.under_way import count_under_way
from tests.api.conftest import GREETING, Installation

ASKING = "name: asking\nsteps: [{id: ask, type: human_approval, title: Sure?}]\n"


@pytest.fixture
def today(client: TestClient, installation: Installation) -> Installation:
    """One execution completed, one failed, one that waits for a person, and one for an agent."""
    for source in (GREETING, ASKING):
        installation.publish(client, source, writer={"script": "echo"})
    ids = [
        client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}}).json()["execution_id"]
        for _ in range(2)
    ]
    client.post("/api/processes/asking/executions", json={"input": {}})
    ended = client.post("/api/processes/asking/executions", json={"input": {}}).json()["execution_id"]
    refused = client.post("/api/processes/asking/executions", json={"input": {}}).json()["execution_id"]
    client.post(f"/api/approvals/{ended}:ask:1/approve", json={})
    client.post(f"/api/approvals/{refused}:ask:1/request-changes", json={"comment": "no"})
    installation.project()
    assert len(ids) == 2
    return installation


def figure(page: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt><dd>(.*?)</dd>", page, re.DOTALL)
    assert found is not None, name
    return re.sub("<[^>]+>", " ", found[1])


def test_the_figures_of_today_lead_to_their_executions(client: TestClient, today: Installation) -> None:
    page = client.get("/").text
    assert re.search(r"3\s+1 of them waits", figure(page, "Running"))
    assert re.search(r"1\s+none last \w+day by now", figure(page, "Completed today"))
    assert re.search(r"1\s+50", figure(page, "Failed today"))
    assert "0 workers" in figure(page, "Oldest thing due")
    for words, rows in (("status=completed&amp;ended_from=", 1), ("status=failed&amp;ended_from=", 1)):
        link = re.search(rf'href="(/executions\?{re.escape(words)}[^"]+)"', page)
        assert link is not None
        assert client.get(link[1].replace("&amp;", "&")).text.count('scope="row"') == rows
    every = client.get("/executions?status=queued,running,compensating&include_children=true").text
    assert every.count('scope="row"') == 3
    assert "1 completed and 1 failed" in page
    assert re.search(r'An attempt requested the decision[^<]*<div class="xs m"><span class="mono brk">ask</span>', page)
    assert page.index("Sure?") < page.index("asking <span")
    assert page.count('action="/executions/') == 1


def test_the_figures_compare_with_the_same_weekday(today: Installation) -> None:
    reading: Reading = today.reading
    now = datetime.now(UTC)
    found = figures_of_today(reading, now + timedelta(days=7), "UTC")
    assert found is not None
    assert (found.completed, found.failed, found.usual_failures) == (0, 0, 0.5)
    assert found.completed_before in (0, 1)  # of the quarter of an hour under way nothing counts yet
    later = figures_of_today(reading, now + timedelta(days=7, minutes=15), "Pacific/Auckland")
    assert later is not None
    assert later.failure_rate is None
    assert len(later.hours) in (23, 24, 25)
    none = figures_of_today(reading, now, "UTC", within=("other-*",))
    assert none is not None
    assert (none.completed, none.spent) == (0, [])
    assert count_under_way(reading, ("greet*",)).executions == 2


def test_an_empty_installation_shows_the_first_steps(client: TestClient) -> None:
    page = client.get("/").text
    assert "Three steps to the first execution" in page
    assert 'href="/agents/-/register"' in page


def test_failures_of_one_process_with_one_error_are_one_line(client: TestClient, today: Installation) -> None:
    ids = [client.post("/api/processes/asking/executions", json={}).json()["execution_id"] for _ in range(2)]
    for id in ids:
        client.post(f"/api/approvals/{id}:ask:1/reject", json={"comment": "no"})
    today.project()
    page = client.get("/").text
    assert "2 executions of asking failed" in page
    assert f'href="/executions/{ids[1]}">Look' in page
    assert page.count('action="/executions/') == 1  # the one that failed of another error
    link = re.search(r'href="(/executions\?status=failed&amp;process=asking[^"]+)">Show all', page)
    assert link is not None
    assert client.get(link[1].replace("&amp;", "&")).text.count('scope="row"') == 2
