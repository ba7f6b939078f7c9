"""The library: a page of templates by id, the bundled ones first, with facets."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
from psycopg import Connection

from domain.templates.access import TemplateCaller
from domain.templates.references import BUNDLED, ORG, SOURCES, TemplateReference, read_reference
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, bad_cursor, page_of, read_cursor, write_cursor
from queries.reading import Reading, fetch
from queries.templates.records import LISTED, TemplateRecord, bundled_record, org_record, searched, visible, words_of
from queries.templates.summaries import summaries_of
from queries.templates.surroundings import TemplateSurroundings
from queries.templates.views import TemplateFacet, TemplateFacets, TemplatePage

TEMPLATES = "templates"
BESIDE = ("template_uses", "agent_directory")
MOST_FACETS = 50
MOST_COUNTED = 10_000

_LIST = f"""select {LISTED} from template_list t
where {{where}} order by t.name limit %(rows)s"""
_FACETS = """select t.tags, t.category from template_list t where {where} limit %(rows)s"""


class TemplateFilter(msgspec.Struct, frozen=True):
    """A filter of templates: OR within a field, AND between fields. q: words, each of which a template has.

    withdrawn: list withdrawn ones too.
    """

    q: str = ""
    tags: list[str] = []
    sources: list[str] = []
    categories: list[str] = []
    withdrawn: bool = False


def list_templates(
    reading: Reading,
    surroundings: TemplateSurroundings,
    caller: TemplateCaller,
    filter: TemplateFilter,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> TemplatePage:
    """Return templates that the caller sees, with facets of all that the search finds. Raises BadCursor or NotYet."""
    after = None if cursor is None else _read_cursor(cursor)
    bundled = [each for each in _bundled(surroundings) if _matches(each, filter.q)]
    with reading.of(TEMPLATES, min_position, beside=BESIDE) as (connection, freshness):
        records = _page_of_bundled(bundled, filter, after)[: limit + 1]
        if len(records) <= limit:
            records += _page_of_org(connection, caller, filter, after, limit + 1 - len(records))
        facets = _facets(connection, bundled, caller, filter)
        summaries = summaries_of(connection, records, surroundings, caller)
    page = page_of(summaries, limit, freshness, lambda row: write_cursor(TEMPLATES, row.template_id))
    return TemplatePage(page.items, facets, page.next_cursor, page.as_of_position, page.lag_seconds)


def _bundled(surroundings: TemplateSurroundings) -> list[TemplateRecord]:
    return [bundled_record(each, each.version) for each in surroundings.catalogue.latest()]


def _matches(record: TemplateRecord, q: str) -> bool:
    parts = (record.reference.name, record.title, record.description, record.category, *record.tags)
    searched_text = "\n".join(parts).lower()
    return all(word in searched_text for word in words_of(q))


def _page_of_bundled(
    bundled: Iterable[TemplateRecord], filter: TemplateFilter, after: TemplateReference | None
) -> list[TemplateRecord]:
    if (filter.sources and BUNDLED not in filter.sources) or (after is not None and after.source != BUNDLED):
        return []
    return [
        each
        for each in bundled
        if (not filter.tags or any(tag in filter.tags for tag in each.tags))
        and (not filter.categories or each.category in filter.categories)
        and (after is None or each.reference.name > after.name)
    ]


def _page_of_org(
    connection: Connection[Any],
    caller: TemplateCaller,
    filter: TemplateFilter,
    after: TemplateReference | None,
    rows: int,
) -> list[TemplateRecord]:
    if filter.sources and ORG not in filter.sources:
        return []
    where = _where(caller, filter, rows)
    where.any_of("t.category", filter.categories, "text")
    where.add(
        "exists (select from json_array_elements_text(t.tags) tag where tag = any({}::text[]))", filter.tags or None
    )
    where.add("t.name > {}", after.name if after is not None and after.source == ORG else None)
    return [org_record(row) for row in fetch(connection, _LIST.format(where=where.sql), where.parameters)]


def _where(caller: TemplateCaller, filter: TemplateFilter, rows: int) -> Where:
    where = searched(visible(Where({"rows": rows}), caller), filter.q)
    if not filter.withdrawn:
        where.holds("t.withdrawn_at is null")
    return where


def _facets(
    connection: Connection[Any], bundled: Iterable[TemplateRecord], caller: TemplateCaller, filter: TemplateFilter
) -> TemplateFacets:
    """Count the values of all templates that the search finds and the caller sees."""
    tags: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    sources = Counter(dict.fromkeys(SOURCES, 0))
    for each in bundled:
        tags.update(set(each.tags))
        categories[each.category] += 1
        sources[BUNDLED] += 1
    where = _where(caller, filter, MOST_COUNTED)
    for row in fetch(connection, _FACETS.format(where=where.sql), where.parameters):
        tags.update(set(msgspec.json.decode(row["tags"], type=list[str])))
        categories[row["category"]] += 1
        sources[ORG] += 1
    del categories[""]
    return TemplateFacets(_most(tags), _most(sources), _most(categories))


def _most(counter: Counter[str]) -> list[TemplateFacet]:
    ranked = sorted(counter.items(), key=lambda each: (-each[1], each[0]))
    return [TemplateFacet(value, count) for value, count in ranked[:MOST_FACETS]]


def _read_cursor(cursor: str) -> TemplateReference:
    found = read_reference(read_cursor(TEMPLATES, cursor))
    if found is None:
        raise bad_cursor()
    return found
