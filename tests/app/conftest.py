"""What tests of the command line share: running a command in this process, and a worker beside it."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.database import Database
from app.running import running
from app.settings import read_settings
from app.signals import Stopping
from app.wiring import Wiring, wired

Procession = Callable[..., Result]
Documents = Callable[..., Any]

HELLO = """
name: hello
input:
  who: {type: string, default: you}
  times: {type: integer, default: 1}
steps:
  - {id: greet, agent: echo, message: "Hello {{ input.who }}, {{ input.times }}"}
outputs: {text: "{{ steps.greet.output }}", times: "{{ input.times }}"}
"""
FAILING = """
name: failing
steps:
  - {id: first, agent: echo, message: fine}
  - {id: second, agent: broken, message: not fine, depends_on: first}
"""


@pytest.fixture
def database(dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A migrated, empty database that commands in this process use; its address."""
    for name in list(os.environ):
        if name.startswith("PROCESSION_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.delenv("READ_DATABASE_URL", raising=False)
    with Database(read_settings()) as opened:
        opened.migrate()
    return dsn


@pytest.fixture
def procession() -> Procession:
    """Run `procession` with some arguments in this process; no failure of it may be a traceback."""

    def run(*arguments: str, given: bytes | str | None = None) -> Result:
        result = CliRunner().invoke(cli, list(arguments), input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return run


@pytest.fixture
def document(procession: Procession) -> Documents:
    """Run `procession … --json` and read the one document it writes; `code` is the exit code to expect."""

    def run(*arguments: str, code: int = 0, given: bytes | str | None = None) -> Any:
        result = procession(*arguments, "--json", given=given)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return run


@pytest.fixture
def wiring(database: str) -> Iterator[Wiring]:
    """The wiring on the database that commands use."""
    settings = read_settings()
    with Database(settings) as opened, wired(settings, opened) as made:
        yield made


@pytest.fixture
def working(wiring: Wiring) -> Iterator[Wiring]:
    """A worker and a projector at work on the database that commands use."""
    with running(wiring, read_settings(), Stopping()) as roles:
        roles.start_projector()
        roles.start_worker(None)
        yield wiring


@pytest.fixture
def hello(database: str, procession: Procession, tmp_path: Path) -> Path:
    """The file of a process that is published under the name hello."""
    file = tmp_path / "hello.yaml"
    file.write_text(HELLO)
    register = ("agents", "register", "echo", "--kind", "scripted", "--set", "script=echo")
    assert procession(*register).exit_code == 0
    assert procession("publish", str(file)).exit_code == 0
    return file


@pytest.fixture
def publish(hello: Path, procession: Procession) -> Callable[[str, str], None]:
    """Publish a process given as text."""

    def publishing(name: str, source: str) -> None:
        file = hello.with_name(f"{name}.yaml")
        file.write_text(source)
        result = procession("publish", str(file))
        assert result.exit_code == 0, result.output

    return publishing


@pytest.fixture
def failing(hello: Path, publish: Callable[[str, str], None], procession: Procession) -> Path:
    """The file of a process that fails in its second step, published under the name failing."""
    assert procession("agents", "register", "broken", "--kind", "scripted", "--set", "script=fail").exit_code == 0
    publish("failing", FAILING)
    return hello.with_name("failing.yaml")
