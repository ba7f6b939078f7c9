"""Memories as files: each entry once, whatever was cut short; one writer; files of a size; names that stay inside."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.memory import MemoryFolder, folder_name

LARGE = 1 << 20
ENTRIES = [(n, b'{"text": "%s", "position": %d}' % (b"x" * 20, n)) for n in range(3, 90, 3)]
# A writer that dies by SIGKILL in the middle of a line.
DYING = """
import os, signal, sys
from pathlib import Path
from gateway.memory import MemoryFolder
folder = MemoryFolder(Path(sys.argv[1]), 1 << 20)
assert folder.acquire()
folder.append("archive", [(3, b'{"position": 3}')])
write = os.write
def half(descriptor, content):
    write(descriptor, bytes(content)[:-5])
    os.kill(os.getpid(), signal.SIGKILL)
os.write = half
folder.append("archive", [(6, b'{"position": 6}'), (9, b'{"position": 9}')])
"""


def positions(root: Path, agent: str = "archive") -> list[int]:
    files = sorted((root / folder_name(agent)).glob("*.ndjson"))
    return [json.loads(line)["position"] for file in files for line in file.read_bytes().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[MemoryFolder]:
    made = MemoryFolder(tmp_path, LARGE)
    assert made.acquire()
    yield made
    made.release()


def test_a_file_that_was_cut_short_anywhere_goes_on_with_the_first_entry_that_it_lacks(tmp_path: Path) -> None:
    whole = b"".join(line + b"\n" for _, line in ENTRIES[:3])
    file = tmp_path / "archive" / f"{3:020}.ndjson"
    file.parent.mkdir()
    for end in range(len(whole) + 1):
        for rest in (b"", b"\0" * 9, b"\0\n{\n"):
            file.write_bytes(whole[:end] + rest)
            MemoryFolder(tmp_path, LARGE).append("archive", ENTRIES)
            assert positions(tmp_path) == [n for n, _ in ENTRIES]


def test_a_last_line_longer_than_what_is_read_at_once_is_found(folder: MemoryFolder, tmp_path: Path) -> None:
    long = b'{"position": 4, "text": "%s"}' % (b"y" * 200_000)
    folder.append("archive", [(4, long)])
    with (tmp_path / "archive" / f"{4:020}.ndjson").open("ab") as file:
        file.write(b'{"position": 5' + b" " * 300_000)
    again = MemoryFolder(tmp_path, LARGE)
    assert again.written("archive") == 4
    again.append("archive", [(4, long), (5, b'{"position": 5}')])
    assert positions(tmp_path) == [4, 5]


def test_files_have_a_size_and_the_newest_says_how_far_the_memory_is(tmp_path: Path) -> None:
    small = MemoryFolder(tmp_path, 200)
    small.append("archive", ENTRIES[:7])
    small = MemoryFolder(tmp_path, 200)
    small.append("archive", ENTRIES)
    assert positions(tmp_path) == [n for n, _ in ENTRIES]
    files = sorted((tmp_path / "archive").iterdir())
    assert len(files) > 3
    assert all(file.stat().st_size <= 200 for file in files)
    for file in files:
        assert int(file.stem) == json.loads(file.read_bytes().splitlines()[0])["position"]
    # An operator moves older files away; a crash left the newest one empty.
    for file in files[:-2]:
        file.unlink()
    files[-1].write_bytes(b"")
    MemoryFolder(tmp_path, 200).append("archive", ENTRIES)
    assert positions(tmp_path) == [n for n, _ in ENTRIES if n >= int(files[-2].stem)]


def test_a_disk_that_takes_no_more_leaves_whole_lines(
    folder: MemoryFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.append("archive", ENTRIES[:2])
    write = os.write

    def full(descriptor: int, content: memoryview) -> int:
        monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
        return write(descriptor, content[:40])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="no space left"):
        folder.append("archive", ENTRIES)
    assert positions(tmp_path) == [n for n, _ in ENTRIES[:2]]
    monkeypatch.undo()
    folder.append("archive", ENTRIES)
    assert positions(tmp_path) == [n for n, _ in ENTRIES]


def test_a_writer_that_is_killed_within_a_line_leaves_its_place_and_loses_nothing(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", DYING, str(tmp_path)], timeout=120)
    assert died.returncode == -9
    after = MemoryFolder(tmp_path, LARGE)
    assert after.acquire()
    after.append("archive", [(n, b'{"position": %d}' % n) for n in (3, 6, 9, 12)])
    after.release()
    assert positions(tmp_path) == [3, 6, 9, 12]


def test_one_process_writes_at_a_time(folder: MemoryFolder, tmp_path: Path) -> None:
    second = MemoryFolder(tmp_path, LARGE)
    assert folder.acquire()
    assert not second.acquire()
    folder.append("archive", ENTRIES[:2])
    folder.release()
    assert second.acquire()
    second.append("archive", ENTRIES)
    second.release()
    assert positions(tmp_path) == [n for n, _ in ENTRIES]


@pytest.mark.parametrize(
    "name", ["..", ".", "", "/etc/passwd", "../x", "a/../../x", "a\0b", "\ud800", "É" * 200, "x" * 5_000, ".lock", "A"]
)
def test_no_name_leaves_the_folder(name: str, tmp_path: Path) -> None:
    root = tmp_path / "memories"
    made = MemoryFolder(root, LARGE)
    assert made.acquire()
    made.append(name, [(1, b'{"position": 1}')])
    made.release()
    assert [each.name for each in tmp_path.iterdir()] == ["memories"]
    assert {each.name for each in root.iterdir()} == {".lock", folder_name(name)}
    assert positions(root, name) == [1]


@given(st.text(), st.text())
def test_two_agents_have_two_folders_also_where_case_does_not_count(one: str, other: str) -> None:
    names = [folder_name(each) for each in (one, other, one.upper())]
    assert all("/" not in name and "\0" not in name and 0 < len(name.encode()) <= 100 for name in names)
    assert all(not name.startswith(".") for name in names)
    assert (names[0].lower() == names[1].lower()) == (one == other)
    assert (names[0].lower() == names[2].lower()) == (one == one.upper())


def test_a_link_in_place_of_a_file_is_not_followed(folder: MemoryFolder, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"mine\n")
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / f"{1:020}.ndjson").symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic links"):
        folder.append("archive", [(2, b'{"position": 2}')])
    assert elsewhere.read_bytes() == b"mine\n"
