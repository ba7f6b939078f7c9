"""The definitions of figures as answers state them."""

from domain.analytics.definitions import DEFINITIONS
from queries.analytics.figures import DefinitionText

TEXTS = {name: DefinitionText(each.title, each.text, each.good) for name, each in DEFINITIONS.items()}
"""By the name of the figure."""
