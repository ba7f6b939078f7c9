"""The filter of an inbox: OR within a field, AND between fields. It never lets more pass than roles permit. Pure."""

from collections.abc import Collection

import msgspec

from domain.inbox.concerns import DEFAULT_TYPES, OUTCOMES, TYPES
from domain.refusal import Malformed, Problem
from domain.words import did_you_mean


class InboxFilter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A filter of entries. An empty field lets all pass; empty `types` let those pass that a role has by default.

    processes: names. steps: ids. types: of events, as `StepCompleted`. outcomes: as `completed`. labels: of processes.
    """

    processes: list[str] = []
    steps: list[str] = []
    types: list[str] = []
    outcomes: list[str] = []
    labels: list[str] = []

    def types_for(self, role: str) -> tuple[str, ...]:
        """Return the types of events of which a holder of `role` gets entries."""
        return tuple(sorted(self.types)) if self.types else DEFAULT_TYPES.get(role, ())

    def permits(self, process: str, step: str) -> bool:
        """Return whether entries of a step of a process pass; `step` is empty for those of no step."""
        return _passes(self.processes, process) and _passes(self.steps, step)

    def passes(self, outcome: str, labels: Collection[str]) -> bool:
        """Return whether an entry with this outcome and these labels of its process passes."""
        return _passes(self.outcomes, outcome) and (not self.labels or not set(self.labels).isdisjoint(labels))


EVERYTHING_BY_ROLE = InboxFilter()


def check_filter(filter: InboxFilter) -> None:
    """Raise Malformed with every type and outcome that no entry has."""
    problems = [
        Problem(f"unknown_{word}", f"no entry has the {word} `{value[:80]}`", f"{field}[{n}]", hint=hint)
        for field, word, known in (("types", "type", sorted(TYPES)), ("outcomes", "outcome", sorted(OUTCOMES)))
        for n, value in enumerate(getattr(filter, field))
        if value not in known
        for hint in (did_you_mean(value, known) or f"known: {', '.join(known)}",)
    ]
    if problems:
        raise Malformed(problems[0].message, problems)


def _passes(field: list[str], value: str) -> bool:
    return not field or value in field
