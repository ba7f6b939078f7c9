"""Events that a read model could not apply: an operator skips one, or requests that it is tried again."""

from uuid import UUID

import pytest

from commands.read_models import NoDeadLetter, RetryDeadLetter, SkipDeadLetter
from queries.projections import list_projections
from queries.read_models import get_read_model
from tests.scheduler.test_requested_acts import NAME, acts, cause, commands, log, reading, request  # noqa: F401 - fixtures


def test_a_skipped_event_no_longer_counts_also_after_a_rebuild(commands, reading, datastore, log):  # noqa: F811 - fixtures
    stream = UUID(int=7)
    with datastore.reading() as connection:
        connection.execute(
            """insert into stored_events (originator_id, originator_version, topic, state)
            values (%s, 1, 'ExecutionStarted', '{"at":"2026-01-01T00:00:00Z","actor":"x"}')""",
            (stream,),
        )
    position = log.last_position()
    request(commands, "rebuild")
    acts(datastore).work()
    counts = {each.name: each.dead_letters for each in list_projections(reading).items}
    assert counts[NAME] == 1
    with pytest.raises(NoDeadLetter):
        commands.skip_letter(SkipDeadLetter(NAME, position + 1, "x"), cause())
    assert commands.skip_letter(SkipDeadLetter(NAME, position, "known"), cause()).duplicate is False
    assert commands.skip_letter(SkipDeadLetter(NAME, position, "known"), cause()).duplicate is True
    assert commands.retry_letter(RetryDeadLetter(NAME, position, "mended"), cause()).facts["act"] == "rebuild"
    acts(datastore).work()
    assert get_read_model(reading, NAME).request.reason == f"event {position}: mended"
    assert {each.name: each.dead_letters for each in list_projections(reading).items}[NAME] == 0
