"""`procession publish`, `agents` and `migrate`: what designers and operators set up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.wiring import Wiring
from domain.identity import process_id
from domain.processes.process import fold
from tests.database import cloned

Run = Callable[..., Any]


def test_the_same_definition_again_is_the_same_version(document: Run, hello: Path) -> None:
    again = document("publish", str(hello))
    assert (again["name"], again["version"], again["new"]) == ("hello", 1, False)


def test_a_changed_definition_is_the_next_version(document: Run, hello: Path) -> None:
    hello.write_text(hello.read_text().replace("Hello", "Good day"))
    changed = document("publish", str(hello))
    assert (changed["version"], changed["new"]) == (2, True)


def test_what_has_errors_is_not_published_and_leaves_nothing_behind(
    procession: Run, wiring: Wiring, tmp_path: Path
) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("name: p\nsteps:\n  - {id: a, agent: nobody, message: hi}\n")
    result = procession("publish", str(file))
    assert result.exit_code == 1
    assert f"{file}:3:" in result.stderr
    assert "[unknown_agent]" in result.stderr
    assert wiring.log.last_position() == 0


def test_a_definition_of_others_takes_the_name_beside_it(document: Run, hello: Path, wiring: Wiring) -> None:
    file = hello.with_name("older.yaml")
    steps = "# kept\nsteps: [{id: a, type: timer, duration: 1h}]\n"
    file.write_text('name: "{{name}}"\ndescription: "{{process_name}} of old"\n' + steps)
    assert document("validate", str(file), "--name", "intake")["valid"]
    assert not document("validate", str(file), code=1)["valid"]
    assert document("publish", str(file), "--name", "intake")["name"] == "intake"
    process = fold(wiring.log.streams([process_id("intake")])[process_id("intake")])
    assert process is not None
    assert process.versions[1].source == f'name: "intake"\ndescription: "intake of old"\n{steps}'
    other = document("publish", str(hello), "--name", "intake", code=1)["error"]
    assert [each["code"] for each in other["problems"]] == ["name_differs"]
    checked = document("validate", str(hello), "--name", "intake", code=1)
    assert [each["code"] for each in checked["files"][0]["problems"]] == ["name_differs"]


def test_a_refusal_is_a_document_too(document: Run, database: str, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("name: p\nsteps: []\n")
    error = document("publish", str(file), code=1)["error"]
    assert error["code"] == "malformed"
    assert error["problems"]


def test_an_agent_is_registered_from_a_file_once(document: Run, database: str, tmp_path: Path) -> None:
    file = tmp_path / "slow.yaml"
    file.write_text("kind: scripted\nscript: slow\ndelay: 5ms\n")
    assert document("agents", "register", "slow", str(file))["new"]
    assert not document("agents", "register", "slow", str(file))["new"]


def test_problems_of_an_agent_are_located_in_its_file(procession: Run, database: str, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("kind: scripted\nscript: answers\nanswers: {}\ncost:\n  amount: x\n  currency: USD\n")
    result = procession("agents", "register", "a", str(file))
    assert result.exit_code == 1
    assert f"{file}:5:" in result.stderr


def test_a_literal_secret_is_refused_and_not_repeated(procession: Run, database: str) -> None:
    options = ("--kind", "openai_chat", "--set", "base_url=https://example.org/v1", "--set", "model=m")
    result = procession("agents", "register", "a", *options, "--set", "api_key=sk-very-secret")
    assert result.exit_code == 1
    assert "secret_not_a_reference" in result.stderr
    assert "sk-very-secret" not in result.output


def test_agents_are_listed_and_retired(document: Run, working: Wiring, hello: Path) -> None:
    retired = document("agents", "retire", "echo", "--reason", "old")
    working.progress.start()
    try:
        assert working.progress.reached("agent_directory", retired["position"], 60)
    finally:
        working.progress.stop()
    assert [(agent["name"], agent["status"]) for agent in document("agents", "list")["items"]] == [("echo", "retired")]


def test_an_agent_that_never_was_cannot_be_retired(document: Run, database: str) -> None:
    assert document("agents", "retire", "nobody", code=1)["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "arguments",
    [
        ("agents", "register", "a"),
        ("agents", "register", "a", "--kind", "scripted", "--set", "script"),
        ("no-such-command",),
        ("publish",),
    ],
)
def test_wrong_usage_is_exit_code_2(procession: Run, arguments: tuple[str, ...]) -> None:
    assert procession(*arguments).exit_code == 2


@pytest.fixture
def bare(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database that was never migrated, which commands use."""
    with cloned(server) as dsn:
        monkeypatch.setenv("DATABASE_URL", dsn)
        yield


def test_a_database_is_migrated_when_its_operator_says_so(document: Run, bare: None) -> None:
    assert document("executions", code=1)["error"]["code"] == "not_migrated"
    pending = document("migrate", "--dry-run")["pending"]
    assert pending
    assert document("executions", code=1)["error"]["code"] == "not_migrated"
    assert document("migrate")["applied"] == pending
    assert document("migrate")["applied"] == []
    assert document("executions")["items"] == []
