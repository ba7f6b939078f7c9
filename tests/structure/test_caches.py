"""Everything that a process keeps is no cache of the log, or empties itself when another epoch of the log begins."""

import ast
import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import cache
from pathlib import Path

from app.clock import SYSTEM_CLOCK
from app.memory import memory_files
from app.wiring import Wiring
from edge.feed import Feed
from scheduler.worker import Worker

ROOT = Path(__file__).parents[2]
ROOMS = ("store", "commands", "queries", "scheduler", "edge", "gateway", "projections", "api", "web")
CONTAINERS = {"dict", "OrderedDict", "set", "deque", "defaultdict", "WeakKeyDictionary"}
DECORATORS = {"cache", "lru_cache", "cached_property"}

# What is kept, and why another epoch leaves it right.
ONE_APPEND = "Columns DueScheduleMoves DueStepMoves DueTimerMoves OutboxMoves SlotMoves StandingAlertMoves"
ONE_READING = """Calls RunningBatchesProof DueSchedulesProof DueStepsProof RunningTimers SlotsProof StandingAlertsProof
RunTotal _Attempt Where _Intervals SensitiveViews CaughtUpReading"""
ONE_PAGE = """BatchChanges AnalyticsChanges AgentRollups Rollup Rollups TreeChanges ApprovalChanges DetailChanges
ListedChanges WaitChanges RepetitionChanges ProcessChanges IntervalChanges StepChanges
TemplateUseChanges TemplateChanges"""
WITH_ITS_CONNECTION = """Measures _MEASURES Origins _ORIGINS FollowingCosts RunningTotals Connections LogEpochs"""
# Work under way: each decision that it leads to is taken on the state in the log, and the append refuses another epoch.
UNDER_WAY = """Log Appending Batch Bells Builder Calling Tally Capacity Reacting SettingAside Upkeep AgentGateway
BackgroundModel MessageFold ChatFold ResponseFold"""
# States make a new one with each epoch.
OWNED = "LeftAlone KnownPublications"
NOT_OF_THE_LOG = """_LENDING_SESSIONS LimitReports MemoryFolder Notifications Lookups PublicPrices CheckedTransport
Disclosed RequestTimes COMPONENTS _NONE"""
# A function of its arguments, or of the release.
PURE = """_hints _instant _instants links_between DaySpans day_spans append_statement made _common
pair_type _newest _kept _names fields_of
body_fields fields_beside sensitive parse_authority is_local versions release _forms _authorities text_of_key _routes
schema_of _own_fields _encoded _groups _placed _step _wrapped thumb _row _grid _figures glyph status mark icon
_read thumb_of"""
# Read anew after half a second.
BRIEF = "Ahead"
LEFT = {
    name
    for group in (ONE_APPEND, ONE_READING, ONE_PAGE, WITH_ITS_CONNECTION, UNDER_WAY, OWNED, NOT_OF_THE_LOG, PURE, BRIEF)
    for name in group.split()
}


@cache
def kept() -> tuple[tuple[str, bool], ...]:
    """Return the name of everything that keeps something, and whether it has a method that forgets all."""
    return tuple(_kept())


def _kept() -> Iterator[tuple[str, bool]]:
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            tree = ast.parse(file.read_text("utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and _keeps(node):
                    yield node.name, any(isinstance(m, ast.FunctionDef) and m.name == "forget_all" for m in node.body)
                elif isinstance(node, ast.FunctionDef) and any(
                    _name(each) in DECORATORS for each in node.decorator_list
                ):
                    yield node.name, False
            for node in tree.body:
                if isinstance(node, ast.AnnAssign) and _name(node.annotation) in CONTAINERS and _is_empty(node.value):
                    yield _name(node.target), False


def _keeps(node: ast.ClassDef) -> bool:
    if node.name.startswith(("Known", "Cached")):
        return True
    assigned = (each for each in ast.walk(node) if isinstance(each, ast.AnnAssign))
    return any(isinstance(each.target, ast.Attribute) and _name(each.annotation) in CONTAINERS for each in assigned)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_empty(node: ast.expr | None) -> bool:
    return (isinstance(node, ast.Dict) and not node.keys) or isinstance(node, ast.Call)


def test_whatever_is_kept_is_forgotten_or_has_a_reason() -> None:
    unexplained = {name for name, forgets in kept() if not forgets} - LEFT
    assert not unexplained, f"have them forget all, subscribed to LogEpochs, or state the reason here: {unexplained}"


def test_no_reason_is_stated_for_what_is_gone() -> None:
    assert {name for name, _ in kept()} >= LEFT


def test_every_cache_of_a_process_is_subscribed(datastore, tmp_path) -> None:
    with closing(Wiring(datastore)) as wiring:
        door = wiring.door()
        worker = Worker(
            datastore,
            wiring.log,
            wiring.plans,
            clock=SYSTEM_CLOCK,
            callback_key=b"",
            callback_base=None,
            max_open=1,
            lease=timedelta(seconds=1),
            drain=timedelta(),
        )
        memory = memory_files(wiring, tmp_path, 1 << 20)
        feed = Feed(door.reading.progress)
        asyncio.run(_open(feed))
        assert door.sensitive is not None
        subscribed = {each.__name__ for owner in _owners(wiring) for each in type(owner).__mro__}
        assert worker is not None
        assert memory is not None
        assert feed.closed
    assert not {name for name, forgets in kept() if forgets} - subscribed


async def _open(feed: Feed) -> None:
    feed.open()
    feed.shut()


def _owners(wiring: Wiring) -> list[object]:
    return [getattr(forget, "__self__") for forget in wiring.datastore.epochs.caches]  # noqa: B009 - a bound method
