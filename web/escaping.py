"""Escaped output of templates as plain text: Jinja makes an object of Markup for each value that a page shows."""

import re
from typing import Any

from jinja2 import Environment
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Expr
from markupsafe import Markup, escape

_special = re.compile("[&<>'\"]").search


def escaped(value: object) -> str:
    """Return what `markupsafe.escape` returns, as text for the output of a template."""
    # Of these types themselves: a subclass may state another text.
    if type(value) is Markup or (type(value) is str and not _special(value)):
        return value
    return str(value) if type(value) is int else escape(value)


class PlainOutput(CodeGenerator):
    """Compiles the output of a value to a call of `escaped`; everything else stays as Jinja compiles it."""

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.escaped(")


class PlainOutputEnvironment(Environment):
    """An environment whose templates write plain text, escaped as ever."""

    code_generator_class = PlainOutput
    escaped = staticmethod(escaped)
