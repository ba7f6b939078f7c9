"""Names that commands take: one that does not exist ends the command with an error that gives the nearest one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from domain.refusal import Refusal
from edge.references import execution_named, process_named
from queries.names import missing_ids, nearest_hint
from store.connections import Connections

_NAMED: dict[str, Callable[[str], UUID]] = {"process": process_named, "execution": execution_named}


@contextmanager
def naming(connections: Connections, noun: str, name: str) -> Iterator[None]:
    """Give the name, and the nearest one, in a refusal that says that there is no `noun` of that name."""
    try:
        yield
    except Refusal as refusal:
        if getattr(refusal, "noun", None) != noun or refusal.code == "retired_agent":
            raise
        raise type(refusal)(unknown(connections, noun, name), code=refusal.code) from None


def unknown(connections: Connections, noun: str, name: str) -> str:
    """Return the message that there is no `noun` of that name, with the nearest one."""
    hint = ""
    if noun != "execution":
        with connections.reading() as connection:
            hint = nearest_hint(connection, noun, name)
    return f"there is no {noun} {name[:80]!r}" + (f"; {hint}" if hint else "")


def existing(connections: Connections, noun: str, names: Sequence[str]) -> list[UUID]:
    """Return the ids of the processes, or executions, of these names. Raises Refusal for the first that is missing."""
    ids = {}
    for name in names:
        with naming(connections, noun, name):
            ids[name] = _NAMED[noun](name)
    if ids:
        with connections.reading() as connection:
            missing = missing_ids(connection, noun, ids.values())
        for name, id in ids.items():
            if id in missing:
                raise Refusal(unknown(connections, noun, name), code="not_found")
    return list(ids.values())
