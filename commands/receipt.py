"""What a command answers."""

from typing import Any
from uuid import UUID

import msgspec


class Receipt(msgspec.Struct, frozen=True):
    """position: place in the log up to which the command's effects reach. facts: ids and the like for the caller.

    duplicate: the command had been carried out before, nothing was recorded now.
    """

    stream: UUID
    position: int
    facts: dict[str, Any] = {}
    duplicate: bool = False
