"""`procession roles`: who has which role, as an operator reads it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.wiring import Wiring

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
