"""The output of templates is escaped as Jinja escapes it."""

from enum import StrEnum
from uuid import UUID

import pytest
from jinja2 import Environment, StrictUndefined, UndefinedError
from markupsafe import Markup, escape

from web.escaping import PlainOutputEnvironment, escaped


class Tag(StrEnum):
    """A text that is no plain str."""

    BOLD = "<b>"


class Linked:
    """A value that states its own HTML."""

    def __html__(self) -> str:
        return "<a>&amp;</a>"

    def __repr__(self) -> str:
        return "Linked()"


VALUES = ["plain", "<script>&\"'", "", Markup("<b>"), Tag.BOLD, Linked(), 12, True, None, 1.5, UUID(int=7), ["<"], b"<"]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_escaped_as_by_markupsafe(value: object) -> None:
    assert escaped(value) == str(escape(value))


TEMPLATE = """{% macro shown(it) %}<i>{{ it }}</i>{% if caller is defined %}{{ caller() }}{% endif %}{% endmacro %}
{% set kept %}{{ value }}{% endset %}{{ kept }}{{ shown(value) }}{% call shown(value) %}{{ value }}{% endcall %}
{% for n in range(3) %}{{ shown(it=[value, n]) }}{{ loop.cycle("a", "<b>") }}{% endfor %}
{{ value ~ "<" }}{{ value|string|upper }}{% autoescape false %}{{ value }}{% endautoescape %}{{ value }}"""


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_template_writes_what_jinja_writes(value: object) -> None:
    written = [
        kind(autoescape=True, undefined=StrictUndefined).from_string(TEMPLATE).render(value=value)
        for kind in (Environment, PlainOutputEnvironment)
    ]
    assert written[0] == written[1]


def test_a_name_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        PlainOutputEnvironment(autoescape=True, undefined=StrictUndefined).from_string("{{ missing }}").render()
