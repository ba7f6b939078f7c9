"""The documents tell the truth: their commands work, their links lead somewhere, what they name exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from app.cli import cli
from app.events_page import events_page
from tests.docs.reading import FENCE, blocks, documents

ROOT = Path(__file__).parents[2]
DOCUMENTS = documents()
NAMES = [file.relative_to(ROOT).as_posix() for file in DOCUMENTS]

# Files that a recipe tells its reader to write.
TO_BE_WRITTEN = {
    "projections/agent_speed.py",
    "domain/language/types/steps/loop.py",
    "domain/executions/engine/steps/loop.py",
    "NAME.yaml",
}
ROOMS = "api|app|bench|commands|docs|domain|examples|gateway|projections|queries|scheduler|scripts|store|tests|\\.ci"
A_FILE = re.compile(rf"(?:(?:{ROOMS})/[\w./*-]*|[\w-]+\.(?:md|toml|txt|yaml)|Makefile)")
A_METHOD = re.compile(r"[A-Z]\w+\.[a-z_]\w+")
THE_LIBRARYS = {"Application.save"}
A_VARIABLE = re.compile(r"\b(?:PROCESSION_[A-Z_]+|(?:READ_)?DATABASE_URL)\b")

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def inline_code(file: Path) -> list[str]:
    """What stands between single backticks, and the commands of shell blocks as they would stand there."""
    page = file.read_text("utf-8")
    shell = [line for block in blocks(file) if block.language in ("sh", "console") for line in block.commands]
    return CODE.findall(FENCE.sub("", page)) + [line.removeprefix(".venv/bin/") for line in shell]


def links(file: Path) -> list[str]:
    """The targets of links that are not addresses."""
    return [target for target in LINK.findall(FENCE.sub("", file.read_text("utf-8"))) if "://" not in target]


def leads_somewhere(file: Path, target: str) -> bool:
    """Whether the file is there, and the heading in it."""
    path, _, anchor = target.partition("#")
    there = (file.parent / path) if path else file
    return there.exists() and (not anchor or anchor in {slug(text) for text in HEADING.findall(there.read_text())})


def unknown_command(text: str) -> str | None:
    """What is unknown in `procession …` as it is written: a command or an option; None when all is known."""
    command = typer.main.get_command(cli)
    for word in text.split()[1:]:
        if command.context_settings.get("ignore_unknown_options"):
            return None  # it reads its arguments itself
        inside = getattr(command, "commands", None)
        if word.startswith("--"):
            options = {"--help"} | {option for parameter in command.params for option in parameter.opts}
            options |= {option for parameter in command.params for option in parameter.secondary_opts}
            if word.partition("=")[0] not in options:
                return f"{text}: no option {word}"
        elif inside is not None:
            if word not in inside:
                return f"{text}: no command {word}"
            command = inside[word]
    return None


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    broken = [target for target in links(ROOT / name) if not leads_somewhere(ROOT / name, target)]
    assert broken == []


@pytest.mark.parametrize("name", NAMES)
def test_files_that_are_named_exist(name: str) -> None:
    named = {text for text in inline_code(ROOT / name) if A_FILE.fullmatch(text)}
    written = {block.file for block in blocks(ROOT / name) if block.file}
    missing = {text for text in named - TO_BE_WRITTEN - written if not any(ROOT.glob(text.rstrip("/")))}
    assert missing == set()


@pytest.mark.parametrize("name", NAMES)
def test_commands_and_options_that_are_named_exist(name: str) -> None:
    said = [text for text in inline_code(ROOT / name) if text.startswith("procession ")]
    assert [problem for text in said if (problem := unknown_command(text))] == []


@pytest.mark.parametrize(
    ("text", "is_known"),
    [
        ("procession work --only-projector", True),
        ("procession projections list", True),
        ("procession --help", True),
        ("procession frobnicate", False),
        ("procession projections frobnicate", False),
        ("procession work --only-projections", False),
    ],
)
def test_a_slip_in_a_command_is_noticed(text: str, is_known: bool) -> None:
    assert (unknown_command(text) is None) is is_known


@pytest.mark.parametrize(
    ("target", "is_there"),
    [
        ("CHANGELOG.md", True),
        ("#scale-out", True),
        ("#scale", False),
        ("docs/nothing.md", False),
        ("docs/adr/README.md#no", False),
    ],
)
def test_a_link_to_nowhere_is_noticed(target: str, is_there: bool) -> None:
    assert leads_somewhere(ROOT / "README.md", target) is is_there


def test_environment_variables_that_are_named_are_read() -> None:
    code = "".join(file.read_text() for room in ("app", "gateway") for file in (ROOT / room).rglob("*.py"))
    named = {variable for file in DOCUMENTS for variable in A_VARIABLE.findall(file.read_text())}
    assert named
    assert {variable for variable in named if f'"{variable}"' not in code} == set()


def test_methods_that_are_named_exist() -> None:
    rooms = ("api", "app", "edge", "commands", "domain", "gateway", "projections", "queries", "scheduler", "store")
    code = "\n".join(file.read_text() for room in rooms for file in (ROOT / room).rglob("*.py"))
    named = {text for file in DOCUMENTS for text in inline_code(file) if A_METHOD.fullmatch(text)} - THE_LIBRARYS
    assert named
    missing = {text for text in named - TO_BE_WRITTEN if not is_defined(*text.split("."), code)}
    assert missing == set()


def is_defined(kind: str, method: str, code: str) -> bool:
    return bool(re.search(rf"^class {kind}\b.*?^    (?:async )?def {method}\b", code, re.MULTILINE | re.DOTALL))


def test_every_decision_is_listed_once_and_says_what_enforces_it() -> None:
    folder = ROOT / "docs/adr"
    decisions = sorted(file.name for file in folder.glob("[0-9]*.md"))
    listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text())
    assert listed == decisions
    assert [name[:4] for name in decisions] == [f"{n:04}" for n in range(1, len(decisions) + 1)]
    wanted = ("**Status**", "**Context**", "**Decision**", "**Consequences**", "**Alternatives**", "**Enforced by**")
    lacking = {name: part for name in decisions for part in wanted if part not in (folder / name).read_text()}
    assert lacking == {}


def test_the_page_of_events_is_the_generated_one() -> None:
    message = "run: python -m app.events_page > docs/events.md"
    assert (ROOT / "docs/events.md").read_text() == events_page(), message


def test_the_page_of_events_is_written_by_its_command() -> None:
    command = [sys.executable, "-m", "app.events_page"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == events_page()
