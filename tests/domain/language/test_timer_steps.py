"""Timer steps: when they are due, from constants and from templates."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.language.expressions import EvaluationFailed
from domain.language.types.quantities import ONE_YEAR
from domain.processes.plan import PlannedTimer
from tests.definitions import plan_of

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOO_FAR = NOW + timedelta(days=367)


def timer(fields: str) -> PlannedTimer:
    planned = plan_of(f"name: p\nsteps:\n- {{id: t, type: timer, {fields}}}\n").steps["t"]
    assert isinstance(planned, PlannedTimer)
    return planned


@pytest.mark.parametrize(
    ("fields", "due_at"),
    [
        ("duration: 90", NOW + timedelta(seconds=90)),
        ("duration: 1h30m", NOW + timedelta(minutes=90)),
        ("duration: PT1H", NOW + timedelta(hours=1)),
        ("delay: 0", NOW),
        ("config: {delay: 365d}", NOW + ONE_YEAR),
        ("until: 2026-01-02T09:00:00+01:00", datetime(2026, 1, 2, 8, tzinfo=UTC)),
        ("until: 2026-01-02T09:00, timezone: America/New_York", datetime(2026, 1, 2, 14, tzinfo=UTC)),
        ("until: 1999-12-31T00:00Z", datetime(1999, 12, 31, tzinfo=UTC)),
    ],
)
def test_constants_are_due(fields: str, due_at: datetime) -> None:
    assert timer(fields).due_at({}, NOW) == due_at


@pytest.mark.parametrize(
    ("fields", "value", "due_at"),
    [
        ("duration: '{{ input.x }}'", 90, NOW + timedelta(seconds=90)),
        ("duration: '{{ input.x }}'", 1.5, NOW + timedelta(seconds=1.5)),
        ("duration: '{{ input.x }}'", "2h", NOW + timedelta(hours=2)),
        ("duration: '{{ input.x }}'", Decimal("0.25"), NOW + timedelta(milliseconds=250)),
        ("duration: '{{ input.x }}m'", 5, NOW + timedelta(minutes=5)),
        ("duration: '{{ input.x }}'", timedelta(minutes=2), NOW + timedelta(minutes=2)),
        ("until: '{{ input.x }}'", NOW + timedelta(days=366), NOW + timedelta(days=366)),
        ("until: '{{ input.x }}'", "2026-01-01T13:00:00+01:00", NOW),
        ("until: '{{ input.x }}T09:00', timezone: Europe/Berlin", "2026-01-02", datetime(2026, 1, 2, 8, tzinfo=UTC)),
    ],
)
def test_templates_are_due(fields: str, value: Any, due_at: datetime) -> None:
    assert timer(fields).due_at({"input": {"x": value}}, NOW) == due_at


@pytest.mark.parametrize(
    ("fields", "value", "code"),
    [
        ("duration: '{{ input.x }}'", -1, "timer_invalid"),
        ("duration: '{{ input.x }}'", "soon", "timer_invalid"),
        ("duration: '{{ input.x }}'", True, "timer_invalid"),
        ("duration: '{{ input.x }}'", None, "timer_invalid"),
        ("duration: '{{ input.x }}'", Decimal("NaN"), "timer_invalid"),
        ("duration: '{{ input.x }}'", Decimal("1e999999"), "timer_invalid"),
        ("duration: '{{ input.x }}'", "366d", "timer_too_long"),
        ("duration: '{{ input.y }}'", 1, "unknown_path"),
        ("until: '{{ input.x }}'", 1767261600, "timer_invalid"),
        ("until: '{{ input.x }}'", "2026-01-02T09:00", "timer_invalid"),
        ("until: '{{ input.x }}'", "2026-01-02", "timer_invalid"),
        ("until: '{{ input.x }}'", TOO_FAR, "timer_too_long"),
        (f"until: '{TOO_FAR.isoformat()}'", None, "timer_too_long"),
    ],
)
def test_what_cannot_be_waited_for_fails_with_a_code(fields: str, value: Any, code: str) -> None:
    with pytest.raises(EvaluationFailed) as failure:
        timer(fields).due_at({"input": {"x": value}}, NOW)
    assert failure.value.code == code


@given(st.integers() | st.floats() | st.text(max_size=20) | st.decimals() | st.none() | st.lists(st.none()))
def test_whatever_is_waited_for_is_due_within_a_year_or_a_named_failure(value: Any) -> None:
    for fields in ("duration: '{{ input.x }}'", "until: '{{ input.x }}', timezone: UTC"):
        assert _outcome(fields, value) in {"due", "timer_invalid", "timer_too_long"}


def _outcome(fields: str, value: Any) -> str:
    try:
        due_at = timer(fields).due_at({"input": {"x": value}}, NOW)
    except EvaluationFailed as failure:
        return failure.code
    return "due" if due_at - NOW <= timedelta(days=366) else "never"
