"""A rule's preview, its next runs and the executions that it starts on a clock of the test are one list."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.event import Cause
from domain.identity import process_id
from domain.schedules.decisions import register_schedule
from domain.schedules.due import account_for_due
from domain.schedules.events import ScheduleFired
from domain.schedules.rules import terms_of
from domain.schedules.schedule import fold
from queries.schedule_previews import preview_schedule, trigger_of

RUNS = 12
A_SECOND = timedelta(seconds=1)
# Days shortly before the clock changes, either way, and one of a zone without changes.
ZONES = {
    "America/New_York": (date(2026, 3, 6), date(2026, 10, 30)),
    "Europe/Berlin": (date(2026, 3, 27), date(2026, 10, 23)),
    "Australia/Lord_Howe": (date(2026, 4, 3), date(2026, 10, 2)),
    "America/Santiago": (date(2026, 4, 3), date(2026, 9, 4)),
    "Asia/Kathmandu": (date(2026, 2, 26),),
}
TIMES = (
    st.builds(
        lambda minute, hour, days: {"cron": f"{minute} {hour} {days}"},
        st.sampled_from(["0", "30", "15,45", "*/20"]),
        st.sampled_from(["*", "2", "1-3", "*/2", "0"]),
        st.sampled_from(["* * *", "* * 0", "* * 1-5", "29-31 * *", "L * *", "1 * 5#1"]),
    )
    | st.sampled_from(["90m", "1h", "7h", "36h"]).map(lambda every: {"every": every})
    | st.builds(lambda at: {"preset": "daily", "at": at}, st.sampled_from(["00:00", "01:30", "02:30"]))
    | st.builds(
        lambda day, short: {"preset": "monthly", "day": day, "short_month": short},
        st.integers(28, 31),
        st.sampled_from(["last_day", "skip"]),
    )
)


@st.composite
def triggers(draw: Any) -> tuple[dict[str, Any], datetime]:
    """Return the fields of a trigger, and an instant at which no run is due."""
    zone = draw(st.sampled_from(list(ZONES)))
    start = draw(st.sampled_from(ZONES[zone]))
    stated = dict(draw(TIMES))
    if "every" not in stated:
        gap, overlap = draw(st.sampled_from(["shift", "skip"])), draw(st.sampled_from(["first", "second", "both"]))
        stated |= {"timezone": zone, "dst": {"gap": gap, "overlap": overlap}}
        first = start + timedelta(draw(st.integers(0, 3)))
        if draw(st.booleans()):
            stated |= {"except": [f"{first}..{first + timedelta(draw(st.integers(0, 2)))}"]}
            stated |= {"on_exception": draw(st.sampled_from(["skip", "next_day", "previous_day"]))}
    stated |= draw(st.sampled_from([{}, {}, {"jitter": "10m"}]))
    since = datetime(start.year, start.month, start.day, draw(st.integers(0, 23)), 7, 31, tzinfo=UTC)
    return stated, since


@settings(max_examples=150, deadline=None)
@given(triggers())
def test_preview_next_runs_and_executions_are_the_same_list(drawn: tuple[dict[str, Any], datetime]) -> None:
    stated, since = drawn
    preview = preview_schedule(trigger_of(stated, A_SECOND), RUNS, since, {}).items
    shown = [each.utc for each in preview]
    running = [each.utc for each in preview if not {"skipped", "moved", "coalesced"} & set(each.flags)]

    process = process_id("news")
    document = {"type": "schedule", "id": "tick", "overlap": "allow", "catch_up": "all", **stated}
    cause = Cause(since, "user:ann")
    schedule = fold(None, register_schedule(None, process, "news", 1, document, {}, cause, terms_of))
    next_runs, fired = [], []
    while schedule is not None and schedule.next_at is not None and len(next_runs) < len(shown):
        now = schedule.next_at
        next_runs.append(now)
        new = account_for_due(schedule, now, Cause(now, "worker:a"), terms_of)
        fired += [(event.scheduled_at, event.lateness) for event in new if isinstance(event, ScheduleFired)]
        schedule = fold(schedule, new)

    assert running
    assert [at for at, _ in fired] == running
    assert {lateness for _, lateness in fired} <= {0.0}
    if "jitter" not in stated:
        assert next_runs == shown
