"""The documents of several templates at once, in their latest versions."""

from collections.abc import Iterable

from domain.identity import template_id
from domain.templates.access import TemplateCaller
from domain.templates.references import ORG, read_reference
from queries.filters import Where
from queries.reading import Reading, fetch
from queries.templates.library import TEMPLATES
from queries.templates.records import visible
from queries.templates.surroundings import TemplateSurroundings

_SOURCES = """select t.name, v.source from unnest(%(ids)s::uuid[]) as x(id)
join template_list t on t.template = x.id
join template_versions v on v.template = t.template and v.version = t.version where {where}"""


def sources_of(
    reading: Reading, surroundings: TemplateSurroundings, caller: TemplateCaller, ids: Iterable[str]
) -> dict[str, str]:
    """Return the document of each of the templates that the caller sees, by id; one query for all."""
    references = [reference for reference in map(read_reference, ids) if reference is not None]
    found: dict[str, str] = {}
    for each in references:
        bundled = None if each.source == ORG else surroundings.catalogue.find(each.name, None)
        if bundled is not None and bundled.problem is None:
            found[each.template_id] = bundled.source
    names = [each.name for each in references if each.source == ORG]
    if not names:
        return found
    where = visible(Where({"ids": [template_id(name) for name in names]}), caller)
    with reading.of(TEMPLATES) as (connection, _):
        rows = fetch(connection, _SOURCES.format(where=where.sql), where.parameters)
    return found | {f"{ORG}:{row['name']}": row["source"] for row in rows}
