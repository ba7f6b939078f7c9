"""The environment variables that agents and webhook triggers in use refer to."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from domain.agents.secret_names import names_in, referring_texts

SecretReferences = dict[str, set[str]]
"""By variable: who refers to it, in words."""

_TABLES = """select to_regclass('stored_events') is not null and to_regclass('agent_directory') is not null
  and to_regclass('process_versions') is not null and to_regclass('process_catalogue') is not null as there"""
_AGENTS = "select agent_id as id, name, config from agent_directory where status = 'active'"
_PROCESSES = """select process_id as id, name, status, definition -> 'triggers' as triggers
  from process_catalogue join process_versions using (process_id)
  where version = latest_version and definition ->> 'triggers' like '%${%'"""
# The read models may lag behind; the log states the rest.
_SINCE = """select originator_id as id, topic, state from stored_events
  where notification_id > (select coalesce(min(notification_id), 0) from notification_tracking
    where application_name in ('agent_directory', 'process_catalogue'))
  and topic in ('AgentRegistered', 'AgentRetired', 'ProcessPublished', 'ProcessArchived', 'ProcessRestored')
  order by notification_id"""


class _Named(msgspec.Struct):
    """The part of an event that matters here."""

    name: str
    config: dict[str, Any] = {}
    definition: dict[str, Any] = {}


def referred_secrets(connection: Connection[Any]) -> SecretReferences:
    """Return the variables that active agents, and the latest versions of processes in use, refer to.

    Returns none for a database without tables.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        there = cursor.execute(_TABLES).fetchone()
        if there is None or not there["there"]:
            return {}
        found: dict[UUID, tuple[str, set[str]]] = {}
        for row in cursor.execute(_AGENTS):
            found[row["id"]] = _agent(row["name"], row["config"] or {})
        archived: dict[UUID, tuple[str, set[str]]] = {}
        for row in cursor.execute(_PROCESSES):
            of = archived if row["status"] == "archived" else found
            of[row["id"]] = _process(row["name"], row["triggers"] or ())
        for row in cursor.execute(_SINCE):
            _apply(found, archived, row)
    references: SecretReferences = {}
    for user, names in found.values():
        for name in names:
            references.setdefault(name, set()).add(user)
    return references


def _apply(found: dict[UUID, tuple[str, set[str]]], archived: dict[UUID, tuple[str, set[str]]], row: DictRow) -> None:
    event = msgspec.json.decode(row["state"], type=_Named)
    match row["topic"]:
        case "AgentRegistered":
            found[row["id"]] = _agent(event.name, event.config)
        case "ProcessPublished":
            found[row["id"]] = _process(event.name, event.definition.get("triggers", ()))
        case "ProcessArchived" if row["id"] in found:
            archived[row["id"]] = found.pop(row["id"])
        case "ProcessRestored" if row["id"] in archived:
            found[row["id"]] = archived.pop(row["id"])
        case "AgentRetired":
            found.pop(row["id"], None)


def _agent(name: str, config: dict[str, Any]) -> tuple[str, set[str]]:
    return f"agent {name}", names_in(referring_texts(config).values())


def _process(name: str, triggers: Iterable[dict[str, Any]]) -> tuple[str, set[str]]:
    return f"process {name}", names_in(text for each in triggers if isinstance(text := each.get("secret"), str))
