"""Named refusals, and the problems found in a request."""

from collections.abc import Iterable

import msgspec


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing wrong, located.

    code: stable identifier in snake case. path: its position, as ``steps[2].agent``. line, column: from 1, for texts.
    severity: ``error`` stops a publish; ``warning`` and ``notice`` do not.
    """

    code: str
    message: str
    path: str = ""
    line: int | None = None
    column: int | None = None
    hint: str = ""
    severity: str = "error"


def strictly(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems with every warning as an error."""
    return [
        msgspec.structs.replace(each, severity="error") if each.severity == "warning" else each for each in problems
    ]


class Refusal(Exception):
    """A rule refused a command; nothing was recorded. The message is meant for the person who sent the command.

    Refusal
    ├── Malformed     the request cannot be read (carries every Problem)
    ├── NotFound      there is no such thing
    ├── Forbidden     a rule of the domain refuses it in the present state
    └── Stale         it was decided on a version that is not the current one
    """

    code = "refused"

    def __init__(self, message: str, *, code: str | None = None, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details


class Malformed(Refusal):
    """The request is not well formed; `problems` lists everything wrong with it."""

    code = "malformed"

    def __init__(self, message: str, problems: list[Problem], *, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.problems = problems


class NotFound(Refusal):
    """Nothing of that kind has that id."""

    code = "not_found"


class ProcessNotFound(NotFound):
    """There is no such process. The doors add its name, and the nearest one."""

    noun = "process"


class AgentNotFound(NotFound):
    """There is no such agent. The doors add its name, and the nearest one."""

    noun = "agent"


class Forbidden(Refusal):
    """Well formed, but refused by a rule in the present state. problems: where a text causes that, if one does."""

    code = "conflict"

    def __init__(
        self, message: str, *, code: str | None = None, problems: Iterable[Problem] = (), **details: object
    ) -> None:
        super().__init__(message, code=code, **details)
        self.problems = list(problems)


class Stale(Refusal):
    """The decision is based on a version that is not the current one; details hold `version`, the current one."""

    code = "stale_version"
