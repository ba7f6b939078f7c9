"""An operator decides which environment variables agents may refer to, before a release that needs it works."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.wiring import Wiring
from tests.projections.releases import project

Run = Callable[..., Any]
SETTING = "PROCESSION_AGENT_SECRETS"
TRIGGERED = """
name: orders
triggers:
  - {type: webhook, id: new-order, secret: "${ORDERS_SECRET}"}
steps:
  - {id: a, agent: echo, message: "${NOT_A_REFERENCE}"}
"""


@pytest.fixture
def in_use(procession: Run, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent and a webhook trigger that refer to variables, from the time when they were allowed."""
    monkeypatch.setenv(SETTING, "WRITER_KEY,ORDERS_*")
    chat = ("--kind", "openai_chat", "--set", "base_url=http://127.0.0.1:1/v1", "--set", "model=m")
    assert procession("agents", "register", "writer", *chat, "--set", "api_key=${WRITER_KEY}").exit_code == 0
    assert procession("agents", "register", "echo", "--kind", "scripted", "--set", "script=echo").exit_code == 0
    file = tmp_path / "orders.yaml"
    file.write_text(TRIGGERED)
    assert procession("publish", str(file)).exit_code == 0
    monkeypatch.delenv(SETTING)


@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize(
    "command",
    [("migrate",), ("migrate", "--dry-run"), ("work",), ("up", "--port", "0"), ("serve", "--port", "0")],
    ids=" ".join,
)
@pytest.mark.usefixtures("in_use")
def test_undecided_references_are_named_with_the_line_to_add(
    procession: Run, wiring: Wiring, command: tuple[str, ...], projected: bool
) -> None:
    if projected:
        project(wiring.datastore)
    result = procession(*command)
    assert result.exit_code == 3
    assert "WRITER_KEY (agent writer)" in result.stderr
    assert "ORDERS_SECRET (process orders)" in result.stderr
    assert f"{SETTING}=ORDERS_SECRET,WRITER_KEY" in result.stderr
    assert "NOT_A_REFERENCE" not in result.stderr


@pytest.mark.parametrize("decided", ["", "WRITER_KEY,ORDERS_SECRET"])
@pytest.mark.usefixtures("in_use")
def test_a_list_even_an_empty_one_is_a_decision(procession: Run, monkeypatch: pytest.MonkeyPatch, decided: str) -> None:
    monkeypatch.setenv(SETTING, decided)
    result = procession("migrate")
    assert result.exit_code == 0
    named = "does not allow ORDERS_SECRET (process orders), WRITER_KEY (agent writer)" in result.stderr
    assert named is not bool(decided)


@pytest.mark.usefixtures("in_use")
def test_what_is_out_of_use_needs_no_decision(procession: Run, wiring: Wiring) -> None:
    assert procession("agents", "retire", "writer").exit_code == 0
    result = procession("migrate")
    assert result.exit_code == 3
    assert "WRITER_KEY" not in result.stderr


def test_without_references_there_is_nothing_to_decide(procession: Run, database: str) -> None:
    assert procession("migrate").exit_code == 0


@pytest.mark.parametrize("name", ["WRITER_KEY", "procession_api_key", "Database_Url", "PGPASSWORD", "HOME"])
def test_an_agent_with_a_variable_that_is_not_allowed_is_not_registered(
    procession: Run, database: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(SETTING, "OTHER_*,procession_api_key,PGPASSWORD")
    chat = ("--kind", "openai_chat", "--set", "base_url=http://127.0.0.1:1/v1", "--set", "model=m")
    result = procession("agents", "register", "writer", *chat, "--set", f"api_key=${{{name}}}")
    assert result.exit_code == 1
    assert name in result.stderr


def test_a_trigger_with_a_variable_that_is_not_allowed_is_not_published(
    procession: Run, database: str, tmp_path: Path
) -> None:
    assert procession("agents", "register", "echo", "--kind", "scripted", "--set", "script=echo").exit_code == 0
    file = tmp_path / "orders.yaml"
    file.write_text(TRIGGERED)
    result = procession("publish", str(file))
    assert result.exit_code == 1
    assert "ORDERS_SECRET" in result.stderr
    assert "4:" in result.stderr
