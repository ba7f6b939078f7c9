"""What a path names: ids, and names that stand for them."""

import re
from uuid import UUID

from domain.identity import PROCESS_NAME, process_id
from domain.refusal import NotFound

_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAME = re.compile(PROCESS_NAME.removeprefix("^").removesuffix("$"))


def process_named(reference: str) -> UUID:
    """The process that `reference`, an id or a name, stands for; whether it exists is another question.

    Raises NotFound for what can be neither.
    """
    if _ID.fullmatch(reference):
        return UUID(reference)
    if not _NAME.fullmatch(reference):
        raise NotFound("there is no such process")
    return process_id(reference)


def execution_named(reference: str) -> UUID:
    """The id of an execution. Raises NotFound for what cannot be one."""
    if not _ID.fullmatch(reference):
        raise NotFound("there is no such execution")
    return UUID(reference)
