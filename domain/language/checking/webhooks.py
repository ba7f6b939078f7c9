"""The webhook triggers of a definition."""

from collections.abc import Iterator

from domain.language.parsed import Spot, WebhookUse
from domain.language.reading.nodes import Mapping, Sequence, text_of


def is_webhook(trigger: object) -> bool:
    """Return whether a node of a canonical tree is a trigger of this type."""
    return isinstance(trigger, Mapping) and text_of(trigger.entries.get("type")) == "webhook"


def webhooks_in(root: Mapping) -> Iterator[WebhookUse]:
    """Return the id of every webhook trigger in a canonical tree."""
    triggers = root.entries.get("triggers")
    for trigger in triggers.items if isinstance(triggers, Sequence) else ():
        node = trigger.entries.get("id") if isinstance(trigger, Mapping) and is_webhook(trigger) else None
        name = text_of(node)
        if node is not None and name:
            yield WebhookUse(name, Spot(node.path, node.line, node.column))
