"""The principal of a request: who acts, by the key or the session that the caller shows, and what it may do."""

import hmac
import re
from uuid import UUID

import anyio
import msgspec
from fastapi import Request

from domain.event import Cause
from domain.keys.key import Key
from domain.keys.scopes import KeyScope, agent_of, matches
from edge.dependencies import door_of
from edge.door import Door
from edge.headers import bearer_token, invalid_header, one_value
from edge.refusals import NotPermitted, Unauthorised
from edge.scopes import EVERYTHING, READ, permissions_of
from edge.sessions import COOKIE, BrowserSession, configured_reference

ANONYMOUS = "user:anonymous"
_ACTOR = re.compile(r"[A-Za-z0-9._@-]{1,64}")


class Principal(msgspec.Struct, frozen=True):
    """The identity that acts. processes: names and patterns that limit it; empty: none do. key_id: of a key of the log.

    teams: those for which it decides approvals. agents: those whose attempts it may answer. session: the browser's.
    keyless: a local caller, admitted while no key exists.
    """

    actor: str
    permissions: frozenset[str]
    teams: frozenset[str] = frozenset()
    processes: tuple[str, ...] = ()
    agents: frozenset[str] = frozenset()
    key_id: UUID | None = None
    session: BrowserSession | None = None
    keyless: bool = False

    def may(self, permission: str) -> bool:
        """Return whether the principal has a permission."""
        return permission in self.permissions

    def answers_for(self, agent: str | None) -> bool:
        """Return whether the principal may answer the attempts of an agent: its own, or those of all for an admin."""
        return agent in self.agents or self.permissions >= EVERYTHING

    def reads_inbox(self, agent: str) -> bool:
        """Return whether the principal may read the inbox of an agent: its own, or any if it may read executions."""
        return agent in self.agents or self.may(READ)

    def sees(self, process: str) -> bool:
        """Return whether the principal may see a process, by its name."""
        return not self.processes or matches(self.processes, process)


def cause_of(request: Request, actor: str | None = None) -> Cause:
    """Return the cause of a command: `actor` (default: the principal), the present time, the request's id."""
    acting = actor or principal_of(request).actor
    return Cause(door_of(request).clock.now(), acting, request.scope["request_id"])


def principal_of(request: Request) -> Principal:
    """Return the principal of a request that was admitted."""
    principal: Principal = request.state.principal
    return principal


async def admit(request: Request, permission: str) -> Principal:
    """Return the principal of the request, which has `permission`.

    Raises Unauthorised without a valid key where one is needed, NotPermitted, BadRequest, or Outage.
    """
    door = door_of(request)
    if door.keys.stale:
        await anyio.to_thread.run_sync(door.keys.refresh)
    principal = _authenticated(request, door)
    if not principal.may(permission):
        raise NotPermitted(f"this key does not permit {permission}", permission=permission)
    request.state.principal = principal
    return principal


async def admit_key(request: Request, permission: str) -> Principal | None:
    """Return the principal of the key that the request shows as a bearer token; None if it shows no valid key.

    Raises NotPermitted, BadRequest, or Outage.
    """
    door = door_of(request)
    if bearer_token(request) is None:
        return None
    if door.keys.stale:
        await anyio.to_thread.run_sync(door.keys.refresh)
    if not needs_key(door):
        return None
    try:
        return await admit(request, permission)
    except Unauthorised:
        return None


async def shows_key(request: Request) -> bool:
    """Return whether the request shows a valid key as a bearer token, whatever it permits. Raises Outage."""
    door, shown = door_of(request), bearer_token(request)
    if shown is None:
        return False
    if door.keys.stale:
        await anyio.to_thread.run_sync(door.keys.refresh)
    return (door.api_key is not None and _same(shown, door.api_key)) or door.keys.find(shown) is not None


def still_admitted(door: Door, principal: Principal) -> bool:
    """Return whether a request that stays open may go on: its key still admits its holder, and its session lasts.

    A caller without a key may go on until the first key is made.
    """
    if principal.session is not None and not principal.session.valid_at(door.clock.now()):
        return False
    if principal.keyless:
        return not needs_key(door)
    return principal.key_id is None or door.keys.holds(principal.key_id)


def key_reference(door: Door, shown: str) -> str | None:
    """Return the reference of a session to the key that a person shows; None if it admits nobody."""
    if door.api_key is not None and hmac.compare_digest(shown.encode(), door.api_key.encode()):
        return configured_reference(door.api_key)
    key = door.keys.find(shown)
    return None if key is None else str(key.key_id)


def needs_key(door: Door) -> bool:
    """Return whether callers show a key: one is configured, or one was ever made."""
    return door.api_key is not None or door.keys.any


def _authenticated(request: Request, door: Door) -> Principal:
    if not needs_key(door):
        return Principal(_stated_actor(request) or ANONYMOUS, EVERYTHING, keyless=True)
    shown = bearer_token(request)
    if shown is not None:
        if door.api_key is not None and _same(shown, door.api_key):
            return Principal(_stated_actor(request) or ANONYMOUS, EVERYTHING)
        key = door.keys.find(shown)
        if key is not None:
            return _of_key(request, key)
    elif (session := _session(request, door)) is not None:
        return session
    raise Unauthorised("show a key as Authorization: Bearer <key>")


def _session(request: Request, door: Door) -> Principal | None:
    written = request.cookies.get(COOKIE)
    session = None if written is None else door.sessions.read(written)
    if session is None or not session.valid_at(door.clock.now()):
        return None
    if door.api_key is not None and session.key == configured_reference(door.api_key):
        return Principal("user:admin", EVERYTHING, session=session)
    key = door.keys.of_id(session.key)
    return None if key is None else msgspec.structs.replace(_of_key(request, key), session=session)


def _of_key(request: Request, key: Key) -> Principal:
    actor, teams = key.actor, frozenset(key.teams)
    stated = _stated_actor(request)
    if stated is not None and stated != actor:
        if KeyScope.ACT_AS not in key.scopes:
            raise NotPermitted("X-Actor needs a key with the scope act_as", permission=KeyScope.ACT_AS.value)
        actor = stated
        teams = _stated_teams(request) & teams
    return Principal(
        actor,
        permissions_of(key.scopes),
        teams,
        key.processes,
        frozenset(agent for scope in key.scopes if (agent := agent_of(scope)) is not None),
        key.key_id,
    )


def _stated_actor(request: Request) -> str | None:
    """Return ``user:<name>`` from X-Actor; None without one. Raises BadRequest."""
    name = one_value(request, "X-Actor")
    if name is None:
        return None
    if not _ACTOR.fullmatch(name):
        raise invalid_header("X-Actor", "names who acts in at most 64 of A-Z a-z 0-9 . _ @ -")
    return f"user:{name}"


def _stated_teams(request: Request) -> frozenset[str]:
    stated = one_value(request, "X-Actor-Teams") or ""
    return frozenset(team.strip() for team in stated.split(",") if team.strip())


def _same(shown: str, key: str) -> bool:
    # Header values come decoded as Latin-1: encoded the same way they are the bytes that were sent.
    return hmac.compare_digest(shown.encode("latin-1"), key.encode())
