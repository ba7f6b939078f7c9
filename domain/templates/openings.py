"""Places in a definition that placeholders take: found, checked, and turned into edits of its text."""

from collections.abc import Iterable, Iterator

from domain.jsonvalue import JsonValue
from domain.language.editing.changes import KeyPath
from domain.refusal import Problem
from domain.templates.answers import value_problems
from domain.templates.filling import Fill
from domain.templates.parameters import Parameter
from domain.templates.paths import keys_at, value_at, written_path
from domain.templates.placeholders import ESCAPED, OPENING, Literal, Surroundings, pieces_of
from domain.templates.places import ValuePlace, keys_of, values_of
from domain.templates.substitution import still

MOST_PATHS = 100
_TEMPLATED = (ValuePlace.TEMPLATE, ValuePlace.SOURCE)
_WHOLE = ("steps", "triggers", "outputs", "input", "defaults", "name")


def placeholder(name: str) -> str:
    """Return the placeholder of a parameter."""
    return f"{OPENING} parameters.{name} }}}}"


class Openings:
    """The places of one definition. sample: the value that each parameter has in it."""

    def __init__(self, text: str, document: JsonValue, problems: list[Problem]) -> None:
        self.sample: dict[str, JsonValue] = {}
        self._document = document
        self._problems = problems
        self._values = {each.path: each for each in values_of(text)}
        self._below: dict[KeyPath, set[ValuePlace]] = {}
        for each in self._values.values():
            for prefix in _prefixes(each.path):
                self._below.setdefault(prefix, set()).add(each.place)
        self._fills: dict[KeyPath, Fill] = {}
        self._taken: set[KeyPath] = set()
        for key in keys_of(text):
            if OPENING in str(key.key):
                self.refuse("placeholder_forbidden", f"a key may not hold `{OPENING}`", key.path)

    def refuse(self, code: str, message: str, path: str) -> None:
        """Note a problem."""
        self._problems.append(Problem(code, message, path))

    def places(self, path: JsonValue) -> list[KeyPath]:
        """Return the keys of one path or of a list of them, without those that lead nowhere."""
        written = path if isinstance(path, list) else [path]
        return [keys for each in written if isinstance(each, str) and (keys := keys_at(self._document, each))]

    def open(self, name: str, parameter: Parameter, path: JsonValue, text: JsonValue) -> None:
        """Put the placeholder of a parameter at a path, or in the place of a text there."""
        written = path if isinstance(path, list) else [path]
        for each in written[:MOST_PATHS]:
            keys = keys_at(self._document, each) if isinstance(each, str) else None
            if not keys:
                self.refuse("unknown_path", f"the definition has nothing at {str(each)[:100]!r}", f"parameters.{name}")
            elif keys in self._fills and parameter.type == "secret":
                continue
            elif self._is_free(keys, name):
                if text is None:
                    self._open_whole(keys, name, parameter)
                elif isinstance(text, str) and text:
                    self._open_part(keys, name, parameter, text)
                else:
                    self.refuse("wrong_type", "`text` is a part of the text at the path", f"parameters.{name}")

    def cut(self, keys: KeyPath, spans: Iterable[tuple[int, int, str]]) -> None:
        """Put placeholders in the place of spans of a text; a number is one span."""
        whole = str(value_at(self._document, keys))
        parts: list[str] = []
        at = 0
        for start, end, name in spans:
            parts += [escaped(whole[at:start]), placeholder(name)]
            at = end
        # Not by parts: what stands around a secret may hold it in another spelling.
        self._fill(Fill(keys, "".join([*parts, escaped(whole[at:])])))

    def fills(self) -> list[Fill]:
        """Return the edits: the placeholders, and an escape of each `${{` that is none."""
        fills = dict(self._fills)
        for keys, each in self._values.items():
            if not isinstance(each.value, str) or OPENING not in each.value or each.place is ValuePlace.FORBIDDEN:
                continue
            if not any(prefix in self._fills for prefix in _prefixes(keys)):
                parts = ((OPENING, ESCAPED),) * each.value.count(OPENING)
                fills[keys] = Fill(keys, escaped(each.value), parts)
        return list(fills.values())

    def _is_free(self, keys: KeyPath, name: str) -> bool:
        if keys not in self._taken and not any(prefix in self._fills for prefix in _prefixes(keys)):
            return True
        message = f"another parameter, or a secret, stands at {written_path(keys)} already, or inside it"
        self.refuse("places_overlap", message, f"parameters.{name}")
        return False

    def _fill(self, fill: Fill) -> None:
        self._fills[fill.path] = fill
        self._taken.update(_prefixes(fill.path))

    def _takes(self, keys: KeyPath, name: str, parameter: Parameter, value: JsonValue) -> bool:
        """Return whether a value may become a parameter: of its type, and the same wherever the parameter stands."""
        path = written_path(keys)
        before = len(self._problems)
        if ValuePlace.FORBIDDEN in self._below.get(keys, ()) or (len(keys) == 1 and keys[0] in _WHOLE):
            self.refuse("placeholder_forbidden", "no parameter stands for what makes the steps and triggers", path)
        if value is None:
            self.refuse("wrong_type", "there is no value here to make a parameter of", path)
        elif parameter.type != "secret":
            self._problems += value_problems(parameter, value, path)
        if name in self.sample and self.sample[name] != value:
            self.refuse("values_differ", f"the parameter {name!r} has another value elsewhere", path)
        return len(self._problems) == before

    def _open_whole(self, keys: KeyPath, name: str, parameter: Parameter) -> None:
        value = value_at(self._document, keys)
        at = self._values.get(keys)
        place = at.place if at is not None else self._place_below(keys)
        templated = place in _TEMPLATED and still(value, place) != value
        if templated or (place is ValuePlace.CONDITION and not isinstance(value, bool)):
            message = "this holds an expression, which no parameter stands for; name a part of its text"
            self.refuse("value_is_expression", message, written_path(keys))
        elif self._takes(keys, name, parameter, value):
            self.sample[name] = value
            written = ((value, placeholder(name)),) if isinstance(value, str) and value else ()
            self._fill(Fill(keys, placeholder(name), written))

    def _open_part(self, keys: KeyPath, name: str, parameter: Parameter, text: str) -> None:
        at = self._values.get(keys)
        if at is None or not isinstance(at.value, str) or text not in at.value:
            self.refuse("unknown_text", f"the text at {written_path(keys)} does not hold it", f"parameters.{name}")
            return
        if not self._takes(keys, name, parameter, text):
            return
        parts: list[str] = []
        pieces = pieces_of(
            escaped(at.value), templated=at.place in _TEMPLATED, condition=at.place is ValuePlace.CONDITION
        )
        changes: list[tuple[str, str]] = []
        for piece in pieces.parts:
            written = piece.written
            if isinstance(piece, Literal) and piece.surroundings is Surroundings.TEXT and written == piece.text:
                changes += [(text, placeholder(name))] * written.count(text)
                written = written.replace(text, placeholder(name))
            parts.append(written)
        if not changes:
            self.refuse("value_is_expression", "only an expression holds this text", written_path(keys))
            return
        self.sample[name] = text
        self._fill(Fill(keys, "".join(parts), () if OPENING in at.value else tuple(changes)))

    def _place_below(self, keys: KeyPath) -> ValuePlace:
        """Return how the language reads the texts of a list or an object."""
        return ValuePlace.TEMPLATE if self._below.get(keys, set()) & {*_TEMPLATED} else ValuePlace.TEXT


def _prefixes(keys: KeyPath) -> Iterator[KeyPath]:
    """Return the ways to all that holds a value, and to itself."""
    return (keys[:length] for length in range(1, len(keys) + 1))


def escaped(text: str) -> str:
    """Return a text in which no `${{` is the beginning of a placeholder."""
    return text.replace(OPENING, ESCAPED)
