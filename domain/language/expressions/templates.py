"""Templates: text with `{{ … }}` in it, and JSON values with such texts anywhere inside."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from domain.jsonvalue import MAX_DEPTH
from domain.language.expressions.parser import compiled
from domain.language.expressions.paths import ROOTS, Missing, Path
from domain.language.expressions.problems import EvaluationFailed, ExpressionProblem
from domain.language.expressions.sources import UNKNOWN, Comparison, Sources, Use
from domain.language.expressions.tokens import tokens_of_hole
from domain.language.expressions.values import (
    JSON,
    LARGEST_TEXT,
    Run,
    Scope,
    budget_of,
    limited,
    plain,
    printed,
    size_of,
    too_large,
)

Render: TypeAlias = Callable[[Scope], JSON]

LONGEST_TEMPLATE = 65_536


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """A text ready to be rendered any number of times; two are equal when their texts are.

    `constant` says that it holds no `{{ }}`.
    """

    text: str
    paths: tuple[Path, ...] = field(compare=False)
    constant: bool = field(compare=False)
    _render: Callable[[Scope], JSON] = field(compare=False, repr=False)
    comparisons: tuple[Comparison, ...] = field(default=(), compare=False)
    uses: tuple[Use, ...] = field(default=(), compare=False)
    sources: Sources = field(default=UNKNOWN, compare=False)
    certain: tuple[Run, ...] = field(default=(), compare=False)

    def render(self, scope: Scope) -> JSON:
        """Return the text with every hole filled, or the value itself of a lone hole. Raises EvaluationFailed.

        A value is copied out of the scope as plain JSON: times become ISO 8601 text, durations seconds.
        """
        if self.constant:
            return self.text
        try:
            return self._render(scope)
        except Missing as missing:
            raise missing.explained() from None


@dataclass(frozen=True, slots=True)
class ValueTemplate:
    """A JSON value with templates in its texts, ready to be rendered any number of times."""

    value: JSON
    paths: tuple[Path, ...] = field(compare=False)
    constant: bool = field(compare=False)
    _render: Callable[[Scope], JSON] = field(compare=False, repr=False)

    def render(self, scope: Scope) -> JSON:
        """Return the value with every template in it rendered. Raises EvaluationFailed."""
        return self.value if self.constant else self._render(scope)


def parse_template(text: str, roots: tuple[str, ...] = ROOTS) -> TextTemplate:
    """Return the template of a text of at most 65,536 characters. Raises ExpressionProblem.

    roots: the names that its paths may start with.
    """
    if len(text) > LONGEST_TEMPLATE:
        message = f"a template is at most {LONGEST_TEMPLATE} characters"
        raise ExpressionProblem("expression_too_long", message, LONGEST_TEMPLATE)
    pieces: list[str | tuple[Run, int]] = []
    paths: list[Path] = []
    comparisons: list[Comparison] = []
    uses: list[Use] = []
    certain: list[Run] = []
    sources: Sources = ("text",)
    offset = 0
    while (opening := text.find("{{", offset)) >= 0:
        if opening > offset:
            pieces.append(text[offset:opening])
        tokens, offset = tokens_of_hole(text, opening)
        hole = compiled(tokens, marks=False, roots=roots)
        pieces.append((hole.run, opening))
        paths.extend(hole.paths)
        comparisons.extend(hole.comparisons)
        uses.extend(hole.uses)
        certain.extend(hole.certain)
        if opening == 0 and offset == len(text):
            sources = hole.operand.sources
    if offset < len(text):
        pieces.append(text[offset:])
    constant = all(isinstance(piece, str) for piece in pieces)
    render = _renderer(text, pieces, constant)
    return TextTemplate(text, tuple(paths), constant, render, tuple(comparisons), tuple(uses), sources, tuple(certain))


def parse_value(value: JSON, roots: tuple[str, ...] = ROOTS) -> ValueTemplate:
    """Return the templates inside a value, keys aside; an ExpressionProblem holds the position inside the value."""
    paths: list[Path] = []
    render = _compiled_value(value, paths, 0, roots)
    if render is None:
        return ValueTemplate(value, (), True, lambda scope: value)
    return ValueTemplate(value, tuple(paths), False, render)


def _renderer(text: str, pieces: list[str | tuple[Run, int]], constant: bool) -> Callable[[Scope], JSON]:
    if constant:
        return lambda scope: text
    if len(pieces) == 1 and not isinstance(pieces[0], str):
        return _lone(*pieces[0])

    def render(scope: Scope) -> JSON:
        filled: list[str] = []
        size = 0
        for piece in pieces:
            filled.append(piece if isinstance(piece, str) else printed(piece[0](scope), piece[1]))
            size += len(filled[-1])
            if size > LARGEST_TEXT:
                raise too_large(0)
        text = limited("".join(filled), 0)
        budget_of(scope).take(size_of(text), 0)
        return text

    return render


def _lone(run: Run, offset: int) -> Callable[[Scope], JSON]:
    def render(scope: Scope) -> JSON:
        value = run(scope)
        return plain(limited(value, offset) if isinstance(value, str) else value, offset, budget_of(scope))

    return render


def _compiled_value(value: JSON, paths: list[Path], depth: int, roots: tuple[str, ...]) -> Render | None:
    """Return a function that renders the value, or None when no text in it has a hole."""
    if depth > MAX_DEPTH:
        raise ExpressionProblem("expression_too_deep", f"a value is nested at most {MAX_DEPTH} deep")
    if isinstance(value, str):
        if "{{" not in value:
            return None
        template = parse_template(value, roots)
        paths.extend(template.paths)
        return template.render
    if isinstance(value, dict):
        fields = {key: _compiled_member(key, item, paths, depth, roots) for key, item in value.items()}
        if any(fields.values()):
            return _renderer_of_fields(value, fields)
    if isinstance(value, list):
        items = [_compiled_member(at, item, paths, depth, roots) for at, item in enumerate(value)]
        if any(items):
            return _renderer_of_items(value, items)
    return None


def _renderer_of_fields(value: dict[str, JSON], fields: dict[str, Render | None]) -> Render:
    def render(scope: Scope) -> JSON:
        made: dict[str, JSON] = {}
        for key, run in fields.items():
            try:
                made[key] = run(scope) if run else value[key]
            except EvaluationFailed as error:
                error.inside(key)
                raise
        return made

    return render


def _renderer_of_items(value: list[JSON], items: list[Render | None]) -> Render:
    def render(scope: Scope) -> JSON:
        made: list[JSON] = []
        for at, run in enumerate(items):
            try:
                made.append(run(scope) if run else value[at])
            except EvaluationFailed as error:
                error.inside(at)
                raise
        return made

    return render


def _compiled_member(
    key: str | int, value: JSON, paths: list[Path], depth: int, roots: tuple[str, ...]
) -> Render | None:
    try:
        return _compiled_value(value, paths, depth + 1, roots)
    except ExpressionProblem as problem:
        problem.inside(key)
        raise
