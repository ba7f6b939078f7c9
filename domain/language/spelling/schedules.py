"""Schedule triggers: their other spellings."""

from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.weekdays import SHORT, respell_weekday
from domain.language.types.triggers import TRIGGER_TYPES, ScheduleTrigger, TriggerDefinition

PRESETS = tuple(ScheduleTrigger.takes)


def respell_trigger(trigger: Mapping, problems: Problems) -> type[TriggerDefinition] | None:
    """Rewrite a trigger in place. Returns its type, None for an unknown one."""
    kind = text_of(trigger.entries.get("type"))
    if kind not in TRIGGER_TYPES:
        return None
    if kind != "webhook" and "secret" in trigger.entries:
        problems.add("secret_unused", "`secret` is for triggers of the type `webhook`", trigger.entries.pop("secret"))
    if kind == "schedule":
        _preset(trigger, problems)
        _days(trigger, problems)
    return TRIGGER_TYPES[kind]


def _preset(trigger: Mapping, problems: Problems) -> None:
    """Rewrite `cron: daily` as the preset."""
    cron = trigger.entries.get("cron")
    word = (text_of(cron) or "").strip().lower()
    if cron is None or word not in PRESETS:
        return
    at = trigger.keys["cron"]
    del trigger.entries["cron"]
    if "preset" in trigger.entries:
        problems.add("said_twice", f"`cron: {word}` and `preset` say the same; keep `preset`", at)
        return
    problems.add("alias", f"`cron: {word}` is read as `preset: {word}`", cron, severity="notice")
    trigger.entries["preset"] = Scalar(cron.line, cron.column, trigger, "cron", word, word)
    trigger.keys["preset"] = at


def _days(trigger: Mapping, problems: Problems) -> None:
    """Rewrite one day as a list of one, `Monday` as `mon`, and drop repeated days."""
    days = trigger.entries.get("on")
    if isinstance(days, Scalar) and days.value is not None:
        trigger.entries["on"] = days = Sequence(days.line, days.column, trigger, "on", items=[days])
    if not isinstance(days, Sequence):
        return
    seen: set[str] = set()
    kept: list[Node] = []
    for item in days.items:
        respell_weekday(item, SHORT, problems)
        day = text_of(item)
        if day is not None and day in seen:
            problems.add("duplicate_day", f"`{day[:60]}` is named twice", item, severity="warning")
            continue
        kept.append(item)
        seen.add(day or "")
    days.items = kept
