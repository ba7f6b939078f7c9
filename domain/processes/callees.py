"""Which process calls which, and whether one that is to be published would come back to itself."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from domain.processes.process import Process

# A process by its name, and the version that is asked for; None for the latest.
Called = tuple[str, int | None]
# A process by its name, and a version that there is.
Callee = tuple[str, int]


def calls_in(document: dict[str, Any]) -> list[Called]:
    """What a canonical document calls, each once."""
    steps = (step for step in document["steps"] if step["type"] == "sub_process")
    return list(dict.fromkeys((step["process"], step.get("version")) for step in steps))


class Calls:
    """All that a definition calls, directly or through others, looked up level by level.

    As long as there is something in `wanted`, look it up and hand what there is to `learn`. The caller's own name means
    the definition that is to be published, other names the latest version, unless a step names a version. What archived
    processes call is not looked at: they run no more.
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
    def wanted(self) -> set[str]:
        """The names of the processes to look up next; none when all is known."""
        return {called[0] for _, called in self._open if called != self._itself} - self._known.keys()

    @property
    def names(self) -> list[str]:
        """The names of processes that are known to be there."""
        return [name for name, process in self._known.items() if process is not None]

    def learn(self, found: Mapping[str, Process]) -> None:
        """Go on from what was `wanted`; what is not in `found` is not there."""
        self._known |= {name: found.get(name) for name in self.wanted}
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
        """A process that was looked up; None when there is none."""
        return self._known.get(name)

    def is_caller(self, callee: Callee | None) -> bool:
        """Whether this is the definition that is to be published."""
        return callee == self._caller

    def resolve(self, name: str, version: int | None) -> Callee | None:
        """What would run now; None when that cannot run."""
        if (name, version) == self._itself:
            return self._caller
        process = self._known.get(name)
        if process is None or process.status == "archived":
            return None
        wanted = process.latest if version is None else version
        return (name, wanted) if wanted in process.versions else None

    def way_back(self, callee: Callee) -> list[str] | None:
        """The names on a shortest way from the caller by `callee` to the caller again, None when there is none.

        A version that is not called for being the latest is shown, ``review@1``.
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
        """For each one from which the caller is reached: the next one on a shortest way there."""
        onwards: dict[Callee, Callee] = {}
        reached = deque([self._caller])
        while reached:
            callee = reached.popleft()
            for caller in self._callers.get(callee, ()):
                if caller not in onwards and caller != self._caller:
                    onwards[caller] = callee
                    reached.append(caller)
        return onwards
