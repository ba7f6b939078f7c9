"""Measures of golden histories: read from the log again, they are those of the facts, and the split adds up."""

from datetime import timedelta
from itertools import groupby

import pytest

from domain.analytics.measuring import begun, measure
from projections.analytics.measured import STARTED, decode_stored
from projections.facts import OF_EXECUTIONS, SHAPES, read_facts
from tests.histories import record

HISTORIES = [name for name in record.names() if name.startswith("execution-")]


def streams_of(name):
    """The rows of each execution of a history, as the log gives them."""
    rows = [row for row in record.rows(name) if row.topic in OF_EXECUTIONS]
    for stream, each in groupby(sorted(rows, key=lambda row: (row.stream, row.version)), lambda row: row.stream):
        found = list(each)
        if found[0].topic == STARTED:
            yield [(n, stream.bytes, row.version, row.topic, row.state.encode()) for n, row in enumerate(found)]


def folded(events):
    (_, _, first), *rest = events
    found = begun(first)
    for version, topic, event in rest:
        measure(found, topic, version, event)
    return found


def shown(found):
    """Every value of a measure."""
    fields = {name: getattr(found, name) for name in type(found).__slots__}
    steps = {
        name: {field: getattr(each, field) for field in type(each).__slots__} for name, each in found.steps.items()
    }
    spent = [found.spent, *(each.spent for each in found.steps.values())]
    costs = [None if each is None else (each.uses, each.amounts, each.unpriced) for each in spent]
    return {**fields, "steps": {name: {**each, "spent": None} for name, each in steps.items()}, "spent": costs}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_measure_read_again_is_that_of_the_facts_and_its_split_adds_up(name):
    assert SHAPES.keys() >= OF_EXECUTIONS
    streams = list(streams_of(name))
    assert streams
    for rows in streams:
        facts = folded([(fact.version, fact.topic, fact.event) for fact in read_facts(rows, OF_EXECUTIONS)])
        again = folded([(version, topic, decode_stored(state)) for _, _, version, topic, state in rows])
        assert shown(again) == shown(facts)
        assert sum(facts.phases, timedelta()) == facts.duration
