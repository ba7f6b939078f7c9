"""Triggers and costs as hypothesis draws them: each is printed as it is read, and nothing is wrong with it."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from domain.language.types.costs import CostLevel, Costs
from domain.language.types.definition import InputField
from domain.language.types.parts import ABSENT
from domain.language.types.triggers import Dst, ManualTrigger, ScheduleTrigger, WebhookTrigger

durations = st.timedeltas(timedelta(microseconds=1), timedelta(days=365))
crons = st.sampled_from(["*/15 9-17 * * mon-fri", "0 0 L * *", "0 0 * * fri#2", "@daily", "0 22,23 29 feb 5L"])
times = st.sampled_from([{"timezone": "UTC"}, {"timezone": "Europe/Berlin", "dst": Dst(gap="skip", overlap="both")}])
presets = st.sampled_from(
    [
        {"preset": "hourly", "at": ":15"},
        {"preset": "daily", "at": "09:00"},
        {"preset": "weekly", "on": ("sun", "mon"), "at": "23:59"},
        {"preset": "monthly", "day": 31, "short_month": "skip"},
        {"preset": "monthly", "day": "last"},
    ]
)


@st.composite
def schedules(draw: st.DrawFn, declared: dict[str, InputField]) -> ScheduleTrigger:
    needed = {name: field for name, field in declared.items() if field.required and field.default is ABSENT}
    catch_up = draw(st.sampled_from(["latest", "all", "none"]))
    return ScheduleTrigger(
        type="schedule",
        id="s",
        input={name: SOME[field.type] for name, field in needed.items()},
        **draw(crons.map(lambda cron: {"cron": cron}) | presets),
        **draw(times),
        overlap=draw(st.sampled_from(["skip", "buffer_one", "allow", "cancel_running"])),
        catch_up=catch_up,
        catch_up_window=draw(durations) if catch_up != "none" else timedelta(hours=1),
        starts_at=draw(st.sampled_from([None, "2026-01-31T09:00:00+01:00", "2026-01-31 09:00"])),
        ends_at=draw(st.sampled_from([None, "2027-01-31T09:00Z"])),
        pause_after=draw(st.none() | st.integers(1, 1000)),
        **draw(st.sampled_from([{}, {"except": ("2026-12-24", "2027-01-01..2027-01-06", "holidays")}])),
        jitter=draw(st.none() | st.timedeltas(timedelta(microseconds=1), timedelta(days=1))),
    )


others = [ManualTrigger(type="manual", id="x", enabled=False), WebhookTrigger(type="webhook", id="y", secret="${A}")]
SOME: dict[str | None, Any] = {None: 1, "string": "x", "integer": 1, "object": {}}


def triggers(declared: dict[str, InputField] | None) -> st.SearchStrategy[Any]:
    return st.just([]) | st.just(others) | schedules(declared or {}).map(lambda schedule: [*others, schedule])


parts = st.none() | st.floats(0, 1, exclude_min=True)
levels = (
    st.lists(st.decimals("0.0001", 10**9, places=4), min_size=1, max_size=3, unique=True)
    .map(sorted)
    .flatmap(
        lambda amounts: st.tuples(
            *(
                st.builds(CostLevel, amount=st.just(f"{one:f}"), currency=st.just("USD"), warn_at=parts)
                for one in sorted(amounts)
            )
        )
    )
)
costs = st.builds(Costs, per_execution=st.none() | levels) | st.builds(
    Costs,
    per_execution=st.none() | levels,
    daily=st.none() | levels,
    weekly=levels,
    timezone=st.sampled_from(["UTC", "Europe/Berlin"]),
    week_starts=st.sampled_from(["monday", "sunday"]),
)
