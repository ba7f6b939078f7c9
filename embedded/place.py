"""The files of one embedded server: locks below the home, the server's own files where its account can go."""

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .accounts import Account, server_account
from .errors import EmbeddedPostgresUnavailable

_SHARED_STATE = Path("/var/lib")
_SOCKET_NAME = ".s.PGSQL.5432"
# The kernel takes 104 to 108 bytes, depending on the system, for the path of a Unix socket.
_SOCKET_PATH_BYTES = 100
# The list of socket directories and the host in a connection string both give other characters a meaning.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.+~-]+")


@dataclass(frozen=True, slots=True)
class Locks:
    """The lock files of one home, in `<home>/postgres`."""

    root: Path

    @property
    def users(self) -> Path:
        """Held shared by every user of the server for as long as it lives."""
        return self.root / "users.lock"

    @property
    def control(self) -> Path:
        """Held exclusively by the process that starts or stops the server."""
        return self.root / "control.lock"

    @property
    def watcher(self) -> Path:
        """Held exclusively by the watcher; contains its pid."""
        return self.root / "watcher.lock"

    @property
    def server(self) -> Path:
        """The server's directory, or a link to it where it had to be put elsewhere."""
        return self.root / "server"


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """The directory of one server, owned by the account the server runs as, mode 0700."""

    server: Path
    account: Account

    @property
    def data(self) -> Path:
        return self.server / "data"

    @property
    def log(self) -> Path:
        return self.server / "server.log"


def locks_of(home: Path) -> Locks:
    """Create `<home>/postgres` if it does not exist and name the locks in it."""
    home.mkdir(parents=True, exist_ok=True)
    locks = Locks(home.resolve() / "postgres")
    locks.root.mkdir(mode=0o700, exist_ok=True)
    return locks


def settle(locks: Locks) -> ServerPlace:
    """Find or create the server's directory; call it under the control lock.

    As root it lies below the home if the server's account can go there, else below /var/lib with a link in the home
    (below the directory for temporary files, if the home is there): modes of directories that are not ours are never
    loosened. Removing the home therefore forgets the server's data.
    """
    account = server_account(locks.server)
    if locks.server.is_symlink() and not locks.server.exists():
        locks.server.unlink()
    if not locks.server.exists():
        if account.may_enter(locks.root.parent):
            if not account.is_ours:
                locks.root.chmod(0o711)
            _make_private(locks.server, account)
        else:
            locks.server.symlink_to(_elsewhere(locks.root, account))
    server = locks.server.resolve()
    if not account.may_enter(server):
        raise EmbeddedPostgresUnavailable(f"the user `{account.name}` cannot reach its files in {server}")
    return ServerPlace(server, account)


def socket_directory(place: ServerPlace) -> Path:
    """Find or create the directory of the server's socket: a short one elsewhere if the path is too long for a socket.

    The choice is kept in a file, so that the address stays the same when the server is started again.
    """
    usual = place.server / "run"
    if len(os.fsencode(usual / _SOCKET_NAME)) <= _SOCKET_PATH_BYTES and _PLAIN_PATH.fullmatch(str(usual)):
        if not usual.exists():
            _make_private(usual, place.account)
        return usual
    record = place.server / "socket-directory"
    if record.exists():
        chosen = Path(record.read_text())
        if not chosen.exists():
            _make_private(chosen, place.account)
        if not chosen.is_symlink() and chosen.stat().st_uid == place.account.uid:
            return chosen
    chosen = Path(tempfile.mkdtemp(prefix="procession-", dir=_short_parent()))
    place.account.give(chosen)
    write_file(record, str(chosen), place.account)
    return chosen


def write_file(path: Path, text: str, account: Account) -> None:
    """Replace a file as a whole, owned by the account, mode 0600; never follows a link that sits in its place."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    account.give(Path(temporary))
    os.replace(temporary, path)


def _make_private(directory: Path, account: Account) -> None:
    directory.mkdir(mode=0o700)
    account.give(directory)


def _elsewhere(root: Path, account: Account) -> Path:
    """Make a directory for the server outside a home that its account cannot enter; a temporary home's is temporary."""
    temporary = Path(tempfile.gettempdir()).resolve()
    parent = temporary if root.is_relative_to(temporary) else _SHARED_STATE
    ours = parent / f"procession-{os.geteuid()}"
    ours.mkdir(mode=0o711, exist_ok=True)
    if ours.is_symlink() or ours.stat().st_uid != os.geteuid() or not account.may_enter(ours):
        raise EmbeddedPostgresUnavailable(f"{ours} is not a directory of ours that `{account.name}` can enter")
    directory = Path(tempfile.mkdtemp(dir=ours, prefix="server-"))
    account.give(directory)
    return directory


def _short_parent() -> str:
    runtime = "/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "")
    if len(runtime) <= 30 and _PLAIN_PATH.fullmatch(runtime) and os.access(runtime, os.W_OK):
        return runtime
    return "/tmp"  # noqa: S108 (the directory made in it has a name that cannot be guessed, and mode 0700)
