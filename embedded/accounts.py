"""The operating system account that the server runs as: PostgreSQL refuses to run as root."""

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from .errors import EmbeddedPostgresUnavailable

if sys.platform != "win32":
    import pwd

_PREFERRED_ACCOUNTS = ("postgres", "nobody")


class Identity(TypedDict, total=False):
    """Arguments with which `subprocess` starts a child as another account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """An account and, if it is not the present one, the means to start children as it."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()

    @property
    def identity(self) -> Identity:
        """Keyword arguments for `subprocess`; empty when no change of account is needed."""
        return {} if self.is_ours else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may_enter(self, path: Path) -> bool:
        """Return whether this account can reach a path through all its parents, by owners and modes."""
        real = path.resolve()
        return self.is_ours or all(self._may_search(folder) for folder in (real, *real.parents) if folder.is_dir())

    def give(self, path: Path) -> None:
        """Make this account the owner of a path, unless it is the present one."""
        if not self.is_ours:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def _may_search(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def server_account(server_directory: Path) -> Account:
    """Choose the account: the present one, or as root the owner of existing data, else `postgres`, else `nobody`.

    Raises EmbeddedPostgresUnavailable when the system has no usable account.
    """
    if os.geteuid() != 0:
        return _known(os.geteuid())
    if server_directory.exists() and (owner := server_directory.stat().st_uid) != 0:
        return _known(owner)
    for name in _PREFERRED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresUnavailable(
        "PostgreSQL does not run as root, and this system has neither a user `postgres` nor `nobody`"
    )


def _known(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedPostgresUnavailable(
            f"the user id {uid} has no entry in the system's user list (/etc/passwd)"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
