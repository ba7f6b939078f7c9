"""From bytes to the characters of a source: size, encoding, and forbidden characters."""

import json
import re

from domain.refusal import Problem

MAX_BYTES = 1 << 20

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Escapes that JSON allows and YAML reads differently or not at all: escaped surrogate pairs, and some characters as
# they are. Other escapes are matched so that a backslash that is escaped itself begins nothing.
_ONLY_IN_JSON = re.compile(
    r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\.|([\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff])"
)


class UnreadableSource(Exception):
    """The text cannot be read at all; `problem` gives the reason."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def decode_source(source: str | bytes) -> str:
    """Return the text of a source of at most 1 MiB, without its byte order mark. Raises Unreadable, located."""
    if len(source) > MAX_BYTES:
        raise _too_large()
    try:
        text = source.decode("utf-8") if isinstance(source, bytes) else source
        if len(text.encode("utf-8")) > MAX_BYTES:
            raise _too_large()
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        raise UnreadableSource(Problem("not_utf8", f"byte {error.start} is not UTF-8", line=line, column=1)) from None
    except UnicodeEncodeError as error:
        raise _at(error.object, error.start, "not_utf8", "half of a surrogate pair is not a character") from None
    return text.removeprefix("\ufeff")


def as_yaml(text: str) -> str:
    """Return the text as a YAML reader takes it: JSON is respelled where YAML differs. Raises Unreadable, located."""
    if text.lstrip().startswith("{") and _ONLY_IN_JSON.search(text) and _is_json(text):
        text = _ONLY_IN_JSON.sub(_respelled, text)
    if found := _UNPRINTABLE.search(text):
        message = f"the character U+{ord(found.group()):04X} may not stand in a definition"
        raise _at(text, found.start(), "unprintable_character", message)
    return text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _respelled(found: re.Match[str]) -> str:
    high, low, character = found.groups()
    if high is not None:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))
    return f"\\u{ord(character):04x}" if character is not None else found.group()


def _too_large() -> UnreadableSource:
    return UnreadableSource(Problem("too_large", f"a definition is at most {MAX_BYTES} bytes (1 MiB)"))


def _at(text: str, position: int, code: str, message: str) -> UnreadableSource:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return UnreadableSource(Problem(code, message, line=line, column=column))
