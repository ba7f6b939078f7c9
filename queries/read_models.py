"""One read model: its state, its tables that are not in use, what is requested about it, and what each act would do."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.refusal import NotFound
from domain.words import no_such
from queries.projections import ProjectionView, list_projections
from queries.reading import Reading, fetch

_TABLES = """select slot, digest, position, target, indexed as finished, failure, begun_at from read_table_builds
where projection = %s and slot in ('building', 'previous')"""
_REQUEST = """select request_id, act, actor, reason, state, requested_at, started_at, ended_at, failure, result
from read_model_requests where projection = %s"""
_COMPARISON = "select position, tables, compared_at from read_table_comparisons where projection = %s"
_REQUESTS = """select projection, request_id, act, actor, reason, state, requested_at, started_at, ended_at, failure,
  result from read_model_requests order by projection"""


class ReadModelUnknown(NotFound):
    """There is no such read model."""

    code = "read_model_not_found"


class NotCompared(NotFound):
    """The tables built for the read model are not compared with those in use."""

    code = "not_compared"


class NotRequested(NotFound):
    """No act on the read model is requested."""

    code = "no_request_open"


class TablesAside(msgspec.Struct, frozen=True):
    """Tables that are not in use. slot: ``building`` or ``previous``. finished: they could be put in use.

    position, target: the log is in them up to there, of where a build goes. readable: this release can read them.
    """

    slot: str
    position: int
    target: int
    percent: float
    finished: bool
    readable: bool
    failure: str | None
    begun_at: datetime


class ReadModelRequestView(msgspec.Struct, frozen=True):
    """An act that an operator requested. state: ``requested``, ``running``, ``done``, ``failed`` or ``withdrawn``.

    failure: why it failed, or who withdrew it. result: figures of one that is done.
    """

    request_id: UUID
    act: str
    actor: str
    reason: str
    state: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    failure: str | None
    result: msgspec.Raw | None

    @property
    def open(self) -> bool:
        """Whether a projector has it to do, or does it."""
        return self.state in ("requested", "running")


class VerifiedRows(msgspec.Struct, frozen=True):
    """The result of a verification: the rows that follow from the log, those in use that differ, and dead letters."""

    rows: int
    differing: int
    parked: int


class ActPlan(msgspec.Struct, frozen=True):
    """The consequences of an act. obstacle: why it cannot be done now. events: to be read. effects: for people."""

    act: str
    obstacle: str | None
    events: int
    effects: list[str]


class PlannedWithdrawal(msgspec.Struct, frozen=True):
    """A request that would be withdrawn, with the consequences. position: the end of the log."""

    request: ReadModelRequestView
    plan: ActPlan
    position: int


class ReadModelView(msgspec.Struct, frozen=True):
    """One read model. request: the open request about it, or the last one. acts: what each act would do now."""

    model: ProjectionView
    tables_aside: list[TablesAside]
    request: ReadModelRequestView | None
    acts: list[ActPlan]
    as_of_position: int
    lag_seconds: float


class ComparedTable(msgspec.Struct, frozen=True):
    """The differences of one table between the tables built and those in use.

    differing: rows that differ in common columns, or that only one of both has.
    """

    table: str
    rows_live: int
    rows_built: int
    differing: int
    columns_added: list[str]
    columns_removed: list[str]


class ComparisonView(msgspec.Struct, frozen=True):
    """The last comparison of the tables built with those in use, at `position` in the log."""

    projection: str
    position: int
    compared_at: datetime
    tables: list[ComparedTable]


def get_read_model(reading: Reading, name: str) -> ReadModelView:
    """Return one read model by its name. Raises ReadModelUnknown or Outage."""
    found = list_projections(reading)
    model = next((each for each in found.items if each.name == name), None)
    if model is None:
        raise ReadModelUnknown(no_such("read model", name, [each.name for each in found.items]))
    digest = reading.progress.shapes.get(name)
    # A replica may not have seen a request that was made a moment ago.
    with reading.progress.main.reading() as connection:
        tables = [_tables(row, digest) for row in fetch(connection, _TABLES, (name,))]
        requests = fetch(connection, _REQUEST, (name,))
    request = ReadModelRequestView(**requests[0]) if requests else None
    acts = _plans(found.as_of_position, {each.slot: each for each in tables}, request)
    return ReadModelView(model, tables, request, acts, found.as_of_position, found.lag_seconds)


def plan_of(reading: Reading, name: str, act: str) -> ActPlan:
    """Return what an act on a read model would do now. Raises ReadModelUnknown or Outage."""
    return next(each for each in get_read_model(reading, name).acts if each.act == act)


def plan_withdrawal(reading: Reading, name: str) -> PlannedWithdrawal:
    """Return what the withdrawal of the open request would do. Raises NotRequested, ReadModelUnknown or Outage."""
    found = get_read_model(reading, name)
    if found.request is None or not found.request.open:
        raise NotRequested(f"no act on {name[:80]!r} is requested")
    effects = [f"The act {found.request.act} is no longer requested.", "A build under way ends after its page."]
    return PlannedWithdrawal(found.request, ActPlan("withdraw", None, 0, effects), found.as_of_position)


def list_requests(reading: Reading) -> dict[str, ReadModelRequestView]:
    """Return the open request, or the last one, about each read model by its name. Raises Outage."""
    with reading.progress.main.reading() as connection:
        rows = fetch(connection, _REQUESTS)
    return {row.pop("projection"): ReadModelRequestView(**row) for row in rows}


def get_comparison(reading: Reading, name: str) -> ComparisonView:
    """Return the last comparison of the tables of a read model. Raises NotCompared or Outage."""
    with reading.progress.main.reading() as connection:
        rows = fetch(connection, _COMPARISON, (name,))
    if not rows:
        raise NotCompared(f"no tables built for {name[:80]!r} are compared with those in use")
    tables = msgspec.convert(_bare(rows[0]["tables"]), list[ComparedTable])
    return ComparisonView(name, rows[0]["position"], rows[0]["compared_at"], tables)


def _bare(tables: msgspec.Raw) -> list[dict[str, Any]]:
    return [{key: value for key, value in each.items() if key != "samples"} for each in json.loads(bytes(tables))]


def _tables(row: DictRow, digest: str | None) -> TablesAside:
    target = row["target"]
    percent = round(100.0 * row["position"] / target, 1) if target else 100.0
    return TablesAside(
        row["slot"],
        row["position"],
        target,
        percent,
        row["finished"],
        digest is None or row["digest"] == digest,
        row["failure"],
        row["begun_at"],
    )


def _plans(end: int, aside: dict[str, TablesAside], request: ReadModelRequestView | None) -> list[ActPlan]:
    """Return what each act would do on a log that ends at `end`."""
    building, previous = aside.get("building"), aside.get("previous")
    built = building is not None and building.finished
    unbuilt = None if built else "No finished tables are built beside those in use."
    behind = end - building.position if building is not None and built else 0
    dropped = [f"The {slot} tables are dropped." for slot in sorted(aside)]
    plans = [
        ActPlan(
            "verify",
            None,
            end,
            [
                f"The whole log is read, up to event {end:,}, and its rows are compared with those in use.",
                "Nothing changes. It takes as long as a rebuild.",
            ],
        ),
        ActPlan(
            "rebuild",
            None,
            end,
            [
                f"The whole log is read, up to event {end:,}, and tables are built beside those in use.",
                "They then take the place of those in use, which are dropped: there is no way back to them.",
                "Dead letters are tried again. Queries are answered from the tables in use until then.",
                *dropped,
            ],
        ),
        ActPlan(
            "build",
            None,
            end,
            [
                f"The whole log is read, up to event {end:,}, and tables are built beside those in use.",
                "The tables in use stay in use, until you switch over.",
                *dropped,
            ],
        ),
        ActPlan(
            "compare",
            unbuilt,
            behind,
            ["The tables built are brought up to date, and compared row by row with those in use. Nothing changes."],
        ),
        ActPlan(
            "promote",
            unbuilt,
            behind,
            [
                "The tables built take the place of those in use, at the same position.",
                "Those in use are kept, so that you can go back.",
                *(["The previous tables are dropped."] if previous is not None else []),
            ],
        ),
        ActPlan(
            "rollback",
            None if previous is not None else "No previous tables are kept.",
            end - previous.position if previous is not None else 0,
            [
                "The previous tables are brought up to date and put in use again; those in use now are kept.",
                *(
                    ["They have the shape of another release: only that release answers from them."]
                    if previous is not None and not previous.readable
                    else []
                ),
            ],
        ),
        ActPlan("drop", None if aside else "There are no tables that are not in use.", 0, dropped),
    ]
    if request is not None and request.open:
        obstacle = f"{request.act} is requested, by {request.actor}."
        plans = [msgspec.structs.replace(each, obstacle=each.obstacle or obstacle) for each in plans]
    return plans
