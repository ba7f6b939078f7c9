"""Every command in the documents is run here, in order, as a reader would, or is one of those that CI runs itself."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import chdir
from itertools import groupby
from pathlib import Path
from signal import SIGTERM
from typing import Any

import httpx2
import psycopg
import pytest
from psycopg import conninfo
from typer.testing import CliRunner

from app.cli import cli
from embedded import embedded
from tests.docs.reading import blocks, documents
from tests.ports import free_port
from tests.postgresql_programs import programs
from tests.waiting import until

ROOT = Path(__file__).parents[2]
NAMES = [file.relative_to(ROOT).as_posix() for file in documents()]

# Not run here, and why not.
RUN_BY_CI = {
    "make setup": "CI's first step; this test runs in what it set up",
    "make check": "part of `make test`",
    "make test": "what CI runs; this test is part of it",
    "make demo": "stays up until Ctrl-C; tests/app run `procession demo`",
    "make bench": "measures for minutes; the same at small sizes is run here",
    ".venv/bin/pytest tests/domain": "part of `make test`",
    ".venv/bin/procession bench --quick --only lone": "part of the command in docs/performance.md, which is run here",
}
STAYING_UP = ("up", "serve", "work")
# A command with one of these needs a shell, and a process of its own.
SHELL = frozenset("|&;<>$`*?~#")
SECONDS = 600
END = "select coalesce(max(notification_id), 0) from stored_events"
SHOWN = """select coalesce(min(notification_id), 0) from notification_tracking
where application_name in ('process_catalogue', 'execution_detail')"""
NOT_COPIED = shutil.ignore_patterns(".venv", ".git", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info")


class Reader:
    """Does what the documents say, in a copy of the checkout and on a database of its own.

    home: where the benchmark finds a server of its own, since the one that tests share does not write through to disk.
    """

    def __init__(self, checkout: Path, dsn: str) -> None:
        self.checkout = checkout
        self.home = checkout.with_name("home")
        self.port = free_port()
        self._instead = {"127.0.0.1:8080": f"127.0.0.1:{self.port}", "--port 8080": f"--port {self.port}"}
        self._instead["--host 0.0.0.0"] = "--host 127.0.0.1"
        self._instead["127.0.0.1:9000"] = f"127.0.0.1:{free_port()}"
        self._own = {"DATABASE_URL": dsn, "PROCESSION_PORT": str(self.port)}
        # Names that all databases of the server share.
        self._dsn, unique = dsn, uuid.uuid4().hex[:12]
        self.role, self.restored = f"role_{unique}", f"restored_{unique}"
        self._instead |= {"procession_app": self.role, "procession_restored": self.restored}
        self._own["RESTORED_URL"] = conninfo.make_conninfo(dsn, dbname=self.restored)
        self._own["PATH"] = f"{programs()}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, **self._own}
        self._up: dict[str, subprocess.Popen[str]] = {}
        self._starting: list[str] = []

    def turn_to(self, section: list[Any]) -> None:
        """Stop what the section does not start itself; where settings change, all."""
        stated = {self._here(command) for block in section for command in block.commands}
        exported = any(command.startswith("export") for command in stated)
        if exported or self.environment != {**os.environ, **self._own} or not self._up.keys() <= stated:
            self.stop()

    def follow(self, block: Any) -> None:
        """Do what one block says."""
        if block.file is not None:
            (self.checkout / block.file).write_text(block.text)
        elif block.language == "http":
            self._ask(block.text)
        elif block.language in ("sh", "console"):
            for command in block.commands:
                if command not in RUN_BY_CI:
                    self._do(command)

    def settle(self) -> None:
        """Return when everything that was started has said that it is ready."""
        while self._starting:
            command = self._starting.pop()
            process = self._up[command]
            assert process.stdout is not None
            killing = threading.Timer(SECONDS, process.kill)
            killing.start()
            said = process.stdout.readline()
            killing.cancel()
            assert "ready" in said, f"{command}: {said}{(self.checkout / 'stderr.log').read_text()}"

    def _catch_up(self) -> None:
        """Wait until what was done shows: who reads a document types the next command later than this test does."""
        if any("procession up" in command for command in self._up):
            with psycopg.connect(self._dsn, autocommit=True) as connection:
                (end,) = connection.execute(END).fetchone() or (0,)
                until(lambda: connection.execute(SHOWN).fetchone() >= (end,))

    def stop(self) -> None:
        """End what stays up; each must end in order."""
        up, self._up, self.environment = self._up, {}, {**os.environ, **self._own}
        for process in up.values():
            process.terminate()
        ended = {command: end_of(process) for command, process in up.items()}
        assert ended == {command: 0 if "procession" in command else -SIGTERM for command in ended}

    def clear_up(self) -> None:
        """Drop the role and the database that a document says to create."""
        with psycopg.connect(self._dsn, autocommit=True) as admin:
            admin.execute(f"drop database if exists {self.restored} with (force)")
            if admin.execute("select 1 from pg_roles where rolname = %s", (self.role,)).fetchone():
                admin.execute(f"reassign owned by {self.role} to current_user; drop owned by {self.role}")
                admin.execute(f"drop role {self.role}")

    def _here(self, text: str) -> str:
        """Return a command or an address with what is different here."""
        for said, meant in self._instead.items():
            text = text.replace(said, meant)
        return text

    def _do(self, command: str) -> None:
        command = self._here(command)
        words = shlex.split(command)
        if words[0] == "export":
            self.environment |= dict(pair.split("=", 1) for pair in map(evaluated, words[1:])) | self._own
        elif stays_up(words):
            if command not in self._up:
                self._start(command)
        elif words[0] == ".venv/bin/procession" and "bench" not in words and SHELL.isdisjoint(command):
            self.settle()
            self._catch_up()
            with chdir(self.checkout):
                ended = CliRunner().invoke(cli, words[1:], env=self.environment)
            assert ended.exit_code == 0, f"{command}\n{ended.output}{ended.exc_info}"
        else:
            self.settle()
            measured = {"DATABASE_URL": "", "PROCESSION_HOME": str(self.home)} if "bench" in words else {}
            done = subprocess.run(
                command,
                shell=True,
                cwd=self.checkout,
                env=self.environment | measured,
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    def _start(self, command: str) -> None:
        with (self.checkout / "stderr.log").open("a") as log:
            process = subprocess.Popen(
                shlex.split(command),
                cwd=self.checkout,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._up[command] = process
        self._starting.append(command)

    def _ask(self, request: str) -> None:
        """Send a request written as in HTTP, but with a whole address."""
        head, _, body = request.partition("\n\n")
        first, *lines = head.splitlines()
        method, address = first.split()
        self.settle()
        address = self._here(address)
        headers = dict(line.split(": ", 1) for line in lines)
        answer = httpx2.request(method, address, headers=headers, content=body)
        assert answer.status_code < 300, answer.text
        assert json.loads(answer.text)["position"] > 0


@pytest.fixture
def reader(tmp_path: Path, dsn: str) -> Iterator[Reader]:
    checkout = tmp_path / "procession"
    shutil.copytree(ROOT, checkout, ignore=NOT_COPIED)
    (checkout / ".venv").symlink_to(Path(sys.prefix))
    made = Reader(checkout, dsn)
    yield made
    made.stop()
    made.clear_up()
    if made.home.exists():
        server = embedded(made.home)
        server.close(wait=True)
        shutil.rmtree(server.directory, ignore_errors=True)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_document_says_to_do_works(name: str, request: pytest.FixtureRequest) -> None:
    followed = [block for block in blocks(ROOT / name) if is_followed(block)]
    if followed:
        reader = request.getfixturevalue("reader")
        for _, section in groupby(followed, key=lambda block: block.section):
            todo = list(section)
            reader.turn_to(todo)
            for block in todo:
                reader.follow(block)
            reader.settle()


def test_what_only_ci_runs_is_still_said_somewhere() -> None:
    said = {command for name in NAMES for block in blocks(ROOT / name) for command in block.commands}
    assert set(RUN_BY_CI) - said == set()


def evaluated(pair: str) -> str:
    """A pair of `export` with the output of the command in its value, where it has one."""
    if "$(" not in pair:
        return pair
    shell = ["sh", "-c", f'printf %s "{pair}"']
    return subprocess.run(shell, capture_output=True, text=True, check=True, timeout=SECONDS).stdout


def stays_up(words: list[str]) -> bool:
    """Whether a command says that it is ready and stays up: Procession's own, and the programs of readers."""
    if words[0].endswith("python"):
        # The page of agents names its programs without a folder; the shell puts others into the background.
        return len(words) > 1 and words[1].endswith(".py") and "/" not in words[1] and words[-1] != "&"
    return words[0].endswith("procession") and words[1] in STAYING_UP


def is_followed(block: Any) -> bool:
    """Whether there is something to do in a block."""
    if block.file is not None or block.language == "http":
        return True
    return block.language in ("sh", "console") and any(command not in RUN_BY_CI for command in block.commands)


def end_of(process: subprocess.Popen[str]) -> int:
    """The exit code of a process that was asked to end; it is killed when it does not."""
    try:
        return process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
    finally:
        assert process.stdout is not None
        process.stdout.close()
