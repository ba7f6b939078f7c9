"""Files of the archive in Parquet: a row an event, exactly as the log stores it; and a row a large result."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from store.archive.manifest import put_in_place

EventRow = tuple[int, bytes, int, str, bytes]
"""Position, stream, version, stored name, and state: the stored JSON."""
ResultRow = tuple[bytes, bytes, bytes]
"""Execution, SHA-256, and content."""

COMPRESSION, LEVEL = "zstd", 9


class ParquetMissing(RuntimeError):
    """The package pyarrow, which the extra `archive` installs, is missing."""

    def __init__(self) -> None:
        super().__init__('Parquet needs the package pyarrow: pip install "procession[archive]" installs it')


def require_parquet() -> None:
    """Raise ParquetMissing where files cannot be written or read."""
    _arrow()


def write_events(path: Path, pages: Iterable[Sequence[EventRow]]) -> None:
    """Write a file of events, a row group a page; the streams as the text of their ids."""
    arrow = _arrow()
    schema = arrow.schema(
        [
            arrow.field("position", arrow.int64(), nullable=False),
            arrow.field("stream", arrow.string(), nullable=False),
            arrow.field("version", arrow.int64(), nullable=False),
            arrow.field("type", arrow.string(), nullable=False),
            arrow.field("state", arrow.binary(), nullable=False),
        ]
    )
    _write(path, schema, ([(p, str(UUID(bytes=s)), v, t, state) for p, s, v, t, state in page] for page in pages))


def write_results(path: Path, rows: Iterable[Sequence[ResultRow]]) -> None:
    """Write a file of large results."""
    arrow = _arrow()
    schema = arrow.schema(
        [
            arrow.field("execution", arrow.string(), nullable=False),
            arrow.field("sha256", arrow.binary(), nullable=False),
            arrow.field("content", arrow.binary(), nullable=False),
        ]
    )
    _write(path, schema, ([(str(UUID(bytes=id)), digest, content) for id, digest, content in page] for page in rows))


def read_events(path: Path, stream: UUID | None = None) -> Iterator[EventRow]:
    """Yield the events of a file in the order of their positions. stream: only its events. Default: all."""
    for position, name, version, topic, state in _rows(path, "stream", stream):
        yield position, UUID(name).bytes, version, topic, state


def read_results(path: Path, execution: UUID | None = None) -> Iterator[ResultRow]:
    """Yield the large results of a file. execution: only its results. Default: all."""
    for name, digest, content in _rows(path, "execution", execution):
        yield UUID(name).bytes, digest, content


def _write(path: Path, schema: Any, pages: Iterable[Sequence[tuple[Any, ...]]]) -> None:
    from pyarrow import parquet

    aside, arrow = path.with_name(f".{path.name}.partial"), _arrow()
    with parquet.ParquetWriter(aside, schema, compression=COMPRESSION, compression_level=LEVEL) as writer:
        for rows in pages:
            if rows:
                by_column = zip(zip(*rows, strict=True), schema, strict=True)
                columns = [arrow.array(values, field.type) for values, field in by_column]
                writer.write_table(arrow.Table.from_arrays(columns, schema=schema))
    put_in_place(aside, path)


def _rows(path: Path, column: str, id: UUID | None) -> Iterator[tuple[Any, ...]]:
    _arrow()
    from pyarrow import compute, parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=5_000):
            found = batch if id is None else batch.filter(compute.equal(batch[column], str(id)))
            yield from zip(*(values.to_pylist() for values in found.columns), strict=True)


def _arrow() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise ParquetMissing from error
    return pyarrow
