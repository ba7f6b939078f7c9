"""A control of a form that is made from declared fields: what stands in it, and what is wrong with it."""

from collections.abc import Iterable

import msgspec

from domain.refusal import Problem


class FormControl(msgspec.Struct, frozen=True):
    """A control. kind: ``text``, ``number``, ``choice``, ``json``, ``line`` or ``money``. options: values with words.

    text: what stands in it. problems: about what was sent. suggested: the id of a list on the page with values to pick.
    currency: of an amount. left_out: another answer makes it superfluous.
    """

    name: str
    label: str
    kind: str
    text: str
    hints: list[str]
    required: bool = False
    options: list[tuple[str, str]] = []
    problems: list[str] = []
    suggested: str = ""
    currency: str = ""
    left_out: bool = False

    @property
    def id(self) -> str:
        """Its id on the page."""
        return self.name.replace(".", "-")

    def owns(self, path: str) -> bool:
        """Return whether a problem at this path is one of the field, or of a part of it."""
        return _is_at(self.name, path)


def problems_at(name: str, problems: Iterable[Problem]) -> list[str]:
    """Return the problems of a field, or of a part of it, in words."""
    found = [each for each in problems if _is_at(name, each.path)]
    return [f"{each.message}{f'; {each.hint}' if each.hint else ''}" for each in found]


def unplaced(controls: Iterable[FormControl], problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems that belong to no control."""
    names = [control.name for control in controls]
    return [problem for problem in problems if not any(_is_at(name, problem.path) for name in names)]


def _is_at(name: str, path: str) -> bool:
    return path == name or path.startswith((f"{name}.", f"{name}["))
