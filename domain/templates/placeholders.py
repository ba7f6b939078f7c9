"""Placeholders in a text, ``${{ parameters.NAME }}``, each with its surroundings."""

import re
from dataclasses import dataclass
from enum import Enum

OPENING = "${{"
ESCAPED = "$${{"
MEMBERS = ("amount", "currency")
_PIECE = re.compile(
    r"(?P<escaped>\$\$\{\{)"
    r"|\$\{\{\s{0,20}parameters\.(?P<name>[A-Za-z_][A-Za-z0-9_-]{0,63})(?:\.(?P<member>amount|currency))?\s{0,20}\}\}"
    r"|(?P<wrong>\$\{\{)"
)


class Surroundings(Enum):
    """Where a placeholder stands: in plain text, in an expression, or in a quoted text of an expression."""

    TEXT = "text"
    CODE = "code"
    SINGLE = "'"
    DOUBLE = '"'


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder. member: the part of an amount of money, if it names one. offset: its first character."""

    name: str
    member: str | None
    written: str
    surroundings: Surroundings
    offset: int


@dataclass(frozen=True, slots=True)
class Literal:
    """Text between placeholders. written: as the template has it; text: with ``$${{`` read as ``${{``."""

    text: str
    written: str
    surroundings: Surroundings = Surroundings.TEXT


@dataclass(frozen=True, slots=True)
class WrongOpening:
    """A ``${{`` that begins no placeholder."""

    offset: int


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text in pieces, in order, and its mistakes."""

    parts: tuple[Literal | Placeholder, ...]
    wrong: tuple[WrongOpening, ...] = ()

    @property
    def placeholders(self) -> list[Placeholder]:
        """The placeholders alone."""
        return [part for part in self.parts if isinstance(part, Placeholder)]

    @property
    def alone(self) -> Placeholder | None:
        """The placeholder that is the whole text."""
        part = self.parts[0] if len(self.parts) == 1 else None
        return part if isinstance(part, Placeholder) else None


def pieces_of(text: str, *, templated: bool, condition: bool = False) -> Pieces:
    """Return a text in pieces. templated: ``{{ … }}`` in it holds an expression. condition: all of it is one."""
    at = _Surveyor(text, templated=templated, condition=condition)
    for found in _PIECE.finditer(text):
        at.advance(found.start())
        if found["escaped"] is not None:
            # The literal is a `$` and what may be the beginning of an expression.
            at.literal("$", "$$")
            at.skip(found.start() + 2)
        elif found["wrong"] is not None:
            at.wrong.append(WrongOpening(found.start()))
        else:
            at.placeholder(found)
    at.advance(len(text))
    return Pieces(tuple(at.parts), tuple(at.wrong))


class _Surveyor:
    """Goes through a text once and keeps the surroundings as the tokens of expressions have them."""

    def __init__(self, text: str, *, templated: bool, condition: bool) -> None:
        self.parts: list[Literal | Placeholder] = []
        self.wrong: list[WrongOpening] = []
        self._text = text
        self._templated = templated
        self._condition = condition
        self._state = Surroundings.CODE if condition else Surroundings.TEXT
        self._at = 0

    def advance(self, end: int) -> None:
        """Take the text up to `end` as literal pieces, one for each kind of surroundings."""
        begin = at = self._at
        while at < end:
            step, after = self._next(at, end)
            if after is not self._state and Surroundings.TEXT in (after, self._state):
                cut = at if self._state is Surroundings.TEXT else at + step
                self._keep(begin, cut)
                begin = cut
            self._state, at = after, at + step
        self._keep(begin, end)
        self._at = end

    def literal(self, text: str, written: str) -> None:
        """Take a piece that stands for another text."""
        self.parts.append(Literal(text, written, self._state))

    def skip(self, to: int) -> None:
        """Go on at a later character."""
        self._at = to

    def placeholder(self, found: "re.Match[str]") -> None:
        """Take a placeholder, whose characters change no surroundings."""
        self.parts.append(Placeholder(found["name"], found["member"], found.group(), self._state, found.start()))
        self._at = found.end()

    def _keep(self, begin: int, end: int) -> None:
        if begin < end:
            self.parts.append(Literal(self._text[begin:end], self._text[begin:end], self._state))

    def _next(self, at: int, end: int) -> tuple[int, Surroundings]:
        """Return how many characters make the next token, and the surroundings after it."""
        state, text = self._state, self._text
        if state is Surroundings.TEXT:
            if self._templated and text.startswith("{{", at):
                return 2, Surroundings.CODE
            following = text.find("{{", at, end + 1) if self._templated else -1
            return (following if following >= 0 else end) - at, state
        if state is Surroundings.CODE:
            if text[at] in "'\"":
                return 1, Surroundings(text[at])
            if text.startswith("}}", at) and not self._condition:
                return 2, Surroundings.TEXT
            return 1, state
        if text[at] == "\\":
            return min(2, end - at), state
        return 1, Surroundings.CODE if text[at] == state.value else state
