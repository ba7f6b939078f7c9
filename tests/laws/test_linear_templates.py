"""Templates are read, filled, made and merged in time in proportion to their length."""

import json
from collections.abc import Callable, Iterator

import pytest

from domain.jsonvalue import JsonValue
from domain.templates.answers import check_answers
from domain.templates.merge import merge
from domain.templates.parametrising import parametrise
from domain.templates.proposals import propose
from domain.templates.reading import read_template
from domain.templates.secret_patterns import secrets_in_text
from domain.templates.secrets import find_secrets
from domain.templates.substitution import render
from tests.laws.growing import Growing

HEAD = "template: {id: a, parameters: {x: {type: string, default: hi}}}\nprocess:\n  name: a\n  steps:\n"
# In pieces, so that nothing here is taken for a secret itself.
SECRET = "gh" + "p_" + "a1" * 18
SECRET_TEXTS: dict[str, Callable[[int], str]] = {
    "beginnings of tokens": lambda n: "eyJ" * n,
    "parts of tokens": lambda n: "eyJaaaaaaaaaaa." * n,
    "private keys": lambda n: ("-----BEGIN " + "PRIVATE KEY-----\n") * n,
    "capitals": lambda n: "-----BEGIN " + "A " * n,
    "addresses": lambda n: "a://" * n,
    "names in addresses": lambda n: "a://b:" * n,
    "assignments": lambda n: "password=" * n,
    "bearers": lambda n: "bearer " * n,
    "schemes": lambda n: "basic " + "a" * n,
    "tokens": lambda n: f"{SECRET} " * n,
    "one word": lambda n: "a1" * n,
    "tildes": lambda n: "aB18Q~" * n,
}
DOCUMENTS: dict[str, Callable[[int], str]] = {
    "placeholders": lambda n: HEAD + f"    - {{id: a, agent: w, message: '{'${{ parameters.x }}' * n}'}}\n",
    "open placeholders": lambda n: HEAD + f"    - {{id: a, agent: w, message: '{'${{' * n}'}}\n",
    "escaped ones": lambda n: HEAD + f"    - {{id: a, agent: w, message: '{'$${{' * n}'}}\n",
    "dollars": lambda n: HEAD + f"    - {{id: a, agent: w, message: '{'$' * n}${{{{ parameters.x }}}}'}}\n",
    "blanks": lambda n: HEAD + f"    - {{id: a, agent: w, message: '${{{{{' ' * n}parameters.x'}}\n",
    "quotes": lambda n: (
        HEAD + f'    - {{id: a, agent: w, message: "{{{{ {chr(39) * n} }}}} ${{{{ parameters.x }}}}"}}\n'
    ),
    "parameters": lambda n: (
        "template:\n  id: a\n  parameters:\n"
        + "".join(f"    p{i}: {{type: string, when: parameters.p{i - 1} == 'x'}}\n" for i in range(n))
        + "process: {name: a}\n"
    ),
    "keys": lambda n: "template: {id: a}\nprocess:\n" + "".join(f"  k${{{{{i}: 1\n" for i in range(n)),
}


def _steps(n: int, message: str) -> str:
    steps = "".join(f"  - {{id: s{i}, agent: w{i % 7}, message: {json.dumps(message)}}}\n" for i in range(n))
    return f"name: a\nsteps:\n{steps}"


def _filled(source: str) -> None:
    read = read_template(source).template
    if read is not None:
        render(read, check_answers(read.parameters, {"x": "{{ a }}\n: '"}).values)


def _made(source: str) -> None:
    requests = {each.name: each.request for each in propose(source)}
    parametrise(source, requests)


def _secrets(n: int) -> JsonValue:
    return {f"password{i}": {"token": SECRET, "list": ["a" * 20]} for i in range(n)}


def _versions(n: int) -> tuple[str, str, str]:
    return _steps(n, "one"), _steps(n, "two"), _steps(n, "one").replace("w1", "v1")


def cases() -> Iterator[Growing]:
    """Yield every function with every input of its kind."""
    for name, text in SECRET_TEXTS.items():
        yield Growing(f"secrets: {name}", lambda given: list(secrets_in_text(given)), text, 4_000)
    for name, text in DOCUMENTS.items():
        yield Growing(f"template: {name}", _filled, text, 500)
    yield Growing("secrets of a document", find_secrets, _secrets, 500)
    yield Growing("parametrised steps", _made, lambda n: _steps(n, "Do it."), 60)
    yield Growing("parametrised secrets", _made, lambda n: _steps(n, SECRET), 60)
    yield Growing("escapes", _made, lambda n: _steps(n, "${{ input.a }}"), 60)
    yield Growing("merged steps", lambda texts: merge(*texts), _versions, 40)


ALL = list(cases())


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_four_times_as_much_takes_no_more_than_nine_times_as_long(case: Growing) -> None:
    case.require_linear()
