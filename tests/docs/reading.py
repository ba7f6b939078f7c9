"""What the documents say: their links, the code in them, the commands and files they name."""

import re
from dataclasses import dataclass
from pathlib import Path

import typer

from app.cli import cli

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
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
    for fence in _FENCE.finditer(page):
        headings = _SECTION.findall(page, 0, fence.start())
        found.append(Block(headings[-1] if headings else "", fence[1], fence[2]))
    return found


def inline_code(file: Path) -> list[str]:
    """What stands between single backticks, and the commands of shell blocks as they would stand there."""
    page = file.read_text("utf-8")
    shell = [line for block in blocks(file) if block.language in ("sh", "console") for line in block.commands]
    return _CODE.findall(_FENCE.sub("", page)) + [line.removeprefix(".venv/bin/") for line in shell]


def links(file: Path) -> list[str]:
    """The targets of links that are not addresses."""
    return [target for target in _LINK.findall(_FENCE.sub("", file.read_text("utf-8"))) if "://" not in target]


def leads_somewhere(file: Path, target: str) -> bool:
    """Whether the file is there, and the heading in it."""
    path, _, anchor = target.partition("#")
    there = (file.parent / path) if path else file
    return there.exists() and (not anchor or anchor in {_slug(text) for text in _HEADING.findall(there.read_text())})


def unknown_command(text: str) -> str | None:
    """What is unknown in `procession …` as it is written: a command or an option; None when all is known."""
    command = typer.main.get_command(cli)
    for word in text.split()[1:]:
        if command.context_settings.get("ignore_unknown_options"):
            return None  # it reads its arguments itself
        inside = getattr(command, "commands", None)
        if word.startswith("--"):
            options = {"--help"} | {option for parameter in command.params for option in parameter.opts}
            options |= {option for parameter in command.params for option in parameter.secondary_opts}
            if word.partition("=")[0] not in options:
                return f"{text}: no option {word}"
        elif inside is not None:
            if word not in inside:
                return f"{text}: no command {word}"
            command = inside[word]
    return None


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
