"""The answer to a command."""

from typing import Any
from uuid import UUID

import msgspec

from domain.refusal import Problem


class Receipt(msgspec.Struct, frozen=True):
    """The result of a command. position: the place in the log up to which its effects reach. facts: for the caller.

    duplicate: the command had been carried out before; this time it recorded nothing.
    """

    stream: UUID
    position: int
    facts: dict[str, Any] = {}
    duplicate: bool = False


def facts_about(problems: list[Problem]) -> dict[str, list[Problem]]:
    """Return the facts about the problems of a text; the warnings are those that stop no publication."""
    return {"problems": problems, "warnings": [each for each in problems if each.severity != "error"]}
