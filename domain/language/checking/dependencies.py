"""The graph of steps: unique ids, dependencies, and no cycles."""

from collections.abc import Container
from dataclasses import dataclass

from domain.language.checking.leads import known_leads, refuse_backwards
from domain.language.reading.nodes import Mapping, Node, Sequence, text_of
from domain.language.reading.problems import Problems
from domain.words import did_you_mean

_OUTSIDE = "it is outside: the step that holds this one depends on it"


@dataclass(frozen=True, slots=True)
class Graph:
    """The graph of steps.

    ids: the position of each step in the list. ancestors: by position, a bit for each step upstream; None with cycles.
    """

    ids: dict[str, int]
    ancestors: dict[int, int] | None

    def upstream(self, step: int, other: str) -> bool:
        """Return whether the step `other` is an ancestor of the one at position `step` (true if cycles hide it)."""
        return self.ancestors is None or bool(self.ancestors.get(step, 0) >> self.ids[other] & 1)


def check_dependencies(steps: list[Node], problems: Problems, outside: Container[str] = ()) -> Graph:
    """Return the graph of the steps; its edges are depends_on, routes and gotos.

    Notes ids given twice, dependencies on unknown steps or on the step itself, cycles, and edges that lead nowhere or
    back. outside: the steps around the step that holds these ones.
    """
    ids = _ids(steps, problems)
    needs: dict[int, list[int]] = {at: [] for at in range(len(steps))}
    for at, step in enumerate(steps):
        waits = step.entries.get("depends_on") if isinstance(step, Mapping) else None
        for node in waits.items if isinstance(waits, Sequence) else ():
            name = text_of(node)
            if name is None:
                continue
            if name not in ids:
                hint = _OUTSIDE if name in outside else "" if problems.full() else did_you_mean(name, ids)
                problems.add("unknown_step", f"there is no step `{name[:60]}` to depend on", node, hint=hint)
            elif isinstance(step, Mapping) and text_of(step.entries.get("id")) == name:
                problems.add("self_dependency", f"`{name}` cannot depend on itself", node)
            else:
                needs[at].append(ids[name])
    leads = known_leads(steps, ids, problems)
    ordered, stuck = _ordered(needs)
    if stuck:
        _cycles(steps, needs, stuck, problems)
        return Graph(ids, None)
    together = {at: list(needed) for at, needed in needs.items()}
    for lead in leads:
        together[lead.target].append(lead.source)
    all_ordered, all_stuck = _ordered(together)
    if not all_stuck:
        return Graph(ids, _ancestors(all_ordered, together))
    ancestors = _ancestors(ordered, needs)
    refuse_backwards(steps, leads, ancestors, problems)
    return Graph(ids, ancestors)


def _ids(steps: list[Node], problems: Problems) -> dict[str, int]:
    ids: dict[str, int] = {}
    for at, step in enumerate(steps):
        node = step.entries.get("id") if isinstance(step, Mapping) else None
        name = text_of(node)
        if node is None or name is None:
            continue
        if name in ids:
            first = steps[ids[name]]
            problems.add("duplicate_step", f"the step on line {first.line} is called `{name[:60]}` already", node)
        else:
            ids[name] = at
    return ids


def _ancestors(ordered: list[int], needs: dict[int, list[int]]) -> dict[int, int]:
    ancestors: dict[int, int] = {}
    for at in ordered:
        ancestors[at] = 0
        for needed in needs[at]:
            ancestors[at] |= ancestors[needed] | 1 << needed
    return ancestors


def _ordered(needs: dict[int, list[int]]) -> tuple[list[int], set[int]]:
    """Return the positions in topological order, and the positions that cannot be ordered."""
    open_needs = {at: len(needed) for at, needed in needs.items()}
    dependents: dict[int, list[int]] = {at: [] for at in needs}
    for at, needed in needs.items():
        for other in needed:
            dependents[other].append(at)
    ordered = [at for at, count in open_needs.items() if count == 0]
    for at in ordered:  # the loop appends to it
        for dependent in dependents[at]:
            open_needs[dependent] -= 1
            if open_needs[dependent] == 0:
                ordered.append(dependent)
    return ordered, set(needs) - set(ordered)


def _cycles(steps: list[Node], needs: dict[int, list[int]], stuck: set[int], problems: Problems) -> None:
    """Note cycles until their removal leaves none."""
    while stuck and not problems.full():
        at = min(stuck)
        walked: list[int] = []
        places: dict[int, int] = {}
        while at not in places:
            places[at] = len(walked)
            walked.append(at)
            at = next(needed for needed in needs[at] if needed in stuck)
        cycle = walked[places[at] :]
        # Shown from its first step in the text, in the direction of depends_on.
        start = cycle.index(min(cycle))
        cycle = cycle[start:] + cycle[:start]
        names = [_name(steps[member]) for member in [*cycle, cycle[0]]]
        shown = names if len(names) <= 12 else [*names[:6], "…", *names[-5:]]
        first = steps[cycle[0]]
        at_node = first.entries["depends_on"] if isinstance(first, Mapping) else first
        message = f"these steps wait for each other: {' → '.join(shown)}"
        problems.add("dependency_cycle", message, at_node, hint="an arrow points to what a step depends on")
        left = stuck - set(cycle)
        _, stuck = _ordered({member: [other for other in needs[member] if other in left] for member in left})


def _name(step: Node) -> str:
    return (text_of(step.entries.get("id")) if isinstance(step, Mapping) else None) or "?"
