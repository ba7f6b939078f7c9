"""From the text of a template's document to the template, with every problem located."""

import re
from typing import cast

import msgspec

from domain.identity import PROCESS_NAME
from domain.jsonvalue import JsonValue
from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, kind_of, plain, text_of
from domain.language.reading.problems import Problems
from domain.language.reading.source import UnreadableSource, decode_source
from domain.language.reading.tree import read_tree
from domain.refusal import Problem
from domain.templates.checking import placeholder_problems, sample_problems, secret_problems
from domain.templates.declaring import read_parameters
from domain.templates.engine import is_requirement
from domain.templates.fields import checked_keys, line_in, lines_in, prose_in
from domain.templates.process_text import cut_process
from domain.templates.template import Template, TemplateReading

MOST_TAGS = 20
MOST_SAMPLES = 20
FIELDS = ("id", "name", "description", "tags", "category", "engine", "version", "parameters", "samples")
_ID = re.compile(PROCESS_NAME.removeprefix("^").removesuffix("$"))


def read_template(source: str | bytes) -> TemplateReading:
    """Return the template of a document, and its problems. Raises nothing, whatever the text is."""
    problems = Problems()
    try:
        text = decode_source(source)
        root = read_tree(text, problems)
    except UnreadableSource as unreadable:
        return TemplateReading(None, (unreadable.problem,))
    if not isinstance(root, Mapping):
        found = "empty" if root is None else kind_of(root)
        message = f"a template is an object with `template` and `process`; this is {found}"
        return TemplateReading(None, (Problem("not_a_mapping", message, line=1, column=1),))
    checked_keys(root, ("template", "process"), problems)
    header, process = (_part(root, key, problems) for key in ("template", "process"))
    if header is None or process is None or problems.errors:
        return TemplateReading(None, tuple(problems.all()))
    template = _template(header, text, problems)
    if template is None:
        return TemplateReading(None, tuple(problems.all()))
    for problem in (*secret_problems(plain(root)), *placeholder_problems(template)):
        problems.note(_placed(problem, root))
    for problem in () if problems.errors else sample_problems(template):
        problems.note(_placed(problem, root))
    return TemplateReading(None if problems.errors else template, tuple(problems.all()))


def _part(root: Mapping, key: str, problems: Problems) -> Mapping | None:
    node = root.entries.get(key)
    if isinstance(node, Mapping) and node.entries:
        return node
    problems.add("missing_field", f"a template has an object under `{key}`", node if node is not None else root)
    return None


def _template(header: Mapping, text: str, problems: Problems) -> Template | None:
    before = problems.errors
    checked_keys(header, FIELDS, problems)
    name_id = text_of(header.entries.get("id")) or ""
    if not _ID.fullmatch(name_id):
        message = (
            "`id` has lower-case letters, digits, `.`, `_` and `-`, a letter or digit first, at most 64 characters"
        )
        problems.add("invalid_name", message, header.entries.get("id", header))
    engine = line_in(header, "engine", problems)
    if engine is not None and not is_requirement(engine):
        problems.add("invalid_engine", 'versions are stated like ">=0.2" or ">=0.2, <1"', header.entries["engine"])
    version = header.entries.get("version")
    number = version.value if isinstance(version, Scalar) else 1
    if version is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
        problems.add("wrong_type", "`version` is a whole number from 1", version)
    parameters = read_parameters(header.entries.get("parameters"), problems)
    samples = _samples(header.entries.get("samples"), problems)
    template_name = line_in(header, "name", problems)
    if problems.errors > before:
        return None
    return Template(
        name_id=name_id,
        name=template_name or name_id,
        description=prose_in(header, "description", problems) or "",
        tags=lines_in(header, "tags", MOST_TAGS, problems),
        category=line_in(header, "category", problems),
        engine=engine,
        version=cast("int", number),
        parameters=parameters,
        samples=samples,
        process_text=cut_process(text)[0],
    )


def _samples(node: Node | None, problems: Problems) -> tuple[dict[str, JsonValue], ...]:
    if node is None:
        return ()
    if not isinstance(node, Sequence) or len(node.items) > MOST_SAMPLES:
        problems.add("wrong_type", f"`samples` is a list of at most {MOST_SAMPLES} objects", node)
        return ()
    found: list[dict[str, JsonValue]] = []
    for item in node.items:
        if isinstance(item, Mapping):
            found.append(plain(item))
        else:
            problems.add("wrong_type", f"a sample is an object of answers, this is {kind_of(item)}", item)
    return tuple(found)


def _placed(problem: Problem, root: Mapping) -> Problem:
    """Return a problem with the line and column of its path in the document, or of the nearest place above it."""
    at: Node = root
    for part in re.findall(r"[^.\[\]]+", problem.path):
        inner: Node | None = None
        if isinstance(at, Mapping):
            inner = at.entries.get(part)
        elif isinstance(at, Sequence) and part.isdecimal() and int(part) < len(at.items):
            inner = at.items[int(part)]
        if inner is None:
            break
        at = inner
    return msgspec.structs.replace(problem, line=at.line, column=at.column)
