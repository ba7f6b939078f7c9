"""The page of analytics states each definition as the data does."""

from pathlib import Path

from domain.analytics.definitions import DEFINITIONS

PAGE = Path(__file__).parents[2] / "docs" / "analytics.md"


def test_the_page_has_every_definition_and_no_other() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ") and "| `" in line]
    assert rows == [f"| {each.title} | `{name}` | {each.text} |" for name, each in DEFINITIONS.items()]
