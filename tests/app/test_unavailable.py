"""Databases that cannot be reached and settings that cannot be used: one clear line, and nothing secret in it."""

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ann:hunter22@127.0.0.1:1/nowhere")


@pytest.mark.parametrize(
    "arguments",
    [("executions",), ("agents", "list"), ("projections", "list"), ("migrate",), ("start", "x"), ("work",)],
    ids=" ".join,
)
def test_a_database_out_of_reach_is_exit_code_3(procession: Run, arguments: tuple[str, ...]) -> None:
    result = procession(*arguments)
    assert result.exit_code == 3
    assert len(result.stderr.strip().splitlines()) == 1
    assert "hunter22" not in result.output


def test_being_out_of_reach_is_a_document_too(document: Run) -> None:
    assert document("executions", code=3)["error"]["code"] == "unavailable"


@pytest.mark.parametrize("url", ["hunter22 is my password", "postgresql://ann:hunter22@[half/db", "mysql:hunter22"])
def test_an_address_that_is_none_is_wrong_usage_and_not_repeated(
    procession: Run, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    result = procession("executions")
    assert result.exit_code == 2
    assert "DATABASE_URL" in result.stderr
    assert "hunter22" not in result.output


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PROCESSION_LEASE", "soon"),
        ("PROCESSION_PORT", "99999"),
        ("PROCESSION_MAX_OPEN_CALLS", "none"),
        ("PROCESSION_DRAIN", "-1s"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    procession: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    result = procession("executions")
    assert result.exit_code == 2
    assert variable in result.stderr


def test_an_address_open_to_others_needs_a_key(procession: Run, monkeypatch: pytest.MonkeyPatch, own_dsn: str) -> None:
    monkeypatch.delenv("PROCESSION_API_KEY", raising=False)
    monkeypatch.setenv("DATABASE_URL", own_dsn)
    for command in ("up", "serve", "demo"):
        result = procession(command, "--host", "0.0.0.0", "--port", "0")
        assert result.exit_code == 2
        assert "PROCESSION_API_KEY" in result.stderr
