"""The published versions that have a label."""

from collections.abc import Sequence
from uuid import UUID

from queries.reading import Reading, fetch

CATALOGUE = "process_catalogue"
_LABELLED = """select process_id, version from process_versions
where (definition->'labels')::jsonb ?| %s::text[] order by process_id, version"""


def labelled_versions(reading: Reading, labels: Sequence[str]) -> list[tuple[UUID, int]]:
    """Return the versions with one of `labels`, each as its process and number."""
    with reading.of(CATALOGUE) as (connection, _):
        return [(row["process_id"], row["version"]) for row in fetch(connection, _LABELLED, (list(labels),))]
