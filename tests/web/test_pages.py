"""Pages without a browser: what stands on them, forms and their commands, and the words of refusals."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import GREETING, Installation

STATIC = Path(__file__).parents[2] / "web" / "static"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}\u202e\"'"
ASKING = """
name: asking
steps:
  - {id: ask, type: human_approval, title: "May it go out?", description: "{{ input.text }}"}
  - {id: send, agent: writer, message: "send", depends_on: ask}
"""


Begin = Callable[..., UUID]


@pytest.fixture
def begin(installation: Installation, client: TestClient) -> Begin:
    """Start an execution of a process that is published first; return its id."""

    def start(source: str, process: str, **input: Any) -> UUID:
        installation.publish(client, source, writer={"script": "echo"})
        answer = client.post(f"/api/processes/{process}/executions", json={"input": input})
        assert answer.status_code == 202, answer.text
        installation.project()
        return UUID(answer.json()["execution_id"])

    return start


def test_an_empty_installation_says_what_would_be_there(client: TestClient) -> None:
    assert "Nothing waits for you" in client.get("/").text
    assert "Nothing has run yet" in client.get("/executions").text
    assert "Nothing waits for a decision" in client.get("/approvals").text
    assert "No execution matches" in client.get("/executions?status=failed").text


def test_an_execution_stands_on_the_list_and_has_a_page(client: TestClient, begin: Begin) -> None:
    id = begin(GREETING, "greeting", name="Ann")
    listed = client.get("/executions").text
    assert f'href="/executions/{id}"' in listed
    page = client.get(f"/executions/{id}?step=greet").text
    for words in ("greeting", "Running", "Timeline", "ExecutionStarted", str(id), "&#34;name&#34;: &#34;Ann&#34;"):
        assert words in page
    assert page.count('class="nd ') == 2


def test_text_of_others_is_always_text(client: TestClient, begin: Begin) -> None:
    id = begin(GREETING, "greeting", name=HOSTILE)
    page = client.get(f"/executions/{id}?step=greet").text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7 * 7 }}" in page


@pytest.mark.parametrize(
    "path", ["/", "/executions", "/approvals", "/nothing-here/at-all", "/executions/x", "/static/app.css"]
)
def test_every_page_has_the_content_security_policy(client: TestClient, path: str) -> None:
    answer = client.get(path)
    if not path.startswith("/static") and not path.startswith("/nothing"):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "<script>" not in answer.text
        assert "style=" not in answer.text


def test_what_is_not_there_is_a_page_that_says_so(client: TestClient) -> None:
    answer = client.get("/executions/0193f5a2-7c41-7b1e-9d52-1f3a4f6a91e2")
    assert answer.status_code == 404
    assert "Nothing is here" in answer.text
    assert client.get("/approvals/x").status_code == 404
    assert client.get("/executions?cursor=nonsense").status_code == 400
    assert client.get("/executions?limit=many").status_code == 400


def test_the_api_stays_where_it_is(client: TestClient) -> None:
    assert client.get("/api/nothing").headers["content-type"] == "application/problem+json"
    assert client.get("/openapi.json").status_code == 200
    assert "/executions" not in client.get("/openapi.json").json()["paths"]


def test_a_person_cancels_an_execution(installation: Installation, client: TestClient, begin: Begin) -> None:
    id = begin(GREETING, "greeting", name="Ann")
    answer = client.post(f"/executions/{id}/cancel", data={"reason": "not needed"})
    assert answer.status_code == 303
    installation.project()
    page = client.get(answer.headers["location"]).text
    assert "The execution is cancelled." in page
    assert "Cancelled" in page
    assert installation.types(id)[-1] == "ExecutionCancelled"


def test_a_person_skips_and_retries_steps_and_says_why(
    installation: Installation, client: TestClient, begin: Begin
) -> None:
    id = begin(GREETING, "greeting", name="Ann")
    early = client.post(f"/executions/{id}/retry", data={"reason": "again"})
    assert early.status_code == 409
    assert f'href="/executions/{id}"' in early.text
    refused = client.post(f"/executions/{id}/steps/greet/skip", data={"reason": "  "})
    assert refused.status_code == 422
    assert "reason is missing" in refused.text
    assert client.post(f"/executions/{id}/steps/greet/skip", data={"reason": "no"}).status_code == 303
    assert "StepSkipped" in installation.types(id)
    assert client.post(f"/executions/{id}/steps/nowhere/retry", data={"reason": "no"}).status_code == 404


def test_a_form_is_a_form(client: TestClient, begin: Begin) -> None:
    id = begin(GREETING, "greeting", name="Ann")
    assert client.post(f"/executions/{id}/cancel", json={"reason": "x"}).status_code == 415
    assert client.post(f"/executions/{id}/cancel", data={"reason": "x" * 2_001}).status_code == 422
    assert client.post(f"/executions/{id}/cancel", data={"reason": "x" * 70_000}).status_code == 413


def test_a_person_decides_an_approval(installation: Installation, client: TestClient, begin: Begin) -> None:
    source = ASKING.replace("name: asking", "name: asking\ninput: {text: {type: string}}")
    id = begin(source, "asking", text="Dear all")
    listed = client.get("/approvals").text
    assert "May it go out?" in listed
    assert "All open <small>1</small>" in listed
    assert "Decided <small>0</small>" in listed
    assert "1 things wait" not in client.get("/").text
    assert "One thing waits for you." in client.get("/").text
    page = client.get(f"/approvals/{id}:ask:1").text
    assert "Dear all" in page
    answer = client.post(f"/approvals/{id}:ask:1/approve", data={"comment": "fine"})
    assert answer.status_code == 303
    installation.project()
    decided = client.get(answer.headers["location"]).text
    assert "Approved" in decided
    assert "fine" in decided
    assert "Decided <small>1</small>" in client.get("/approvals").text
    again = client.post(f"/approvals/{id}:ask:1/reject", data={"comment": "no"})
    assert again.status_code == 409
    assert client.post(f"/approvals/{id}:ask:1/shred", data={}).status_code == 400


def test_a_page_shows_an_execution_as_it_was(installation: Installation, client: TestClient, begin: Begin) -> None:
    id = begin(GREETING, "greeting", name="Ann")
    before = installation.log.last_position()
    installation.answer(id, "greet")
    installation.project()
    page = client.get(f"/executions/{id}?as_of={before}").text
    assert "as it was at event" in page
    assert "Cancel execution" not in page
    assert "data-live" not in page
    assert "data-live" in client.get(f"/executions/{id}").text


def test_times_are_in_the_readers_zone(client: TestClient, begin: Begin) -> None:
    begin(GREETING, "greeting", name="Ann")
    assert "Times in UTC" in client.get("/executions").text
    client.cookies.set("procession-zone", "Asia/Kolkata")
    assert "Times in Asia/Kolkata" in client.get("/executions").text
    for wrong in ("../../etc/passwd", "Nowhere/Land", "%00"):
        client.cookies.set("procession-zone", wrong)
        assert "Times in UTC" in client.get("/executions").text


def test_the_themes_differ_in_colours_only() -> None:
    """The browser tests hold the dark theme against the rules of colours only (accessibility.py)."""
    sheets = "".join(sheet.read_text() for sheet in STATIC.glob("*.css"))
    rules = re.findall(r"[^{}]*data-theme[^{}]*\{[^{}]*\}", sheets)
    assert [rule.strip() for rule in rules] == [
        ":root[data-theme=light]{color-scheme:light}",
        ":root[data-theme=dark]{color-scheme:dark}",
    ]
    assert "light-dark(" in sheets
    for file in (*STATIC.glob("*.css"), *STATIC.glob("*.js")):
        assert "prefers-color-scheme" not in file.read_text(), file.name
    widths = re.findall(r"@media \(max-width[^{]*\{((?:[^{}]*\{[^{}]*\})*[^{}]*)\}", sheets)
    assert len(widths) > 5
    assert [rule for rule in widths if re.search(r"[^-\w](?:color|background|opacity|filter)[-\w]*:", rule)] == []
