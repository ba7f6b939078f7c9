"""Output and calls of templates as plain Python: Jinja makes an object of Markup for each value that a page shows."""

import operator
import re
from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from jinja2 import Environment
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Call, Expr
from markupsafe import Markup, escape

_special = re.compile("[&<>'\"]").search


def escaped(value: object) -> str:
    """Return what `markupsafe.escape` returns, as text for the output of a template."""
    # Of these types themselves: a subclass may state another text.
    if type(value) is Markup or (type(value) is str and not _special(value)):
        return value
    return str(value) if type(value) is int or type(value) is UUID else escape(value)


class PlainOutput(CodeGenerator):
    """Compiles the output of a value to a call of `escaped`, and a call to itself; all else stays as Jinja compiles it.

    Jinja would search each function for a mark that it takes the context; no function of the pages has one.
    """

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.escaped(")

    def visit_Call(self, node: Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802 - Jinja's name
        """Write a call. forward_caller: of a macro, which gets the body of its block."""
        self.write("environment.call(")
        self.visit(node.node, frame)
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        self.write(")")


class PlainOutputEnvironment(Environment):
    """An environment whose templates write plain text, escaped as ever."""

    code_generator_class = PlainOutput
    escaped = staticmethod(escaped)
    call: ClassVar[Callable[..., Any]] = operator.call  # as a builtin it takes no `self`
