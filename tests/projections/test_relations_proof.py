"""Messages, admissions and families against the log: whatever executions do to each other, the lists can be proven."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from domain.executions.events.child import SubProcessClosed
from store.datastore import Datastore
from store.lists import outbox
from store.lists.due_steps import DUE_STEPS
from store.lists.due_timers import DUE_TIMERS
from store.lists.outbox import OUTBOX
from store.lists.slots import SLOTS
from store.lists.trees import TREES
from store.log import Log
from store.unit import StreamChange, Unit
from tests.projections.measured_stories import simulated
from tests.projections.releases import quiet

LISTS = (OUTBOX, SLOTS, TREES, DUE_STEPS, DUE_TIMERS)


class Site:
    """The appends of a simulation, made again in PostgreSQL up to some moment."""

    def __init__(self, datastore: Datastore, world: Any) -> None:
        self.datastore, self.log, self.world = datastore, Log(datastore), world
        self.left: list[StreamChange] = list(reversed(world.store.recorded))

    def happen(self, times: int) -> None:
        """Make the next appends, each of one stream, and drop the messages that a worker dropped after them."""
        for _ in range(min(times, len(self.left))):
            change = self.left.pop()
            self.log.append(Unit(**{name: getattr(change, name) for name in StreamChange.__struct_fields__}))
            done = len(self.world.store.recorded) - len(self.left)
            if done in self.world.dropped:
                with self.datastore.reading() as connection:
                    outbox.drop(connection, self.world.dropped[done])

    def rows(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        with self.datastore.reading() as connection:
            found = connection.execute(f"select {columns} from {table}").fetchall()
        return [tuple(row.values()) for row in found]

    def listed(self) -> dict[str, Any]:
        """The lists as they are, and of admissions the order of those who wait."""
        return {
            "outbox": set(self.rows("outbox", "source, version, recipient")),
            "admissions": set(self.rows("admissions", "execution_id, process_id, key, called, running")),
            "waiting": self.rows(
                "admissions where not running order by process_id, key, rank, position", "execution_id"
            ),
            "lines": set(self.rows("slot_lines", "process_id, key, running, waiting, called")),
            "families": set(self.rows("families", "root, descendants")),
        }

    def run(self, query: str, *parameters: Any) -> int:
        with self.datastore.reading() as connection:
            return connection.execute(query, parameters).rowcount


@pytest.fixture(params=range(4))
def site(datastore: Datastore, request: pytest.FixtureRequest) -> Iterator[Site]:
    """One of several courses that things may take."""
    made = Site(datastore, simulated(request.param, 25))
    yield made
    made.log.close()


@pytest.fixture
def happened(datastore: Datastore) -> Iterator[Site]:
    """One course at a moment at which executions wait for each other, and the lists have rows of every kind."""
    made = Site(datastore, simulated(11, 60))
    sources, lines = set[Any](), Counter[Any]()
    while len(sources) < 3 or lines.total() < len(lines) + 3:
        assert made.left, "another seed comes to such a moment"
        made.happen(5)
        sources, lines = {row[0] for row in made.listed()["outbox"]}, waiting_lines(made)
    yield made
    made.log.close()


def waiting_lines(site: Site) -> Counter[Any]:
    """Return how many executions wait in each line."""
    return Counter(site.rows("admissions where not running", "process_id, key"))


def test_lists_that_appends_keep_are_what_the_log_adds_up_to_and_can_be_built_from_it_again(site: Site) -> None:
    for _ in range(6):
        site.happen(len(site.world.store.recorded) // 6)
        assert {each.name: each.verify(site.datastore, quiet).samples for each in LISTS} == {
            each.name: [] for each in LISTS
        }
        kept = site.listed()
        for table in ("outbox", "admissions", "families"):
            site.run(f"delete from {table} where random() < 0.5")
        for each in LISTS:
            each.rebuild(site.datastore, quiet)
            assert each.verify(site.datastore, quiet).differing == 0
        mended = site.listed()
        # A message that nothing depended on any more need not come back.
        assert mended.pop("outbox") <= kept.pop("outbox")
        assert mended == kept
    assert len(kept["families"]) > 1


def test_when_nobody_interferes_all_comes_to_an_end_and_the_lists_are_empty(site: Site) -> None:
    site.happen(len(site.left))
    assert (site.listed()["outbox"], site.listed()["admissions"]) == (set(), set())
    assert (site.rows("due_steps", "*"), site.rows("due_timers", "*")) == ([], [])


def test_a_child_that_undoes_what_it_did_when_it_is_closed_is_accounted_for(datastore: Datastore) -> None:
    site, closed = Site(datastore, simulated(6, 25)), set[UUID]()
    while not (undone := {key for key in site.left[-1].timers_set if key[0].endswith(".compensation")}) or (
        site.left[-1].stream not in closed
    ):
        closed |= {event.child for event in site.left[-1].events if isinstance(event, SubProcessClosed)}
        site.happen(1)
    child = site.left[-1].stream
    site.happen(1)
    for each in LISTS:
        assert each.verify(datastore, quiet).differing == 0
        each.rebuild(datastore, quiet)
    assert {(child, *key) for key in undone} <= {*site.rows("due_timers", "execution_id, step, kind")}
    site.log.close()


def test_messages_that_were_touched_are_found_and_put_right_and_those_in_hand_stay_there(happened: Site) -> None:
    kept = happened.listed()["outbox"]
    assert happened.run("update outbox set claimed_until = now() + interval '1 hour'") == len(kept)
    first, second, *_ = happened.world.ids
    missing, other, *_ = sorted({row[0] for row in kept} - {first, second})
    elsewhere = next(row[:2] for row in kept if row[0] == other)
    happened.run("delete from outbox where source = %s", missing)
    lost = [row for row in kept if row[0] == missing]
    happened.run("update outbox set recipient = source where (source, version) = (%s, %s)", *elsewhere)
    happened.run("insert into outbox (source, version, recipient) values (%s, 1, %s)", first, second)
    happened.run("insert into outbox (source, version, recipient) values (%s, 999, %s)", second, missing)
    found = OUTBOX.verify(happened.datastore, quiet)
    touched = {(str(row[0]), row[1]) for row in lost} | {(str(elsewhere[0]), elsewhere[1])}
    touched |= {(str(first), 1), (str(second), 999)}
    assert found.differing == len(touched)
    assert {(each.key["source"], each.key["version"]) for each in found.samples} <= touched
    OUTBOX.rebuild(happened.datastore, quiet)
    assert happened.listed()["outbox"] == kept
    assert happened.run("select from outbox where claimed_until is null") == len(lost) + 1


def test_a_message_that_nothing_depends_on_any_more_is_late_and_not_wrong(happened: Site) -> None:
    event = """select originator_id, originator_version from stored_events s where topic = 'SubProcessStarted'
    and not exists (select from outbox where source = originator_id and version = originator_version)"""
    with happened.datastore.reading() as connection:
        row = connection.execute(event).fetchone()
        assert row is not None
        source, version = row.values()
    child = happened.log.stream(source)[version - 1].child
    happened.run("insert into outbox (source, version, recipient) values (%s, %s, %s)", source, version, child)
    assert OUTBOX.verify(happened.datastore, quiet).differing == 0
    OUTBOX.rebuild(happened.datastore, quiet)
    assert (source, version, child) in happened.listed()["outbox"]


def test_those_who_wait_in_the_wrong_order_are_found_and_put_in_line_anew(happened: Site) -> None:
    waiting = happened.listed()["waiting"]
    lines = waiting_lines(happened)
    line_of = {str(row[0]): row[1:3] for row in happened.listed()["admissions"]}
    assert max(lines.values()) > 1
    happened.run("update admissions set rank = now() - (rank - 'epoch'), position = -position where not running")
    found = SLOTS.verify(happened.datastore, quiet)
    assert found.differing == sum(length - length % 2 for length in lines.values())
    for sample in found.samples:
        assert sample.live is not None
        assert sample.rebuilt is not None
        assert sample.live["place"] + sample.rebuilt["place"] == lines[line_of[sample.key["execution_id"]]] + 1
    SLOTS.rebuild(happened.datastore, quiet)
    assert happened.listed()["waiting"] == waiting
    assert SLOTS.verify(happened.datastore, quiet).differing == 0


def test_lines_that_were_miscounted_are_found_and_put_right(happened: Site) -> None:
    kept = happened.listed()
    (process, key, running, queued, called), *_ = sorted(kept["lines"], key=str)
    happened.run("update slot_lines set running = running + 3 where (process_id, key) = (%s, %s)", process, key)
    happened.run("insert into slot_lines values (%s, 'nobody', 1, 0, 0)", process)
    found = SLOTS.verify(happened.datastore, quiet)
    counts = {"running": running, "waiting": queued, "called": called}
    assert {each.key["key"]: (each.live, each.rebuilt) for each in found.samples} == {
        key: (counts | {"running": running + 3}, counts),
        "nobody": ({"running": 1, "waiting": 0, "called": 0}, None),
    }
    SLOTS.rebuild(happened.datastore, quiet)
    assert happened.listed() == kept


def test_who_is_wrongly_there_or_wrongly_waits_is_put_right(happened: Site) -> None:
    kept = happened.listed()
    happened.run("update admissions set running = not running where execution_id = %s", kept["waiting"][0][0])
    happened.run("update admissions set running = false where running")
    happened.run(
        "insert into admissions (execution_id, process_id, running) values (%s, %s, true)", UUID(int=7), UUID(int=8)
    )
    assert SLOTS.verify(happened.datastore, quiet).differing > 2
    SLOTS.rebuild(happened.datastore, quiet)
    assert {**happened.listed(), "outbox": kept["outbox"]} == kept


def test_families_that_were_miscounted_are_found_and_put_right(happened: Site) -> None:
    kept = happened.listed()["families"]
    root, count = min(kept, key=str)
    happened.run("update families set descendants = descendants + 5 where root = %s", root)
    happened.run("insert into families values (%s, 1)", UUID(int=7))
    found = TREES.verify(happened.datastore, quiet)
    assert {each.key["root"]: (each.live, each.rebuilt) for each in found.samples} == {
        str(root): ({"descendants": count + 5}, {"descendants": count}),
        str(UUID(int=7)): ({"descendants": 1}, None),
    }
    TREES.rebuild(happened.datastore, quiet)
    assert happened.listed()["families"] == kept
