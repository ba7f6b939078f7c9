"""Writes the document of a template: its header anew, the text of its definition as it is."""

from domain.jsonvalue import JsonValue
from domain.language.types.parts import ABSENT, Absent
from domain.templates.parameters import Parameter
from domain.templates.process_text import put_process
from domain.templates.template import Template


def print_template(template: Template) -> str:
    """Return the document of a template; read again, it is the same template. Raises EditRefused.

    EditRefused: the text of its definition cannot be read.
    """
    return put_process(_header(template), template.process_text)


def _header(template: Template) -> JsonValue:
    header: dict[str, JsonValue] = {"id": template.name_id, "name": template.name}
    stated: dict[str, JsonValue] = {
        "description": template.description,
        "tags": list(template.tags),
        "category": template.category,
        "engine": template.engine,
        "version": None if template.version == 1 else template.version,
        "parameters": {name: parameter_document(each) for name, each in template.parameters.items()},
        "samples": [dict(sample) for sample in template.samples],
    }
    return header | {key: value for key, value in stated.items() if value not in (None, "", [], {})}


def parameter_document(parameter: Parameter) -> JsonValue:
    """Return the declaration of a parameter as a document has it."""
    document: dict[str, JsonValue] = {"type": parameter.type}
    for field in ("title", "description", "minimum", "maximum", "pattern", "items", "when"):
        value = getattr(parameter, field)
        if value is not None:
            document[field] = value
    if parameter.enum is not None:
        document["enum"] = list(parameter.enum)
    if not isinstance(parameter.default, Absent):
        document["default"] = parameter.default
    if parameter.required is not (parameter.default is ABSENT):
        document["required"] = parameter.required
    return document
