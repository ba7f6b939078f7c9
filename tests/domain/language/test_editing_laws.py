"""The law of edits: the text after an edit holds the changed document, and everything outside the span is the same."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.jsonvalue import JsonValue
from domain.language.editing.changes import (
    AppendItems,
    EditRefused,
    InsertKey,
    RemoveItem,
    RemoveKey,
    RenameKey,
    ReplaceValue,
    TextChange,
    changed,
)
from domain.language.editing.edits import edit_of, edited, edited_together
from domain.language.reading.nodes import plain
from domain.language.reading.problems import Problems
from domain.language.reading.tree import read_tree

WORDS = st.sampled_from(
    ["a", "bc", "d-e", "ü", "on", "null", "12", "x y", "it's", "#no", "a: b", "", "日本", "😀", "- z"]
)
TEXTS = WORDS | st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cc", "Cs"]), max_size=8
)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-4, 4) | TEXTS | st.just("two\nlines\n"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=4,
)
COMMENTS = st.sampled_from(["", "", "", "  # why", " #ünï {[,:'\""])
OWN_LINES = st.sampled_from([[], [], [], ["# a note"], ["", "   # deeper"], [""]])
KEYS = st.lists(
    st.sampled_from(["a", "b", "c-d", "ü", "'it''s'", '"q: #"', "x y"]), min_size=1, max_size=3, unique=True
)
PLAIN = st.sampled_from(["word", "12", "true", "1.5", "~", "two words", "u://x#y", "ünï 😀"])
QUOTED = st.sampled_from(["'it''s # no'", '"q \\" \\u00e9: {"', "''", '""'])


@st.composite
def flows(draw: Any, depth: int = 2) -> str:
    """Draw a value in brackets or on one line."""
    kind = draw(st.sampled_from(["plain", "quoted", "list", "object"] if depth else ["plain", "quoted"]))
    space = draw(st.sampled_from(["", " "]))
    if kind == "list":
        items = [draw(flows(depth - 1)) for _ in range(draw(st.integers(0, 3)))]
        comma = draw(st.sampled_from(["", ","])) if items else ""
        return f"[{space}{', '.join(items)}{comma}{space}]"
    if kind == "object":
        entries = [key + draw(st.sampled_from([": ", ":  "])) + draw(flows(depth - 1)) for key in draw(KEYS)]
        comma = draw(st.sampled_from(["", ","]))
        return "{" + space + ", ".join(entries) + comma + space + "}" if draw(st.booleans()) else "{" + space + "}"
    return str(draw(PLAIN if kind == "plain" else QUOTED))


@st.composite
def blocks(draw: Any, indent: int = 0, depth: int = 3) -> list[str]:
    """Draw the lines of an object or a list in block style."""
    if draw(st.sampled_from(["mapping", "mapping", "sequence"] if indent else ["mapping"])) == "sequence":
        lines: list[str] = []
        for _ in range(draw(st.integers(1, 3))):
            inner = draw(entries_of(indent + 2, depth))
            lines += [" " * indent + "- " + inner[0], *inner[1:], *draw(OWN_LINES)]
        return lines
    lines = []
    for key in draw(KEYS):
        inner = draw(entries_of(indent + 2, depth, key=key))
        lines += [" " * indent + inner[0], *inner[1:], *draw(OWN_LINES)]
    return lines


@st.composite
def entries_of(draw: Any, indent: int, depth: int, key: str = "") -> list[str]:
    """Draw the lines of one entry; the first one lacks its indentation."""
    head = f"{key}:" if key else ""
    joined = f"{head} " if key else ""
    kinds = ["flow", "flow", "empty", "literal", "folded", "lines"] + (["block", "block"] if depth else [])
    kind = draw(st.sampled_from(kinds))
    comment = draw(COMMENTS)
    if kind == "empty":
        return [head + comment if key else "~" + comment]
    if kind in ("literal", "folded"):
        mark = ("|" if kind == "literal" else ">") + draw(st.sampled_from(["", "-", "+"]))
        body = draw(st.lists(st.sampled_from(["text # no", "", "  more: x", "ü"]), max_size=3))
        return [joined + mark + comment, *(" " * indent + line for line in ["first", *body])]
    if kind == "lines":
        return [joined + "plain that", " " * indent + "goes on" + comment]
    if kind == "flow":
        return [joined + draw(flows()) + comment]
    lines = draw(blocks(indent, depth - 1))
    return [head + comment, *lines] if key else [lines[0][indent:], *lines[1:]]


SOURCES = st.builds(
    lambda lines, newline, end: newline.join(lines) + (newline if end else ""),
    blocks(),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)


def read(text: str) -> JsonValue:
    """Return the document that a text holds."""
    problems = Problems()
    root = read_tree(text, problems)
    assert root is not None
    assert not problems.errors
    value: JsonValue = plain(root)
    return value


def places(value: JsonValue, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of each value below the root."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in inner for found in ((*path, key), *places(item, (*path, key)))]


@st.composite
def changes(draw: Any, document: JsonValue) -> TextChange:
    """Draw a change that the document allows."""
    path = draw(st.sampled_from(places(document)))
    holder: Any = document
    for part in path[:-1]:
        holder = holder[part]
    kind = draw(st.sampled_from(["replace", "insert", "remove", "rename"]))
    name = draw(TEXTS)
    if isinstance(holder, list) and kind == "insert":
        return AppendItems(path[:-1], tuple(draw(st.lists(VALUES, min_size=1, max_size=3))))
    if isinstance(holder, list) and kind == "remove" and len(holder) > 1:
        return RemoveItem(path)
    if isinstance(holder, dict) and kind != "replace":
        if kind == "remove":
            return RemoveKey(path)
        if name not in holder:
            return RenameKey(path, name) if kind == "rename" else InsertKey(path[:-1], name, draw(VALUES))
    return ReplaceValue(path, draw(VALUES))


def holds(source: str, change: TextChange) -> None:
    """Assert the law for one text and one change."""
    edit = edit_of(source, change)
    after = edit.applied(source)
    assert read(after) == changed(read(source), change)
    assert after[: edit.start] == source[: edit.start]
    assert after[edit.start + len(edit.text) :] == source[edit.end :]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_an_edit_of_a_text_is_a_change_of_its_document(data: st.DataObject) -> None:
    source = data.draw(SOURCES)
    change = data.draw(changes(read(source)))
    holds(source, change)


@settings(max_examples=75, deadline=None)
@given(st.data())
def test_an_edit_of_a_text_in_brackets_is_a_change_of_its_document(data: st.DataObject) -> None:
    source = data.draw(flows(3).filter(lambda text: text.startswith("{") and read(text) != {}))
    change = data.draw(changes(read(source)))
    holds(source, change)


@settings(max_examples=75, deadline=None)
@given(st.data())
def test_changes_of_several_places_are_those_of_their_document(data: st.DataObject) -> None:
    source = "".join(f"{name}:\n  x: 1\n" + data.draw(SOURCES.map(indented)) for name in ("k", "l", "m"))
    document: Any = read(source)
    drawn = [within(name, data.draw(changes({"x": 1} | document[name]))) for name in ("k", "l", "m")]
    after = edited_together(source, drawn)
    assert read(after) == changed(document, *drawn)


def indented(source: str) -> str:
    """Return the text of an object as part of another one."""
    lines = source.replace("\r\n", "\n").removesuffix("\n").split("\n")
    return "".join(f"  {line}\n" for line in lines)


def within(name: str, change: TextChange) -> TextChange:
    """Return the change of a part as one of the whole."""
    return replace(change, path=(name, *change.path))


@pytest.mark.parametrize("change", [ReplaceValue(("a",), 1), InsertKey((), "b", 1), RemoveKey(("a",))])
def test_a_text_indented_by_tabs_is_refused(change: TextChange) -> None:
    with pytest.raises(EditRefused):
        edit_of("a:\n\tb: 1\n", change)


@pytest.mark.parametrize(
    "change",
    [ReplaceValue(("a", "b"), 2), RemoveKey(("a",)), ReplaceValue(("c", "b"), 2), InsertKey(("a",), "x", 1)],
)
def test_a_place_that_an_alias_repeats_is_refused(change: TextChange) -> None:
    with pytest.raises(EditRefused):
        edit_of("a: &x {b: 1}\nc: *x\n", change)


def test_an_alias_itself_gives_way_to_a_value() -> None:
    holds("a: &x {b: 1}\nc: *x # shared\n", ReplaceValue(("c",), {"b": 2}))


def test_a_block_at_the_end_of_a_text_without_a_line_break_may_end_with_one() -> None:
    assert edited("a: |\n  first", ReplaceValue(("a",), "two\nlines\n")) == "a: |\n  two\n  lines\n"


@pytest.mark.parametrize("change", [RemoveItem(("a", 1)), RemoveItem(("a", 2))])
def test_what_stands_below_a_removed_item_does_not_become_part_of_the_block_above(change: TextChange) -> None:
    holds("a:\n  - |+\n    first\n  - word\n\n   # deeper\n  - |\n    last\n\n     # deeper\nb: 1\n", change)


@pytest.mark.parametrize("header", ["|", "|+", ">2", "|-"])
@pytest.mark.parametrize("before", ["", "k: "])
def test_items_follow_a_block_at_the_end_of_a_text_without_a_line_break(before: str, header: str) -> None:
    holds(f"a:\n  - {before}{header} # why\n      first", AppendItems(("a",), (None, "x")))
