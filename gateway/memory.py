"""Memories of agents as files: a folder an agent, and lines of JSON that only grow, a file named by its first entry."""

import contextlib
import hashlib
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

LOCK = ".lock"
LONGEST_NAME = 100
TAIL_BYTES = 64 << 10
_UNSAFE = re.compile(rb"[^a-z0-9._-]|^\.")
_FILE = re.compile(r"[0-9]{20}\.ndjson", re.ASCII)


class MemoryLine(msgspec.Struct, frozen=True):
    """How far a memory is, as a line states it. event_id: of its entry; empty for a note that the log went back."""

    position: int = 0
    event_id: str = ""


class WentBack(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="LogWentBack"):
    """A note in a memory: the log has lost the entries above it that have later positions. epoch: the present one."""

    position: int
    epoch: str


class MemoryFolder:
    """The memories below `root`, of which one process at a time is the writer. Not for two threads at once.

    largest: bytes of a file, after which another one begins. The position of what is written stands in the last line
    alone, so that a line and its position are written together.
    """

    def __init__(self, root: Path, largest: int) -> None:
        self._root = root
        self._largest = largest
        self._lock: int | None = None
        self._written: dict[str, MemoryLine] = {}

    def acquire(self) -> bool:
        """Become the writer if no other process is; return whether this one is. Raises OSError.

        The kernel ends the role when the process ends, in any way.
        """
        if self._lock is None:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._root / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(lock)
                if isinstance(error, BlockingIOError):
                    return False
                raise
            self._lock = lock
        return True

    def release(self) -> None:
        """Let another process become the writer."""
        self._written.clear()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def last(self, agent: str) -> MemoryLine:
        """Return the last line in the memory of an agent; one of position 0 for none. Raises OSError.

        A line that a writer did not finish is cut off.
        """
        if agent not in self._written:
            newest = map(_mend, reversed(self._files(agent)[-2:]))
            self._written[agent] = next((line for line in newest if line.position), MemoryLine())
        return self._written[agent]

    def written(self, agent: str) -> int:
        """Return the position up to which an agent's memory is; 0 for an empty one. Raises OSError."""
        return self.last(agent).position

    def go_back(self, agent: str, note: WentBack) -> None:
        """Note that the log has lost the entries beyond a position; later ones follow. Raises OSError."""
        line = msgspec.json.encode(note)
        self._write(agent, self._file(agent, note.position, line), [(note.position, line)])

    def append(self, agent: str, lines: Sequence[tuple[int, bytes]]) -> None:
        """Write the entries, by position and in order, that the memory does not have. Raises OSError."""
        after = self.written(agent)
        lines = [(position, line) for position, line in lines if position > after]
        while lines:
            file = self._file(agent, *lines[0])
            free = self._largest - (file.stat().st_size if file.exists() else 0)
            taken = 0
            for _, line in lines:
                free -= len(line) + 1
                if free < 0 and taken:
                    break
                taken += 1
            self._write(agent, file, lines[:taken])
            lines = lines[taken:]

    def _write(self, agent: str, file: Path, lines: Sequence[tuple[int, bytes]]) -> None:
        try:
            _write(file, b"".join(line + b"\n" for _, line in lines))
        except BaseException:
            self._written.pop(agent, None)  # the file states how far it is
            raise
        self._written[agent] = msgspec.json.decode(lines[-1][1], type=MemoryLine)

    def _files(self, agent: str) -> list[Path]:
        folder = self._root / folder_name(agent)
        if not folder.exists():
            return []
        return sorted(each for each in folder.iterdir() if _FILE.fullmatch(each.name))

    def _file(self, agent: str, position: int, line: bytes) -> Path:
        """Return the file for the next line: the newest one, or another if it is full."""
        files = self._files(agent)
        if files and files[-1].stat().st_size + len(line) < self._largest:
            return files[-1]
        folder = self._root / folder_name(agent)
        folder.mkdir(mode=0o700, exist_ok=True)
        # Positions go back with the log, and the order of the files stays.
        return folder / f"{max(position, int(files[-1].stem) + 1) if files else position:020}.ndjson"


def folder_name(agent: str) -> str:
    """Return the name of an agent's folder: the agent's own name, or one that no other agent's folder has."""
    name = _UNSAFE.sub(lambda found: b"%%%02X" % found[0][0], agent.encode("utf-8", "surrogatepass")).decode()
    if 0 < len(name) <= LONGEST_NAME:
        return name
    return f"%-{hashlib.sha256(name.encode()).hexdigest()}"


def _write(file: Path, content: bytes) -> None:
    """Append to a file, all or nothing unless the process dies."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(descriptor, left) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _mend(file: Path) -> MemoryLine:
    """Cut off what follows the last whole line; return that line, one of position 0 without one."""
    descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size, tail = os.fstat(descriptor).st_size, TAIL_BYTES
        while True:
            begin = max(0, size - tail)
            content = os.pread(descriptor, size - begin, begin)
            end = content.rfind(b"\n") + 1
            while end:
                start = content.rfind(b"\n", 0, end - 1) + 1
                line = _line(content[start:end])
                if line.position and (start or not begin):
                    break
                end = start
            if end or not begin:
                break
            tail *= 2
        if begin + end < size:
            logger.warning("%s: %s bytes of a line that was not finished are cut off", file, size - begin - end)
            os.ftruncate(descriptor, begin + end)
        return line if end else MemoryLine()
    finally:
        os.close(descriptor)


def _line(line: bytes) -> MemoryLine:
    try:
        return msgspec.json.decode(line, type=MemoryLine)
    except msgspec.MsgspecError:
        return MemoryLine()
