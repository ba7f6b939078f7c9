"""`procession show --as-of` and `diff`: an execution as it was, and what changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.wiring import Wiring

Run = Callable[..., Any]


@pytest.fixture
def ended(document: Run, hello: Path, working: Wiring) -> tuple[str, list[dict[str, Any]]]:
    """The id and the events of an execution that has completed."""
    id = document("start", "hello", "--wait", "--timeout", "60s")["execution_id"]
    return id, document("show", id, "--events")["items"]


def test_an_execution_is_shown_as_it_was_at_a_position_or_a_time(
    document: Run, procession: Run, ended: tuple[str, list[dict[str, Any]]]
) -> None:
    id, events = ended
    first, last = events[0], events[-1]
    assert document("show", id, "--as-of", str(last["position"]))["status"] == "completed"
    for point in (str(first["position"]), first["at"]):
        assert document("show", id, "--as-of", point)["status"] == "running"
    said = procession("show", id, "--as-of", str(first["position"])).stdout
    assert f"as it was at position {first['position']}" in said
    assert "as it was at " + first["at"][:10] in procession("show", id, "--as-of", first["at"]).stdout


def test_what_changed_is_shown_step_by_step(
    document: Run, procession: Run, ended: tuple[str, list[dict[str, Any]]]
) -> None:
    id, events = ended
    points = str(events[0]["position"]), str(events[-1]["position"])
    told = document("diff", id, *points)
    assert told["changed"]["status"] == {"before": "running", "after": "completed"}
    assert told["steps"][0]["changed"]["output"]["after"] == "Hello you, 1"
    said = procession("diff", id, *points).stdout
    assert f"from position {points[0]} to position {points[1]}" in said
    assert '"Hello you, 1"' in said
    assert "none" in procession("diff", id, points[1], points[1]).stdout


def test_a_point_that_is_none_is_wrong_usage_and_one_before_the_start_is_not_found(
    document: Run, procession: Run, ended: tuple[str, list[dict[str, Any]]]
) -> None:
    id, _ = ended
    for arguments in (
        ("show", id, "--as-of", "yesterday"),
        ("show", id, "--as-of", "1", "--events"),
        ("diff", id, "1", "x"),
        ("diff", id, "1"),
    ):
        assert procession(*arguments).exit_code == 2
    assert document("show", id, "--as-of", "1", code=1)["error"]["code"] == "not_found"
