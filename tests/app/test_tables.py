"""Tables as lines: whatever the width, no id is broken, and nothing is cut."""

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from app.cli.tables import table_lines

WORD = st.text("abcxyz0189-_.:äß漢", min_size=1, max_size=40)
CELLS = st.lists(st.tuples(WORD, WORD, st.lists(WORD, max_size=12).map(" ".join)), min_size=1, max_size=4)
WIDTHS = st.none() | st.integers(20, 200)


def lines(columns: tuple[str, ...], rows: list[tuple[str, ...]], width: int | None) -> list[str]:
    return [line.plain for line in table_lines(columns, rows, right=frozenset({"steps"}), width=width)]


@given(rows=CELLS, width=WIDTHS)
def test_every_cell_is_whole_on_one_line(rows: list[tuple[str, ...]], width: int | None) -> None:
    found = lines(("execution", "steps", "process"), rows, width)
    for row in rows:
        assert all(any(cell in line for line in found) for cell in row)


@given(words=st.lists(WORD, max_size=30), width=WIDTHS)
def test_a_text_goes_on_below_and_loses_nothing(words: list[str], width: int | None) -> None:
    text = "§".join(words)
    found = lines(("id", "error"), [("#", text.replace("§", " "))], width)
    shown = "".join(found).replace(" ", "").partition("#")[2]
    assert shown.removeprefix("error") == text.replace("§", "")


@given(rows=CELLS)
def test_a_file_gets_one_line_a_row_without_blanks_at_its_end(rows: list[tuple[str, ...]]) -> None:
    found = lines(("execution", "steps", "error"), rows, None)
    assert len(found) == 1 + len(rows)
    assert all(line == line.rstrip() for line in found)


def test_a_terminal_that_is_wide_enough_gets_columns_and_a_narrow_one_paragraphs() -> None:
    id = "01a22045-e412-787c-9a90-8910944dad28"
    rows = [(id, "newsletter", "completed", "3/4", "2026-11-28 03:49:41Z")]
    columns = ("execution", "process", "status", "steps", "started")
    wide = lines(columns, rows, 120)
    assert [line.split("  ")[0].strip() for line in wide] == ["execution", id]
    assert lines(columns, rows, 60) == [
        f"{id}  process newsletter",
        "  status completed  steps 3/4  started 2026-11-28 03:49:41Z",
    ]


def test_a_long_error_is_folded_in_its_column_and_never_cut() -> None:
    error = " ".join(f"word{n}" for n in range(60))
    found = lines(("step", "status", "output or error"), [("greet", "failed", error)], 80)
    assert len(found) > 5
    assert all(len(line) <= 80 for line in found)
    assert " ".join(" ".join(found[1:]).split()) == f"greet failed {error}"


def test_a_cell_is_one_line_of_what_can_be_printed() -> None:
    [_, line] = lines(("title", "approval"), [("two\nlines \x1b[31mred", "id")], 80)
    assert line.split() == ["two", "lines", "[31mred", "id"]
    [_, styled] = table_lines(("status",), [(Text("failed", style="red"),)], right=frozenset(), width=80)
    assert styled.plain == "failed"
