"""Proposes parameters for what is particular to one organisation: its agents, people, channels, webhooks and zones."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from domain.agents.secret_names import REFERENCE
from domain.identity import AGENT_NAME
from domain.jsonvalue import JsonValue
from domain.language.parsing import parse_definition
from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, plain, text_of
from domain.language.spelling.bodies import all_steps
from domain.templates.paths import written_path
from domain.templates.places import key_path

MOST = 60
_NO_NAME = re.compile(r"[^A-Za-z0-9]+")
_WEBHOOK_ID = "^[A-Za-z_][A-Za-z0-9_-]{0,63}$"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A parameter that the definition suggests. kind: why. paths: every place of its value. declaration: its fields."""

    name: str
    kind: str
    paths: tuple[str, ...]
    declaration: dict[str, JsonValue]

    @property
    def request(self) -> dict[str, JsonValue]:
        """The parameter as `parametrise` takes it."""
        return {"path": list(self.paths), **self.declaration}


def propose(text: str) -> tuple[Proposal, ...]:
    """Return the parameters that a definition suggests, at most 60; none for a text that cannot be read."""
    root = parse_definition(text).root
    if root is None:
        return ()
    places: dict[tuple[str, str], list[str]] = {}
    found: dict[tuple[str, str], tuple[str, dict[str, JsonValue]]] = {}
    for kind, name, node, fields in _particular(root):
        value: JsonValue = plain(node)
        if _holds_expression(value):
            continue
        key = (kind, repr(value))
        places.setdefault(key, []).append(written_path(key_path(node)))
        found.setdefault(key, (name, {**fields, "default": value}))
    taken: dict[str, int] = {}
    proposals = []
    for key, (name, declaration) in list(found.items())[:MOST]:
        title = f"Agent {name}" if key[0] == "agent" else f"{name[:1].upper()}{name[1:150]}"
        proposal = Proposal(
            _free(name, taken), key[0], tuple(dict.fromkeys(places[key])), {"title": title, **declaration}
        )
        proposals.append(proposal)
    return tuple(proposals)


_Particular = tuple[str, str, Node, dict[str, JsonValue]]


def _particular(root: Mapping) -> Iterator[_Particular]:
    """Return the kind, the name, the node and the declaration of each particular value of a canonical tree."""
    defaults = root.entries.get("defaults")
    if isinstance(defaults, Mapping):
        yield from _agents(defaults)
    for step in all_steps(root):
        id = text_of(step.entries.get("id")) or "step"
        yield from _agents(step)
        if (people := step.entries.get("approvers")) is not None:
            yield "approvers", f"approvers of {id}", people, {"type": "array", "items": "string", "minimum": 1}
        if (process := step.entries.get("process")) is not None:
            yield "process", text_of(process) or id, process, {"type": "process"}
        for part in (step, step.entries.get("compensation")):
            if isinstance(part, Mapping):
                yield from _delivery(part, id)
    for trigger in _parts(root.entries.get("triggers")):
        if text_of(trigger.entries.get("type")) == "webhook":
            node = trigger.entries.get("id")
            if node is not None:
                yield "webhook", f"webhook {text_of(node)}", node, {"type": "string", "pattern": _WEBHOOK_ID}
        secret = trigger.entries.get("secret")
        if secret is not None and (name := REFERENCE.fullmatch(text_of(secret) or "")):
            yield "secret", name[1].lower(), secret, {"type": "secret"}
    for part in (*_parts(root.entries.get("triggers")), root.entries.get("costs")):
        zone = part.entries.get("timezone") if isinstance(part, Mapping) else None
        if zone is not None:
            yield "timezone", "timezone", zone, {"type": "timezone"}


def _agents(part: Mapping) -> Iterator[_Particular]:
    roles = part.entries.get("roles")
    undo = part.entries.get("compensation")
    nodes: list[Node | None] = [part.entries.get("agent")]
    if isinstance(undo, Mapping):
        nodes.append(undo.entries.get("agent"))
    if isinstance(roles, Mapping):
        nodes.append(roles.entries.get("executor"))
        for role in ("monitors", "informed"):
            listed = roles.entries.get(role)
            nodes += listed.items if isinstance(listed, Sequence) else [listed]
    for node in nodes:
        name = text_of(node)
        if node is not None and name is not None and AGENT_NAME.fullmatch(name):
            yield "agent", name, node, {"type": "agent"}


def _delivery(part: Mapping, id: str) -> Iterator[_Particular]:
    channels = part.entries.get("channel")
    for node in channels.items if isinstance(channels, Sequence) else [channels]:
        if isinstance(node, Scalar):
            yield "channel", f"channel of {id}", node, {"type": "enum", "enum": ["webhook", "slack", "email"]}
    if (recipients := part.entries.get("recipients")) is not None:
        yield "recipients", f"recipients of {id}", recipients, {"type": "array", "items": "string"}


def _parts(node: Node | None) -> list[Mapping]:
    return [item for item in node.items if isinstance(item, Mapping)] if isinstance(node, Sequence) else []


def _holds_expression(value: JsonValue) -> bool:
    if isinstance(value, list):
        return any(map(_holds_expression, value))
    return not isinstance(value, str) or "{{" in value


def _free(text: str, taken: dict[str, int]) -> str:
    name = _NO_NAME.sub("_", text).strip("_").lower()[:50] or "value"
    name = f"n_{name}" if name[0].isdigit() else name
    taken[name] = number = taken.get(name, 0) + 1
    return name if number == 1 else f"{name}__{number}"
