"""Forms of acts without a browser: previews, refusals at the place, texts that stay, and who may act."""

from uuid import UUID

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import GREETING, Installation
from tests.web.test_pages import ASKING, Begin, begin

__all__ = ["begin"]

WAITING = """
name: waiting
steps: [{id: pause, type: timer, duration: 1h}]
"""
TYPED = "half <b>a</b> sentence"


@pytest.mark.parametrize(
    ("act", "first"),
    [
        ("cancel", "ExecutionCancelled"),
        ("steps/greet/retry", None),
        ("steps/greet/skip", "StepSkipped"),
        ("steps/greet/reassign", "StepReassigned"),
    ],
)
def test_a_preview_shows_the_events_and_records_nothing(
    installation: Installation, client: TestClient, begin: Begin, act: str, first: str | None
) -> None:
    id = begin(GREETING, "greeting", name="Ann")
    client.put("/api/agents/other", json={"kind": "scripted", "script": "echo"})
    installation.project()
    before = installation.events()
    assert client.get(f"/executions/{id}/{act}").status_code == 200
    page = client.post(f"/executions/{id}/{act}", data={"reason": TYPED, "agent": "other", "preview": "1"})
    assert page.status_code == 200
    assert (first or "Nothing would be recorded") in page.text
    assert "half &lt;b&gt;a&lt;/b&gt; sentence</textarea>" in page.text
    assert installation.events() == before


def test_a_refusal_stands_beside_what_was_typed(client: TestClient, begin: Begin) -> None:
    id = begin(GREETING, "greeting", name="Ann")
    for act, fields, code, message in (
        ("retry", {}, 409, "execution_not_failed"),
        ("steps/greet/skip", {"reason": ""}, 422, "reason is missing"),
        ("steps/greet/reassign", {"agent": "nobody"}, 409, "there is no agent"),
    ):
        answer = client.post(f"/executions/{id}/{act}", data={"reason": TYPED} | fields)
        assert answer.status_code == code
        assert message in answer.text
        assert fields.get("reason", "half &lt;b&gt;a&lt;/b&gt; sentence") + "</textarea>" in answer.text
        assert fields.get("agent", "") in answer.text
    assert client.get(f"/executions/{id}/steps/nothing/skip").status_code == 404


def test_a_timer_is_previewed_and_its_refusal_keeps_the_time(
    installation: Installation, client: TestClient, begin: Begin
) -> None:
    id = begin(WAITING, "waiting")
    timer, before = f"/operations/timers/{id}/pause/timer", installation.events()
    fired = client.post(f"{timer}/fire", data={"reason": TYPED, "preview": "1"})
    assert "TimerFired" in fired.text
    far = client.post(f"{timer}/move", data={"reason": TYPED, "due_at": "2999-01-01T00:00:00"})
    assert far.status_code == 409
    assert 'value="2999-01-01T00:00:00"' in far.text
    assert "half &lt;b&gt;a&lt;/b&gt; sentence</textarea>" in far.text
    assert installation.events() == before


def test_a_decision_that_comes_too_late_keeps_the_comment(
    installation: Installation, client: TestClient, begin: Begin
) -> None:
    approval = f"{begin(ASKING, 'asking', text='Hello')}:ask:1"
    assert client.post(f"/approvals/{approval}/approve", data={"comment": ""}).status_code == 303
    installation.project()
    late = client.post(f"/approvals/{approval}/reject", data={"comment": TYPED})
    assert late.status_code == 409
    assert "half &lt;b&gt;a&lt;/b&gt; sentence</textarea>" in late.text
    assert "already" in late.text


def test_a_viewer_sees_no_acts_and_may_not_act(installation: Installation, client: TestClient, begin: Begin) -> None:
    id: UUID = begin(GREETING, "greeting", name="Ann")
    root = client.post("/api/keys", json={"name": "root", "scopes": ["admin"]}).json()["key"]
    made = client.post(
        "/api/keys", json={"name": "eye", "scopes": ["viewer"]}, headers={"Authorization": f"Bearer {root}"}
    )
    shown = {"Authorization": f"Bearer {made.json()['key']}"}
    page = client.get(f"/executions/{id}?step=greet", headers=shown).text
    assert "Cancel execution" not in page
    assert "Reassign step" not in page
    for act in ("cancel", "retry", "steps/greet/skip", "steps/greet/reassign"):
        assert client.get(f"/executions/{id}/{act}", headers=shown).status_code == 403
        answer = client.post(f"/executions/{id}/{act}", data={"reason": "x", "preview": "1"}, headers=shown)
        assert answer.status_code == 403
