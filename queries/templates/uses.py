"""The processes that came from a template, how many versions they published, and their executions under way."""

from typing import Any

from domain.templates.access import TemplateCaller
from domain.templates.decisions import TemplateNotFound
from domain.templates.references import TemplateReference
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, LARGEST, Page, page_of, read_position, write_cursor
from queries.process_versions import COUNTED
from queries.reading import Reading, fetch
from queries.templates.records import find_record
from queries.templates.surroundings import TemplateSurroundings
from queries.templates.views import TemplateUse

USES = "template_uses"
BESIDE = ("templates", "process_catalogue", "execution_list")
MOST_VERSIONS = 1_000

_LIST = """select u.process_id, u.process, u.template_version, u.made_at, u.made_by, u.position
from template_uses u where {where} order by u.position desc limit %(rows)s"""
_BESIDE = f"""select x.id as process_id, (select status from process_catalogue where process_id = x.id) as status,
  (select count(*) from (select 1 from template_made_versions where process_id = x.id
    limit {MOST_VERSIONS}) made)::int as versions,
  least({COUNTED + 1}, (select count(*) from (select 1 from execution_list e where e.process_id = x.id
    and e.status in ('queued', 'running', 'compensating') limit {COUNTED + 1}) open))::int as running
from unnest(%(processes)s::uuid[]) as x(id)"""


def list_uses(
    reading: Reading,
    surroundings: TemplateSurroundings,
    caller: TemplateCaller,
    reference: TemplateReference,
    version: int | None = None,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[TemplateUse]:
    """Return the processes made from a template that the caller sees, the newest first. version: default: of any.

    Raises TemplateNotFound, BadCursor or NotYet.
    """
    where = Where({"rows": limit + 1})
    where.add("u.template_id = {}", reference.template_id)
    where.add("u.template_version = {}", version)
    where.add("u.position < {}", read_position("u", cursor, LARGEST, reading) if cursor is not None else None)
    where.within("u.process", caller.processes)
    with reading.of(USES, min_position, beside=BESIDE) as (connection, freshness):
        if find_record(connection, surroundings.catalogue, reference, None, caller) is None:
            raise TemplateNotFound(f"there is no template {reference.template_id}")
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
        beside = fetch(connection, _BESIDE, {"processes": [row["process_id"] for row in rows]})
    more = {row["process_id"]: row for row in beside}
    positions = {row["process_id"]: row.pop("position") for row in rows}
    found = [TemplateUse(**row, **_without_id(more[row["process_id"]])) for row in rows]
    return page_of(found, limit, freshness, lambda use: write_cursor("u", positions[use.process_id], freshness.epoch))


def _without_id(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "process_id"}
