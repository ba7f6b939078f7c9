"""The permissions on a template of the organisation: who sees it, and who keeps it."""

import msgspec

from domain.keys.scopes import matches
from domain.templates.state import ORGANISATION, TEAM_PREFIX, OrganisationTemplate


class TemplateCaller(msgspec.Struct, frozen=True):
    """The principal that acts, or reads. teams: of the caller. admin: sees and keeps every template.

    processes: names and patterns that limit the caller; it sees the templates that were saved of those. Empty: all.
    """

    actor: str
    teams: frozenset[str] = frozenset()
    admin: bool = False
    processes: tuple[str, ...] = ()

    @property
    def shares(self) -> list[str]:
        """The values of `shared_with` by which the caller sees a template of others."""
        return [ORGANISATION, *(f"{TEAM_PREFIX}{team}" for team in sorted(self.teams))]

    def keeps(self, template: OrganisationTemplate) -> bool:
        """Return whether the caller may revise, share and withdraw the template: its author, its team, an admin."""
        keeper = self.actor == template.author or (template.team != "" and template.team in self.teams)
        return self._within(template) and (self.admin or keeper)

    def sees(self, template: OrganisationTemplate) -> bool:
        """Return whether the caller sees the template, and may use it."""
        return self.keeps(template) or (self._within(template) and template.shared_with in self.shares)

    def _within(self, template: OrganisationTemplate) -> bool:
        return not self.processes or matches(self.processes, template.process)
