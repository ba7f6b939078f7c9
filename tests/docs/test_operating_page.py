"""The page on operating names every setting and every metric, and no others."""

import dataclasses
import re
from pathlib import Path

from api.metrics import READ_MODEL_COLUMNS
from app.settings import Settings
from queries.metrics import MEASURES

PAGE = (Path(__file__).parents[2] / "docs/operating.md").read_text("utf-8")
OF_THE_PROCESS = {"database_up", "append_seconds", "request_seconds", "replica_up", "replica_lag_seconds"}


def rows(section: str) -> str:
    """Return the tables of a section."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return "\n".join(line for line in text.splitlines() if line.startswith("|"))


def test_every_setting_is_in_the_table_of_limits() -> None:
    variables = {field.metadata["variable"] for field in dataclasses.fields(Settings)}
    named = set(re.findall(r"`([A-Z_]+)`", rows("Limits and their settings")))
    assert variables - named == set(), "add a line to docs/operating.md"
    assert named - variables == set()


def test_every_metric_is_in_the_table_of_metrics() -> None:
    exported = {measure.name for measure in MEASURES} | set(READ_MODEL_COLUMNS) | OF_THE_PROCESS
    named = set(re.findall(r"`procession_([a-z_]+)`", rows("Metrics")))
    assert exported - named == set(), "add a line to docs/operating.md"
    assert named - exported == set()
