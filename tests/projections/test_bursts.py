"""Pages that let more events come before they are projected."""

from uuid import UUID

import pytest

from projections.pages import PAGE
from projections.running import Runner
from tests.projections.releases import LIST, position, project, skips

X = UUID(int=1)


@pytest.fixture
def runner(read_tables, append, story):
    """A runner of read models, of which the list has projected one event more than the others."""
    append(story.start(X).happened)
    project(read_tables, [LIST])
    opened = Runner(read_tables)
    opened.refresh()
    yield opened
    opened.close()


def test_a_page_that_lets_more_come_is_read_once_more(read_tables, runner, append, story):
    append(skips(story, 1))
    heard = []

    def let_come(events):
        heard.append(events)
        append(skips(story, 2))
        return True

    runner.advance(let_come)
    assert heard == [1], "the models behind need not wait again"
    assert position(read_tables) == position(read_tables, "execution_detail") == 4


def test_a_page_that_need_not_wait_is_projected_as_it_was_read(read_tables, runner, append, story):
    append(skips(story, 1))

    def let_come(events):
        append(skips(story, 2))
        return False

    runner.advance(let_come)
    assert position(read_tables) == 2


def test_a_full_page_waits_for_nothing(runner, append, story):
    append(skips(story, PAGE))
    assert runner.advance(lambda events: pytest.fail(f"a page of {events} events is full")) == PAGE
