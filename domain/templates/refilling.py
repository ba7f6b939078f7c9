"""A version of a template, filled in again with the answers of a process that was made from it; the lineage after."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from domain.jsonvalue import JsonValue
from domain.language.editing.changes import EditRefused
from domain.processes.lineage import Lineage
from domain.refusal import Malformed, NotFound, Problem
from domain.templates.answers import check_answers
from domain.templates.merge import Merged, merge
from domain.templates.replacing import replace_agents
from domain.templates.standing import TemplateStanding
from domain.templates.substitution import render

NOTHING_MERGED = Merged((), (), (), None)
NO_ANSWERS: Mapping[str, Any] = {}


class NotFromTemplate(NotFound):
    """The process was not made from a template."""

    code = "not_from_template"


class FilledVersion(msgspec.Struct, frozen=True):
    """A version filled in with the answers of then. text: None where they no longer make one; problems: why.

    values: the answers that it takes, with defaults.
    """

    text: str | None
    problems: Sequence[Problem] = ()
    values: Mapping[str, Any] = NO_ANSWERS


def fill_again(standing: TemplateStanding | None, lineage: Lineage, name: str) -> FilledVersion:
    """Return a version filled in with the answers of a lineage. standing: None: the version is gone."""
    if standing is None or standing.template is None:
        return FilledVersion(None, () if standing is None else standing.problems)
    parameters = standing.template.parameters
    given: Mapping[str, JsonValue] = {name: value for name, value in lineage.answers.items() if name in parameters}
    answers = check_answers(parameters, given)
    if answers.problems:
        return FilledVersion(None, answers.problems)
    text = _replaced(render(standing.template, answers.values, name).yaml, lineage.replaced_agents)
    return FilledVersion(text, (), answers.values)


def merge_versions(before: FilledVersion, after: FilledVersion, current: str) -> Merged:
    """Return the changes of both sides; none where a version makes no text, or the current one cannot be read."""
    if before.text is None or after.text is None:
        return NOTHING_MERGED
    try:
        return merge(before.text, after.text, current)
    except EditRefused:
        return NOTHING_MERGED


def lineage_after(lineage: Lineage, version: int, filled: FilledVersion) -> Lineage:
    """Return the lineage of a process that took a later version; answers that make no text of it stay as they are.

    Raises Malformed ``template_version_older`` for an earlier version: lineages go on only.
    """
    if version < lineage.template_version:
        message = f"it has version {lineage.template_version} of its template already, which is later than {version}"
        raise Malformed(message, [Problem("template_version_older", message, "template_version")])
    if version == lineage.template_version:
        return lineage
    answers = lineage.answers if filled.text is None else dict(filled.values)
    return msgspec.structs.replace(lineage, template_version=version, answers=answers)


def _replaced(text: str, agents: Mapping[str, Any]) -> str:
    """Return the text with agents replaced as they were then, as far as it names them."""
    try:
        return replace_agents(text, agents)
    except Malformed:
        return text
