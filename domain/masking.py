"""Masks sensitive values, at their paths and wherever an expression or an agent copied them, with bounded work."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from domain.language.expressions.json_text import json_object_in
from domain.language.types.sensitive import EVERY, SensitivePath
from domain.large_results import is_reference

MASK = "•••"
SHORTEST = 4
"""Shorter values occur in ordinary text by chance; they are masked at their paths alone."""
MAX_VALUES = 200
MAX_WORK = 50_000_000
"""Characters times values of one text; beyond it the whole text is masked."""

# Names of members of errors and triggers, which views rely on.
_FRAME = frozenset(("code", "message", "permanent", "details", "retry_after", "type", "id", "payload"))


class Secrets:
    """The values that stand under sensitive paths. whole: they are too many, and every text is masked."""

    def __init__(self) -> None:
        self._values: dict[str, None] = {}
        self.whole = False

    def collect(self, document: Any, paths: Iterable[SensitivePath]) -> None:
        """Add each scalar of `document` that stands under one of `paths`."""
        for path in paths:
            # The values inside a large result are not here: each text may be one of them.
            self.whole |= is_reference(document)
            for part in _parts(document, path):
                self._add(part)

    def masked(self, value: Any) -> Any:
        """Return a JSON value with each occurrence of a sensitive value masked, in any case of its letters."""
        return self._masked(value) if self._values or self.whole else value

    def _add(self, part: Any) -> None:
        waiting = [part]
        while waiting and not self.whole:
            part = waiting.pop()
            if is_reference(part):
                self.whole = True
            elif isinstance(part, dict):
                waiting += part.values()
            elif isinstance(part, list):
                waiting += part
            elif part is not None and not isinstance(part, bool):
                for form in _forms(part):
                    if len(form) >= SHORTEST:
                        self._values[form.lower()] = None
                self.whole = len(self._values) > MAX_VALUES

    def _masked(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._name(name): self._masked(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._masked(each) for each in value]
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, bool):
            return value if value is None or not self.whole else MASK
        written = str(value)
        return value if self._text(written) == written else MASK

    def _name(self, name: str) -> str:
        return name if name in _FRAME else self._text(name)

    def _text(self, text: str) -> str:
        if self.whole:
            return MASK
        if len(text) * len(self._values) > MAX_WORK:
            return MASK
        lowered = text.lower()
        spans = sorted(span for value in self._values for span in _spans(lowered, value))
        if not spans:
            return text
        # The lower case of a few letters is longer than the letter, so that spans of the one are none of the other.
        return _replaced(text, spans) if len(lowered) == len(text) else MASK


def _spans(text: str, value: str) -> Iterator[tuple[int, int]]:
    at = text.find(value)
    while at >= 0:
        yield at, at + len(value)
        at = text.find(value, at + len(value))


def _replaced(text: str, spans: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    done = 0
    for begin, end in spans:
        if begin >= done:
            pieces += (text[done:begin], MASK)
        done = max(done, end)
    pieces.append(text[done:])
    return "".join(pieces)


def masked_at(document: Any, paths: Iterable[SensitivePath]) -> Any:
    """Return `document` with the whole value at each path masked."""
    for path in paths:
        document = _masked_at(document, path)
    return document


def _masked_at(document: Any, path: SensitivePath) -> Any:
    if not path:
        return MASK
    first, rest = path[0], path[1:]
    if isinstance(document, dict):
        return {name: _masked_at(each, rest) if first in (name, EVERY) else each for name, each in document.items()}
    if isinstance(document, list) and first == EVERY:
        return [_masked_at(each, rest) for each in document]
    # A text may be the written form of the object that the schema describes.
    return MASK if isinstance(document, str) else document


def _parts(document: Any, path: SensitivePath) -> list[Any]:
    found = [document]
    for name in path:
        inner: list[Any] = []
        for each in found:
            if isinstance(each, str):
                read = json_object_in(each)
                if read is None:
                    inner.append(each)
                    continue
                each = read
            if isinstance(each, dict):
                inner += each.values() if name == EVERY else [each[name]] if name in each else []
            elif isinstance(each, list) and name == EVERY:
                inner += each
        found = inner
    return found


def _forms(value: Any) -> set[str]:
    """Return the texts in which a scalar may stand: as it is, trimmed, and written in JSON once or twice."""
    if not isinstance(value, str):
        written = {str(value), msgspec.json.encode(value).decode()}
        return written | {str(int(value))} if isinstance(value, float) and value.is_integer() else written
    # The upper case of some letters is no letter whose lower case is the first one.
    forms = {value, value.strip(), value.upper()}
    for text in tuple(forms):
        for ascii in (False, True):
            once = json.dumps(text, ensure_ascii=ascii)[1:-1]
            forms |= {once, json.dumps(once, ensure_ascii=ascii)[1:-1]}
    return forms
