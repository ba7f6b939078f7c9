"""The newer version of the template that a process was made from, and what it would change."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from domain.jsonvalue import JsonValue
from domain.language.editing.changes import EditRefused
from domain.processes.events import ProcessDrafted
from domain.processes.lineage import Lineage
from domain.refusal import Malformed, NotFound, Problem
from domain.templates.access import TemplateCaller
from domain.templates.answers import check_answers
from domain.templates.decisions import TemplateNotFound
from domain.templates.merge import Merged, merge
from domain.templates.references import read_reference
from domain.templates.replacing import replace_agents
from domain.templates.substitution import render
from queries.processes import get_process
from queries.reading import Reading, fetch
from queries.templates.library import BESIDE, TEMPLATES
from queries.templates.records import TemplateRecord, find_record
from queries.templates.surroundings import TemplateSurroundings
from queries.templates.views import TemplateUpdate
from store.mapper import decode

_DRAFTED = """select topic, state from stored_events
where originator_id = %s and originator_version = 1 and topic = 'ProcessDrafted'"""


NOTHING_MERGED = Merged((), (), (), None)


class NotFromTemplate(NotFound):
    """The process was not made from a template."""

    code = "not_from_template"


class FilledVersion(msgspec.Struct, frozen=True):
    """A version filled in with the answers of then. text: None where they no longer make one; problems: why."""

    text: str | None
    problems: Sequence[Problem] = ()


def lineage_of(reading: Reading, process_id: UUID) -> Lineage | None:
    """Return the template that a process was made from; None if it was not."""
    with reading.log() as (connection, _):
        rows = fetch(connection, _DRAFTED, (process_id,))
    drafted = decode(rows[0]["topic"], rows[0]["state"]) if rows else None
    return drafted.lineage if isinstance(drafted, ProcessDrafted) else None


def get_update(
    reading: Reading,
    surroundings: TemplateSurroundings,
    caller: TemplateCaller,
    process_id: UUID,
    *,
    min_position: int | None = None,
) -> TemplateUpdate:
    """Return what the latest version of its template would change in a process.

    Raises ProcessNotFound, NotFromTemplate, TemplateNotFound or NotYet.
    """
    process = get_process(reading, process_id, min_position=min_position)
    lineage = lineage_of(reading, process_id)
    if lineage is None:
        raise NotFromTemplate(f"{process.name} was not made from a template")
    reference = read_reference(lineage.template_id)
    with reading.of(TEMPLATES, min_position, beside=BESIDE) as (connection, _):
        catalogue = surroundings.catalogue
        latest = None if reference is None else find_record(connection, catalogue, reference, None, caller)
        if reference is None or latest is None:
            raise TemplateNotFound(f"there is no template {lineage.template_id} now")
        earlier = find_record(connection, catalogue, reference, lineage.template_version, caller)
    newer = latest.version > lineage.template_version
    before = _filled(earlier, lineage, process.name, surroundings.release)
    after = _filled(latest, lineage, process.name, surroundings.release) if newer else before
    current = process.yaml or ""
    merged = _merged(before.text, after.text, current) if newer else NOTHING_MERGED
    return TemplateUpdate(
        process_id=process_id,
        template_id=lineage.template_id,
        template_version=lineage.template_version,
        latest=latest.version,
        newer=newer,
        answers=lineage.answers,
        current=current,
        before=before.text,
        after=after.text,
        by_template=merged.by_template,
        by_hand=merged.by_hand,
        conflicts=merged.conflicts,
        merged=merged.text,
        problems=after.problems,
    )


def _merged(before: str | None, after: str | None, current: str) -> Merged:
    """Return the changes of both sides; none where a version makes no text, or the current one cannot be read."""
    if before is None or after is None:
        return NOTHING_MERGED
    try:
        return merge(before, after, current)
    except EditRefused:
        return NOTHING_MERGED


def _filled(record: TemplateRecord | None, lineage: Lineage, name: str, release: str) -> FilledVersion:
    standing = None if record is None else record.standing(release)
    if standing is None or standing.template is None:
        return FilledVersion(None, () if standing is None else standing.problems)
    parameters = standing.template.parameters
    given: Mapping[str, JsonValue] = {name: value for name, value in lineage.answers.items() if name in parameters}
    answers = check_answers(parameters, given)
    if answers.problems:
        return FilledVersion(None, answers.problems)
    return FilledVersion(_replaced(render(standing.template, answers.values, name).yaml, lineage.replaced_agents))


def _replaced(text: str, agents: Mapping[str, Any]) -> str:
    """Return the text with agents replaced as they were then, as far as it names them."""
    try:
        return replace_agents(text, agents)
    except Malformed:
        return text
