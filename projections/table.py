"""A read table, stated once: its row class gives the table, the statement that writes rows, and the arrays for it."""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from types import NoneType
from typing import Annotated, Any, Generic, TypeVar, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.types.string import ByteaBinaryLoader

from domain.analytics.sketch import pack, unpack
from projections.upserts import Column, Upserts
from store import arrays

R = TypeVar("R", bound=msgspec.Struct)
OFTEN_UPDATED = "autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0"


def key(type: str) -> Column:
    """Return a column of the primary key."""
    return Column(type, is_key=True)


def always(type: str) -> Column:
    """Return a column whose value every page states."""
    return Column(f"{type} not null", "x")


def replaced(type: str) -> Column:
    """Return a column with the value of the latest page, even if that is None."""
    return Column(type, "x")


def fixed(type: str) -> Column:
    """Return a column whose value never changes once the row exists."""
    return Column(type)


def first(type: str) -> Column:
    """Return a column with the first value that is not None."""
    return Column(type, "coalesce(t, x)", optional=True)


def latest(type: str) -> Column:
    """Return a column with the latest value that is not None."""
    return Column(type, "coalesce(x, t)", optional=True)


def total(type: str) -> Column:
    """Return a column with the sum of all values."""
    return Column(f"{type} not null", "t + x")


def united() -> Column:
    """Return a column with all whole numbers of all values: runs in Python, each the first and the last number."""
    return Column("int8multirange not null", "t + x")


def sketched() -> Column:
    """Return a column with the sketch that every page states whole: buckets in Python, bytes in the table."""
    return Column("bytea not null", "x")


def since(type: str, *marks: str) -> Column:
    """Return a column with the latest value that is not None; a page that states a mark sets it, even to None."""
    given = ", ".join(f"excluded.{mark}" for mark in marks)
    given = f"coalesce({given})" if len(marks) > 1 else given
    return Column(type, f"case when {given} is not null then x else coalesce(x, t) end", marks=marks, optional=True)


class Table(Generic[R]):
    """One read table. row: a class of which every field is ``Annotated[type, column]``, in the order of the columns.

    storage: parameters of the table, as ``fillfactor = 70``. keys, values: the names of its columns. ddl: creates the
    table. Two tables with equal columns, keys and storage have equal ddl, so that the text stands for the shape.
    leading: the columns of the key that its index begins with. Default: the order of the fields.
    """

    def __init__(self, name: str, row: type[R], storage: str = "", leading: Sequence[str] = ()) -> None:
        fields = _columns(row)
        rest = (field for field, _, column in fields if column.is_key and field not in leading)
        keys = ", ".join((*leading, *rest))
        body = ",\n  ".join([*(f"{field} {column.type}" for field, _, column in fields), f"primary key ({keys})"])
        self.name = name
        self.ddl = f"create table {name} (\n  {body}\n){f' with ({storage})' if storage else ''};\n"
        self._upserts = Upserts(name, keys, [(field, column) for field, _, column in fields])
        self.keys = [field for field, _, column in fields if column.is_key]
        self.values = [field for field, _, column in fields if not column.is_key]
        self._row = row
        self._packed = {field for field, _, column in fields if column.kind == "bytea"}
        self._sketches = [n for n, (_, _, column) in enumerate(fields) if column.kind == "bytea"]
        listed = f"unnest({', '.join(['%b'] * len(self.keys))}) as x({', '.join(self.keys)})"
        by_key = " and ".join(f"t.{field} = x.{field}" for field in self.keys)
        self._find = f"select t.* from {listed} join {name} t on {by_key}"
        self._delete = f"delete from {name} t using {listed} where {by_key}"
        if row.__struct_fields__ != tuple(field for field, _, _ in fields):
            raise TypeError(f"the fields of {row.__qualname__} are in another order than its columns")
        self._arrays = {field: (attrgetter(field), _array(of, column)) for field, of, column in fields}
        self._layouts = [array for _, array in self._arrays.values()]

    def write(self, connection: Connection[Any], rows: Iterable[R]) -> None:
        """Insert `rows`, or join them to those that have their keys; each key at most once."""
        columns = list(zip(*map(msgspec.structs.astuple, rows), strict=True))
        if columns:
            statement, taken = self._upserts.choose(columns)
            connection.execute(statement, [self._layouts[n](columns[n]) for n in taken], prepare=True)

    def find(self, connection: Connection[Any], rows: Sequence[R]) -> list[R]:
        """Return the rows that are there with the keys of `rows`."""
        with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
            cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
            found = [list(row) for row in cursor.execute(self._find, self._keys_of(rows), prepare=True)]
        for values in found:
            for n in self._sketches:
                values[n] = unpack(values[n])
        return [self._row(*values) for values in found]

    def values_of(self, connection: Connection[Any], columns: Sequence[str]) -> list[list[Any]]:
        """Return `columns` of every row of the table on the search path, in the order of the keys."""
        packed = [n for n, field in enumerate(columns) if field in self._packed]
        query = f"select {', '.join(columns)} from {self.name} order by {', '.join(self.keys)}"
        with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
            cursor.adapters.register_loader("uuid", ByteaBinaryLoader)
            found = [list(row) for row in cursor.execute(query)]
        for values in found:
            for n in packed:
                values[n] = unpack(values[n])
        return found

    def delete(self, connection: Connection[Any], rows: Sequence[R]) -> None:
        """Delete the rows that have the keys of `rows`."""
        if rows:
            connection.execute(self._delete, self._keys_of(rows), prepare=True)

    def _keys_of(self, rows: Sequence[R]) -> list[arrays.Array]:
        return [array(list(map(get, rows))) for get, array in (self._arrays[field] for field in self.keys)]

    def update(self, connection: Connection[Any], rows: Iterable[msgspec.Struct], *columns: str) -> None:
        """Set `columns` of the rows that are there to the values of `rows`, which have these and the keys as fields."""
        given, fields = list(rows), (*self.keys, *columns)
        if given:
            query = (
                f"update {self.name} t set {', '.join(f'{column} = x.{column}' for column in columns)}\n"
                f"from unnest({', '.join(['%b'] * len(fields))}) as x({', '.join(fields)})\n"
                f"where t.{fields[0]} = any(%b) and {' and '.join(f't.{field} = x.{field}' for field in self.keys)}"
            )
            values = [array(list(map(get, given))) for get, array in (self._arrays[field] for field in fields)]
            # The first key once more: by it the server finds the rows even where it takes the table for empty.
            connection.execute(query, [*values, values[0]], prepare=True)


def _columns(row: type[msgspec.Struct]) -> list[tuple[str, Any, Column]]:
    """Return (name, type in Python, column) of each field."""
    columns: list[tuple[str, Any, Column]] = []
    for field, hint in get_type_hints(row, include_extras=True).items():
        if get_origin(hint) is not Annotated or not isinstance(get_args(hint)[1], Column):
            raise TypeError(f"{row.__qualname__}.{field} does not say what column it is")
        columns.append((field, *get_args(hint)[:2]))
    return columns


def _array(of: Any, column: Column) -> Callable[[Sequence[Any]], arrays.Array]:
    """Return the function that lays out values of the Python type `of`, or None, as an array for `column`."""
    types = set(get_args(of) or (of,)) - {NoneType}
    return _ARRAYS[column.kind, *types] if (column.kind, *types) in _ARRAYS else _ARRAYS[(column.kind,)]


def _documents(values: Sequence[msgspec.Raw | None]) -> arrays.Array:
    try:
        return arrays.jsons(list(map(bytes, cast(Sequence[msgspec.Raw], values))))
    except TypeError:  # a None is no bytes
        return arrays.jsons([None if value is None else bytes(value) for value in values])


def _packed(values: Sequence[dict[int, int]]) -> arrays.Array:
    return arrays.byteas([pack(value) for value in values])


def _encoded(values: Sequence[Any]) -> arrays.Array:
    return arrays.jsons([None if value is None else msgspec.json.encode(value) for value in values])


def _multiranges(values: Sequence[list[list[int]]]) -> arrays.Array:
    return arrays.texts(["{" + ",".join(f"[{begin},{end}]" for begin, end in value) + "}" for value in values])


def _numerics(values: Sequence[Any]) -> arrays.Array:
    return arrays.texts([None if value is None else str(value) for value in values])


_ARRAYS: dict[tuple[Any, ...], Callable[[Sequence[Any]], arrays.Array]] = {
    ("uuid", bytes): arrays.uuid_bytes,
    ("uuid", UUID): arrays.uuids,
    ("bigint",): arrays.bigints,
    ("int",): arrays.ints,
    ("text",): arrays.texts,
    ("timestamptz",): arrays.timestamptzs,
    ("json", bytes): arrays.jsons,
    ("json", msgspec.Raw): _documents,
    ("json",): _encoded,
    ("numeric",): _numerics,
    ("int8multirange",): _multiranges,
    ("bool",): arrays.bools,
    ("bytea",): _packed,
}
