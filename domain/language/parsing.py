"""The whole way from a text to a definition and all its problems."""

import re

from domain.language.checking.agents import agents_in
from domain.language.checking.children import processes_in
from domain.language.checking.definitions import check
from domain.language.checking.known import CalledShapes
from domain.language.checking.notifications import channels_in
from domain.language.checking.schedules import calendars_in, intervals_in
from domain.language.checking.secrets import secrets_in
from domain.language.checking.types import validate
from domain.language.checking.webhooks import webhooks_in
from domain.language.parsed import Parsed
from domain.language.reading.comments import note_cut_texts
from domain.language.reading.nodes import Mapping, kind_of, text_of
from domain.language.reading.problems import Problems
from domain.language.reading.source import UnreadableSource, decode_source
from domain.language.reading.tree import read_tree
from domain.language.spelling.definitions import canonicalise
from domain.language.types.parts import PROCESS_NAME
from domain.refusal import Problem

_NAME = re.compile(PROCESS_NAME.removesuffix("$"))


def parse_definition(source: str | bytes, *, strict: bool = False, called: CalledShapes | None = None) -> Parsed:
    """Read a definition in YAML or JSON. Raises nothing: all problems, of any input, are in `problems`.

    strict: warnings become errors. called: the processes that it calls, as far as they are known.
    """
    problems = Problems(strict=strict)
    text = ""
    try:
        text = decode_source(source)
        root = read_tree(text, problems)
    except UnreadableSource as unreadable:
        problems.note(unreadable.problem)
        return Parsed(text, None, None, problems.all())
    if not isinstance(root, Mapping):
        found = "empty" if root is None else kind_of(root)
        problem = Problem(
            "not_a_mapping", f"a definition is an object with `name` and `steps`; this is {found}", line=1, column=1
        )
        problems.note(problem)
        return Parsed(text, None, None, problems.all())
    note_cut_texts(text, root, problems)
    canonicalise(root, problems)
    definition = validate(root, problems)
    check(root, problems, called or {})
    name = text_of(root.entries.get("name"))
    valid_name = name if name is not None and _NAME.fullmatch(name) else None
    return Parsed(
        text,
        valid_name,
        None if problems.errors else definition,
        problems.all(),
        agents=tuple(agents_in(root)),
        processes=tuple(processes_in(root)),
        channels=tuple(channels_in(root)),
        webhooks=tuple(webhooks_in(root)),
        secrets=tuple(secrets_in(root)),
        intervals=tuple(intervals_in(root)),
        calendars=tuple(calendars_in(root)),
        root=root,
    )
