"""The form that saves a process as a template: what was typed, and the parameters that were ticked."""

import re
from collections.abc import Mapping
from uuid import UUID, uuid4

import msgspec

from commands.templates import MOST_TAGS, SaveTemplate
from domain.jsonvalue import JsonValue
from domain.language.editing.changes import EditRefused
from domain.language.editing.edits import document_of
from domain.refusal import Malformed, Problem
from domain.templates.access import TemplateCaller
from domain.templates.proposals import Proposal, propose
from domain.templates.references import TEMPLATE_NAME, name_from
from domain.templates.saving import TemplateHeading
from domain.templates.secrets import FoundSecret, find_secrets
from domain.templates.state import PRIVATE
from web.wording import cut

_TEXTS = (
    "title",
    "token",
    "name",
    "description",
    "tags",
    "category",
    "shared_with",
    "more_path",
    "more_name",
    "more_type",
)


class SavingRow(msgspec.Struct, frozen=True):
    """A proposed parameter. name: as typed; taken: it is ticked."""

    proposal: Proposal
    name: str
    taken: bool

    @property
    def type(self) -> str:
        """The type of the parameter."""
        return str(self.proposal.declaration["type"])

    @property
    def value(self) -> str:
        """Its value now, which becomes the default."""
        stated = self.proposal.declaration.get("default")
        return cut(stated if isinstance(stated, str) else msgspec.json.encode(stated).decode())


class SavingForm(msgspec.Struct, frozen=True):
    """The state of the form. more_path, more_name, more_type: of one more parameter."""

    title: str
    token: str
    name: str = ""
    description: str = ""
    tags: str = ""
    category: str = ""
    shared_with: str = PRIVATE
    rows: list[SavingRow] = []
    more_path: str = ""
    more_name: str = ""
    more_type: str = "string"

    @property
    def id(self) -> str:
        """The part after ``org:`` in the id of the template."""
        return self.name or name_from(self.title)

    @property
    def tag_list(self) -> list[str]:
        """The tags one by one."""
        return [tag.strip() for tag in self.tags.split(",") if tag.strip()]

    @property
    def parameters(self) -> dict[str, dict[str, JsonValue]]:
        """The parameters that were ticked, and the one more."""
        found = {each.name: each.proposal.request for each in self.rows if each.taken}
        if self.more_path and self.more_name:
            found[self.more_name] = {"path": self.more_path, "type": self.more_type}
        return found

    @property
    def heading(self) -> TemplateHeading:
        """The part above the process in the document."""
        return TemplateHeading(self.id, self.title.strip(), self.description, tuple(self.tag_list), self.category)

    def problems(self) -> list[Problem]:
        """Return what is wrong with the form itself."""
        limits = (
            ("title", self.title.strip(), 1, 100),
            ("description", self.description, 0, 2_000),
            ("category", self.category.strip(), 0, 40),
        )
        found = [
            Problem("invalid_value", f"the {at} has {least} to {most} characters, without NUL", at)
            for at, text, least, most in limits
            if not least <= len(text) <= most or "\0" in text
        ]
        if self.name and not re.fullmatch(TEMPLATE_NAME, self.name):
            found.append(Problem("invalid_name", "a name has 1 to 64 of a-z 0-9 . _ -", "name"))
        if len(self.tag_list) > MOST_TAGS:
            found.append(Problem("invalid_value", f"at most {MOST_TAGS} tags", "tags"))
        names = [each.name for each in self.rows if each.taken] + ([self.more_name] if self.more_name else [])
        double = sorted({name for name in names if names.count(name) > 1})
        found += [Problem("duplicate", f"two parameters are called {name[:64]!r}", "parameters") for name in double]
        if bool(self.more_path) != bool(self.more_name):
            found.append(Problem("missing", "one more parameter has a path and a name", "more-path"))
        return found

    def command(self, process_id: UUID, caller: TemplateCaller) -> SaveTemplate:
        """Return the command that the form states. Raises Malformed with every problem."""
        problems = self.problems()
        if problems:
            raise Malformed(problems[0].message, problems)
        return SaveTemplate(
            process_id,
            caller,
            self.title.strip(),
            self.name or None,
            self.description,
            self.tag_list,
            self.category.strip(),
            parameters=self.parameters,
        )


def read_saving(texts: Mapping[str, str], source: str) -> SavingForm:
    """Return the form that the texts of a browser fill in. source: the definition."""
    rows = [
        SavingRow(each, texts.get(f"name.{each.name}", each.name).strip(), texts.get(f"take.{each.name}") == "on")
        for each in propose(source)
    ]
    given = {field: texts.get(field.replace("_", "-"), "").strip() for field in _TEXTS}
    return SavingForm(**given, rows=rows)


def first_form(name: str, description: str, source: str) -> SavingForm:
    """Return the form for a process: everything particular in it is ticked."""
    rows = [SavingRow(each, each.name, taken=True) for each in propose(source)]
    title = name.replace("-", " ").replace("_", " ").capitalize()
    return SavingForm(title, str(uuid4()), name, description, rows=rows)


def secrets_in(source: str) -> tuple[FoundSecret, ...]:
    """Return the secrets of a definition, without what they are; none of a text that cannot be read."""
    try:
        return find_secrets(document_of(source))
    except EditRefused:
        return ()
