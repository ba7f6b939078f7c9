"""The template that a process was made from, and whether a newer version of it is there."""

from contextlib import suppress
from uuid import UUID

import msgspec

from domain.templates.access import TemplateCaller
from domain.templates.references import read_reference
from queries.reading import Reading, ReadModelRebuilding
from queries.templates.library import TEMPLATES
from queries.templates.records import find_record
from queries.templates.surroundings import TemplateSurroundings
from queries.templates.updates import lineage_of


class TemplateOrigin(msgspec.Struct, frozen=True):
    """Where a process comes from. latest: the newest version; None: the caller does not see the template."""

    template_id: str
    template_version: int
    latest: int | None

    @property
    def newer(self) -> bool:
        """Whether there is a newer version than the one it was made from."""
        return self.latest is not None and self.latest > self.template_version


def origin_of(
    reading: Reading, surroundings: TemplateSurroundings, caller: TemplateCaller, process_id: UUID
) -> TemplateOrigin | None:
    """Return the template that a process was made from; None if it was not. Of one being rebuilt latest is unknown."""
    lineage = lineage_of(reading, process_id)
    reference = None if lineage is None else read_reference(lineage.template_id)
    if lineage is None or reference is None:
        return None
    found = None
    with suppress(ReadModelRebuilding), reading.of(TEMPLATES) as (connection, _):
        found = find_record(connection, surroundings.catalogue, reference, None, caller)
    return TemplateOrigin(lineage.template_id, lineage.template_version, None if found is None else found.latest)
