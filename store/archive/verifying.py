"""The proof that the rows about archived executions are as the log recorded them, and that their events are gone."""

from collections.abc import Iterable
from contextlib import closing
from hashlib import sha256
from typing import Any
from uuid import UUID

from psycopg import Connection, IsolationLevel

from domain.archive.events import ExecutionsArchived
from domain.identity import ARCHIVE_ID
from store.archive.manifest import digest_of_ids
from store.datastore import Datastore
from store.lists.kept import SAMPLES, ListDifference, Verified, tuples
from store.mapper import decode
from store.progress import Progress
from store.reading import connect

_FACTS = """select notification_id, topic, state from stored_events
where originator_id = %s and topic = 'ExecutionsArchived' order by originator_version"""
_IDS = "select execution_id from archived_executions where position = %s"
_FIGURES = "select projection, table_name, rows from archived_figures where position = %s order by 1, 2"
_STRAY = """select position from archived_executions
union select position from archived_figures except select unnest(%s::bigint[])"""
_STILL_LOGGED = """select a.execution_id, count(*) over () from archived_executions a
where exists (select from stored_events e where e.originator_id = a.execution_id) limit %s"""
_COUNTED = """select process_id, executions from archived_counts
except select process_id, count(*) from archived_executions where not body group by process_id"""
# Whole execution trees leave: a called execution without the one that called it is a loss.
_ORPHANS = """select l.execution_id, l.root_id, count(*) over () from execution_list l where l.root_id is not null
  and not exists (select from stored_events e where e.originator_id = l.root_id)
  and not exists (select from archived_executions a where a.execution_id = l.execution_id) limit %s"""


class ArchiveProof:
    """The part of a verification that concerns the archive; nothing can rebuild its rows."""

    name = "archive"

    def verify(self, datastore: Datastore, progress: Progress) -> Verified:
        """Return the number of archived executions, and the differences; change nothing.

        Raises psycopg.OperationalError during an outage.
        """
        with closing(connect(datastore)) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            with connection.transaction():
                facts = [
                    (position, decode(topic, bytes(state)))
                    for position, topic, state in tuples(connection, _FACTS, (ARCHIVE_ID,))
                ]
                rows, differing = 0, list[ListDifference]()
                for done, (position, fact) in enumerate(facts, 1):
                    assert isinstance(fact, ExecutionsArchived)
                    rows += fact.executions
                    differing += _compared(connection, position, fact)
                    progress(done, len(facts))
                positions = [position for position, _ in facts]
                differing += [
                    ListDifference("archived_executions", {"position": position}, {}, None)
                    for (position,) in tuples(connection, _STRAY, (positions,))
                ]
                differing += [
                    ListDifference("archived_counts", {"process_id": str(UUID(bytes=id))}, {"executions": count}, None)
                    for id, count in tuples(connection, _COUNTED)
                ]
                logged = tuples(connection, _STILL_LOGGED, (SAMPLES,))
                orphans = tuples(connection, _ORPHANS, (SAMPLES,))
        samples = [*differing, *_ids("stored_events", logged), *_ids("execution_list", orphans)]
        number = len(differing) + sum(found[0][-1] for found in (logged, orphans) if found)
        return Verified(rows, number, samples[:SAMPLES])


def digest_of(figures: Iterable[tuple[str, str, bytes]]) -> str:
    """Return the SHA-256 of documents of figures, each with its projection and table, in hexadecimal."""
    digest = sha256()
    for projection, table, document in sorted(figures):
        digest.update(f"{projection} {table} {len(document)}\n".encode() + document)
    return digest.hexdigest()


def _compared(connection: Connection[Any], position: int, fact: ExecutionsArchived) -> list[ListDifference]:
    ids = [UUID(bytes=id) for (id,) in tuples(connection, _IDS, (position,))]
    figures = [(name, table, bytes(rows)) for name, table, rows in tuples(connection, _FIGURES, (position,))]
    found = {"executions": len(ids), "executions_sha256": digest_of_ids(ids), "figures_sha256": digest_of(figures)}
    recorded = {name: getattr(fact, name) for name in found}
    return [] if found == recorded else [ListDifference("archived_executions", {"position": position}, found, recorded)]


def _ids(table: str, rows: Iterable[Any]) -> list[ListDifference]:
    return [ListDifference(table, {"execution_id": str(UUID(bytes=row[0]))}, {}, None) for row in rows]
