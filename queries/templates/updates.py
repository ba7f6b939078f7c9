"""The newer version of the template that a process was made from, and what it would change."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.rows import DictRow

from domain.processes.events import ProcessDrafted, ProcessRevised
from domain.processes.lineage import Lineage
from domain.templates.access import TemplateCaller
from domain.templates.decisions import TemplateNotFound
from domain.templates.references import read_reference
from domain.templates.refilling import NOTHING_MERGED, NotFromTemplate, fill_again, merge_versions
from queries.processes import get_process
from queries.reading import Reading, fetch
from queries.templates.library import BESIDE, TEMPLATES
from queries.templates.records import find_record
from queries.templates.surroundings import TemplateSurroundings
from queries.templates.views import TemplateUpdate
from store.mapper import decode

_DRAFTED = """select topic, state from stored_events
where originator_id = %s and originator_version = 1 and topic = 'ProcessDrafted'"""
# In a text the quotes are escaped, so that no definition is taken for a lineage.
_TAKEN = """select topic, state from stored_events where originator_id = %s and topic = 'ProcessRevised'
and position('"lineage":{'::bytea in state) > 0 order by originator_version desc limit 1"""


def lineage_of(reading: Reading, process_id: UUID) -> Lineage | None:
    """Return the template that a process was made from, with the version taken last; None if it was not."""
    with reading.log() as (connection, _):
        first = _lineage(fetch(connection, _DRAFTED, (process_id,)))
        return None if first is None else _lineage(fetch(connection, _TAKEN, (process_id,))) or first


def _lineage(rows: Sequence[DictRow]) -> Lineage | None:
    event = decode(rows[0]["topic"], rows[0]["state"]) if rows else None
    return event.lineage if isinstance(event, ProcessDrafted | ProcessRevised) else None


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
    before = fill_again(None if earlier is None else earlier.standing(surroundings.release), lineage, process.name)
    after = fill_again(latest.standing(surroundings.release), lineage, process.name) if newer else before
    current = process.yaml or ""
    merged = merge_versions(before, after, current) if newer else NOTHING_MERGED
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
