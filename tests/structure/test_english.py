"""The English of names, docstrings, comments and pages: the field's terms, and sentences with an actor as subject."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.structure.statements import statements

ROOT = Path(__file__).parents[2]

# Folders and files that keep the rule; a room joins the list when its text has been rewritten.
DONE = (
    "domain",
    "commands",
    "projections",
    "queries",
    "gateway",
    "app",
    "store",
    "scheduler",
    "edge",
    "api",
    "embedded",
    "bench",
    "examples",
    "docs",
    "README.md",
    "CHANGELOG.md",
)
# Generated from docstrings that are checked where they stand.
GENERATED = ("docs/events.md",)

INSTEAD = {
    r"\bfamil(?:y|ies)\b": "execution tree",
    r"\bin hand\b": "claimed",
    r"\b(?:tells?|told|telling)\b": "notify, report, state",
    r"\b(?:hears?|heard|hearing)\b": "receive, notice",
    r"\b(?:asks?|asked|asking)\b": "request, require",
    r"\blook(?:s|ed|ing)?\b(?!-)": "read, check, search",
    r"\b(?:knows?|knew)\b": "hold, recognise",
    r"\b(?:wants?|wanted)\b": "request, need",
    r"\bg(?:ive|ives|iving|iven|ave) up\b": "cancel, abandon",
    r"\bcall(?:s|ed|ing)?(?: \w+){0,2} off\b": "cancel",
    r"\b(?:brings?|brought) about\b": "descendants",
    r"\bnothing is said\b": "Default: x",
    r"\bsigns? of life\b": "heartbeat",
    r"\blet(?:s|ting)? go of\b": "release",
    r"\b(?:there is|there may be|keeps?|has|have) (?:room|its place)\b": "concurrency slot",
    r"\b(?:somebody|whoever)\b": "user, caller, operator, or the component",
}
# The beginning of a sentence, a list item, a heading or a cell of a table.
_START = r"(?:^|(?<=[.!?:] )|(?<=\| )|(?<=^- )|(?<=^# )|(?<=^## )|(?<=^### ))"
STARTS = {
    _START + r"(?:What|Who|Whom|Whose|Whatever|That|Those)\b(?! (?:is|are) [^.]*\?)": "name the actor",
    _START + r"Should\b": "If …",
}
NAMES = {
    "family": "tree", "families": "trees", "tell": "notify", "tells": "notify", "told": "notified", "telling": "notify",
    "hear": "receive", "heard": "received", "ask": "request", "asks": "requests", "asked": "requested",
    "wants": "allows", "wanted": "requested", "learn": "resolve", "look": "read", "looks": "reads",
    "somebody": "user", "whoever": "user",
}  # fmt: skip
NAME_PHRASES = ("give_up", "given_up", "gave_up", "in_hand", "brought_about", "stop_waiting", "givenup")
# Stored for ever, or part of the language: the field of events, the field of `retry`.
STORED_NAMES = {"tell", "give_up_on"}


def files(suffix: str) -> list[Path]:
    """Return the files of the rooms that are done."""
    found = [file for room in DONE for file in ([ROOT / room] if "." in room else sorted((ROOT / room).rglob("*.*")))]
    return [file for file in found if file.suffix == suffix and name_of(file) not in GENERATED]


def name_of(file: Path) -> str:
    """Return the path of a file below the root of the repository."""
    return file.relative_to(ROOT).as_posix()


def test_there_are_texts_to_check() -> None:
    assert len(files(".py")) > 150
    assert len(files(".md")) > 30


@pytest.mark.parametrize("suffix", [".py", ".md", ".yaml"])
def test_texts_keep_to_the_terms_of_the_field(suffix: str) -> None:
    texts = ((file, text) for file in files(suffix) for text in texts_of(file))
    found = [f"{name_of(file)}: {problem}" for file, text in texts for problem in problems_of(text)]
    assert found == []


def test_names_keep_to_the_terms_of_the_field() -> None:
    found = {f"{name_of(file)}: {name}" for file in files(".py") for name in names_in(file) if is_odd(name)}
    assert found == set()


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("Tell the agent.", True),
        ("Cancel what it is. Those that remain go on.", True),
        ("What the worker does.", True),
        ("Should it fail, it stops.", True),
        ("Nothing is in hand.", True),
        ("It calls the execution off.", True),
        ("Return the rows that the worker has claimed.", False),
        ("An event states it in `tell`.", False),
        ("A look-up by index.", False),
        ("The text that remains.", False),
    ],
)
def test_the_word_list_finds_what_it_is_for(text: str, is_found: bool) -> None:
    assert bool(list(problems_of(text))) is is_found


@pytest.mark.parametrize(
    ("name", "found"), [("to_tell", True), ("GivenUp", True), ("give_up_on", False), ("at", False)]
)
def test_the_check_of_names_finds_what_it_is_for(name: str, found: bool) -> None:
    assert is_odd(name) is found


def problems_of(text: str) -> Iterator[str]:
    """Yield each forbidden term in a text, with the term to use; code in backticks is not text."""
    plain = re.sub(r"``[^`]+``|`[^`]+`", "`code`", text)
    plain = re.sub(r"(?:^|(?<=[.;] ))[a-z_]+: ", "field: ", plain)
    for pattern, instead in INSTEAD.items():
        for match in re.finditer(pattern, plain, re.IGNORECASE):
            yield f"{match[0]!r}, write {instead}: {plain[max(0, match.start() - 40) : match.end() + 40]!r}"
    for pattern, instead in STARTS.items():
        for match in re.finditer(pattern, plain, re.MULTILINE):
            yield f"begins with {match[0]!r}, {instead}: {plain[match.start() : match.end() + 40]!r}"


def texts_of(file: Path) -> Iterator[str]:
    """Yield the texts of a file, each on one line: docstrings and comments, or paragraphs, headings and cells."""
    source = file.read_text("utf-8")
    readers = {".md": prose_of, ".yaml": remarks, ".py": lambda text: [*docstrings(text), *comments(text)]}
    paragraphs = readers[file.suffix](source)
    for paragraph in paragraphs:
        yield from (" ".join(part.split()) for part in re.split(r"\n\s*\n|\n(?=\s*(?:[-*|#]|\d+\.) )", paragraph))


def prose_of(source: str) -> list[str]:
    """Return the text of a page without its blocks of code."""
    return [re.sub(r"^```.*?^```", "", source, flags=re.MULTILINE | re.DOTALL)]


def remarks(source: str) -> list[str]:
    """Return the comments and the description of an example, without its messages."""
    return re.findall(r"^(?:#|description:) (.*)$", source, flags=re.MULTILINE)


def docstrings(source: str) -> Iterator[str]:
    """Yield every docstring of a module, those of attributes included."""
    for part in statements(ast.parse(source)):
        if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and isinstance(part.value.value, str):
            yield part.value.value


def comments(source: str) -> Iterator[str]:
    """Yield every comment, lines of one comment joined."""
    block: list[str] = []
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not re.match(r"#!|# (?:type|noqa|fmt)", token.string):
            if block and token.start[0] != last + 1:
                yield "\n".join(block)
                block = []
            block.append(token.string.lstrip("# "))
            last = token.start[0]
    yield "\n".join(block)


def names_in(file: Path) -> set[str]:
    """Return the names that a module defines: classes, functions, parameters, variables, attributes."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return found


def is_odd(name: str) -> bool:
    """Return whether a name holds a forbidden word; stored names may."""
    words = re.findall(r"[A-Z]?[a-z]+", name)
    joined = name.lower()
    return name not in STORED_NAMES and (
        any(word.lower() in NAMES for word in words) or any(phrase in joined for phrase in NAME_PHRASES)
    )
