"""The ids of what an attempt asks for, so that nothing has to be looked up."""

from uuid import UUID


def approval_id(execution_id: UUID, step: str, attempt: int) -> str:
    """The id of the approval that an attempt asks for, the same whoever works it out."""
    return f"{execution_id}:{step}:{attempt}"
