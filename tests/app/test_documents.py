"""Files as they are read, and problems located in them."""

from pathlib import Path

import pytest

from app.documents import FileUnreadable, MalformedFile, inside, read_document, read_file
from domain.language.reading.source import MAX_BYTES
from domain.refusal import Malformed, Problem

TEXT = b"kind: http\nheaders:\n  X-Team: ann\nanswers:\n  - 1\n  - {a: 2}\n"


@pytest.mark.parametrize(
    ("path", "line"),
    [("kind", 1), ("headers.X-Team", 3), ("answers[1].a", 6), ("answers[1].b", 6), ("headers.X", 3), ("none", None)],
)
def test_a_problem_is_located_at_its_path_or_the_nearest_above_it(path: str, line: int | None) -> None:
    assert read_document(TEXT).locate(Problem("odd", "odd", path)).line == line


def test_a_document_is_the_value_its_text_stands_for() -> None:
    assert read_document(TEXT).value == {"kind": "http", "headers": {"X-Team": "ann"}, "answers": [1, {"a": 2}]}
    assert read_document(b'{"a": [1, null]}').value == {"a": [1, None]}
    assert read_document(b"").value is None


@pytest.mark.parametrize("text", [b"a: [", b"a: 1\na: 2\n", b"!!x 1", b"\xff", b"a: &b [*b]"])
def test_a_text_that_is_no_document_is_refused_with_its_problems(text: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        read_document(text)
    assert [problem.line is not None for problem in refused.value.problems] == [True]


def test_no_more_of_a_file_is_read_than_can_be_taken(tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"x" * (MAX_BYTES * 2))
    assert len(read_file(str(file))) == MAX_BYTES + 1


@pytest.mark.parametrize("name", ["missing", ".", "nul\0"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileUnreadable, match=name.rstrip(".\0") or "cannot be read"):
        read_file(str(tmp_path / name))


def test_a_problem_says_which_file_it_is_in() -> None:
    with pytest.raises(MalformedFile) as refused, inside("a.yaml"):
        raise Malformed("odd", [Problem("odd", "odd")])
    assert refused.value.source == "a.yaml"
