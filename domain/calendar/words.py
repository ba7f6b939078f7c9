"""A rule in words."""

from domain.calendar.durations import print_duration
from domain.calendar.rule import Rule


def in_words(rule: Rule) -> str:
    """Return the rule in words."""
    return f"every {print_duration(rule.every)}" if rule.every is not None else f"`{rule.cron}`, in UTC"
