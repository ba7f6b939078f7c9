"""The lineage of processes: which version of which template a process, and each of its versions, was made from."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from projections.table import Table, first, fixed, key, latest


class TemplateUseRow(msgspec.Struct, gc=False):
    """A process that was made from a template. template_version: the one that it was made from, or has taken since."""

    process_id: Annotated[bytes, key("uuid")]
    template_version: Annotated[int | None, latest("int")]
    process: Annotated[str | None, first("text")] = None
    template_id: Annotated[str | None, first("text")] = None
    made_at: Annotated[datetime | None, first("timestamptz")] = None
    made_by: Annotated[str | None, first("text")] = None
    position: Annotated[int | None, first("bigint")] = None


class MadeVersionRow(msgspec.Struct, gc=False, frozen=True):
    """A published version of such a process; it never changes."""

    process_id: Annotated[bytes, key("uuid not null")]
    version: Annotated[int, key("int not null")]
    template_id: Annotated[str, fixed("text not null")]
    template_version: Annotated[int, fixed("int not null")]
    published_at: Annotated[datetime, fixed("timestamptz not null")]


USES = Table("template_uses", TemplateUseRow)
MADE_VERSIONS = Table("template_made_versions", MadeVersionRow)


class TemplateUseChanges:
    """Rows by process, versions by process and number."""

    __slots__ = ("uses", "versions")

    def __init__(self) -> None:
        self.uses: dict[bytes, TemplateUseRow] = {}
        self.versions: dict[tuple[bytes, int], MadeVersionRow] = {}


def _drafted(changes: TemplateUseChanges, fact: Fact) -> None:
    event = fact.event
    lineage = event.lineage
    if lineage is not None:
        template, version = clean(lineage.template_id), lineage.template_version
        changes.uses[fact.stream] = TemplateUseRow(
            fact.stream, version, event.name, template, event.at, clean(event.actor), fact.position
        )


def _revised(changes: TemplateUseChanges, fact: Fact) -> None:
    lineage = fact.event.lineage
    if lineage is not None:
        row = changes.uses.setdefault(fact.stream, TemplateUseRow(fact.stream, None))
        row.template_version = lineage.template_version


def _published(changes: TemplateUseChanges, fact: Fact) -> None:
    event = fact.event
    if event.template_id is not None and event.template_version is not None:
        made = clean(event.template_id), event.template_version, event.at
        changes.versions[fact.stream, event.version] = MadeVersionRow(fact.stream, event.version, *made)


class TemplateUsesProjection(Projection[TemplateUseChanges]):
    """template_uses and template_made_versions, for the question what came from a template."""

    name = "template_uses"
    tables = ("template_uses", "template_made_versions")
    ddl = USES.ddl + MADE_VERSIONS.ddl
    indexes = (
        "create index template_uses_template_idx on template_uses (template_id, position)",
        "create index template_made_versions_idx on template_made_versions (template_id, template_version)",
    )
    handlers: dict[str, Handler[TemplateUseChanges]] = {
        "ProcessDrafted": _drafted,
        "ProcessRevised": _revised,
        "ProcessPublished": _published,
    }

    def changes(self) -> TemplateUseChanges:
        return TemplateUseChanges()

    def write(self, connection: Connection[Any], changes: TemplateUseChanges) -> None:
        USES.write(connection, changes.uses.values())
        MADE_VERSIONS.write(connection, changes.versions.values())
