"""The check, before a release that needs it begins to work, that the operator has decided on agents' secrets."""

from collections.abc import Callable, Iterable

from psycopg.errors import InsufficientPrivilege

from app.database import Database
from app.settings import Settings
from domain.agents.secret_names import SETTING, is_own
from queries.secret_references import SecretReferences, referred_secrets
from store.connections import connect

MOST_NAMED = 20


class SecretsUndecided(RuntimeError):
    """Agents or triggers refer to environment variables, and no setting states which of them may be referred to."""


def require_decided(database: Database, settings: Settings, note: Callable[[str], None]) -> None:
    """Raise SecretsUndecided if references are in use and PROCESSION_AGENT_SECRETS is not set.

    note: called with a line about references in use that it does not allow.
    """
    try:
        with connect(database.dsn) as connection:
            references = referred_secrets(connection)
    except InsufficientPrivilege:
        return  # the check of privileges comes next, and names every one that is missing
    refused = {name: users for name, users in references.items() if not settings.policy.secrets.allows(name)}
    if refused and settings.agent_secrets is not None:
        note(f"{SETTING} does not allow {_named(refused)}; calls that need them fail")
    if references and settings.agent_secrets is None:
        line = f"{SETTING}={','.join(sorted(name for name in references if not is_own(name)))}"
        raise SecretsUndecided(
            f"agents or webhook triggers refer to environment variables, and {SETTING} is not set: "
            f"{_named(references)}. "
            f"Add this to the environment of every API and worker: {line} (or {SETTING}= to allow none)"
        )


def _named(references: SecretReferences) -> str:
    return _listed(f"{name} ({_listed(sorted(references[name]))})" for name in sorted(references))


def _listed(texts: Iterable[str]) -> str:
    texts = list(texts)
    more = len(texts) - MOST_NAMED
    return ", ".join(texts[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
