"""The state of one template of the organisation: the fold of its events."""

from collections.abc import Iterable

import msgspec

from domain.event import Event
from domain.templates.events import TemplatePublished, TemplateRevised, TemplateShared, TemplateWithdrawn

PRIVATE, ORGANISATION, TEAM_PREFIX = "private", "organisation", "team:"


class OrganisationTemplate(msgspec.Struct, frozen=True):
    """A template of the organisation now. sources: the document of each version, the first one first.

    author: the actor who published it. team: those who keep it with the author. shared_with: ``private``, ``team:NAME``
    or ``organisation``. process: of which the latest version was saved. withdrawn: the reason, None while it is in use.
    """

    name: str
    author: str
    sources: tuple[str, ...]
    team: str = ""
    shared_with: str = PRIVATE
    process: str = ""
    withdrawn: str | None = None

    @property
    def version(self) -> int:
        """The number of the latest version."""
        return len(self.sources)


def evolve(template: OrganisationTemplate | None, event: Event) -> OrganisationTemplate:
    """Return the template after `event`; the first event must be TemplatePublished (ValueError otherwise)."""
    if isinstance(event, TemplatePublished) and template is None:
        return OrganisationTemplate(event.name, event.actor, (event.source,), event.team, process=event.process)
    if template is None:
        raise ValueError(f"a template begins with TemplatePublished, not {type(event).__name__}")
    match event:
        case TemplateRevised():
            return msgspec.structs.replace(
                template, sources=(*template.sources, event.source), process=event.process, withdrawn=None
            )
        case TemplateShared():
            return msgspec.structs.replace(template, shared_with=event.shared_with)
        case TemplateWithdrawn():
            return msgspec.structs.replace(template, withdrawn=event.reason)
        case _:
            raise ValueError(f"{type(event).__name__} does not happen to a template that exists")


def fold(events: Iterable[Event]) -> OrganisationTemplate | None:
    """Return the template after all `events`, in order; None for none."""
    template: OrganisationTemplate | None = None
    for event in events:
        template = evolve(template, event)
    return template
