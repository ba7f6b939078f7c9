"""The processes that a definition calls, and those they call, read before it is published."""

from uuid import UUID

from commands.deciding import Guards
from domain.identity import process_id
from domain.language import Parsed
from domain.processes.callees import CallGraph
from domain.processes.process import Process, fold
from store.log import Log


def read_calls(log: Log, parsed: Parsed) -> tuple[CallGraph, Guards]:
    """Return the graph of calls, and the revisions of all called processes; each level of calls takes one query.

    A publication that rests on these revisions closes no cycle. If two publications at the same moment each hold half
    of a cycle, the second meets a conflict, because a process that it has read has a new revision.
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
    # The publication is appended at the revision of the process itself.
    revisions.pop(process_id(caller), None)
    return calls, tuple(revisions.items())
