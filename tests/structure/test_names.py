"""House rules on what tests say: sentences that are finished. For names see test_unique_names.py."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.structure.statements import statements

ROOT = Path(__file__).parents[2]


def test_no_scenario_ends_with_when() -> None:
    """What follows is worked out when it is asked for: without `then`, nothing would have been done."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    found = [f"{file.relative_to(ROOT)}:{line}" for file in files for line in unfinished(file.read_text("utf-8"))]
    assert found == []
    assert list(unfinished("given(a).when(b)\ngiven(a).when(b).then()")) == [1]


def unfinished(source: str) -> Iterator[int]:
    """The lines on which a sentence ends with `when`."""
    if ".when(" not in source:
        return
    for node in statements(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Attribute) and called.attr == "when":
                yield node.lineno
