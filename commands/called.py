"""Looking up the processes that a definition calls, and those they call, before it is published."""

from uuid import UUID

from commands.deciding import Guards
from domain.identity import process_id
from domain.language import Parsed
from domain.processes.callees import CallGraph
from domain.processes.process import Process, fold
from store.log import Log


def read_calls(log: Log, parsed: Parsed) -> tuple[CallGraph, Guards]:
    """All that is called, and the revisions of all those processes; one query for each level of calls.

    A publication that rests on these revisions closes no cycle: of two that are made at the same moment, each with half
    of one, the second finds that what it looked at has moved on.
    """
    caller = parsed.name or ""
    calls = CallGraph(caller, [(use.name, use.version) for use in parsed.processes])
    revisions: dict[UUID, int] = {}
    while names := calls.unresolved:
        ids = {name: process_id(name) for name in names}
        streams = log.streams(ids.values())
        found: dict[str, Process] = {}
        for name, id in ids.items():
            process = fold(streams.get(id, ()))
            revisions[id] = len(streams.get(id, ()))
            if process is not None:
                found[name] = process
        calls.resolve_level(found)
    # That of the process itself is what its publication is appended at.
    revisions.pop(process_id(caller), None)
    return calls, tuple(revisions.items())
