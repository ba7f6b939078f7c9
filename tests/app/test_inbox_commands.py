"""`procession agents inbox`, `ack` and `filter`, as an operator uses them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.wiring import Wiring

Run = Callable[..., Any]

CLAIM = """
name: claim
steps:
  - {id: read, agent: clerk, message: Read, roles: {informed: [archive]}}
"""


def test_an_inbox_is_read_filtered_and_acknowledged(
    document: Run, procession: Run, working: Wiring, tmp_path: Path
) -> None:
    (tmp_path / "echo.yaml").write_text("kind: scripted\nscript: echo\n")
    (tmp_path / "claim.yaml").write_text(CLAIM)
    for agent in ("clerk", "archive"):
        document("agents", "register", agent, str(tmp_path / "echo.yaml"))
    document("publish", str(tmp_path / "claim.yaml"))
    document("start", "claim", "--wait")
    working.reading.progress.reached("InformedAgentNotifier", working.log.last_position(), 60)
    page = document("agents", "inbox", "archive")
    assert [(each["step"], each["outcome"]) for each in page["items"]] == [("read", "completed")]
    shown = procession("agents", "inbox", "archive")
    assert shown.exit_code == 0
    assert page["cursor"] in shown.output
    assert document("agents", "filter", "archive", "--step", "read", "--outcome", "completed")["new"]
    assert not document("agents", "filter", "archive", "--step", "read", "--outcome", "completed")["new"]
    assert document("agents", "ack", "archive", page["cursor"])["new"]
    assert document("agents", "inbox", "archive")["items"] == []
    assert procession("agents", "ack", "archive", "nonsense").exit_code == 1
    assert procession("agents", "inbox", "nobody").exit_code == 1
    assert procession("agents", "filter", "archive", "--type", "Nothing").exit_code == 1
