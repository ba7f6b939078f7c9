"""Templates in words: where one comes from, what it lacks, what steps it makes."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from queries.templates.views import TemplateNeeds

SOURCES = {"bundled": "Bundled", "org": "Organisation"}
STEPS = {
    "agent_task": ("by agents", "by agents"),
    "human_approval": ("by people", "by people"),
    "timer": ("timer", "timers"),
    "gateway": ("gateway", "gateways"),
    "sub_process": ("other process", "other processes"),
    "notification": ("notification", "notifications"),
}


def source_word(source: str) -> str:
    """Return where a template comes from."""
    return SOURCES.get(source, source)


def missing_words(missing: TemplateNeeds) -> list[str]:
    """Return what a template needs and is not there."""
    kinds = (("agent", missing.agents), ("secret", missing.secrets), ("channel", missing.channels))
    return [f"{kind} {name}" for kind, names in kinds for name in names]


def step_words(steps: list[Mapping[str, Any]]) -> str:
    """Return how many steps of which type there are: ``3 by agents, 1 timer``."""
    counts = Counter(str(step["type"]) for step in steps)
    words = ((many, STEPS.get(type, (type, type))) for type, many in counts.items())
    return ", ".join(f"{many} {one if many == 1 else more}" for many, (one, more) in words)
