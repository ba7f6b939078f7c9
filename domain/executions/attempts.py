"""Ids derived from an attempt, so that no code needs a look-up."""

from uuid import UUID


def approval_id(execution_id: UUID, step: str, attempt: int) -> str:
    """Return the id of the approval that an attempt requests; every caller derives the same id."""
    return f"{execution_id}:{step}:{attempt}"
