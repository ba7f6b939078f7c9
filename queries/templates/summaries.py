"""Summaries of templates: what each needs, what of that is missing, and how often it is used."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from domain.templates.access import TemplateCaller
from queries.templates.records import TemplateRecord, active_agents, needs_of, uses_of
from queries.templates.surroundings import TemplateSurroundings
from queries.templates.views import TemplateSummary


def summaries_of(
    connection: Connection[Any],
    records: Sequence[TemplateRecord],
    surroundings: TemplateSurroundings,
    caller: TemplateCaller,
) -> list[TemplateSummary]:
    """Return the summary of each record; two queries for all."""
    standings = [record.standing(surroundings.release) for record in records]
    needed = [needs_of(record) for record in records]
    active = active_agents(connection, (agent for needs in needed for agent in needs.agents))
    uses = uses_of(connection, [record.reference.template_id for record in records], caller.processes)
    return [
        TemplateSummary(
            template_id=record.reference.template_id,
            version=record.version,
            name=record.title,
            description=record.description,
            tags=record.tags,
            category=record.category,
            source=record.reference.source,
            author=record.author,
            uses=sum(uses.get(record.reference.template_id, {}).values()),
            status=standing.status,
            problems=standing.problems,
            needs=needs,
            missing=surroundings.missing(needs, active),
            shared_with=record.shared_with,
            kept=record.kept_by(caller),
            team=record.team,
            process=record.process,
            published_at=record.published_at,
            revised_at=record.revised_at,
            withdrawn_reason=record.withdrawn_reason,
        )
        for record, standing, needs in zip(records, standings, needed, strict=True)
    ]
