"""Texts of others on a terminal and in logs: shown as they are written, without power over the terminal."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.output import CommandOutput
from app.logs import log_to_stderr
from app.plain import plain

# A title of the terminal, colours by a control character of one byte, another direction of writing, half a pair.
HOSTILE = "\x1b]0;title\x07 \x9b31m red \u202egnp.exe \udc80 :key: [red]x[/red] 1\u20772"
SHOWN = " ]0;title   31m red  gnp.exe   :key: [red]x[/red] 1\u20772"
TALE = """
name: tale
input: {text: {type: string, required: true}}
steps: [{id: say, agent: echo, message: "{{ input.text }}"}]
outputs: {text: "{{ steps.say.output }}"}
"""


@given(st.text())
def test_a_plain_text_is_printable_but_for_its_lines(text: str) -> None:
    shown = plain(text)
    assert all(each.isprintable() or each in "\n\t" for each in shown)
    assert len(shown) == len(text)
    assert plain(shown) == shown
    assert plain(text, kept="").isprintable()


def test_lines_notes_errors_and_cells_have_no_power_over_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output = CommandOutput(json=False)
    output.line(HOSTILE)
    output.note(HOSTILE)
    output.error("code", HOSTILE)
    output.table(("title",), [(HOSTILE,)])
    written = capsys.readouterr()
    assert written.out.splitlines() == [SHOWN, "title", SHOWN]
    assert written.err.splitlines() == [SHOWN, f"error: {SHOWN}"]


def test_log_lines_have_none_either(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr(logging.ERROR)
    logging.getLogger("hostile").error("an agent answers %s", HOSTILE.replace("\udc80", "\x7f"))
    assert SHOWN in capsys.readouterr().err


def test_an_execution_is_shown_as_it_is_written(document, procession, publish, working) -> None:
    publish("tale", TALE)
    said = HOSTILE.replace("\udc80", "")
    ended = document("start", "tale", "--input", f"text={said}", "--wait")
    shown = procession("show", ended["execution_id"]).stdout
    assert ":key:" in shown
    assert all(each.isprintable() for each in shown.replace("\n", ""))


def test_an_argument_that_is_no_text_is_wrong_usage(database: str) -> None:
    program = [sys.executable, "-c", "from app.cli import main; main()", "executions", "--label", b"a=\xff"]
    done = subprocess.run(program, capture_output=True, env={**os.environ, "DATABASE_URL": database}, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"UTF-8" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--json",)], ids=["text", "json"])
def test_an_output_without_a_character_gets_its_number(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("name: bad\ngröße🎉: 1\nsteps: []\n", "utf-8")
    program = [sys.executable, "-c", "from app.cli import main; main()", "validate", str(file), *arguments]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(program, capture_output=True, env=environment, check=False)
    assert done.returncode == 1
    assert done.stderr == b""
    if arguments:
        assert "größe🎉" in str(json.loads(done.stdout))
    else:
        assert b"gr\\xf6\\xdfe\\U0001f389" in done.stdout
