"""What happened in the golden history of the archive. Never change a told story."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.archive.archive import ArchivedPortion, archive_portion, fold, start_archiving
from domain.event import Cause, Event
from domain.identity import ARCHIVE_ID

Told = tuple[UUID, list[Event]]

BEGIN = datetime(2026, 11, 30, 22, tzinfo=UTC)
BEFORE = datetime(2026, 9, 1, tzinfo=UTC)


def _cause(hours: int) -> Cause:
    return Cause(BEGIN + timedelta(hours=hours), "user:cli", "cli:archive", "tie")


def archived(_: Any) -> Told:
    """Two portions leave the log, the second with results that were stored beside it."""
    plain = ArchivedPortion(
        BEFORE, "000001-5f0c.parquet", "a1" * 32, "b2" * 32, 200, 230, 4_100, 17, 9_120, "c3" * 32, "d4" * 32
    )
    large = ArchivedPortion(
        BEFORE,
        "000002-77aa.parquet",
        "e5" * 32,
        "f6" * 32,
        1,
        1,
        19,
        9_001,
        9_400,
        "07" * 32,
        "18" * 32,
        2,
        "000002-77aa.results.parquet",
        "29" * 32,
    )
    events = start_archiving(BEFORE, "/srv/archive", _cause(0))
    for hours, portion in enumerate((plain, large), 1):
        events += archive_portion(fold(events), portion, _cause(hours))
    return ARCHIVE_ID, events


STORIES: dict[str, Callable[[Any], Told]] = {"archive": archived}
