"""A definition as a stored document, as YAML in the canonical spelling, and the JSON Schema of all definitions."""

import re
from datetime import timedelta
from typing import Any

import yaml
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from domain.calendar.durations import print_duration
from domain.jsonvalue import JsonValue
from domain.language.reading.scalars import BOOLEAN, INTEGER, MERGE_KEY, NOT_FINITE, NULL, NUMBER
from domain.language.types.definition import Definition, require_executors
from domain.language.types.parts import Part
from domain.language.types.steps import Roles

_WIDTH = 1 << 30
# YAML readers accept more line ends than `\n`, and fold them; such texts are quoted, or written line by line.
_BREAKS = re.compile("[\n\r\x85\u2028\u2029]")
_ORDINARY_LINES = re.compile(r"(?!\s)[\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\U00010000-\U0010ffff]+\Z")


def definition_document(definition: Definition) -> dict[str, Any]:
    """Return the JSON document that a publication stores; empty fields are left out, except lists of no agents."""
    document = _document(definition)
    assert isinstance(document, dict)
    return document


def load_definition(document: dict[str, Any]) -> Definition:
    """Return the definition of a stored document. Raises pydantic's ValidationError for anything else."""
    return Definition.model_validate(document)


def print_definition(definition: Definition) -> str:
    """Return YAML in the canonical spelling; parsed again it is the same definition."""
    return print_document(definition_document(definition))


def print_document(document: JsonValue) -> str:
    """Return a JSON document as YAML that the reader of definitions reads as exactly that document."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text


def json_schema() -> dict[str, Any]:
    """Return the language's JSON Schema (2020-12), from its types; other spellings are marked deprecated."""
    schema = Definition.model_json_schema(schema_generator=_Untitled)
    require_executors(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


class _Untitled(GenerateJsonSchema):
    """Leaves out titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _document(value: Any) -> Any:
    if isinstance(value, Part):
        none = value.states_none
        given = zip(type(value).written_fields().items(), value, strict=True)
        return {key: _document(item) for (key, field), (name, item) in given if name in none or _is_given(item, field)}
    if isinstance(value, tuple | list):
        return [_document(item) for item in value]
    if isinstance(value, dict):
        return {key: _document(item) for key, item in value.items()}
    if isinstance(value, timedelta):
        return print_duration(value)
    return value


def _is_given(value: Any, field: FieldInfo) -> bool:
    if isinstance(value, Roles) and value.states_none:
        return True
    return field.is_required() or value != field.get_default(call_default_factory=True)


class _Dumper(yaml.SafeDumper):
    """Writes for readers of YAML 1.2's core schema: quotes texts that the schema would read as other types."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.yaml_implicit_resolvers = {}
for _tag, _pattern in (("null", NULL), ("bool", BOOLEAN), ("int", INTEGER), ("float", NUMBER), ("float", NOT_FINITE)):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, None)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _BREAKS.search(text):
        # The dumper itself returns to quotes where a block cannot hold the text.
        style = "|" if _ORDINARY_LINES.match(text) else '"'
    elif text == MERGE_KEY:
        style = '"'  # plain, it is YAML's merge key, which the reader refuses
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
