"""House rules that can be read off the files: length, a sentence on top, names, and nothing of somebody's machine."""

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.structure.statements import statements

ROOT = Path(__file__).parents[2]
LONGEST = 300
MEDIAN = 80
# Written by programs: the page of events, the schema, golden histories, the contract of the API.
GENERATED = (
    "docs/events.md",
    "store/schema.sql",
    "tests/histories/",
    "constraints.txt",
    "scripts/editor/package-lock.json",
    "web/static/vendor/",
    "tests/api/openapi-contract.json",
)
# Looked things up in, not read from end to end.
REFERENCE = ("docs/process-language.md",)
IGNORED = re.compile(r"\.git|\.venv|\.setup|\.\w+_cache|\.hypothesis|__pycache__|.*\.egg-info|build|dist")
BINARY = {".png", ".gif", ".ico", ".woff2"}
FORBIDDEN_WORDS = {"util", "utils", "helper", "helpers", "manager", "managers", "service", "base", "crud"}
# In pieces, so that this file does not hold what it looks for.
FOREIGN = re.compile(
    "|".join(
        (
            r"\bpy" + r"pi\.(?:org|python)",
            r"python" + r"hosted\.org",
            r"--?(?:extra-)?index" + r"-url",
            r"//[^\s'\"]+/sim" + r"ple(?:/|\b)",
            r"(?<![\w.}])/wo" + r"rk/(?:main|shared)",
        )
    )
)


def project_files() -> list[Path]:
    """Every file with text in it that belongs to the project, as git knows it, or without git as it would."""
    try:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        files = [ROOT / name for name in listed if name]
    except (FileNotFoundError, subprocess.CalledProcessError):
        files = list(walk(ROOT))
    return [file for file in files if file.is_file() and file.suffix not in BINARY]


def walk(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not IGNORED.fullmatch(entry.name):
            yield from walk(entry)
        elif entry.is_file():
            yield entry


FILES = project_files()
MODULES = [file for file in FILES if file.suffix == ".py"]


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def test_there_are_files_to_look_at() -> None:
    assert len(MODULES) > 100


def test_no_file_is_longer_than_a_person_reads() -> None:
    lengths = {name_of(file): len(file.read_bytes().splitlines()) for file in FILES}
    long = {name: n for name, n in lengths.items() if n > LONGEST and not name.startswith(GENERATED + REFERENCE)}
    assert long == {}


def test_most_modules_are_short() -> None:
    lengths = [len(file.read_bytes().splitlines()) for file in MODULES if not name_of(file).startswith("tests/")]
    assert statistics.median(lengths) <= MEDIAN


def test_every_module_says_on_top_what_lives_there() -> None:
    silent = [name_of(file) for file in MODULES if not said_of(file).sentence]
    assert silent == []


def test_nothing_is_named_for_having_no_better_name() -> None:
    found = [name_of(file) for file in FILES if set(re.split(r"[_.-]", file.stem.lower())) & FORBIDDEN_WORDS]
    found += [f"{name_of(file)}: {name}" for file in MODULES for name in said_of(file).classes if vague(name)]
    assert found == []


def test_no_file_holds_what_belongs_to_one_machine() -> None:
    """Addresses of package indexes, and paths of somebody's checkout."""
    found = {name_of(file): match[0] for file in FILES if (match := FOREIGN.search(file.read_text("utf-8")))}
    assert found == {}


@pytest.mark.parametrize(
    ("text", "is_foreign"),
    [
        ("https://py" + "pi.org/project/x", True),
        ("--extra-index" + "-url https://example.org", True),
        ("https://packages.example.org/sim" + "ple/", True),
        ("psycopg==3.3.9", False),
        ("a simple rule, said simply", False),
        ("https://example.org/tree/main", False),
    ],
)
def test_the_look_for_foreign_things_finds_them(text: str, is_foreign: bool) -> None:
    assert bool(FOREIGN.search(text)) is is_foreign


class Said(NamedTuple):
    """What a module says: the sentence on top, and the names of its classes."""

    sentence: str | None
    classes: list[str]


@cache
def said_of(file: Path) -> Said:
    tree = ast.parse(file.read_text("utf-8"))
    return Said(ast.get_docstring(tree), [node.name for node in statements(tree) if isinstance(node, ast.ClassDef)])


def vague(name: str) -> bool:
    """Whether the last word of a class's name is one of the forbidden ones."""
    words = re.findall(r"[A-Z][a-z0-9]*", name)
    return bool(words) and words[-1].lower() in FORBIDDEN_WORDS
