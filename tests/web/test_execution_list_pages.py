"""The list of executions: how many the quick filters find, and what the file of an export holds."""

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from queries.execution_counts import count_executions
from tests.api.conftest import GREETING, Installation
from tests.web.test_pages import Begin, begin

ASKING = "name: asking\nsteps: [{id: ask, type: human_approval, title: Sure?}]\n"
__all__ = ["begin"]


@pytest.fixture
def refused(client: TestClient, installation: Installation, begin: Begin) -> UUID:
    """The id of one that was refused; another asks still, and a third greets."""
    begin(GREETING, "greeting", name="Ann")
    id = begin(ASKING, "asking")
    client.post("/api/processes/asking/executions", json={})
    client.post(f"/api/approvals/{id}:ask:1/reject", json={"comment": "no"})
    installation.project()
    return id


def test_the_quick_filters_state_how_many_they_find(client: TestClient, refused: UUID) -> None:
    page = client.get("/executions").text
    for word, path, number in (
        ("Running", "status=running", 2),
        ("Waiting for people", "waiting_for=approval", 1),
        ("Undoing", "status=compensating", 0),
    ):
        assert f'>{word} <span class="num">{number}</span>' in page
        assert client.get(f"/executions?{path}").text.count('scope="row"') == number
    assert '>Failed today <span class="num">1</span>' in page


def test_a_limited_reader_counts_what_it_sees(installation: Installation, refused: UUID) -> None:
    midnight = datetime.now(UTC) - timedelta(days=1)
    found = count_executions(installation.reading, midnight, within=("greet*",))
    assert {name: each.number for name, each in found.items()} == {
        "running": 1, "compensating": 0, "waiting": 0, "failed": 0,
    }  # fmt: skip
    assert not any(each.more for each in found.values())


def test_an_export_holds_what_the_filters_find(client: TestClient, refused: UUID) -> None:
    link = 'href="/executions?status=failed&amp;format=csv"'
    assert link in client.get("/executions?status=failed").text
    answer = client.get("/executions?status=failed&format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="executions.csv"' in answer.headers["content-disposition"]
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["execution_id"], row["status"], row["error"]) == (str(refused), "failed", "approval_refused")
    every = list(csv.DictReader(io.StringIO(client.get("/executions?include_children=true&format=csv").text)))
    assert [each["process"] for each in every] == ["asking", "asking", "greeting"]
