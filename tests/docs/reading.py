"""What the documents say: the code in them, and the commands of it."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_NAMES_ITSELF = re.compile(r"# (\S+\.\w+)\n")


@dataclass(frozen=True)
class Block:
    """A fenced block. section: the heading it is under. file: what it says it is, in a comment on its first line."""

    section: str
    language: str
    text: str

    @property
    def file(self) -> str | None:
        found = _NAMES_ITSELF.match(self.text)
        return found[1] if found else None

    @property
    def commands(self) -> list[str]:
        """Its lines without comments and prompts, those that a backslash continues joined."""
        lines = self.text.replace("\\\n", " ").splitlines()
        stripped = (re.sub(r"(?:^|\s+)#.*$", "", line).removeprefix("$ ").strip() for line in lines)
        return [line for line in stripped if line]


def documents() -> list[Path]:
    """Every page that people read."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(file: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    page, found = file.read_text("utf-8"), []
    for fence in FENCE.finditer(page):
        headings = _SECTION.findall(page, 0, fence.start())
        found.append(Block(headings[-1] if headings else "", fence[1], fence[2]))
    return found
