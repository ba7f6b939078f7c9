"""The small lines of the table of processes: few points, whatever the window, which add up to what ended."""

from datetime import UTC, datetime

import msgspec
import pytest
from starlette.testclient import TestClient

from domain.agents.calls import Failed, StepError
from domain.identity import process_id
from queries.analytics.outlines import MOST, summarise_outlines
from queries.analytics.process_figures import summarise_processes
from queries.analytics.requests import FiguresRequest
from queries.analytics.trend_figures import summarise_trends
from tests.api.conftest import Installation

PROCESS = "name: {name}\nsteps:\n  - {{id: ask, agent: writer, message: go}}\n"


@pytest.mark.parametrize("days", [1, 2, 30, 31, 90, 366])
def test_points_add_up_to_the_figures_of_each_process(
    client: TestClient, installation: Installation, days: int
) -> None:
    for name in ("one", "two"):
        installation.publish(client, PROCESS.format(name=name), writer={"script": "echo"})
    installation.answer(installation.begin(client, "one"), "ask")
    installation.answer(installation.begin(client, "one"), "ask", Failed(StepError("agent_error", "no")))
    installation.begin(client, "two")
    installation.project()
    request = FiguresRequest(datetime.now(UTC), days, "Europe/Berlin")
    items = summarise_processes(installation.reading, request).items
    assert {each.process: (each.ended, each.failed) for each in items} == {"one": (2, 1), "two": (0, 0)}
    found = summarise_outlines(installation.reading, request, [process_id("one"), process_id("two")])
    for each in items:
        points = found[each.process_id]
        assert 2 <= len(points) <= min(days + 1, MOST)
        assert points[0].day.day == request.window.days[0].day
        assert (sum(point.ended for point in points), points[-1].failed) == (each.ended, each.failed)
    for zone in ("UTC", "Europe/Berlin", "Asia/Kathmandu"):  # days that begin with a day, an hour, a quarter in UTC
        trends = summarise_trends(installation.reading, msgspec.structs.replace(request, timezone=zone))
        assert sum(day.ended for day in trends.items) == 2
        [median] = [day.duration_median for day in trends.items if day.completed]
        assert median == next(each.duration.median for each in items if each.process == "one")
