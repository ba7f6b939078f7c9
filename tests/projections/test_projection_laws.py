"""Laws of every projection: rows do not depend on where pages of the log end, and shapes are those of the events."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.catalogue import EVENTS
from projections import ALL
from projections.facts import SHAPES
from projections.projection import Projection


def write(connection: Any, projection: Projection[Any], rows: list[tuple[Any, ...]]) -> None:
    projection.write(connection, projection.fold_rows(rows, connection))


@pytest.mark.parametrize("projection", ALL, ids=lambda p: p.name)
@settings(max_examples=40)
@given(data=st.data())
def test_any_split_of_the_log_gives_the_same_rows(read_tables, projection, histories, as_rows, rows_of, data):
    rows = as_rows(data.draw(histories))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(rows)))))
    with read_tables.connect() as connection:
        with connection.transaction(force_rollback=True):
            write(connection, projection, rows)
            at_once = rows_of(connection, projection)
        with connection.transaction(force_rollback=True):
            for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
                write(connection, projection, rows[begin:end])
            assert rows_of(connection, projection) == at_once


def test_every_event_has_a_shape_to_be_read_by():
    assert set(SHAPES) == set(EVENTS)


@pytest.mark.parametrize("topic", sorted(SHAPES))
def test_a_shape_has_fields_of_the_event_with_their_types_but_for_documents(topic):
    stored = {field.name: field for field in msgspec.structs.fields(EVENTS[topic])}
    for field in msgspec.structs.fields(SHAPES[topic]):
        assert field.required == stored[field.name].required
        if msgspec.Raw is field.type or SHAPES[topic].__module__ in str(field.type):
            continue  # a document, or part of a structure
        assert field.type == stored[field.name].type


def test_handlers_are_for_events_that_exist_and_tables_belong_to_one_projection():
    assert {topic for projection in ALL for topic in projection.handlers} <= set(EVENTS)
    tables = [table for projection in ALL for table in projection.tables]
    assert len(tables) == len(set(tables))
