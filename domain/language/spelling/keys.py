"""Unknown keys: a slip of a known key is an error; the parser drops any other with a warning."""

import re
from collections.abc import Collection

from domain.language.reading.nodes import Location, Mapping, Scalar
from domain.language.reading.problems import Problems
from domain.words import did_you_mean, slip_of


def is_strict(root: Mapping) -> bool:
    """Return whether the definition makes every unknown key an error."""
    strict = root.entries.get("strict")
    return isinstance(strict, Scalar) and strict.value is True


_EACH = "a step of the type `sub_process` has `for_each`, and runs its `steps` for each item"
_ROUNDS = "a step of the type `sub_process` has `repeat`, and runs its `steps` until a condition holds"
# Keys of other engines, and of other parts of this language, by what to write instead.
_INSTEAD = {
    **dict.fromkeys(("for_each", "foreach", "with_items", "map"), _EACH),
    **dict.fromkeys(("loop", "while", "do_while", "until", "repeat"), _ROUNDS),
    **dict.fromkeys(("parallel", "branches"), "steps that do not depend on one another run at once"),
    **dict.fromkeys(("then", "on_success"), "the step that comes after names this one in its `depends_on`"),
    "next_step": "the step that comes after names this one in its `depends_on`",
    "next": "the step that comes after names this one in its `depends_on`",
    "output_key": "what the step gives is at `steps.ID.output`",
    "executor": "write it under `roles`",
    "monitors": "write it under `roles`",
    "informed": "write it under `roles`",
    "description": "write it as a comment, after a `#`",
}


_AT_ONCE = ("max_parallel",)
# Words of other engines, by the keys that they stand for; the first one that is known where the word stands.
_MEANT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("when", "if", "run_if", "only_if", "guard"), ("condition", "until")),
    **dict.fromkeys(("needs", "requires", "after", "dependencies", "depends", "wait_for"), ("depends_on",)),
    **dict.fromkeys(("prompt", "instructions", "instruction", "task", "content", "body", "text"), ("message", "steps")),
    **dict.fromkeys(("on_failure", "on_fail", "catch", "error", "continue_on_error"), ("on_error",)),
    **dict.fromkeys(("retries", "max_retries", "attempts", "retry_policy"), ("retry", "max_attempts", "max")),
    **dict.fromkeys(("agent", "user", "users", "people", "reviewer", "reviewers", "owner", "who"), ("approvers",)),
    **dict.fromkeys(
        ("input", "inputs", "with", "args", "arguments", "params", "parameters", "variables", "context"),
        ("input_mapping", "parameters", "input"),
    ),
    **dict.fromkeys(("schema", "response_format", "output", "returns", "results"), ("output_schema", "outputs")),
    **dict.fromkeys(("compensate", "rollback", "undo"), ("compensation",)),
    **dict.fromkeys(("to", "goto", "step"), ("target", "recipients")),
    **dict.fromkeys(("recipient", "emails", "email"), ("recipients",)),
    **dict.fromkeys(("default", "else", "otherwise"), ("default_route",)),
    **dict.fromkeys(("branches", "cases", "switch"), ("routes",)),
    **dict.fromkeys(("tags", "tag"), ("labels",)),
    **dict.fromkeys(("concurrency", "max_parallel", "max_concurrent"), ("max_parallel", "max_running")),
    **dict.fromkeys(("on", "trigger", "schedule", "cron"), ("triggers", "cron")),
    **dict.fromkeys(("tasks", "nodes", "stages", "jobs", "activities", "workflow"), ("steps",)),
    **dict.fromkeys(("tz", "time_zone"), ("timezone",)),
    **dict.fromkeys(("timeout_seconds", "time_limit"), ("timeout", "deadline")),
    **dict.fromkeys(("wait", "seconds", "sleep"), ("duration", "delay")),
    **dict.fromkeys(
        ("foreach", "for", "each", "map", "matrix", "with_items", "withitems", "with_param"), ("for_each",)
    ),
    **dict.fromkeys(("withparam", "with_sequence", "split", "expand", "fan_out", "fork"), ("for_each",)),
    **dict.fromkeys(("loop", "do_while", "dowhile", "loop_until", "loopuntil"), ("repeat",)),
    **dict.fromkeys(
        ("while", "until", "loop_condition", "loopcondition", "break_when", "stop_when"), ("until", "repeat")
    ),
    "condition": ("until",),
    **dict.fromkeys(("do", "iterator", "item_processor", "itemprocessor", "loop_over", "loopover"), ("steps",)),
    **dict.fromkeys(("in", "over", "list", "values", "collection", "items_path", "itemspath", "elements"), ("items",)),
    **dict.fromkeys(("input_collection", "inputcollection", "iterable"), ("items",)),
    **dict.fromkeys(("item", "var", "variable", "value", "name", "iteration_param", "element", "alias"), ("as",)),
    **dict.fromkeys(("parallel", "parallelism", "max_concurrency", "maxconcurrency", "concurrency_limit"), _AT_ONCE),
    **dict.fromkeys(("concurrencylimit", "batch_size", "batchsize", "max_in_flight"), _AT_ONCE),
    **dict.fromkeys(("max_iterations", "maxiterations", "max_rounds", "rounds", "times", "count"), ("max", "limit")),
    **dict.fromkeys(("limit", "max", "size", "slots"), ("max", "limit")),
    **dict.fromkeys(("by", "group", "group_by", "key", "keyed_by", "partition"), ("per",)),
    **dict.fromkeys(("prio", "importance", "urgency", "weight", "rank", "order"), ("priority",)),
    **dict.fromkeys(("interval", "pause", "check_frequency", "backoff"), ("delay",)),
    **dict.fromkeys(("update", "feedback", "vars", "state", "next_input", "accumulate"), ("carry",)),
    **dict.fromkeys(("on_max", "on_limit", "on_max_rounds", "exhausted"), ("on_exhausted",)),
}
_LOOK_ALIKE = re.compile("[\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060\ufeff]")


def note_unknown_key(
    key: str,
    at: Location,
    known: Collection[str],
    problems: Problems,
    *,
    spellings: Collection[str] = (),
    cut: str = "",
) -> None:
    """Note a key that is none of the `known` ones, nor of their other `spellings`. cut: a hint, if a text was cut."""
    if hidden := _LOOK_ALIKE.search(key):
        hint = f"it holds the character U+{ord(hidden.group()):04X}, which looks like a space or like nothing"
        problems.add("unknown_key", f"`{key[:60]}` is not a key here", at, hint=hint)
        return
    meanings = _MEANT.get(key.lower().replace("-", "_"), ())
    other = next((each for each in meanings if each in known), None)
    meant = None if key in _INSTEAD and other is None else slip_of(key, [*known, *spellings])
    if meant is not None:
        problems.add("unknown_key", f"`{key[:60]}` is not a key here", at, hint=f"did you mean `{meant}`?")
        return
    severity = "error" if problems.strict_keys else "warning"
    hint = f"did you mean `{other}`?" if other is not None else cut or _INSTEAD.get(key, "")
    if not hint and not problems.full(severity):
        hint = did_you_mean(key, [*known, *spellings]) or f"known here: {', '.join(known)}"
    message = f"`{key[:60]}` is not a key here" + ("" if severity == "error" else ", it is ignored")
    problems.add("unknown_key", message, at, hint=hint, severity=severity)
