"""Arrays of whole numbers as numpy has them: their loader would otherwise make an object of each number."""

from typing import TYPE_CHECKING, Any

from psycopg import Cursor
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

# The wire format of an array of one dimension: 20 bytes, then the length and the value of each element.
_HEADER = 20
_TYPES = {1007: ">i4", 1016: ">i8"}
"""By the oids of int[] and bigint[]."""


def load_numbers(cursor: Cursor[Any]) -> None:
    """Have `cursor`, which reads in binary, return int[] and bigint[] as numpy has them: not empty, without NULL."""
    for oid, type in _TYPES.items():
        cursor.adapters.register_loader(oid, _LOADERS[type])


class _NumbersLoader(Loader):
    format = Format.BINARY
    type = ""

    def load(self, data: Buffer) -> "Numbers":
        import numpy as np

        elements = np.frombuffer(data, [("length", ">i4"), ("value", self.type)], offset=_HEADER)
        return elements["value"].astype(np.int64)


_LOADERS = {each: type(f"_Numbers{each[1:]}Loader", (_NumbersLoader,), {"type": each}) for each in _TYPES.values()}
