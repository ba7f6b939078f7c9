"""Events of the roles of a process; each class is stored under its own name for ever."""

from uuid import UUID

from domain.event import Event, stored


@stored("RoleAssigned")
class RoleAssigned(Event, frozen=True, kw_only=True):
    """An agent has a role in a step from now on, in place of another one that it had there.

    of: ``draft`` or ``published``. version: the published version, 0 for a draft. reason: ``drafted``, ``published``,
    ``upgraded``, or the reason that a person states.
    """

    process_id: UUID
    process: str
    of: str
    version: int = 0
    step: str
    agent: str
    role: str
    reason: str = ""


@stored("RoleRevoked")
class RoleRevoked(Event, frozen=True, kw_only=True):
    """An agent has no role in a step any more; the fields as of RoleAssigned, `role` is the one that it had."""

    process_id: UUID
    process: str
    of: str
    version: int = 0
    step: str
    agent: str
    role: str
    reason: str = ""
