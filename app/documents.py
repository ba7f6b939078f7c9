"""Documents in files: read with bounds, as YAML or JSON, and problems in them located."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from domain.language.reading.nodes import Mapping, Node, Sequence, plain
from domain.language.reading.problems import Problems
from domain.language.reading.source import MAX_BYTES, UnreadableSource, decode_source
from domain.language.reading.tree import read_tree
from domain.refusal import Malformed, Problem


class FileUnreadable(Exception):
    """A file cannot be read; the message names it and gives the reason."""


class MalformedFile(Malformed):
    """The contents of a file are malformed; `source` names the file."""

    def __init__(self, malformed: Malformed, source: str) -> None:
        super().__init__(malformed.message, malformed.problems, code=malformed.code)
        self.source = source


@contextmanager
def inside(source: str | None) -> Iterator[None]:
    """Attach the file `source`, if there is one, to problems raised inside."""
    try:
        yield
    except Malformed as malformed:
        raise malformed if source is None else MalformedFile(malformed, source) from None


class Document:
    """The JSON value of a text, and the places of its parts in the text."""

    def __init__(self, root: Node | None) -> None:
        self._root = root
        self.value: Any = None if root is None else plain(root)

    def locate(self, problem: Problem) -> Problem:
        """Return the problem with the line and column of its path, or of the nearest part above it in the text."""
        node = self._find(problem.path)
        return problem if node is None else msgspec.structs.replace(problem, line=node.line, column=node.column)

    def _find(self, path: str) -> Node | None:
        node, found = self._root, None
        for key in path.replace("[", ".").replace("]", "").split("."):
            if isinstance(node, Mapping) and key in node.entries:
                found = node = node.entries[key]
            elif isinstance(node, Sequence) and key.isdigit() and int(key) < len(node.items):
                found = node = node.items[int(key)]
            else:
                break
        return found


def read_document(source: bytes) -> Document:
    """Return the one document in YAML or JSON text. Raises Malformed with every problem, located."""
    problems = Problems()
    try:
        root = read_tree(decode_source(source), problems)
    except UnreadableSource as unreadable:
        problems.note(unreadable.problem)
        root = None
    if problems.errors:
        raise Malformed("the text cannot be read", problems.all())
    return Document(root)


def read_file(path: str, most: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file, ``-`` for standard input; at most one byte more than the limit, `most`.

    Raises FileUnreadable.
    """
    try:
        if path == "-":
            return sys.stdin.buffer.read(most + 1)
        with Path(path).open("rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise FileUnreadable(f"{path} cannot be read: {reason}") from None
