"""House rules on what the code says: one name for one thing, and sentences that are finished."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("domain", "commands", "projections", "queries", "api", "scheduler", "store", "gateway", "embedded", "app")
# Stand for two things still; the list only gets shorter. What projections read of an event has the event's name.
SHARED = {
    "AgentDirectory",
    "ApprovalDecided",
    "Approvals",
    "Calls",
    "Changes",
    "Difference",
    "ExecutionDetail",
    "ExecutionStarted",
    "Output",
    "Place",
    "ProcessArchived",
    "ProcessDrafted",
    "ProcessPublished",
    "Receipt",
    "Roles",
    "Row",
    "StepRow",
    "Trigger",
    "Version",
    "Webhook",
}
SHAPES = ("projections/facts.py", "projections/shapes.py")


def test_one_name_stands_for_one_thing() -> None:
    places = defaultdict(list)
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            for node in ast.parse(file.read_text("utf-8")).body if name not in SHAPES else []:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(name)
    assert places
    assert {name: files for name, files in places.items() if len(files) > 1 and name not in SHARED} == {}


def test_no_scenario_ends_with_when() -> None:
    """What follows is worked out when it is asked for: without `then`, nothing would have been done."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    found = [f"{file.relative_to(ROOT)}:{line}" for file in files for line in unfinished(file.read_text("utf-8"))]
    assert found == []
    assert list(unfinished("given(a).when(b)\ngiven(a).when(b).then()")) == [1]


def unfinished(source: str) -> Iterator[int]:
    """The lines on which a sentence ends with `when`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Attribute) and called.attr == "when":
                yield node.lineno
