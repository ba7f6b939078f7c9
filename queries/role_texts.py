"""The text with which a draft of a published version begins: the roles of now are written into it."""

from uuid import UUID

from queries.reading import Reading, fetch
from queries.roles import INTERVALS, NOW


def text_with_roles(reading: Reading, process_id: UUID, source: str) -> str:
    """Return the text of the latest version with the roles in effect on it; as it is where they cannot be written."""
    # Imported here: few queries need the language.
    from domain.language.editing.changes import EditRefused
    from domain.roles.published import begun_draft

    with reading.of(INTERVALS) as (connection, _):
        now = {(row["step"], row["agent"]): row["role"] for row in fetch(connection, NOW, (process_id,))}
    try:
        return begun_draft(source, now or None)
    except EditRefused:
        return source
