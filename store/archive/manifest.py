"""The manifest beside each file of the archive: digests, counts, and one entry an execution."""

import os
from collections.abc import Iterable
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from uuid import UUID

import msgspec

FORMAT = 1
SUFFIX = ".manifest.json"


class ArchivedExecution(msgspec.Struct, frozen=True):
    """One execution of a file. root_id: the execution itself for a root. body: it runs the steps inside a step."""

    execution_id: UUID
    root_id: UUID
    process_id: UUID
    process: str
    version: int
    trigger: str
    status: str
    body: bool
    started_position: int
    started_at: datetime
    ended_at: datetime
    events: int


class Manifest(msgspec.Struct, frozen=True):
    """A file and its content. sha256: of the bytes of `file`; results_file is empty without large results."""

    format: int
    file: str
    sha256: str
    bytes: int
    events: int
    first_position: int
    last_position: int
    executions_sha256: str
    executions: list[ArchivedExecution]
    results: int = 0
    results_file: str = ""
    results_sha256: str = ""


class ArchiveDamaged(RuntimeError):
    """A file of the archive is missing, or is not as its manifest states."""


def digest_of_ids(ids: Iterable[UUID]) -> str:
    """Return the SHA-256 of ids, 16 bytes each in ascending order, in hexadecimal."""
    return sha256(b"".join(sorted(id.bytes for id in ids))).hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that after a crash it is there whole or not at all."""
    aside = path.with_name(f".{path.name}.partial")
    with aside.open("wb") as file:
        file.write(content)
    put_in_place(aside, path)


def put_in_place(aside: Path, path: Path) -> None:
    """Rename a finished file, once the disk has it."""
    with aside.open("rb") as file:
        os.fsync(file.fileno())
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal. Raises ArchiveDamaged if it is missing."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArchiveDamaged(f"{path} cannot be read: {error.strerror}") from error


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in a file. Raises ArchiveDamaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise ArchiveDamaged(f"{path} is no manifest of an archive: {error}") from error


def require_whole(folder: Path, manifest: Manifest) -> None:
    """Compare the files of a manifest with their digests. Raises ArchiveDamaged."""
    for name, digest in ((manifest.file, manifest.sha256), (manifest.results_file, manifest.results_sha256)):
        if name and digest_of_file(folder / name) != digest:
            raise ArchiveDamaged(f"{folder / name} is not as its manifest states: its SHA-256 differs")


def find_manifest(folder: Path, execution: UUID) -> tuple[Path, Manifest] | None:
    """Return the manifest that has an execution, and its path; None without one. Raises ArchiveDamaged."""
    text = str(execution).encode()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if text in path.read_bytes():
            manifest = read_manifest(path)
            if any(each.execution_id == execution for each in manifest.executions):
                return path, manifest
    return None
