"""`procession approvals`, `approve`, `reject` and `request-changes`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.wiring import Wiring

Run = Callable[..., Any]

SOURCE = """
name: asks
steps:
  - {id: ask, type: human_approval, approvers: ann, title: May it?, deadline: 1h}
"""


def test_approvals_are_listed_and_decided(document: Run, procession: Run, hello: Path, working: Wiring) -> None:
    file = hello.with_name("asks.yaml")
    file.write_text(SOURCE)
    assert procession("publish", str(file)).exit_code == 0
    first, second = (document("start", "asks") for _ in range(2))
    reached(working, second["position"])
    ids = [f"{each['execution_id']}:ask:1" for each in (second, first)]
    assert [item["approval_id"] for item in document("approvals", "--open")["items"]] == ids
    assert "May it?" in procession("approvals").stdout

    assert document("approve", ids[0], code=1)["error"]["code"] == "approver_not_named"
    assert document("approve", ids[0], "--as", "ann", "--comment", "fine")["new"] is True
    assert document("approve", ids[0], "--as", "ann")["new"] is False
    assert document("reject", ids[0], "--as", "ann", code=1)["error"]["code"] == "approval_decided"
    assert procession("approve", ids[0], "--as", "not a name").exit_code == 2
    rejected = document("reject", ids[1], "--as", "ann")
    reached(working, rejected["position"])
    assert [item["status"] for item in document("approvals")["items"]] == ["granted", "refused"]
    assert [item["decision"] for item in document("approvals")["items"]] == ["approved", "rejected"]
    for word in ("rejected", "refused"):
        assert [item["decision"] for item in document("approvals", "--status", word)["items"]] == ["rejected"]
    shown = document("show", first["execution_id"])["steps"][0]
    assert shown["output"] == {"decision": "rejected", "by": "user:ann", "comment": ""}
    unknown = procession("approvals", "--process", "ask")
    assert (unknown.exit_code, unknown.stderr) == (1, "error: there is no process 'ask'; did you mean `asks`?\n")
    assert "did you mean `rejected`?" in procession("approvals", "--status", "reject").stderr
    assert document("approvals", "--open")["items"] == []
    assert document("approve", "this", code=1)["error"]["code"] == "no_such_approval"


def test_changes_are_requested(document: Run, procession: Run, publish: Run) -> None:
    publish("asks", SOURCE)
    id = document("start", "asks")["execution_id"] + ":ask:1"
    assert document("request-changes", id, code=1)["error"]["code"] == "approver_not_named"
    assert procession("request-changes", id, "--as", "ann", "--comment", "\udcff").exit_code == 2
    decided = procession("request-changes", id, "--as", "ann", "--comment", "shorter")
    assert decided.stdout == f"approval {id}: changes requested\n"
    assert document("request-changes", id, "--as", "ann")["new"] is False
    assert document("approve", id, "--as", "ann", code=1)["error"]["code"] == "approval_decided"


def reached(wiring: Wiring, position: int) -> None:
    wiring.progress.start()
    try:
        assert wiring.progress.reached("approvals", position, 60)
    finally:
        wiring.progress.stop()
