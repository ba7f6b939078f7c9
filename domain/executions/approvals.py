"""The ids of approvals: text that says which attempt of which step asked, so that nothing has to be looked up."""

import re
from uuid import UUID

from domain.executions.refusals import NoSuchApproval

_ID = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([a-z][a-z0-9_-]{0,63}):([1-9][0-9]{0,8})")


def approval_id(execution_id: UUID, step: str, attempt: int) -> str:
    """The id of the approval that an attempt asks for, the same whoever works it out."""
    return f"{execution_id}:{step}:{attempt}"


def parse_approval_id(text: str) -> tuple[UUID, str, int]:
    """The execution, the step and the attempt that an id is made of. Raises NoSuchApproval for any other text."""
    found = _ID.fullmatch(text)
    if found is None:
        raise NoSuchApproval("there is no such approval")
    return UUID(found[1]), found[2], int(found[3])
