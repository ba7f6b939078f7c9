"""Rewrites other names of members of step outputs in expressions, in place in their texts."""

import re
from collections.abc import Mapping as Types

from domain.language.expressions import ROOTS, ExpressionProblem, Path, parse_condition, parse_template
from domain.language.reading.nodes import Mapping, Node, Scalar, scalars, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.bodies import BODY_FIELDS, has_body, own_names, steps_of

_APPROVAL = {"comments": "comment", "decided_by": "by", "approved_by": "by"}
# Most texts hold none of these words, and are not parsed for them.
_WORDS = re.compile(r"\b(?:route|comments|decided_by|approved_by|decision)\b")


def respell_members(holder: Mapping, problems: Problems) -> None:
    """Rewrite the expressions of the steps and the outputs of a process or a body in place, without bodies inside."""
    kinds = {text_of(step.entries.get("id")) or "": step for step in steps_of(holder)}
    for step in steps_of(holder):
        roots = (*ROOTS, *own_names(step))
        for key, value in step.entries.items():
            if not (key in BODY_FIELDS and has_body(step)):
                _each(value, kinds, roots, problems)
    if (outputs := holder.entries.get("outputs")) is not None:
        _each(outputs, kinds, ROOTS, problems)


def _each(part: Node, steps: Types[str, Mapping], roots: tuple[str, ...], problems: Problems) -> None:
    for scalar in scalars(part):
        if isinstance(scalar.value, str) and "steps" in scalar.value and _WORDS.search(scalar.value):
            _respell(scalar, scalar.value, steps, roots, problems)


def _respell(node: Scalar, text: str, steps: Types[str, Mapping], roots: tuple[str, ...], problems: Problems) -> None:
    respelled = text
    for path in sorted(_paths(node, text, roots), key=lambda path: path.offset, reverse=True):
        canonical = _canonical(path, steps)
        if canonical is not None:
            shown = f"`{path}`"[:120]
            message = f"{shown} is read as `{canonical[:120]}`"
            problems.add("alias", message, node, severity="notice")
            respelled = respelled[: path.offset] + canonical + respelled[path.end :]
    if respelled != text:
        node.value = respelled


def _paths(node: Scalar, text: str, roots: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the paths in a condition or a template; none if it cannot be read."""
    try:
        if node.key in ("condition", "until"):
            return parse_condition(text, roots).paths
        return parse_template(text, roots).paths if "{{" in text else ()
    except ExpressionProblem:
        return ()  # which is reported where expressions are checked


def _canonical(path: Path, steps: Types[str, Mapping]) -> str | None:
    """Return the canonical spelling of a path; None if the path has it already."""
    parts = path.parts
    step = steps.get(str(parts[1])) if parts[0] == "steps" and len(parts) > 2 else None
    if step is None:
        return None
    kind = text_of(step.entries.get("type"))
    if kind == "human_approval" and parts[2] == "decision":
        return str(Path((*parts[:2], "output", *parts[2:]), 0))
    if len(parts) < 4 or parts[2] != "output":
        return None
    if kind == "human_approval" and parts[3] in _APPROVAL:
        return str(Path((*parts[:3], _APPROVAL[str(parts[3])], *parts[4:]), 0))
    if kind == "gateway" and parts[3] == "route":
        one = (text_of(step.entries.get("gateway_type")) or "exclusive") == "exclusive"
        return str(Path((*parts[:3], "chosen", *((0,) if one else ()), *parts[4:]), 0))
    return None
