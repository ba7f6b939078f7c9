"""The installation that templates are read in: what it offers them, and what of that a template lacks."""

from collections.abc import Collection

import msgspec

from domain.agents.secret_names import NO_SECRETS, SecretNames
from gateway.catalogue import BUNDLED, Catalogue
from queries.templates.views import TemplateNeeds


class TemplateSurroundings(msgspec.Struct, frozen=True):
    """catalogue: of the bundled templates. release: of Procession. channels: those that the operator has set up.

    secrets: the environment variables that may be referred to.
    """

    release: str
    channels: Collection[str] = ()
    secrets: SecretNames = NO_SECRETS
    catalogue: Catalogue = BUNDLED

    def missing(self, needs: TemplateNeeds, active: Collection[str]) -> TemplateNeeds:
        """Return those of the needs that are not there. active: the agents that are."""
        return TemplateNeeds(
            [agent for agent in needs.agents if agent not in active],
            [secret for secret in needs.secrets if not self.secrets.allows(secret)],
            [channel for channel in needs.channels if channel not in self.channels],
        )
