"""The templates of the organisation with their versions: a row a template, and a row a version."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from domain.templates.state import PRIVATE
from projections.facts import Fact
from projections.projection import Handler, Projection, clean
from projections.table import Table, always, first, fixed, key, latest, since


class TemplateRow(msgspec.Struct, gc=False, kw_only=True):
    """The changes of a page to a row; None leaves a column as it is.

    version: of the latest document, which the columns after it describe; it takes a withdrawal back. search: the
    text that a search goes through, in lower case.
    """

    template: Annotated[bytes, key("uuid")]
    name: Annotated[str | None, first("text unique")] = None
    author: Annotated[str | None, first("text")] = None
    team: Annotated[str | None, first("text")] = None
    published_at: Annotated[datetime | None, first("timestamptz")] = None
    version: Annotated[int | None, latest("int")] = None
    title: Annotated[str | None, latest("text")] = None
    description: Annotated[str | None, latest("text")] = None
    tags: Annotated[list[str] | None, latest("json")] = None
    category: Annotated[str | None, latest("text")] = None
    process: Annotated[str | None, latest("text")] = None
    needs: Annotated[msgspec.Raw | None, latest("json")] = None
    search: Annotated[str | None, latest("text")] = None
    revised_at: Annotated[datetime | None, latest("timestamptz")] = None
    shared_with: Annotated[str | None, latest("text")] = None
    withdrawn_at: Annotated[datetime | None, since("timestamptz", "version")] = None
    withdrawn_reason: Annotated[str | None, since("text", "version")] = None
    last_position: Annotated[int, always("bigint")]


class TemplateVersionRow(msgspec.Struct, gc=False, frozen=True):
    """A version of a template; it never changes. process_version: 0: it was saved from a draft."""

    template: Annotated[bytes, key("uuid not null")]
    version: Annotated[int, key("int not null")]
    source: Annotated[str, fixed("text not null")]
    author: Annotated[str, fixed("text not null")]
    process: Annotated[str, fixed("text not null")]
    process_version: Annotated[int, fixed("int not null")]
    published_at: Annotated[datetime, fixed("timestamptz not null")]


TEMPLATES = Table("template_list", TemplateRow)
VERSIONS = Table("template_versions", TemplateVersionRow)


class TemplateChanges:
    """Rows by template, versions by template and number."""

    __slots__ = ("rows", "versions")

    def __init__(self) -> None:
        self.rows: dict[bytes, TemplateRow] = {}
        self.versions: dict[tuple[bytes, int], TemplateVersionRow] = {}


def _row(changes: TemplateChanges, fact: Fact) -> TemplateRow:
    row = changes.rows.setdefault(fact.stream, TemplateRow(template=fact.stream, last_position=0))
    row.last_position = fact.position
    return row


def _versioned(changes: TemplateChanges, fact: Fact, version: int) -> TemplateRow:
    row, event = _row(changes, fact), fact.event
    row.version, row.revised_at = version, event.at
    row.title, row.description, row.category = clean(event.title), clean(event.description), clean(event.category)
    row.tags = [clean(tag) for tag in event.tags]
    row.process, row.needs = clean(event.process), event.needs
    row.search = "\n".join((event.name, row.title, row.description, row.category, *row.tags)).lower()
    row.withdrawn_at = row.withdrawn_reason = None
    source = event.source.replace("\0", "\ufffd")
    author, process = clean(event.actor), row.process
    changes.versions.setdefault(
        (fact.stream, version),
        TemplateVersionRow(fact.stream, version, source, author, process, event.process_version, event.at),
    )
    return row


def _published(changes: TemplateChanges, fact: Fact) -> None:
    row, event = _versioned(changes, fact, 1), fact.event
    row.name, row.author, row.team = clean(event.name), clean(event.actor), clean(event.team)
    row.published_at, row.shared_with = event.at, PRIVATE


def _revised(changes: TemplateChanges, fact: Fact) -> None:
    _versioned(changes, fact, fact.event.version)


def _shared(changes: TemplateChanges, fact: Fact) -> None:
    _row(changes, fact).shared_with = clean(fact.event.shared_with)


def _withdrawn(changes: TemplateChanges, fact: Fact) -> None:
    row = _row(changes, fact)
    row.withdrawn_at, row.withdrawn_reason = fact.event.at, clean(fact.event.reason)


class TemplatesProjection(Projection[TemplateChanges]):
    """template_list, and every version in template_versions."""

    name = "templates"
    tables = ("template_list", "template_versions")
    ddl = TEMPLATES.ddl + VERSIONS.ddl
    handlers: dict[str, Handler[TemplateChanges]] = {
        "TemplatePublished": _published,
        "TemplateRevised": _revised,
        "TemplateShared": _shared,
        "TemplateWithdrawn": _withdrawn,
    }

    def changes(self) -> TemplateChanges:
        return TemplateChanges()

    def write(self, connection: Connection[Any], changes: TemplateChanges) -> None:
        TEMPLATES.write(connection, changes.rows.values())
        VERSIONS.write(connection, changes.versions.values())
