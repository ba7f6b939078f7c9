"""The text of the definition inside a template's document, cut out of it and put into one with its layout."""

import json

from domain.jsonvalue import JsonValue
from domain.language.documents import print_document
from domain.language.editing.changes import EditRefused
from domain.language.editing.edits import document_of
from domain.language.editing.spans import MAPPING, read_spans

INDENT = "  "


def cut_process(source: str) -> tuple[str, int]:
    """Return the text under the key `process` of a readable document, and the number of lines before it."""
    document = document_of(source)
    process = document["process"] if isinstance(document, dict) else None
    found = _cut(source)
    if found is not None and _holds(found[0], process):
        return found
    return print_document(process), 0


def put_process(header: JsonValue, process_text: str) -> str:
    """Return the document of a template from the value under `template` and the text of its definition."""
    head = print_document({"template": header})
    body = _body(process_text)
    document = f"{head}process:\n{body}"
    expected: JsonValue = {"template": header, "process": document_of(process_text)}
    return document if _holds(document, expected) else print_document(expected)


def _cut(source: str) -> tuple[str, int] | None:
    root = read_spans(source)
    if root is None or root.kind != MAPPING:
        return None
    names = [key.value for key, _ in root.entries]
    at = names.index("process")
    key, value = root.entries[at]
    if value.kind != MAPPING or value.anchor is not None:
        return None
    if value.flow or root.flow:
        return source[value.start : value.end] + "\n", value.line - 1
    first = value.entries[0][0]
    begin = source.find("\n", key.end) + 1
    if begin == 0 or begin > first.start:
        return None
    following = root.entries[at + 1][0].start if at + 1 < len(root.entries) else len(source)
    last = source.rfind("\n", 0, following) + 1 if at + 1 < len(root.entries) else following
    indent = first.column - 1
    lines = source[begin:last].split("\n")
    text = "\n".join(line[min(indent, len(line) - len(line.lstrip(" "))) :] for line in lines)
    return text, key.line


def _body(process_text: str) -> str:
    """Return the text indented, without what stands before the document and after it."""
    lines = process_text.removesuffix("\n").split("\n")
    marks = [at for at, line in enumerate(lines) if line.rstrip() == "---"]
    kept = lines[marks[0] + 1 :] if marks else lines
    return "\n".join(INDENT + line if line else "" for line in kept) + "\n"


def _holds(source: str, expected: JsonValue) -> bool:
    try:
        return json.dumps(document_of(source), sort_keys=True) == json.dumps(expected, sort_keys=True)
    except EditRefused:
        return False
