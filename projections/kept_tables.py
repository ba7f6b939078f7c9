"""A table of figures, whose rows stay when executions are archived: written to a document, and restored from it."""

import zlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec
from psycopg import Connection

from projections.table import Table

R = TypeVar("R", bound=msgspec.Struct)


class _Document(msgspec.Struct):
    """Rows as lists of the values of `columns`."""

    columns: list[str]
    rows: msgspec.Raw


_decode = msgspec.json.Decoder(_Document).decode


class KeptTable(Generic[R]):
    """A table of figures. columns: those that count executions. Default: all.

    A column that a later release adds needs a default in the row class: documents of before lack it.
    """

    def __init__(self, table: Table[R], row: type[R], columns: Sequence[str] = ()) -> None:
        self.table, self._row = table, row
        self.columns = list(columns) or [*row.__struct_fields__]

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.table.name

    def document(self, connection: Connection[Any]) -> bytes | None:
        """Return the rows of the table on the search path, compressed; None without any."""
        rows = self.table.values_of(connection, self.columns)
        if not rows:
            return None
        return zlib.compress(msgspec.json.encode({"columns": self.columns, "rows": rows}))

    def restore(self, connection: Connection[Any], documents: Iterable[bytes]) -> None:
        """Add the rows of `documents`, in order, to those of the table on the search path."""
        for document in documents:
            self.table.write(connection, self.rows(document))

    def rows(self, document: bytes) -> list[R]:
        """Return the rows of a document; columns that this release lacks are left out."""
        found = _decode(zlib.decompress(document))
        hints = self._hints
        fields = [(name, hints.get(name, Any)) for name in found.columns]
        stored = msgspec.json.decode(found.rows, type=list[msgspec.defstruct("StoredRow", fields, array_like=True)])  # type: ignore[misc]
        shared = [name for name in found.columns if name in hints]
        return [self._row(**{name: getattr(each, name) for name in shared}) for each in stored]

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self._row)
