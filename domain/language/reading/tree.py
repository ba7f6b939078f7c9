"""From text to a tree with positions, every limit enforced while reading."""

from typing import Any

import yaml

from domain.language.reading.nodes import Location, Mapping, Node, Scalar, Sequence
from domain.language.reading.problems import Problems
from domain.language.reading.scalars import MERGE_KEY, OutOfRange, resolve
from domain.language.reading.source import UnreadableSource, as_yaml
from domain.language.reading.syntax import explain_syntax
from domain.refusal import Problem

MAX_DEPTH = 50
MAX_NODES = 50_000
MAX_UNFOLDED = 2 << 20  # characters of the texts that anchors repeat

# libyaml where PyYAML was built with it; the pure Python parser gives the same events, slower.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_tree(text: str, problems: Problems) -> Node | None:
    """Return the one document in `text`; None when the text is empty.

    Duplicate keys, keys that are not text, tags and numbers out of range are noted in `problems` and reading goes on.
    Raises Unreadable where it cannot: syntax, depth, number of nodes, anchors that contain themselves.
    """
    builder = _Builder(problems)
    try:
        for event in yaml.parse(as_yaml(text), Loader=LOADER):
            if not builder.take(event):
                break
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text) from None
    except yaml.YAMLError as error:
        raise UnreadableSource(Problem("yaml_syntax", f"not YAML: {error}"[:300])) from None
    return builder.root


class _Open:
    """A list or object being read; `key` is the key whose value comes next, and `skipped` drops that value."""

    __slots__ = ("key", "node", "skipped")

    def __init__(self, node: Sequence | Mapping) -> None:
        self.node = node
        self.key: str | None = None
        self.skipped = False


class _Builder:
    """Builds the tree from YAML events, on a stack of its own instead of Python's."""

    def __init__(self, problems: Problems) -> None:
        self.root: Node | None = None
        self._problems = problems
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._nodes = 0
        self._unfolded = 0
        self._documents = 0

    def take(self, event: Any) -> bool:
        """Process one event; returns False when reading is complete."""
        match event:
            case yaml.ScalarEvent():
                self._place(self._scalar(event), event)
            case yaml.SequenceStartEvent():
                self._begin(Sequence(*self._position(event)), event)
            case yaml.MappingStartEvent():
                self._begin(Mapping(*self._position(event)), event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._open.pop()
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    at = Location(*_line_and_column(event), None, None)
                    self._problems.add("many_documents", "a definition is one document; this is a second one", at)
                    return False
        return True

    def _position(self, event: Any) -> tuple[int, int, Sequence | Mapping | None, str | int | None]:
        """Return line, column, parent and key of the node that the event begins."""
        self._count(1, event)
        if not self._open:
            return *_line_and_column(event), None, None
        top = self._open[-1]
        key = len(top.node.items) if isinstance(top.node, Sequence) else top.key
        return *_line_and_column(event), top.node, key

    def _scalar(self, event: Any) -> Scalar:
        node = Scalar(*self._position(event), value=event.value, text=event.value)
        if "\0" in event.value:
            self._problems.add("nul_character", "text may not hold the character NUL", node)
        if event.implicit[0] and not event.style:
            try:
                node.value = resolve(event.value)
            except OutOfRange as error:
                self._problems.add("number_out_of_range", f"{event.value[:40]}: {error}", node)
        return node

    def _begin(self, node: Sequence | Mapping, event: Any) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _unreadable("too_deep", f"nested deeper than {MAX_DEPTH} levels", event)
        self._place(node, event)
        self._open.append(_Open(node))

    def _alias(self, event: Any) -> None:
        _, _, parent, key = self._position(event)
        original = self._anchors.get(event.anchor)
        if original is None:
            raise _unreadable("unknown_anchor", f"there is no anchor `&{event.anchor[:60]}` before this", event)
        if any(opened.node is original for opened in self._open):
            raise _unreadable("recursive_anchor", f"the anchor `&{event.anchor[:60]}` contains itself", event)
        self._place(self._copy(original, parent, key, len(self._open), event), event)

    def _copy(self, node: Node, parent: Any, key: str | int | None, depth: int, event: Any) -> Node:
        """Return a copy of the node for another position in the tree; it keeps its line and column."""
        self._count(1, event)
        if isinstance(node, Scalar):
            self._unfold(node.text, event)
            return Scalar(node.line, node.column, parent, key, node.value, node.text)
        if depth >= MAX_DEPTH:
            raise _unreadable("too_deep", f"nested deeper than {MAX_DEPTH} levels once anchors are unfolded", event)
        if isinstance(node, Sequence):
            items = Sequence(node.line, node.column, parent, key)
            items.items = [self._copy(item, items, at, depth + 1, event) for at, item in enumerate(node.items)]
            return items
        fields = Mapping(node.line, node.column, parent, key, keys=dict(node.keys))
        for name in node.keys:
            self._unfold(name, event)
        fields.entries = {name: self._copy(item, fields, name, depth + 1, event) for name, item in node.entries.items()}
        return fields

    def _place(self, node: Node, event: Any) -> None:
        anchor = event.anchor if not isinstance(event, yaml.AliasEvent) else None
        if anchor is not None:
            self._anchors[anchor] = node
        if not isinstance(event, yaml.AliasEvent) and event.tag is not None:
            hint = "leave it out; a text that begins with ! stands in quotes, and a condition says not"
            self._problems.add("tag", f"tags such as `{event.tag[:60]}` are not read", node, hint=hint)
        if not self._open:
            self.root = node
            return
        top = self._open[-1]
        if isinstance(top.node, Sequence):
            top.node.items.append(node)
        elif top.key is None and not top.skipped:
            self._key(top, top.node, node, plain=getattr(event, "style", None) in (None, ""))
        else:
            if not top.skipped and top.key is not None:
                top.node.entries[top.key] = node
            top.key, top.skipped = None, False

    def _key(self, top: _Open, mapping: Mapping, node: Node, *, plain: bool) -> None:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            # `message: {{ x }}` is an object in the place of a key.
            hole = isinstance(node, Mapping)
            hint = 'a text that begins with {{ stands in quotes: "{{ … }}"' if hole else "put the key in quotes"
            self._problems.add("key_not_text", "keys are text", node, hint=hint)
            top.skipped = True
        elif node.value == MERGE_KEY and plain:
            message = "`<<` merges nothing here: YAML's merge keys are not read"
            node.parent, node.key = mapping, node.value
            hint = "write the fields out, or put the key in quotes if `<<` is its name"
            self._problems.add("merge_key", message, node, hint=hint)
            top.skipped = True
        elif node.value in mapping.entries:
            first = mapping.keys[node.value]
            message = f"the key `{node.value[:60]}` stands here a second time; the first is on line {first.line}"
            node.parent, node.key = mapping, node.value
            self._problems.add("duplicate_key", message, node)
            top.skipped = True
        else:
            top.key = node.value
            mapping.keys[node.value] = Location(node.line, node.column, mapping, node.value)

    def _unfold(self, text: str, event: Any) -> None:
        self._unfolded += len(text)
        if self._unfolded > MAX_UNFOLDED:
            raise _unreadable("too_large", f"anchors repeat more than {MAX_UNFOLDED} characters", event)

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise _unreadable("too_many_nodes", f"more than {MAX_NODES} values, anchors unfolded", event)


def _unreadable(code: str, message: str, event: Any) -> UnreadableSource:
    line, column = _line_and_column(event)
    return UnreadableSource(Problem(code, message, line=line, column=column))


def _line_and_column(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _syntax(error: yaml.MarkedYAMLError, text: str) -> UnreadableSource:
    mark = error.problem_mark or error.context_mark
    if mark is not None and "maximum nesting" in (error.problem or ""):  # libyaml has a limit of its own
        message = f"nested deeper than {MAX_DEPTH} levels"
        return UnreadableSource(Problem("too_deep", message, line=mark.line + 1, column=1))
    return UnreadableSource(explain_syntax(error, text))
