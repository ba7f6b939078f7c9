"""Collects problems: all of them at once, each located, up to a bound."""

import msgspec

from domain.language.reading.nodes import Location
from domain.refusal import Problem

MAX_EACH = 100
_SEVERITIES = ("error", "warning", "notice")


class Problems:
    """Problems in the order of discovery: at most 100 of each severity, and then a note that there are more.

    strict: warnings become errors. strict_keys: every unknown key is an error.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict_keys = strict
        self._strict = strict
        self._found: list[Problem] = []
        self._counts = dict.fromkeys(_SEVERITIES, 0)

    @property
    def errors(self) -> int:
        """The number of errors, including those not kept."""
        return self._counts["error"]

    def full(self, severity: str = "error") -> bool:
        """Return whether another problem of this severity would be dropped, so that its hint need not be computed."""
        return self._counts[severity] >= MAX_EACH

    def add(
        self, code: str, message: str, at: Location, *, hint: str = "", severity: str = "error", below: str = ""
    ) -> None:
        """Note a problem at a location; `below` is a path further down that the text does not hold."""
        path = (at.path + below).removeprefix(".")
        self.note(Problem(code, message, path, at.line, at.column, hint, severity))

    def note(self, problem: Problem) -> None:
        """Note a problem that is located already."""
        if self._strict and problem.severity == "warning":
            problem = msgspec.structs.replace(problem, severity="error")
        count = self._counts[problem.severity] = self._counts[problem.severity] + 1
        if count <= MAX_EACH:
            self._found.append(problem)

    def all(self) -> list[Problem]:
        """Return the problems by location; the first line states it if some were left out."""
        found = sorted(self._found, key=lambda problem: (problem.line or 0, problem.column or 0))
        for severity, count in self._counts.items():
            if count > MAX_EACH:
                more = f"{count - MAX_EACH} more of severity {severity} are not shown"
                found.append(Problem("more_problems", more, severity=severity))
        return found
