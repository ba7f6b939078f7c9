"""Templates as they are stored, bundled ones and those of the organisation, in one form."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow

from domain.identity import template_id
from domain.refusal import Problem
from domain.templates.access import TemplateCaller
from domain.templates.references import BUNDLED, ORG, TemplateReference
from domain.templates.samples import needs_of_source
from domain.templates.standing import TemplateStanding, standing_of, template_of
from domain.templates.state import ORGANISATION
from gateway.catalogue import BundledVersion, Catalogue
from queries.filters import Where, escaped
from queries.reading import fetch
from queries.templates.views import TemplateNeeds

COUNTED = 10_000
MOST_WORDS = 10

_FACTS = """t.name, t.version as latest, t.title, t.description, t.tags, t.category, t.author, t.team, t.process,
  t.published_at, t.revised_at, t.shared_with, t.withdrawn_at, t.withdrawn_reason"""
LISTED = f"{_FACTS}, t.version, '' as source, t.needs"
_ONE = f"""select {_FACTS}, v.version, v.source from template_list t
join template_versions v on v.template = t.template and v.version = coalesce(%(version)s::int, t.version)
where {{where}}"""
_USES = f"""select x.id, u.template_version, count(*)::int as uses from unnest(%(ids)s::text[]) as x(id)
cross join lateral (select template_version from template_uses where template_id = x.id and {{where}}
  limit {COUNTED + 1}) u group by x.id, u.template_version"""
_ACTIVE = "select name from agent_directory where name = any(%s) and status = 'active'"


class TemplateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a template as it is stored. version: its number; latest: of the latest version.

    needs: as they were recorded, of a template whose document is not read: it was valid when it was saved.
    """

    reference: TemplateReference
    version: int
    latest: int
    source: str
    title: str
    description: str = ""
    tags: list[str] = []
    category: str = ""
    author: str | None = None
    team: str = ""
    process: str | None = None
    shared_with: str = ORGANISATION
    published_at: datetime | None = None
    revised_at: datetime | None = None
    withdrawn_reason: str | None = None
    withdrawn: bool = False
    unreadable: Problem | None = None
    needs: TemplateNeeds | None = None

    def standing(self, release: str) -> TemplateStanding:
        """Return whether it can be used on a release, and why not."""
        if self.needs is not None:
            return TemplateStanding("withdrawn" if self.withdrawn else "ok", None, ())
        if self.unreadable is not None:
            return TemplateStanding("invalid", None, (self.unreadable,))
        return standing_of(self.source, release, withdrawn=self.withdrawn)

    def kept_by(self, caller: TemplateCaller) -> bool:
        """Return whether the caller, who sees it, may revise, share and withdraw it."""
        kept = caller.admin or self.author == caller.actor or (self.team != "" and self.team in caller.teams)
        return self.reference.source == ORG and kept


def bundled_record(found: BundledVersion, latest: int) -> TemplateRecord:
    """Return a version of a bundled template."""
    reference = TemplateReference(BUNDLED, found.name)
    template = None if found.problem is not None else template_of(found.source)
    if template is None:
        return TemplateRecord(
            reference=reference,
            version=found.version,
            latest=latest,
            source=found.source,
            title=found.name,
            unreadable=found.problem,
        )
    return TemplateRecord(
        reference=reference,
        version=found.version,
        latest=latest,
        source=found.source,
        title=template.name,
        description=template.description,
        tags=list(template.tags),
        category=template.category or "",
    )


def org_record(row: DictRow) -> TemplateRecord:
    """Return a version of a template of the organisation from its row."""
    facts = dict(row)
    reference = TemplateReference(ORG, facts.pop("name"))
    tags = msgspec.json.decode(facts.pop("tags"), type=list[str])
    withdrawn = facts.pop("withdrawn_at") is not None
    if "needs" in facts:
        facts["needs"] = msgspec.json.decode(facts["needs"], type=TemplateNeeds)
    return TemplateRecord(reference=reference, tags=tags, withdrawn=withdrawn, **facts)


def find_record(
    connection: Connection[Any],
    catalogue: Catalogue,
    reference: TemplateReference,
    version: int | None,
    caller: TemplateCaller,
) -> TemplateRecord | None:
    """Return a version of a template, the latest by default; None if there is none that the caller sees."""
    if reference.source == BUNDLED:
        found = catalogue.find(reference.name, version)
        return None if found is None else bundled_record(found, max(catalogue.versions[reference.name]))
    where = visible(Where({"version": version}), caller)
    where.add("t.template = {}", template_id(reference.name))
    rows = fetch(connection, _ONE.format(where=where.sql), where.parameters)
    return org_record(rows[0]) if rows else None


def visible(where: Where, caller: TemplateCaller) -> Where:
    """Require a template that the caller sees; as `TemplateCaller.sees`, in SQL."""
    where.within("t.process", caller.processes)
    if not caller.admin:
        where.parameters |= {"actor": caller.actor, "shares": caller.shares, "teams": sorted(caller.teams)}
        where.holds(
            "(t.shared_with = any(%(shares)s::text[]) or t.author = %(actor)s"
            " or (t.team <> '' and t.team = any(%(teams)s::text[])))"
        )
    return where


def searched(where: Where, q: str) -> Where:
    """Require every word of a search in what is searched."""
    for word in words_of(q):
        where.add("t.search like {}", f"%{escaped(word)}%")
    return where


def words_of(q: str) -> list[str]:
    """Return the words of a search."""
    return q.lower().split()[:MOST_WORDS]


def uses_of(connection: Connection[Any], ids: Sequence[str], processes: tuple[str, ...]) -> dict[str, dict[int, int]]:
    """Return how many processes were made from each version of each template. processes: those that are visible."""
    where = Where({"ids": list(ids)})
    where.within("process", processes)
    found: dict[str, dict[int, int]] = {}
    for row in fetch(connection, _USES.format(where=where.sql), where.parameters):
        found.setdefault(row["id"], {})[row["template_version"]] = row["uses"]
    return found


def needs_of(record: TemplateRecord) -> TemplateNeeds:
    """Return what a template needs; nothing for one that cannot be read."""
    if record.needs is not None:
        return record.needs
    found = needs_of_source(record.source)
    return TemplateNeeds(list(found.agents), list(found.secrets), list(found.channels))


def active_agents(connection: Connection[Any], names: Iterable[str]) -> set[str]:
    """Return those of the agents that are registered and not retired."""
    listed = sorted(set(names))
    return {row["name"] for row in fetch(connection, _ACTIVE, (listed,))} if listed else set()
