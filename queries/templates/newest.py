"""The template that a process was made from, and whether a newer version of it is there."""

from contextlib import suppress
from uuid import UUID

import msgspec

from domain.templates.access import TemplateCaller
from domain.templates.references import read_reference
from queries.reading import Reading, ReadModelRebuilding, fetch
from queries.templates.library import TEMPLATES
from queries.templates.records import find_record
from queries.templates.surroundings import TemplateSurroundings
from queries.templates.uses import USES

_USE = "select template_id, template_version from template_uses where process_id = %s"


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
    """Return the template that a process was made from; None if it was not, or while the lineages are rebuilt.

    While the templates are rebuilt, latest is unknown.
    """
    rows = []
    with suppress(ReadModelRebuilding), reading.of(USES) as (connection, _):
        rows = fetch(connection, _USE, (process_id,))
    if not rows:
        return None
    template_id, version = rows[0]["template_id"], rows[0]["template_version"]
    return TemplateOrigin(template_id, version, _latest(reading, surroundings, caller, template_id))


def _latest(
    reading: Reading, surroundings: TemplateSurroundings, caller: TemplateCaller, template_id: str
) -> int | None:
    reference = read_reference(template_id)
    found = None
    if reference is not None:
        with suppress(ReadModelRebuilding), reading.of(TEMPLATES) as (connection, _):
            found = find_record(connection, surroundings.catalogue, reference, None, caller)
    return None if found is None else found.latest
