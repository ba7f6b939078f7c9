"""Texts in the form of expressions that are none: a path without braces, single braces, other template languages."""

import re
from collections.abc import Iterable, Iterator

from domain.language.checking.paths import Wrong
from domain.language.expressions import ROOTS

_ROOTS = "|".join(ROOTS)
_PATH = re.compile(rf"(?:{_ROOTS})(?:\.[A-Za-z_][\w-]*|\[(?:[0-9]+|'[^']*'|\"[^\"]*\")\])+\s*\Z")
_MEMBERS = re.compile(r"[\w-]+(?:\.[A-Za-z_][\w-]*|\[[0-9]+\])+\s*\Z")
_SINGLE = re.compile(rf"(?<!\{{)(\$?)\{{\s*((?:{_ROOTS})\.[\w.\[\]-]+)\s*\}}(?!\}})")
_EXPRESSION = re.compile(rf"(?<!\$)\{{\{{\s*(?:{_ROOTS})\b[^{{}}]*\}}\}}")
_TAG = re.compile(r"\{%-?\s*\w+")


def literal_faults(text: str, field: str, names: Iterable[str] = ()) -> Iterator[Wrong]:
    """Yield a warning for each text that its writer probably meant as an expression. field: the field that holds it.

    names: further ones that its expressions may begin with; such a text has one of them, and a member of it.
    """
    if field not in ("duration", "until") and (_PATH.match(text) or _begins(text, names)):
        path = text.strip()[:60]
        yield _warning(f"this is the text `{path}`, and not a value", f'a value is written "{{{{ {path} }}}}"', 0)
    if found := _SINGLE.search(text):
        written, path = found.group()[:60], found[2][:60]
        yield _warning(f"`{written}` stays as it is", f"a value is written {{{{ {path} }}}}", found.start())
    if found := _TAG.search(text):
        hint = "there are no statements; a step has a `condition`, and a gateway has routes"
        yield _warning(f"`{found.group()[:60]}` stays as it is", hint, found.start())


def fixed_faults(text: str, field: str) -> Iterator[Wrong]:
    """Yield a warning for an expression in a value that is never rendered. field: what the value is."""
    if found := _EXPRESSION.search(text):
        shown = found.group()[:60]
        message = f"`{shown}` stays as it is: {field} is fixed"
        yield _warning(message, "put the expression where a step reads the value", found.start())


def _begins(text: str, names: Iterable[str]) -> bool:
    root, dot, _ = text.partition(".")
    return bool(dot) and root in names and _MEMBERS.match(text) is not None


def _warning(message: str, hint: str, offset: int) -> Wrong:
    return Wrong("not_a_template", message, hint, offset, "warning")
