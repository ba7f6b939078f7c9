"""`templates check`: every bundled template runs to its end, and a failed check says where."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.template_checks.files import bundled_folder

BUNDLED = bundled_folder()
NAMES = sorted(file.stem for file in BUNDLED.glob("*.yaml") if not file.name.endswith(".check.yaml"))
ASKED_FOR = {
    "content-review",
    "support-triage",
    "weekly-brief",
    "due-diligence",
    "incident-response",
    "invoice-approval",
    "data-pipeline",
    "release-checklist",
    "customer-onboarding",
    "nightly-evaluation",
}
Documents = Callable[..., Any]
Edit = Callable[[str, str, str], Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """A folder with two of the bundled templates, one text of one file replaced by another."""

    def edit(name: str, before: str, after: str) -> Path:
        for file in (*BUNDLED.glob("table-load*.yaml"), *BUNDLED.glob("data-pipeline*.yaml")):
            shutil.copy(file, tmp_path)
        text = (tmp_path / name).read_text()
        assert before in text
        (tmp_path / name).write_text(text.replace(before, after))
        return tmp_path

    return edit


def test_every_bundled_template_is_valid_and_each_of_its_scenarios_ends_as_expected(document: Documents) -> None:
    checked = document("templates", "check")
    assert checked["passed"]
    assert set(NAMES) == {each["template"] for each in checked["templates"]} >= ASKED_FOR
    for each in checked["templates"]:
        assert each["failed"] == []
        assert each["samples"] >= 2
        assert each["scenarios"] >= 3


def test_one_is_checked_by_its_id_and_a_table_says_so(procession: Callable[..., Any]) -> None:
    result = procession("templates", "check", "bundled:table-load")
    assert result.exit_code == 0
    assert result.stdout.split() == [
        *("template", "samples", "scenarios", "result"),
        *("table-load", "2", "3", "passed"),
    ]


def test_a_template_that_does_not_exist_is_refused_with_the_nearest_one(document: Documents) -> None:
    refused = document("templates", "check", "table-lode", code=1)
    assert refused["error"]["code"] == "not_found"
    assert "table-load" in refused["error"]["message"]


@pytest.mark.parametrize(
    ("name", "before", "after", "code", "words"),
    [
        ("table-load.check.yaml", "rows: 120}, steps", "rows: 7}, steps", "check_failed", "120 instead of 7"),
        ("table-load.check.yaml", "undone: [load]", "undone: []", "check_failed", '["load"] instead of []'),
        ("table-load.check.yaml", "scenarios:", "scenes:", "invalid_check", "scenes"),
        ("table-load.check.yaml", "status: failed", "status: fell", "invalid_check", "fell"),
        ("table-load.check.yaml", "input: {table: orders}", "input: {}", "check_failed", "table"),
        ("table-load.check.yaml", "script: answers", "script: nonsense", "check_failed", "script"),
        ("table-load.check.yaml", "sample: 2", "sample: 9", "check_failed", "2 samples"),
        ("data-pipeline.check.yaml", "trigger: nightly", "trigger: daily", "check_failed", "nightly"),
        ("data-pipeline.check.yaml", "{step: decide, by: kim", "{step: decide, by: lee", "check_failed", "lee"),
        ("data-pipeline.check.yaml", "  table-load: {template: table-load}\n", "", "invalid_check", ""),
        ("table-load.check.yaml", "load: done, load.com", "load.com", "step_left_out", "load.compensation"),
        # The template itself no longer does what its scenarios expect.
        ("table-load.yaml", "rows >= ${{", "rows < ${{", "check_failed", ""),
        ("table-load.yaml", "timeout: 1h", "timeoot: 1h", "unknown_key", "timeoot"),
        ("table-load.yaml", "{loader: clerk}", "{loader: clerk, at_once: many}", "wrong_type", "at_once"),
        ("table-load.yaml", "${{ parameters.at_once }}", "4", "unused_parameter", "at_once"),
    ],
)  # fmt: skip
def test_a_failed_check_is_located(
    document: Documents, edited: Edit, name: str, before: str, after: str, code: str, words: str
) -> None:
    folder = str(edited(name, before, after))
    checked = document("templates", "check", name.partition(".")[0], "--folder", folder, code=1)
    found = [found for each in checked["templates"] for found in each["failed"]]
    assert any(
        each["problem"]["code"] == code and words in each["problem"]["message"] and each["problem"]["line"]
        for each in found
    ), found


def test_checks_that_are_missing_are_a_failed_check(
    procession: Callable[..., Any], edited: Edit, tmp_path: Path
) -> None:
    edited("table-load.yaml", "Load", "Load")
    (tmp_path / "table-load.check.yaml").unlink()
    result = procession("templates", "check", "table-load", "--folder", str(tmp_path))
    assert result.exit_code == 1
    assert "table-load.check.yaml" in result.stdout
    assert "1 failed" in result.stdout
