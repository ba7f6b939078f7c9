"""When a schedule would come by the answers of the type cron, while others are still missing or wrong."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from domain.jsonvalue import JsonValue
from domain.refusal import Malformed
from domain.templates.parameters import Parameter
from queries.schedule_previews import preview_schedule, trigger_of

RUNS = 3
USUAL_ZONE = "UTC"


class AnsweredSchedule(msgspec.Struct, frozen=True):
    """The next instants of one answer. label: what stands above its field; words: the expression in words."""

    label: str
    words: str
    timezone: str
    instants: Sequence[datetime]


def coming_of(
    parameters: Mapping[str, Parameter], values: Mapping[str, JsonValue], now: datetime
) -> Sequence[AnsweredSchedule]:
    """Return the runs of each cron expression that can be worked out, in the zone of the first answer that is one."""
    zones = [values.get(name) for name, each in parameters.items() if each.type == "timezone"]
    zone = next((each for each in zones if isinstance(each, str)), USUAL_ZONE)
    found: list[AnsweredSchedule] = []
    for name, each in parameters.items():
        expression = values.get(name)
        if each.type == "cron" and isinstance(expression, str):
            try:
                trigger = trigger_of({"cron": expression, "timezone": zone}, timedelta(0))
                preview = preview_schedule(trigger, RUNS, now, {})
            except Malformed:
                continue  # the problem stands at the field
            found.append(
                AnsweredSchedule(each.title or name, preview.words, zone, [run.utc for run in preview.items[:RUNS]])
            )
    return found
