"""Roles over time: an interval for each role on a published version, whatever pages its events come in."""

from contextlib import closing
from typing import Any
from uuid import UUID

from domain.identity import process_id, roles_id
from domain.roles.events import RoleAssigned, RoleRevoked
from projections.running import Runner
from store.datastore import Datastore
from tests.projections.releases import drain

ID = process_id("p")
FACTS = {"process_id": ID, "process": "p", "step": "a"}


def project(datastore: Datastore) -> None:
    with closing(Runner(datastore)) as runner:
        drain(runner)


def test_a_role_lasts_until_another_takes_its_place(append: Any, story: Any, read_tables: Datastore) -> None:
    def tell(kind: type, agent: str, role: str, of: str = "published") -> None:
        story.tell(roles_id(ID), kind, agent=agent, role=role, of=of, **FACTS)

    tell(RoleAssigned, "ann", "monitor", of="draft")
    tell(RoleAssigned, "ann", "monitor")
    tell(RoleAssigned, "bob", "informed")
    append(story.happened)
    project(read_tables)
    story.happened.clear()
    tell(RoleAssigned, "ann", "informed")
    tell(RoleRevoked, "bob", "informed")
    tell(RoleAssigned, "cyd", "monitor")
    tell(RoleRevoked, "cyd", "monitor")
    append(story.happened)
    project(read_tables)
    with read_tables.reading() as connection:
        found = connection.execute("select * from role_intervals order by from_position").fetchall()
    assert [
        (row["agent"], row["role"], row["from_position"], row["until_position"], row["version"]) for row in found
    ] == [
        ("ann", "monitor", 2, 4, 4),
        ("bob", "informed", 3, 5, 5),
        ("ann", "informed", 4, None, 4),
        ("cyd", "monitor", 6, 7, 7),
    ]
    assert {row["process_id"] for row in found} == {UUID(str(ID))}
