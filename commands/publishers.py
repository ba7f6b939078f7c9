"""The processes with a publication that holds a word: an upgrade registers what such versions state."""

from collections.abc import Iterator
from uuid import UUID

from store.log import Log

PAGE = 100
# An index has publications only; those without the word are not read.
_PUBLISHERS = """
select distinct originator_id from stored_events
where topic = 'ProcessPublished' and position(%s::bytea in state) > 0 and originator_id > %s
order by originator_id limit %s"""


def publishers(log: Log, word: str) -> Iterator[UUID]:
    """Yield every process with a publication in which the JSON text `word` stands, a page at a time.

    Raises Unavailable.
    """
    last = UUID(int=0)
    while True:
        with log.datastore.reading() as connection:
            rows = connection.execute(_PUBLISHERS, (f'"{word}"'.encode(), last, PAGE)).fetchall()
        ids = [row["originator_id"] for row in rows]
        yield from ids
        if len(ids) < PAGE:
            return
        last = ids[-1]
