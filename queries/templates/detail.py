"""One template: a version of it, with its parameters and the definition that the sample answers make."""

from typing import Any

import msgspec
from psycopg import Connection

from domain.identity import template_id
from domain.language import definition_document
from domain.templates.access import TemplateCaller
from domain.templates.decisions import TemplateNotFound
from domain.templates.printing import parameter_document
from domain.templates.references import BUNDLED, TemplateReference
from domain.templates.samples import sample_process
from domain.templates.template import Template
from queries.reading import Reading, fetch
from queries.templates.library import BESIDE, TEMPLATES
from queries.templates.records import TemplateRecord, find_record, uses_of
from queries.templates.summaries import summaries_of
from queries.templates.surroundings import TemplateSurroundings
from queries.templates.views import TemplateDetail, TemplateVersionSummary

MOST_VERSIONS = 200
_VERSIONS = """select version, author, published_at from template_versions where template = %s
order by version desc limit %s"""


def get_template(
    reading: Reading,
    surroundings: TemplateSurroundings,
    caller: TemplateCaller,
    reference: TemplateReference,
    version: int | None = None,
    *,
    min_position: int | None = None,
) -> TemplateDetail:
    """Return a version of a template, the latest by default. Raises TemplateNotFound or NotYet."""
    with reading.of(TEMPLATES, min_position, beside=BESIDE) as (connection, freshness):
        record = find_record(connection, surroundings.catalogue, reference, version, caller)
        if record is None:
            raise TemplateNotFound(f"there is no template {reference.template_id}, or not in this version")
        (summary,) = summaries_of(connection, [record], surroundings, caller)
        versions = _versions(connection, record, surroundings, caller)
    template = record.standing(surroundings.release).template
    return TemplateDetail(
        **msgspec.structs.asdict(summary),
        latest=record.latest,
        yaml=record.source,
        engine=None if template is None else template.engine,
        parameters={} if template is None else parameters_of(template),
        samples=[] if template is None else [dict(sample) for sample in template.samples],
        definition=sample_definition(record.source),
        versions=versions,
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def parameters_of(template: Template) -> dict[str, Any]:
    """Return the parameters of a template by name, as the answer shows them."""
    return {name: parameter_document(parameter) for name, parameter in template.parameters.items()}


def sample_definition(source: str) -> Any:
    """Return the definition that a template makes with its first sample, or its defaults; None where they make none."""
    parsed = sample_process(source)
    return None if parsed is None or parsed.definition is None else definition_document(parsed.definition)


def _versions(
    connection: Connection[Any], record: TemplateRecord, surroundings: TemplateSurroundings, caller: TemplateCaller
) -> list[TemplateVersionSummary]:
    reference = record.reference
    uses = uses_of(connection, [reference.template_id], caller.processes).get(reference.template_id, {})
    if reference.source == BUNDLED:
        numbers = sorted(surroundings.catalogue.versions[reference.name], reverse=True)
        return [TemplateVersionSummary(each, None, None, uses.get(each, 0)) for each in numbers]
    rows = fetch(connection, _VERSIONS, (template_id(reference.name), MOST_VERSIONS))
    return [TemplateVersionSummary(**row, uses=uses.get(row["version"], 0)) for row in rows]
