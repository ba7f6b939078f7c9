"""Given the text of a definition, when a cost limit is written into it, then the rest of the text stays."""

import pytest

from domain.language import parse_definition
from domain.language.editing.changes import EditRefused
from domain.language.editing.limits import limited

STEPS = "name: a\nsteps: [{id: wait, type: timer, duration: 1s}]  # one\n"
LEVEL = {"amount": "5.00", "currency": "USD"}
NONE = STEPS
OTHER = STEPS + "costs:\n  weekly: {amount: '9', currency: EUR}  # nine\n"
ONE = (
    STEPS + "costs:\n  # why\n  daily: {amount: '2', currency: EUR, warn_at: 0.5}  # two\n  timezone: Asia/Kathmandu\n"
)
BLOCK = STEPS + "costs:\n  daily:\n    amount: '2'  # two\n    currency: EUR\n    on_alert: pause_schedules\n"
SEVERAL = STEPS + "costs:\n  daily: [{amount: '2', currency: USD}, {amount: '3', currency: USD}]\n"
JSON = '{"name": "a", "steps": [{"id": "wait", "type": "timer", "duration": "1s"}]}'


@pytest.mark.parametrize("source", [NONE, OTHER, ONE, BLOCK, SEVERAL, JSON])
@pytest.mark.parametrize("level", [LEVEL, LEVEL | {"warn_at": 0.8}, LEVEL | {"on_alert": "pause_schedules"}])
def test_the_limit_is_in_the_text_and_comments_stay(source: str, level: dict[str, str | float]) -> None:
    text = limited(source, "daily", level)
    parsed = parse_definition(text)
    assert [each.message for each in parsed.problems if each.severity == "error"] == []
    assert parsed.definition is not None
    assert parsed.definition.costs is not None
    (daily,) = parsed.definition.costs.daily or ()
    assert (str(daily.amount), daily.currency) == ("5.00", "USD")
    assert (daily.warn_at, daily.on_alert) == (level.get("warn_at"), level.get("on_alert"))
    before = parse_definition(source).definition
    assert before is not None
    if before.costs is not None:
        assert parsed.definition.costs.weekly == before.costs.weekly
        assert parsed.definition.costs.timezone == before.costs.timezone
    comments = [line.partition("#")[2] for line in source.splitlines() if "#" in line]
    assert [comment for comment in comments if f"#{comment}" not in text] == []


@pytest.mark.parametrize("source", ["", "- a\n", "name: [\n", "text"])
def test_a_text_that_is_no_definition_stays_as_it_is(source: str) -> None:
    with pytest.raises(EditRefused):
        limited(source, "daily", LEVEL)
