"""`procession roles`: who has which role, as an operator reads it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.wiring import Wiring
from tests.waiting import until

Run = Callable[..., Any]

CLAIM = """
name: claim
defaults: {roles: {monitors: [supervisor]}}
steps:
  - {id: read, agent: clerk, message: Read, roles: {informed: [archive]}}
  - {id: ask, type: human_approval, title: Right?, depends_on: read}
"""


def test_the_roles_of_a_process_are_shown(document: Run, procession: Run, working: Wiring, tmp_path: Path) -> None:
    (tmp_path / "clerk.yaml").write_text("kind: scripted\nscript: echo\n")
    (tmp_path / "claim.yaml").write_text(CLAIM)
    document("agents", "register", "clerk", str(tmp_path / "clerk.yaml"))
    document("publish", str(tmp_path / "claim.yaml"))
    found = document("roles", "show", "claim")
    assert found["cells"] == {
        "read": {"clerk": "executor", "archive": "informed", "supervisor": "monitor"},
        "ask": {"supervisor": "monitor"},
    }
    shown = procession("roles", "show", "claim", "--of", "published")
    assert shown.exit_code == 0
    lines = [line.split() for line in shown.output.splitlines()]
    assert ["read", "agent_task", "clerk", "(supervisor)", "archive"] in lines
    assert "there is no agent `archive`" in shown.output
    assert procession("roles", "show", "claim", "--of", "draft").exit_code == 1
    assert procession("roles", "show", "nobody").exit_code == 1
    drift = procession("roles", "drift", "claim")
    assert drift.exit_code == 0, drift.output
    assert ["read", "clerk", "-", "nobody", "0", "0"] in [line.split() for line in drift.output.splitlines()]
    assert document("roles", "drift", "claim")["drifting"] == 0


def test_roles_are_changed_and_what_teams_monitor_is_listed(
    document: Run, procession: Run, working: Wiring, tmp_path: Path
) -> None:
    (tmp_path / "clerk.yaml").write_text("kind: scripted\nscript: fail\n")
    (tmp_path / "claim.yaml").write_text(CLAIM)
    document("agents", "register", "clerk", str(tmp_path / "clerk.yaml"))
    document("publish", str(tmp_path / "claim.yaml"))
    rehearsed = document("roles", "set", "claim", "read", "team:claims", "monitor", "--of", "published", "--dry-run")
    assert [each["data"]["agent"] for each in rehearsed["would_record"]] == ["team:claims"]
    changed = document(
        *("roles", "set", "claim", "read", "team:claims", "monitor", "read", "archive", "none"),
        *("--of", "published", "--reason", "Ann moved"),
    )
    assert (changed["of"], changed["new"]) == ("published", True)

    (tmp_path / "changes.json").write_text('{"assign": [{"step": "ask", "agent": "clerk", "role": "informed"}]}')
    document("roles", "set", "claim", "--file", str(tmp_path / "changes.json"))
    draft = document("roles", "show", "claim")
    assert draft["cells"]["ask"] == {"supervisor": "monitor", "clerk": "informed"}
    assert draft["cells"]["read"] == {"clerk": "executor", "supervisor": "monitor", "team:claims": "monitor"}

    for wrong in (("read", "clerk"), ("read", "clerk", "boss"), ("read", "clerk", "none", "--of", "published")):
        assert procession("roles", "set", "claim", *wrong).exit_code in (1, 2)
    document("start", "claim", "--wait", code=1)
    until(lambda: document("roles", "monitored")["items"] != [])
    [failed] = document("roles", "monitored", "--team", "claims")["items"]
    assert (failed["kind"], failed["process"], failed["step"]) == ("failure", "claim", "read")
    assert "failure" in procession("roles", "monitored").output
