"""Reads the tokens of one expression by precedence and compiles them to one function of a scope."""

from dataclasses import replace
from typing import NamedTuple, NoReturn

from domain.language.expressions.constants import CONSTANTS, constant, number, one
from domain.language.expressions.filters import FILTERS, PROBES, filtered
from domain.language.expressions.operators import BINARY, COMPARISON, MINUS, NEGATION, minus, negation
from domain.language.expressions.paths import ROOTS, Path, nearest, reader
from domain.language.expressions.problems import ExpressionProblem
from domain.language.expressions.sources import (
    BOOLEAN,
    FILTERED,
    NUMBER,
    STATED,
    UNKNOWN,
    WORKED_OUT,
    Comparison,
    Operand,
    Use,
    joined,
    list_of,
    or_else_of,
    uses_of_filter,
    uses_of_operator,
)
from domain.language.expressions.tokens import FILTERS_MEANT, MISTAKEN, Token
from domain.language.expressions.values import Run

MOST_NODES = 256
DEEPEST_NESTING = 32


class Compiled(NamedTuple):
    """comparisons, uses: each of them in it; operand: the whole expression, with where its value comes from.

    certain: its largest parts whose value, or failure, is the same in every scope.
    """

    run: Run
    paths: tuple[Path, ...]
    comparisons: tuple[Comparison, ...]
    uses: tuple[Use, ...]
    operand: Operand
    certain: tuple[Run, ...]


def compiled(tokens: list[Token], marks: bool, roots: tuple[str, ...] = ROOTS) -> Compiled:
    """Compile a whole expression; `marks`: `{{ }}` may stand around parts of it without effect."""
    parser = _Parser(tokens, marks, roots)
    if tokens[0].kind == "end":
        raise ExpressionProblem("expression_syntax", "an expression is empty", tokens[0].offset)
    operand = parser.expression(0)
    if parser.token.kind != "end":
        parser.unexpected()
    paths = (replace(path, caught=True) if at in parser.caught else path for at, path in enumerate(parser.paths))
    certain = (*parser.certain, *([operand.run] if operand.fixed == WORKED_OUT else []))
    return Compiled(operand.run, tuple(paths), tuple(parser.comparisons), tuple(parser.uses), operand, certain)


class _Parser:
    def __init__(self, tokens: list[Token], marks: bool, roots: tuple[str, ...]) -> None:
        self.roots = roots
        self.tokens = tokens
        self.at = 0
        self.token = tokens[0]
        self.marks = marks
        self.paths: list[Path] = []
        self.caught: set[int] = set()
        self.comparisons: list[Comparison] = []
        self.uses: list[Use] = []
        self.certain: list[Run] = []
        self.nodes = 0
        self.depth = 0

    def expression(self, power: int) -> Operand:
        """Compile an expression of operators that bind at least as tightly as `power`."""
        first = len(self.paths)
        left = self.prefixed(power)
        while True:
            token = self.token
            found = BINARY.get(token.value) if token.kind in ("symbol", "word") else None
            if found is None or found[0] < power:
                return left
            strength, combine = found
            self.advance()
            before = len(self.paths)
            right = self.expression(strength + 1)
            if token.value == "||":
                # One of several steps that exclude each other is a choice too.
                choice = any(path.parts[0] == "steps" for path in self.paths[first:before])
                self.caught.update(range(first, len(self.paths) if choice else before))
            self.count(token)
            sources = NUMBER
            if token.value == "||":
                sources = or_else_of(left.sources, right.sources)
            elif strength <= COMPARISON:
                sources = BOOLEAN
            if strength == COMPARISON:
                self.comparisons.append(Comparison(token.value, left.sources, right.sources, token.offset))
            elif token.value != "||":
                self.uses += uses_of_operator(token.value, [left, right], token.offset)
            if token.value == "/" and right.fixed and not left.fixed:
                self.certain.append(combine(one, right.run, token.offset))
            left = joined(Operand(combine(left.run, right.run, token.offset), sources), [left, right], self.certain)
            if strength == COMPARISON:
                self.refuse_chain()

    def prefixed(self, power: int) -> Operand:
        token = self.token
        if token.kind == "word" and token.value == "not":
            if power > NEGATION:
                self.unexpected("put it in parentheses: (not …)")
            self.advance()
            self.count(token)
            inner = self.nested(NEGATION, token)
            self.uses += uses_of_operator("not", [inner], token.offset)
            return joined(Operand(negation(inner.run, token.offset), BOOLEAN), [inner], self.certain)
        if self.sees("-"):
            self.advance()
            self.count(token)
            inner = self.nested(MINUS, token)
            self.uses += uses_of_operator("-", [inner], token.offset)
            return joined(Operand(minus(inner.run, token.offset), NUMBER), [inner], self.certain)
        first = len(self.paths)
        return self.filters(self.operand(), first)

    def filters(self, operand: Operand, first: int) -> Operand:
        """Apply the filters that follow `operand`. first: the number of paths before it."""
        while self.sees("|"):
            self.advance()
            token = self.token
            if token.kind != "word":
                self.unexpected("a filter has a name; 'or else' is ||")
            if token.value not in FILTERS:
                match = FILTERS_MEANT.get(token.value) or nearest(token.value, FILTERS)
                hint = f"did you mean {match!r}?" if match else f"known are {', '.join(FILTERS)}"
                raise ExpressionProblem("unknown_filter", f"{token.value!r} is no filter", token.offset, hint)
            self.advance()
            self.count(token)
            if token.value == "default":
                self.caught.update(range(first, len(self.paths)))
            given = self.arguments(token)
            sources = FILTERED.get(token.value, UNKNOWN)
            if token.value == "default":
                sources = or_else_of(operand.sources, given[0].sources)
            self.uses += uses_of_filter(token.value, operand, given, token.offset)
            arguments = [argument.run for argument in given]
            if token.value in PROBES and given and not operand.fixed and all(each.fixed for each in given):
                self.certain.append(filtered(token.value, PROBES[token.value], arguments, token.offset))
            run = filtered(token.value, operand.run, arguments, token.offset)
            operand = joined(Operand(run, sources), [operand, *given], self.certain)
        return operand

    def arguments(self, name: Token) -> list[Operand]:
        opening = self.token
        given: list[Operand] = []
        if self.sees(":"):
            self.advance()
            given = [self.bare_argument()]
        elif self.sees("("):
            self.advance()
            given = self.sequence(")", opening)
        fewest, most, _ = FILTERS[name.value]
        if not fewest <= len(given) <= most:
            allowed = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            message = f"{name.value} takes {allowed} argument{'' if most == 1 else 's'}, not {len(given)}"
            hint = f'as in {name.value}("…") or {name.value}:"…"' if most else None
            raise ExpressionProblem("filter_arguments", message, name.offset, hint)
        return given

    def bare_argument(self) -> Operand:
        # After a colon the argument ends with its value, so that a following filter applies to the whole.
        token = self.token
        if not self.sees("-"):
            return self.operand()
        self.advance()
        self.count(token)
        inner = self.operand()
        return joined(Operand(minus(inner.run, token.offset), NUMBER), [inner], self.certain)

    def operand(self) -> Operand:
        token = self.token
        self.count(token)
        if token.kind == "number":
            self.advance()
            return constant(number(token))
        if token.kind == "text":
            if self.marks and "{{" in token.value and "}}" in token.value:
                self.unexpected("take the quotes away; in a condition a path stands by itself")
            self.advance()
            return constant(token.value)
        if token.kind == "word":
            self.advance()
            return constant(CONSTANTS[token.value]) if token.value in CONSTANTS else self.path(token)
        return self.group(token)

    def group(self, token: Token) -> Operand:
        if self.sees("["):
            self.advance()
            items = self.sequence("]", token)
            runs = [item.run for item in items]
            made = joined(Operand(lambda scope: [run(scope) for run in runs], list_of(items)), items, self.certain)
            return made._replace(fixed=STATED) if made.fixed and all(each.fixed == STATED for each in items) else made
        if not (self.sees("(") or (self.marks and self.sees("{{"))):
            self.unexpected("'{{' stands inside '{{ }}'; leave it out" if self.sees("{{") else None)
        self.advance()
        inner = self.nested(0, token)
        self.expect(")" if token.value == "(" else "}}")
        return inner

    def sequence(self, closing: str, opening: Token) -> list[Operand]:
        items: list[Operand] = []
        while not self.sees(closing):
            if items:
                self.expect(",")
            items.append(self.nested(0, opening))
        self.advance()
        return items

    def path(self, root: Token) -> Operand:
        if root.value not in self.roots:
            match = nearest(root.value.lower(), self.roots)
            known = f"a path starts with {', '.join(self.roots)}; text is written in quotes"
            hint = MISTAKEN.get(root.value.lower()) or (f"did you mean {match!r}?" if match else known)
            raise ExpressionProblem("unknown_root", f"{root.value!r} is no known name", root.offset, hint)
        parts: list[str | int] = [root.value]
        end = root.offset + len(root.value)
        while self.sees(".") or self.sees("["):
            named = self.sees(".")
            self.advance()
            parts.append(self.name() if named else self.index())
            last = self.tokens[self.at - 1]
            end = last.offset + len(last.value)
        path = Path(tuple(parts), root.offset, end)
        self.paths.append(path)
        return Operand(reader(path), (path,))

    def name(self) -> str:
        token = self.token
        if token.kind != "word":
            self.unexpected("an item is written [0], a key that is no name ['1st key']")
        self.advance()
        return token.value

    def index(self) -> str | int:
        token = self.token
        if token.kind not in ("number", "text") or (token.kind == "number" and not token.value.isdigit()):
            self.unexpected("an index is a whole number from 0 or a key in quotes; the last item is … | last")
        self.advance()
        self.expect("]")
        return token.value if token.kind == "text" else int(token.value)

    def nested(self, power: int, token: Token) -> Operand:
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            message = f"an expression is nested at most {DEEPEST_NESTING} deep"
            raise ExpressionProblem("expression_too_deep", message, token.offset)
        inner = self.expression(power)
        self.depth -= 1
        return inner

    def count(self, token: Token) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            message = f"an expression has at most {MOST_NODES} operators, values and filters"
            raise ExpressionProblem("expression_too_large", message, token.offset)

    def refuse_chain(self) -> None:
        if self.token.kind in ("symbol", "word") and BINARY.get(self.token.value, (0, None))[0] == COMPARISON:
            if any(token.kind == "symbol" and token.value == "||" for token in self.tokens):
                self.unexpected("write `or` between two comparisons; `||` gives a value its fallback")
            self.unexpected("comparisons do not chain; write a < b and b < c")

    def sees(self, symbol: str) -> bool:
        return self.token.value == symbol and self.token.kind == "symbol"

    def expect(self, symbol: str) -> None:
        if not self.sees(symbol):
            self.unexpected(f"expected '{symbol}'")
        self.advance()

    def advance(self) -> None:
        # The last token is `end`, and only the caller accepts it, so this index stays in range.
        self.at = min(self.at + 1, len(self.tokens) - 1)
        self.token = self.tokens[self.at]

    def unexpected(self, hint: str | None = None) -> NoReturn:
        token = self.token
        message = "the expression ends too early" if token.kind == "end" else f"unexpected {token.value[:40]!r}"
        if token.kind != "text":
            hint = hint or MISTAKEN.get(token.value)
        raise ExpressionProblem("expression_syntax", message, token.offset, hint)
