"""The calls between processes, and the detection of a process that would call itself."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from domain.processes.process import Process

# A process by its name, and the requested version; None for the latest.
Called = tuple[str, int | None]
# A process by its name, and an existing version.
Callee = tuple[str, int]


def calls_in(document: dict[str, Any]) -> list[Called]:
    """Return the calls of a canonical document, those inside bodies too, each once."""
    return list(dict.fromkeys(_calls(document)))


def _calls(holder: dict[str, Any]) -> Iterator[Called]:
    for step in holder.get("steps", ()):
        if step["type"] == "sub_process" and "process" in step:
            yield step["process"], step.get("version")
        else:
            yield from _calls(step)


class CallGraph:
    """All calls of a definition, direct or through others, resolved level by level.

    While `unresolved` is not empty, read those processes and pass the existing ones to `resolve_level`.
    The caller's own name means the definition that is to be published, other names the latest version, unless a step
    names a version. Calls of archived processes are not followed: those processes no longer run.
    """

    def __init__(self, name: str, calls: Iterable[Called]) -> None:
        self._caller: Callee = (name, 0)
        self._itself: Called = (name, None)
        self._known: dict[str, Process | None] = {}
        self._shown: dict[Callee, str] = {self._caller: name}
        self._callers: dict[Callee, set[Callee]] = {}
        self._open: deque[tuple[Callee, Called]] = deque((self._caller, called) for called in dict.fromkeys(calls))
        self._expanded = {self._caller}
        self._onwards: dict[Callee, Callee] | None = None

    @property
    def unresolved(self) -> set[str]:
        """The names of the processes to read next; none when all calls are resolved."""
        return {called[0] for _, called in self._open if called != self._itself} - self._known.keys()

    @property
    def names(self) -> list[str]:
        """The names of processes that are known to exist."""
        return [name for name, process in self._known.items() if process is not None]

    def resolve_level(self, found: Mapping[str, Process]) -> None:
        """Resolve the next level: `found` holds the existing processes of `unresolved`."""
        self._known |= {name: found.get(name) for name in self.unresolved}
        waiting: deque[tuple[Callee, Called]] = deque()
        while self._open:
            caller, called = self._open.popleft()
            if called[0] not in self._known and called != self._itself:
                waiting.append((caller, called))
                continue
            callee = self.resolve(*called)
            if callee is not None:
                self._callers.setdefault(callee, set()).add(caller)
                self._expand(callee, called)
        self._open = waiting

    def process(self, name: str) -> Process | None:
        """Return a process that was read; None when it does not exist."""
        return self._known.get(name)

    def is_caller(self, callee: Callee | None) -> bool:
        """Return whether this is the definition that is to be published."""
        return callee == self._caller

    def resolve(self, name: str, version: int | None) -> Callee | None:
        """Return the version that would run now; None when none can run."""
        if (name, version) == self._itself:
            return self._caller
        process = self._known.get(name)
        if process is None or process.status == "archived":
            return None
        number = process.latest if version is None else version
        return (name, number) if number in process.versions else None

    def way_back(self, callee: Callee) -> list[str] | None:
        """Return the names on a shortest path from the caller by `callee` back to the caller, None when there is none.

        A version other than the latest is shown, ``review@1``.
        """
        if self._onwards is None:
            self._onwards = self._ways_back()
        if callee not in self._onwards:
            return None
        way = [self._shown[self._caller]]
        while callee != self._caller:
            way.append(self._shown[callee])
            callee = self._onwards[callee]
        return [*way, self._shown[self._caller]]

    def _expand(self, callee: Callee, called: Called) -> None:
        name, version = callee
        if callee in self._expanded:
            return
        self._expanded.add(callee)
        self._shown[callee] = name if called[1] is None else f"{name}@{version}"
        process = self._known[name]
        if process is not None:
            self._open.extend((callee, other) for other in calls_in(process.versions[version].definition))

    def _ways_back(self) -> dict[Callee, Callee]:
        """Return, for each one from which the caller is reached, the next one on a shortest path there."""
        onwards: dict[Callee, Callee] = {}
        reached = deque([self._caller])
        while reached:
            callee = reached.popleft()
            for caller in self._callers.get(callee, ()):
                if caller not in onwards and caller != self._caller:
                    onwards[caller] = callee
                    reached.append(caller)
        return onwards
