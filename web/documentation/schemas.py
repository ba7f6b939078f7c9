"""Schemas of the API's description: their fields in words, and an example of each."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

DEEPEST = 4
_FORMATS = {
    "uuid": "0198c5a0-0000-7000-8000-000000000000",
    "date-time": "2026-11-03T09:24:00Z",
    "date": "2026-11-03",
    "decimal": "0.0049",
    "uri": "https://example.org/",
}
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "maxItems": "at most {} items",
    "pattern": "matches {}",
    "format": "{}",
}

Schema = Mapping[str, Any]


class DescribedField(msgspec.Struct, frozen=True):
    """A parameter, or a field of a body. kind: its type in words; limits: what else its value keeps to."""

    name: str
    kind: str
    required: bool
    limits: str
    text: str


class Schemas:
    """The named schemas of a description."""

    def __init__(self, named: Mapping[str, Schema]) -> None:
        self._named = named

    def resolved(self, schema: Schema) -> Schema:
        """Return a schema, that of its name for a reference."""
        name = name_of(schema)
        return self._named.get(name, {}) if name else schema

    def fields(self, schema: Schema) -> list[DescribedField]:
        """Return the fields of an object, none of any other schema."""
        found = self.resolved(schema)
        required = frozenset(found.get("required", ()))
        return [self.field(name, each, name in required) for name, each in found.get("properties", {}).items()]

    def field(self, name: str, schema: Schema, required: bool, text: str = "") -> DescribedField:
        """Return one field in words."""
        own = _without_null(schema)
        limits = [form.format(own[key]) for key, form in _LIMITS.items() if key in own]
        if schema.get("default") not in (None, [], ""):
            limits.append(f"default {msgspec.json.encode(schema['default']).decode()}")
        words = text or str(own.get("description", "")) if not name_of(own) else text
        return DescribedField(name, self._kind(schema), required, ", ".join(limits), words)

    def example(self, schema: Schema, level: int = 0) -> Any:
        """Return a value that the schema takes."""
        own = self.resolved(_without_null(schema))
        if "enum" in own:
            return own["enum"][0]
        if "const" in own or ("default" in own and own["default"] not in (None, [], {})):
            return own.get("const", own.get("default"))
        kind = own.get("type")
        if "properties" in own:
            return self._object(own, level)
        if kind == "array":
            return [] if level >= DEEPEST else [self.example(own.get("items", {}), level + 1)]
        if kind in ("integer", "number"):
            return max(1, own.get("minimum", 1))
        if kind == "string":
            return _FORMATS.get(own.get("format", ""), "…")
        if "anyOf" in own:
            return self.example(own["anyOf"][0], level)
        return {"boolean": False, "null": None}.get(str(kind), {})

    def _object(self, schema: Schema, level: int) -> dict[str, Any]:
        return (
            {}
            if level >= DEEPEST
            else {name: self.example(each, level + 1) for name, each in schema["properties"].items()}
        )

    def _kind(self, schema: Schema) -> str:
        options: Iterable[Schema] = schema.get("anyOf") or (schema,)
        return " or ".join(dict.fromkeys(self._word(each) for each in options))

    def _word(self, schema: Schema) -> str:
        if name := name_of(schema):
            return name
        if "enum" in schema:
            return " or ".join(str(each) for each in schema["enum"])
        if schema.get("type") == "array":
            return f"list of {self._kind(schema.get('items', {}))}"
        return str(schema.get("type", "any value"))


def name_of(schema: Schema) -> str:
    """Return the name that a reference states; empty for any other schema."""
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _without_null(schema: Schema) -> Schema:
    """Return the one schema beside null, where null stands for left out."""
    options = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return options[0] if len(options) == 1 else schema
