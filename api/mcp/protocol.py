"""The numbers and names of the Model Context Protocol that are agreed on outside of the ``mcp`` package."""

from collections.abc import Mapping
from typing import Any

EVENTS = "io.modelcontextprotocol/events"
"""The identifier of the extension Events (SEP-3415)."""
CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"

INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
HEADER_MISMATCH = -32020

# Each by the table of SEP-3415, and by the numbers of its sketch, which clients use that do not declare the extension.
CODES: dict[str, tuple[int, int]] = {
    "not_found": (-32023, -32011),
    "forbidden": (-32024, -32012),
    "resource_exhausted": (-32025, -32013),
    "unsupported": (-32026, -32014),
}


def declares_events(params: Mapping[str, Any] | None) -> bool:
    """Return whether a request declares the extension Events."""
    declared: Any = params
    for key in ("_meta", CLIENT_CAPABILITIES, "extensions"):
        declared = declared.get(key) if isinstance(declared, Mapping) else None
    return isinstance(declared, Mapping) and EVENTS in declared


def code_of(kind: str, *, declared: bool) -> int:
    """Return the number of an error of CODES. declared: the request declares the extension."""
    proposed, sketched = CODES[kind]
    return proposed if declared else sketched
