"""Remedies for values that people write and the language does not read."""

import re

from domain.language.expressions import ROOTS

_TRUE, _FALSE = frozenset(("yes", "on", "y", "ja", "wahr", "1")), frozenset(("no", "off", "n", "nein", "falsch", "0"))
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|milli|s|m|h|d|w)[a-z]*\.?\Z")
_CLOCK = re.compile(r"([0-9]{1,3}):([0-9]{2})(?::([0-9]{2}))?\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:[_,' ][0-9]{3})+\Z|-?[0-9]+(?:_[0-9]+)+\Z")
_GOTO = re.compile(r"(?:go ?to|goto_step|jump(?: to)?)[ :]+(\S+)\Z", re.IGNORECASE)
_OF_INPUT = re.compile(r"(?:steps\[[0-9]+\]\.)*input\.")
_PATH = re.compile(rf"(?:{'|'.join(ROOTS)})\.[\w.-]+\Z")

_FIELD_TYPES = {
    **dict.fromkeys(("int", "long", "int64"), "integer"),
    **dict.fromkeys(("str", "text", "date", "datetime", "time", "email", "uuid", "url", "uri", "file"), "string"),
    **dict.fromkeys(("bool", "checkbox"), "boolean"),
    **dict.fromkeys(("float", "decimal", "double", "money", "currency", "num"), "number"),
    **dict.fromkeys(("list", "strings", "string[]", "tuple", "set"), "array"),
    **dict.fromkeys(("dict", "map", "json", "mapping", "record"), "object"),
}
_STEP_TYPES = {
    **dict.fromkeys(("agent", "task", "ai", "llm", "ai_task", "agent_call", "action", "step"), "agent_task"),
    **dict.fromkeys(("approval", "approve", "human", "human_task", "manual", "review", "user_task"), "human_approval"),
    **dict.fromkeys(("delay", "wait", "sleep", "pause"), "timer"),
    **dict.fromkeys(("condition", "decision", "branch", "switch", "if", "router", "exclusive_gateway"), "gateway"),
    **dict.fromkeys(("subprocess", "call", "process", "call_activity", "child"), "sub_process"),
    **dict.fromkeys(("notify", "email", "slack", "message", "webhook", "mail"), "notification"),
}
_TRIGGER_TYPES = {
    **dict.fromkeys(("cron", "scheduled", "timer", "time", "interval"), "schedule"),
    **dict.fromkeys(("http", "event", "hook", "api_webhook"), "webhook"),
    **dict.fromkeys(("api", "user", "form", "button"), "manual"),
}
_PARALLEL = frozenset(("parallel", "fork", "parallel_gateway", "inclusive", "inclusive_gateway"))
_EACH = "a `sub_process` with `for_each` runs the `steps` inside it for each item"
_ROUNDS = "a `sub_process` with `repeat` runs the `steps` inside it until a condition holds"
_REPETITIONS = {
    **dict.fromkeys(("for_each", "foreach", "map", "fork_join_dynamic", "dynamic_fork", "each_item", "matrix"), _EACH),
    **dict.fromkeys(("loop", "repeat", "while", "do_while", "until", "loop_until", "loopuntil"), _ROUNDS),
}


def boolean_hint(written: str) -> str:
    """Return the boolean that a text stands for, as a hint."""
    word = written.strip().lower()
    return "write `true`" if word in _TRUE | {"true"} else "write `false`" if word in _FALSE | {"false"} else ""


def number_hint(written: str) -> str:
    """Return the number that a text stands for, as a hint."""
    text = written.strip()
    if _GROUPED.match(text):
        return f"write it without separators: `{re.sub(r'[^0-9-]', '', text)[:40]}`"
    try:
        float(text)
    except ValueError:
        return ""
    return "write it without quotes"


def duration_hint(written: str) -> str:
    """Return the duration that a text stands for, as a hint."""
    text = written.strip().lower()
    if _PATH.match(text):
        return f'a value is written "{{{{ {written.strip()[:60]} }}}}"'
    if clock := _CLOCK.match(text):
        return f"write `{int(clock[1])}h{int(clock[2])}m`, or `{int(clock[1])}m{int(clock[2])}s`"
    if (found := _DURATION.match(text)) is None:
        return ""
    number, unit = found[1], found[2]
    if text.endswith(("month", "months", "mo")) or "." in number:
        return ""
    if unit == "w":
        return f"write `{int(number) * 7}d`"
    return f"write `{number}{'ms' if unit == 'milli' else unit}`"


def time_hint(written: str) -> str:
    """Return the time that a text stands for, as a hint."""
    text = written.strip()
    if _PATH.match(text):
        return f'a value is written "{{{{ {text[:60]} }}}}"'
    return f"a day has a time, too: {text}T00:00" if _DATE.match(text) else ""


def fallback_hint(written: str, field: str) -> str:
    """Return what to write for a fallback in words, as `goto b` or `retry`."""
    if field not in ("on_error", "on_timeout"):
        return ""
    if written.strip().lower() == "retry":
        return "a field of its own says so: `retry: {max_attempts: 3}`"
    found = _GOTO.match(written.strip())
    return f"write `{{{'goto_step' if field == 'on_error' else 'goto'}: {found[1][:40]}}}`" if found else ""


def type_hint(written: str, place: str) -> str:
    """Return the type that a word stands for, as a hint. place: the path of the value in the definition."""
    word = written.strip().lower().replace("-", "_").replace(" ", "_")
    if _OF_INPUT.match(place):
        return _meant(_FIELD_TYPES.get(word))
    if place.startswith("triggers"):
        return _meant(_TRIGGER_TYPES.get(word))
    if word in _PARALLEL:
        return f"a `gateway` with `gateway_type: {word.partition('_')[0].replace('fork', 'parallel')}`"
    if word in _REPETITIONS:
        return _REPETITIONS[word]
    return _meant(_STEP_TYPES.get(word))


def _meant(word: str | None) -> str:
    return "" if word is None else f"did you mean `{word}`?"
