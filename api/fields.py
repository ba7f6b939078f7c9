"""The fields of a body: each looked at, and every problem reported at once."""

import difflib
import re
from datetime import datetime
from typing import Any

from api.instants import parse_instant
from api.refusals import malformed
from domain.refusal import Problem

MAX_TEXT = 2_000


class Fields:
    """Takes a JSON object apart. Every getter notes what is wrong and answers None; `check` raises it all."""

    def __init__(self, value: dict[str, Any], *known: str) -> None:
        self._value = value
        self._path = ""
        self.problems: list[Problem] = []
        self._refuse_unknown(known)

    def inside(self, name: str, value: dict[str, Any], *known: str) -> "Fields":
        """The fields of the object `value` under `name`; what is wrong with them is wrong with the whole."""
        inner = Fields.__new__(Fields)
        inner._value, inner._path, inner.problems = value, f"{self._path}{name}.", self.problems
        if name in self._value:
            inner._refuse_unknown(known)
        return inner

    def anything(self, name: str) -> Any:
        """Any value; required."""
        if name not in self._value:
            self._note("missing", f"{name} is missing", name)
        return self._value.get(name)

    def text(
        self, name: str, *, required: bool = False, longest: int = MAX_TEXT, pattern: str | None = None
    ) -> str | None:
        """A text of at most `longest` characters, without NUL, of the form `pattern`."""
        value: str | None = self._of(name, str, "a text", required)
        if value is None:
            return None
        if len(value) > longest or "\0" in value:
            self._note("invalid_value", f"{name} is a text of at most {longest} characters without NUL", name)
        elif pattern is not None and not re.fullmatch(pattern, value):
            self._note("invalid_value", f"{name} has the form {pattern}", name)
        else:
            return value
        return None

    def reason(self) -> str:
        """Why, in words; required, and not empty."""
        reason = self.text("reason", required=True)
        if reason is not None and not reason.strip():
            self._note("missing", "reason says why", "reason")
        return reason or ""

    def whole(self, name: str, *, required: bool = False, lowest: int = 0, highest: int = 2**31 - 1) -> int | None:
        """A whole number between `lowest` and `highest`."""
        value: int | None = self._of(name, int, "a whole number", required)
        if value is not None and not lowest <= value <= highest:
            self._note("invalid_value", f"{name} is between {lowest} and {highest}", name)
            return None
        return value

    def instant(self, name: str) -> datetime | None:
        """A time in ISO 8601 with an offset, in aware UTC; required."""
        text = self.text(name, required=True)
        try:
            return None if text is None else parse_instant(text)
        except ValueError as error:
            self._note("invalid_value", f"{name}: {error}", name)
            return None

    def flag(self, name: str) -> bool:
        """True or false; false when it is left out."""
        value = self._value.get(name, False)
        if not isinstance(value, bool):
            self._note("wrong_type", f"{name} is true or false", name)
        return value is True

    def object(self, name: str, *, required: bool = False) -> dict[str, Any] | None:
        """An object."""
        value: dict[str, Any] | None = self._of(name, dict, "an object", required)
        return value

    def wrong(self, name: str, message: str) -> None:
        """Note that the value of `name` cannot be."""
        self._note("invalid_value", message, name)

    def check(self) -> None:
        """Raises Malformed with every problem noted."""
        if self.problems:
            raise malformed(self.problems)

    def _of(self, name: str, kind: type, described: str, required: bool) -> Any:
        value = self._value.get(name)
        if value is None:
            if required:
                self._note("missing", f"{name} is missing", name)
            return None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self._note("wrong_type", f"{name} is {described}", name)
            return None
        return value

    def _refuse_unknown(self, known: tuple[str, ...]) -> None:
        for name in self._value:
            if name not in known:
                close = difflib.get_close_matches(name[:60], known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known) or 'none'}"
                self._note("unknown_key", f"unknown key {name[:60]!r}", name[:60], hint)

    def _note(self, code: str, message: str, name: str, hint: str = "") -> None:
        if len(self.problems) < 100:
            self.problems.append(Problem(code, message, f"{self._path}{name}", hint=hint))
