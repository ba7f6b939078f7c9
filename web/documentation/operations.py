"""The operations of the HTTP API in words, as the page of the documentation lists them."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from edge.scopes import STATED
from web.documentation.schemas import DescribedField, Schemas, name_of

# Callers of these state no permission: they show the token of an attempt, or the secret of a trigger, or nothing.
OPEN = "open"


class DescribedAnswer(msgspec.Struct, frozen=True):
    """An answer. shape: the name of its schema. example: JSON; empty for a problem, which every operation states."""

    status: str
    phrase: str
    shape: str
    example: str


class Operation(msgspec.Struct, frozen=True):
    """An operation. anchor: its place on the page. body: its fields; bodies: the media types. call: for a shell."""

    anchor: str
    method: str
    path: str
    summary: str
    text: str
    permission: str
    parameters: Sequence[DescribedField]
    headers: Sequence[DescribedField]
    bodies: Sequence[str]
    body: Sequence[DescribedField]
    call: str
    answers: Sequence[DescribedAnswer]

    def matches(self, words: Sequence[str]) -> bool:
        """Return whether every word, in lower case, stands in what the operation is called or takes."""
        named = (*self.parameters, *self.headers, *self.body)
        names = " ".join(each.name for each in named)
        text = f"{self.method} {self.path} {self.summary} {self.text} {self.permission} {names}".lower()
        return all(word in text for word in words)


class OperationGroup(msgspec.Struct, frozen=True):
    """The operations of one noun."""

    name: str
    text: str
    operations: Sequence[Operation]


def groups_of(description: Mapping[str, Any]) -> list[OperationGroup]:
    """Return every operation of a description, by its first tag."""
    schemas = Schemas(description["components"]["schemas"])
    found: dict[str, list[Operation]] = {each["name"]: [] for each in description["tags"]}
    for path, item in description["paths"].items():
        for method, operation in item.items():
            found.setdefault(operation["tags"][0], []).append(_operation(method.upper(), path, operation, schemas))
    texts = {each["name"]: each["description"] for each in description["tags"]}
    return [OperationGroup(name, texts.get(name, ""), operations) for name, operations in found.items() if operations]


def _operation(method: str, path: str, described: Mapping[str, Any], schemas: Schemas) -> Operation:
    parameters: list[DescribedField] = []
    headers: list[DescribedField] = []
    for each in described.get("parameters", ()):
        place = headers if each["in"] == "header" else parameters
        text = each.get("description", "in the path" if each["in"] == "path" else "")
        place.append(schemas.field(each["name"], each["schema"], each.get("required", False), text))
    content = described.get("requestBody", {}).get("content", {})
    shape = content.get("application/json", {}).get("schema", {})
    sent = json.dumps(schemas.example(shape), ensure_ascii=False) if shape else ""
    return Operation(
        anchor=described["operationId"],
        method=method,
        path=path,
        summary=described["summary"],
        text=described.get("description", ""),
        permission=described.get(STATED, OPEN),
        parameters=parameters,
        headers=headers,
        bodies=list(content),
        body=schemas.fields(shape),
        call=_call(method, path, sent),
        answers=[_answer(status, each, schemas) for status, each in described["responses"].items()],
    )


def _answer(status: str, described: Mapping[str, Any], schemas: Schemas) -> DescribedAnswer:
    kinds: Mapping[str, Any] = described.get("content", {})
    content = kinds.get("application/json", {}).get("schema")
    other: Mapping[str, Any] = next((each["schema"] for each in kinds.values()), {})
    phrase = HTTPStatus(int(status)).phrase if status.isdigit() else described.get("description", "")
    if content is None:
        return DescribedAnswer(status, phrase, name_of(other), "")
    written = json.dumps(schemas.example(content), indent=2, ensure_ascii=False)
    return DescribedAnswer(status, phrase, name_of(content), written)


def _call(method: str, path: str, body: str) -> str:
    """Return a call with curl; the names in braces are the caller's."""
    lines = [f"curl -X {method}" if method != "GET" else "curl", '-H "Authorization: Bearer $PROCESSION_API_KEY"']
    if body:
        lines += ['-H "Content-Type: application/json"', f"-d '{body}'"]
    return " \\\n  ".join([*lines, f'"$PROCESSION_URL{path}"'])
