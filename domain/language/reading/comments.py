"""Texts that a `#` has cut: YAML takes what follows for a comment."""

import re

from domain.language.reading.nodes import Node, scalars
from domain.language.reading.problems import Problems

_COMMENT = re.compile(r"[ \t]+#")


def note_cut_texts(text: str, root: Node, problems: Problems) -> None:
    """Warn of each unquoted text after which a comment stands that may be its rest."""
    if " #" not in text:
        return
    lines = text.split("\n")
    for node in scalars(root):
        line = lines[node.line - 1] if node.line <= len(lines) else ""
        end = node.column - 1 + len(node.text)
        if not isinstance(node.value, str) or not node.text or line[node.column - 1 : end] != node.text:
            continue
        comment = _COMMENT.match(line, end)
        if comment is not None and _is_rest(line[comment.end() :]):
            message = "the text ends before the ` #`, which begins a comment"
            problems.add("cut_by_comment", message, node, hint="put the text in quotes", severity="warning")


def _is_rest(comment: str) -> bool:
    """Return whether a comment holds a template, or follows its `#` like a number."""
    return comment[:1].isdigit() or ("{{" in comment and "}}" in comment)
