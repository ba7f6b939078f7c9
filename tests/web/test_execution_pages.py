"""Pages about executions without a browser: the tree, two points compared, time travel, the search."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from domain.catalogue import EVENTS
from domain.language.types.definition import InputField
from domain.language.types.inputs import InputSpec
from domain.masking import MASK
from queries.steps import NULL, StepView
from tests.api.conftest import GREETING, Installation
from web.executions import picture
from web.executions.list import day_of
from web.executions.sentences import sentence
from web.executions.tree import lines_of
from web.processes.fields import texts_of, untaken


@pytest.fixture
def begun(installation: Installation, client: TestClient) -> Callable[[], UUID]:
    """Start an execution; return its id."""
    installation.publish(client, GREETING, writer={"script": "echo"})

    def begin() -> UUID:
        id: str = client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}}).json()[
            "execution_id"
        ]
        installation.project()
        return UUID(id)

    return begin


def test_the_end_of_an_id_leads_to_its_execution(client: TestClient, begun: Callable[[], UUID]) -> None:
    id, _ = begun(), begun()
    answer = client.get("/executions", params={"q": str(id)[-8:]})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/executions/{id}")
    listed = client.get("/executions", params={"q": str(id)[-8:], "process": "greeting"})
    assert (listed.status_code, listed.text.count('scope="row"')) == (200, 1)
    assert "No execution matches" in client.get("/executions?q=00000000").text
    wrong = client.get("/executions", params={"q": "<b>"}).text
    assert "Search by the end of an id" in wrong
    assert "<b>" not in wrong
    assert 'id="search"' in client.get("/approvals").text


def test_an_execution_has_its_page_while_the_log_lacks_events_that_are_projected(
    client: TestClient, installation: Installation, begun: Callable[[], UUID]
) -> None:
    id = begun()
    installation.answer(id, "greet")
    position = installation.project()
    with installation.datastore.reading() as connection:
        connection.execute("delete from stored_events where originator_id = %s and originator_version > 2", (id,))
    for address in (f"/executions/{id}", f"/executions/{id}?as_of={position}", f"/executions/{id}/at?event=9"):
        assert client.get(address).status_code in (200, 303), address
    missing = uuid4()
    assert client.get(f"/executions/{missing}").status_code == 404


def test_every_filter_is_in_the_address(client: TestClient, begun: Callable[[], UUID]) -> None:
    id = begun()
    for filters, found in (
        ("version=1", True),
        ("version=2", False),
        ("from=2000-01-01", True),
        ("to=2000-01-01", False),
        ("from=2000-01-01T00:00:00Z&to=9000-01-01T00:00:00Z", True),
        ("waiting_for=agent", True),
        ("waiting_for=approval", False),
        ("ended_from=2000-01-01", False),
        ("ended_to=9000-01-01", False),
        ("order=oldest", True),
        ("order=ended", False),
        ("order=longest", False),
        ("label=none-has-it", False),
        ("label=%00", True),
        ("order=x&ended_from=x&ended_to=x", True),
        ("version=x&from=x&to=x&waiting_for=x", True),
    ):
        assert (f"/executions/{id}" in client.get(f"/executions?{filters}").text) is found, filters
    listed = client.get("/executions?order=oldest&status=running&label=<b>").text
    assert re.findall('<a class="chip" href="([^"]+)"', listed) == [
        "/executions?order=oldest&amp;label=%3Cb%3E",
        "/executions?order=oldest&amp;status=running",
    ]
    assert "<b>&lt;" not in listed
    for quick, of in re.findall('<a class="chip plain" href="([^"]+)">([^<]+)<', client.get("/executions").text):
        page = client.get(unescape(quick)).text
        assert re.findall('<a class="chip plain" href="[^"]+" aria-current="true">([^<]+)<', page) == [of]
    listed = client.get("/executions?order=oldest&status=running").text
    assert 'aria-sort="ascending"' in listed
    assert 'href="/executions?status=running&amp;order=longest"' in listed


def test_a_day_ends_where_the_next_one_begins_in_the_readers_zone() -> None:
    zone = ZoneInfo("Europe/Berlin")
    begin, end = day_of("2026-03-29", zone), day_of("2026-03-29", zone, after=1)
    assert begin is not None
    assert end is not None
    assert end.timestamp() - begin.timestamp() == timedelta(hours=23).total_seconds()
    assert day_of("2026-02-30", zone) is None
    assert day_of("9999-12-31", zone, after=1) is None


def test_time_goes_event_by_event(client: TestClient, installation: Installation, begun: Callable[[], UUID]) -> None:
    id = begun()
    installation.answer(id, "greet")
    installation.project()
    now = client.get(f"/executions/{id}").text
    assert "One event back" in now
    assert "This is the newest event" in now
    first = client.get(f"/executions/{id}/at?event=1&step=greet")
    assert first.status_code == 303
    past = client.get(first.headers["location"]).text
    assert "This is the first event" in past
    assert "as it was" in past
    newest = client.get(f"/executions/{id}/at?event=100000").headers["location"]
    assert newest == f"/executions/{id}#h-dia"
    assert client.get(f"/executions/{uuid4()}/at?event=1").status_code == 404


ROUTED = """
name: routed
input: {sum: {type: integer, required: true}, note: {type: string}, pin: {type: string, sensitive: true}}
steps:
  - {id: way, name: Which way, type: gateway, routes: [{condition: input.sum > 5, target: ask}], default_route: send}
  - {id: ask, name: Sign-off, type: human_approval, title: Sure?, depends_on: way}
  - {id: send, agent: writer, message: go, depends_on: way}
"""


def test_the_page_says_what_it_waits_for_and_shows_parts_of_the_timeline(
    client: TestClient, installation: Installation
) -> None:
    installation.publish(client, ROUTED, writer={"script": "echo"})
    answer = client.post("/api/processes/routed/executions", json={"input": {"sum": 7, "note": "x", "pin": "1"}})
    id = answer.json()["execution_id"]
    installation.project()
    page = client.get(f"/executions/{id}?step=way").text
    assert "1 approval" in page
    # The first gateway is 40 wide, and its name is wider: the drawing begins before it.
    assert 'viewBox="-16 -6 ' in page
    assert "1 skipped, 1 under way" in page
    assert "input.sum &gt; 5" in page
    assert len(re.findall('height="9" rx="1" class="f-wait"/>', page)) == 1
    assert f'data-copy="{id}"' in page
    rows = re.compile('id="row-([a-z]+)"')
    assert rows.findall(page) == ["way", "ask", "send"]
    assert rows.findall(client.get(f"/executions/{id}?show=open").text) == ["ask"]
    assert rows.findall(client.get(f"/executions/{id}?show=nonsense").text) == ["way", "ask", "send"]
    assert "No step had an attempt that failed" in client.get(f"/executions/{id}?show=trouble").text
    assert f"/approvals/{id}%3Aask%3A1" in client.get(f"/executions/{id}?step=ask").text


def test_the_timeline_outlines_the_rest_of_a_wait_that_ends_soon() -> None:
    begin = datetime(2027, 1, 1, tzinfo=UTC)
    now, minute = begin + timedelta(minutes=10), timedelta(minutes=1)

    def waiting(due_at: datetime | None, status: str = "waiting") -> StepView:
        return StepView(
            id="a", name=None, type="timer", depends_on=[], status=status, due_at=due_at, output=NULL, error=NULL,
            conditions=NULL,
        )  # fmt: skip

    soon, far = waiting(now + 5 * minute), waiting(now + 50 * minute)
    end = picture.expected_end([soon, far, waiting(None)], begin, now)
    assert end == now + 5 * minute
    assert [(bar.begin, bar.end) for bar in picture.expected(far, now, end)] == [(now, end)]
    assert picture.expected(waiting(now + minute, "completed"), now, end) == []
    assert picture.expected_end([far, waiting(begin)], begin, now) == now
    assert picture.expected(far, now, now) == []
    assert picture.note_of(soon, now) == "5 min left"


def test_an_execution_starts_again_with_its_input(client: TestClient, installation: Installation) -> None:
    installation.publish(client, ROUTED, writer={"script": "echo"})
    installation.publish(client, GREETING, writer={"script": "echo"})
    answer = client.post("/api/processes/routed/executions", json={"input": {"sum": 7, "note": "<b>x</b>"}})
    id = answer.json()["execution_id"]
    installation.project()
    link = f"/processes/routed/start?input_of={id}"
    assert f'href="{link}"' in client.get(f"/executions/{id}").text
    form = client.get(link).text
    assert 'name="input.sum" value="7"' in form
    assert "&lt;b&gt;x&lt;/b&gt;" in form
    assert "Not taken over" not in form
    assert client.get(f"/processes/greeting/start?input_of={id}").status_code == 404
    spec = InputSpec({"note": InputField(type="string"), "pin": InputField(type="string")}, {})
    hidden = {"note": "x", "pin": MASK, "gone": 1}
    assert texts_of(spec, hidden) == {"input.note": "x"}
    assert untaken(spec, hidden) == ["pin", "gone"]
    assert texts_of(InputSpec(None, {}), hidden) == {"input": '{"note":"x","gone":1}'}
    assert client.get(f"/processes/routed/start?input_of={uuid4()}").status_code == 404


def test_two_points_are_compared(client: TestClient, installation: Installation, begun: Callable[[], UUID]) -> None:
    id = begun()
    installation.answer(id, "greet")
    installation.project()
    page = client.get(f"/executions/{id}/compare").text
    assert "What changed" in page
    assert "<ins>&#34;completed&#34;</ins>" in page
    position = client.get(f"/api/executions/{id}").json()["position"]
    assert "Nothing changed" in client.get(f"/executions/{id}/compare?from={position}&to={position}").text
    soon = client.get(f"/executions/{id}/compare?from={position}&to=2999-01-01T00:00:00Z").text
    assert 'value="2999-01-01T00:00:00+00:00"' in soon
    assert client.get(f"/executions/{id}/compare?from=yesterday").status_code == 400


def test_a_tree_has_its_executions_below_each_other(client: TestClient, begun: Callable[[], UUID]) -> None:
    id = begun()
    page = client.get(f"/executions/{id}/tree").text
    assert f'href="/executions/{id}"' in page
    assert "the root" in page
    assert "No execution of this run" in client.get(f"/executions/{id}/tree?status=failed").text
    assert client.get(f"/executions/{uuid4()}/tree").status_code == 404


def test_children_stand_below_their_parents_as_they_began() -> None:
    def of(id: str, parent: str | None) -> Any:
        return SimpleNamespace(execution_id=id, parent_id=parent)

    lines = lines_of([of("a", None), of("b", "a"), of("c", "a"), of("d", "b"), of("e", "elsewhere")])
    assert [(line.execution.execution_id, line.indent, line.apart) for line in lines] == [
        ("a", 0, False),
        ("b", 1, False),
        ("d", 2, False),
        ("c", 1, False),
        ("e", 0, True),
    ]


def test_every_event_of_an_execution_has_a_sentence_without_markup() -> None:
    told = {name: sentence(name) for name, kind in EVENTS.items() if kind.__module__.startswith("domain.executions.")}
    assert len(told) > 30
    assert {name: text for name, text in told.items() if not re.fullmatch("[A-Z][a-z, ']{10,120}", text)} == {}
    assert sentence("OfAnotherRelease") == ""


SETTLED = """
name: settled
steps:
  - {id: sign, type: human_approval, title: Sure?}
  - {id: book, agent: writer, message: go, depends_on: sign, retry: {max_attempts: 3, delay: 2s, backoff: exponential},
     compensation: {agent: writer, message: back}}
  - {id: tell, agent: writer, message: go, depends_on: book, retry: {max_attempts: 2, retry_on: [busy]},
     on_error: skip}
"""


def test_a_step_shows_how_long_it_usually_takes_and_what_follows_its_failure(
    client: TestClient, installation: Installation
) -> None:
    # given as many decided approvals as there must be, and one that waits
    installation.publish(client, SETTLED, writer={"script": "echo"})
    begin = "/api/processes/settled/executions"
    ids = [client.post(begin, json={"input": {}}).json()["execution_id"] for _ in range(6)]
    installation.project()
    assert "Usually takes" not in client.get(f"/executions/{ids[5]}?step=sign").text
    for id in ids[:5]:
        client.post(f"/api/approvals/{id}:sign:1/approve", json={})
        client.post(f"/api/executions/{id}/cancel", json={"reason": "enough"})
    installation.project()

    # when the panels of its steps are opened, then they show it
    def panel(step: str) -> str:
        return client.get(f"/executions/{ids[5]}?step={step}").text

    assert re.search(r"Usually takes</dt><dd><i>[\d.]+ s</i> <span[^>]*>median of 5; 9 in 10 within", panel("sign"))
    undone = "the execution fails; completed steps with a compensation are undone"
    assert f"On failure</dt><dd>{undone}" in panel("sign")
    assert f"On failure</dt><dd>tried up to 2 times more after 2.0 s at first, then {undone}" in panel("book")
    left_out = "tried once more after 1.0 s (only busy), then the step is left out and the execution goes on"
    assert f"On failure</dt><dd>{left_out}" in panel("tell")
    assert "Usually takes" not in panel("tell")
