"""Tables as lines: columns where they fit; a paragraph a row where the terminal is too narrow for them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from app.plain import plain

if TYPE_CHECKING:
    from rich.text import Text

GAP = 2
# A last column whose title begins with one of these holds text, which may go on in the next line if it has the room.
TEXTS = ("output or error", "waits for", "last error", "error", "data", "configuration", "at ")
ROOM = 30


def table_lines(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: frozenset[str], width: int | None
) -> "Iterator[Text]":
    """Yield the lines of a table. right: titles of columns of numbers. width: of the terminal; None for a file.

    No id or time is ever broken over two lines.
    """
    from rich.text import Text

    cells = [[_cell(cell) for cell in row] for row in rows]
    titles = [Text(title, style="bold") for title in columns]
    widths = [max(cell.cell_len for cell in column) for column in zip(titles, *cells, strict=True)]
    before_last = sum(widths[:-1]) + GAP * (len(widths) - 1)
    if width is None or before_last + widths[-1] <= width:
        room = None
    elif columns[-1].startswith(TEXTS) and width - before_last >= ROOM:
        room = width - before_last
    else:
        yield from _paragraphs(columns, cells, width)
        return
    numbers = [title in right for title in columns]
    for row in (titles, *cells):
        yield from _aligned(row, widths, numbers, room)


def _cell(value: object) -> "Text":
    """Return a cell of one line; what a terminal would not print as it is becomes a space."""
    from rich.text import Text

    if isinstance(value, Text):
        return value
    return Text("" if value is None else plain(str(value), kept=""))


def _aligned(
    row: "Sequence[Text]", widths: Sequence[int], numbers: Sequence[bool], room: int | None
) -> "Iterator[Text]":
    from rich.text import Text

    line = Text()
    for cell, width, number in zip(row[:-1], widths, numbers, strict=False):
        padding = " " * (width - cell.cell_len)
        line.append_text(Text(padding) + cell if number else cell + Text(padding)).append(" " * GAP)
    last = row[-1]
    if numbers[-1]:
        last = Text(" " * (widths[-1] - last.cell_len)) + last
    if room is None or last.cell_len <= room:
        yield _stripped(line + last)
        return
    for n, part in enumerate(_parts(last, room)):
        yield line + part if n == 0 else Text(" " * line.cell_len) + part


def _parts(text: "Text", room: int) -> "Iterator[Text]":
    """Yield `text` in parts of at most `room` columns, broken at a space where one is near."""
    while text.cell_len > room:
        end = room
        while text[:end].cell_len > room:  # some characters take two columns
            end -= 1
        space = text.plain.rfind(" ", end // 2, end + 1)
        cut = end if space < 0 else space
        yield text[:cut]
        text = text[cut + (space >= 0) :]
    yield text


def _paragraphs(columns: Sequence[str], rows: "Sequence[Sequence[Text]]", width: int) -> "Iterator[Text]":
    """Yield each row as its first cell, and then each other cell after its title."""
    from rich.text import Text

    for row in rows:
        line = row[0].copy()
        for title, cell in zip(columns[1:], row[1:], strict=True):
            if not cell.plain:
                continue
            named = Text(f"{title} ", style="dim") + cell
            if line.cell_len + GAP + named.cell_len > width and line.plain.strip():
                yield line
                line = Text(" " * GAP) + named
            else:
                line.append(" " * GAP).append_text(named)
        yield line


def _stripped(line: "Text") -> "Text":
    line.rstrip()
    return line
