"""The environment variables that triggers refer to, each with its location, and their problems."""

from collections.abc import Iterator

from domain.agents.secret_names import REFERENCE, SecretNames
from domain.language.parsed import Parsed, SecretUse, Spot
from domain.language.reading.nodes import Mapping, Sequence, text_of
from domain.refusal import Problem


def secrets_in(root: Mapping) -> Iterator[SecretUse]:
    """Return every variable that the triggers of a canonical tree refer to."""
    triggers = root.entries.get("triggers")
    for trigger in triggers.items if isinstance(triggers, Sequence) else ():
        node = trigger.entries.get("secret") if isinstance(trigger, Mapping) else None
        if node is not None:
            for name in dict.fromkeys(REFERENCE.findall(text_of(node) or "")):
                yield SecretUse(name, Spot(node.path, node.line, node.column))


def secret_problems(parsed: Parsed, allowed: SecretNames, severity: str) -> list[Problem]:
    """Return a problem for each variable that may not be referred to. severity: ``warning`` for a draft."""
    problems = []
    for use in parsed.secrets:
        problem = allowed.problem(use.name, use.at.path)
        if problem is not None:
            problems.append(
                Problem(problem.code, problem.message, use.at.path, use.at.line, use.at.column, problem.hint, severity)
            )
    return problems
