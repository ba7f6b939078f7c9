"""Projections read events in shapes of their own; these ask for nothing a stored event may lack or mean otherwise."""

import json
import runpy
import types
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Union, get_args, get_origin

import msgspec
import pytest

from domain.catalogue import EVENTS
from projections.facts import SHAPES, read_facts

HISTORIES = Path(__file__).parents[1] / "histories"
record = SimpleNamespace(**runpy.run_path(str(HISTORIES / "record.py")))


@pytest.mark.parametrize("name", SHAPES)
def test_a_fact_asks_only_for_what_its_event_has(name: str) -> None:
    assert list(misfits(name, SHAPES[name], EVENTS[name])) == []


@pytest.mark.parametrize("name", record.names())
def test_golden_histories_are_read_as_facts(name: str) -> None:
    stored = [
        (n, row.stream.bytes, row.version, row.topic, row.state.encode()) for n, row in enumerate(record.rows(name))
    ]
    assert [fact.topic for fact in read_facts(stored, SHAPES)] == [row[3] for row in stored if row[3] in SHAPES]


def misfits(path: str, fact: type[msgspec.Struct], event: type[msgspec.Struct]) -> Any:
    """Fields that the event lacks, may leave out, or gives another default."""
    has = {field.encode_name: field for field in msgspec.structs.fields(event)}
    for field in msgspec.structs.fields(fact):
        there = has.get(field.encode_name)
        if there is None:
            yield f"{path}.{field.name}: the event has no such field"
        elif field.required and not there.required:
            yield f"{path}.{field.name}: the event may leave it out"
        elif not field.required and not there.required and default_of(field) != default_of(there):
            yield f"{path}.{field.name}: left out it means {default_of(there)!r}, not {default_of(field)!r}"
        else:
            inner, outer = structure(field.type), structure(there.type)
            if inner is not None and outer is not None:
                yield from misfits(f"{path}.{field.name}", inner, outer)


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    """A default as it would be stored; a structure in which everything is left out as an empty object."""
    value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    if isinstance(value, msgspec.Struct):
        whole = all(getattr(value, f.name) == f.default for f in msgspec.structs.fields(type(value)))
        return {} if whole else value
    return json.loads(msgspec.json.encode(value))


def structure(of: Any) -> type[msgspec.Struct] | None:
    """The structure in a type, None without one."""
    if get_origin(of) in (Union, types.UnionType):
        return next((found for part in get_args(of) if (found := structure(part))), None)
    return of if isinstance(of, type) and issubclass(of, msgspec.Struct) else None
