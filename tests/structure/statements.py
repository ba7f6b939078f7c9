"""The statements of a module: a tenth of its syntax tree, for rules that no expression can break."""

import ast
from collections.abc import Iterator

_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


def statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield every statement of a module, wherever in it, and what stands between: handlers, and cases of a match."""
    todo: list[ast.AST] = list(reversed(tree.body))
    while todo:
        node = todo.pop()
        yield node
        parts = (getattr(node, name, None) for name in reversed(_BODIES))
        todo += (inner for part in parts if isinstance(part, list) for inner in reversed(part))
