"""Agents replaced in the text of a process, whose comments and layout stay."""

from collections.abc import Mapping

from domain.identity import AGENT_NAME
from domain.language import parse_definition
from domain.language.editing.edit import Edit
from domain.language.editing.spans import SCALAR, Span, read_spans
from domain.language.editing.writing import write_over
from domain.refusal import Malformed, Problem

MOST_PROBLEMS = 100


def replace_agents(text: str, replacements: Mapping[str, str]) -> str:
    """Return the text of a process in which each agent that `replacements` names is another one.

    Raises Malformed with a problem for each name that no agent can have, and for each agent that the text does not
    name.
    """
    if not replacements:
        return text
    parsed = parse_definition(text)
    problems = _problems(replacements, {use.name for use in parsed.agents})
    if problems:
        raise Malformed(problems[0].message, problems)
    root = None if parsed.root is None else read_spans(text)
    places = {} if root is None else _scalars(root)
    edits: dict[int, Edit] = {}
    for use in parsed.agents:
        place = places.get((use.line, use.column))
        if use.name in replacements and place is not None and place.value == use.name:
            written = write_over(place, replacements[use.name], text, json_only=False)
            edits[place.start] = Edit(place.start, place.end, written)
    for start in sorted(edits, reverse=True):
        text = edits[start].applied(text)
    _require(text, [replacements.get(use.name, use.name) for use in parsed.agents])
    return text


def _require(text: str, agents: list[str]) -> None:
    if [use.name for use in parse_definition(text).agents] != agents:
        problem = Problem("agents_not_replaced", "the layout of the text leaves no place for this", "replace_agents")
        raise Malformed(problem.message, [problem])


def _scalars(root: Span) -> dict[tuple[int, int], Span]:
    return {(span.line, span.column): span for span in root.walk() if span.kind == SCALAR}


def _problems(replacements: Mapping[str, str], named: set[str]) -> list[Problem]:
    problems = []
    for agent, other in list(replacements.items())[:MOST_PROBLEMS]:
        path = f"replace_agents.{agent[:80]}"
        if not isinstance(other, str) or not AGENT_NAME.fullmatch(other):
            problems.append(Problem("invalid_agent", "an agent has a name of a-z 0-9 . _ -", path))
        elif agent not in named:
            problems.append(Problem("agent_not_named", f"the process names no agent {agent[:80]!r}", path))
    return problems
