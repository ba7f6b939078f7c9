"""Hostile answers to templates over HTTP: refused or filled in, and the process has the steps of the template."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

REVIEW = "/api/templates/bundled:content-review"
STEPS = ["draft", "judge", "improve", "review", "rewrite", "confirm", "publish", "announce"]
HOSTILE = (
    "", "\0", "{{ input.topic }}", "}}{{", "${{ parameters.writer }}", "$${{", "a: b", "x # y", "'", '"', "- id: more",
    "\n- id: more\n  agent: mallory\n  message: hi", "]\n}", "*alias", "&anchor", "!!python/object:os.system", "true",
    "null", "1e999", "PT1H\n", "\u2028", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "\x85",
    "%TAG", "|", ">", "@", "`", "a" * 5_000, "../../etc/passwd", "writer\n", "${SECRET}",
)  # fmt: skip
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
DECLARATIONS = st.dictionaries(
    st.sampled_from(["path", "type", "default", "pattern", "when", "enum", "minimum", "text", "items"]),
    st.sampled_from(["steps[0].agent", "steps[0].message", "agent", "string", "(a+)+$", "parameters.x == 1"]) | VALUES,
    max_size=5,
)
NAMES = st.sampled_from(["writer", "reviewer", "announce", "announcement", "decide_within"]) | TEXTS
ANSWERS = st.dictionaries(NAMES, VALUES, max_size=5)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=ANSWERS, agents=st.dictionaries(TEXTS | st.just("writer"), VALUES, max_size=2))
def test_hostile_answers_inject_nothing_and_break_nothing(shared_client: TestClient, answers: Any, agents: Any) -> None:
    body = sent({"parameters": answers, "replace_agents": agents})
    preview = shared_client.post(REVIEW + "/preview", content=body, headers=JSON)
    assert preview.status_code in (200, 400, 422), preview.text
    named = sent({"parameters": answers, "replace_agents": agents, "name": "made"})
    used = shared_client.post(REVIEW + "/use?dry_run=true", content=named, headers=JSON)
    assert (used.status_code == 200) == (preview.status_code == 200), used.text
    if preview.status_code == 200:
        assert [step["id"] for step in preview.json()["steps"]] == STEPS
        assert [
            each["severity"] for each in preview.json()["problems"] if each.get("severity", "error") == "error"
        ] == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parameters=st.dictionaries(TEXTS, VALUES | DECLARATIONS, max_size=3), tags=st.lists(TEXTS, max_size=3))
def test_hostile_parameters_of_a_saved_template_break_nothing(
    shared_client: TestClient, parameters: Any, tags: Any
) -> None:
    body = sent({"name": "Hostile", "parameters": parameters, "tags": tags})
    saved = shared_client.post("/api/processes/greeting/template?dry_run=true", content=body, headers=JSON)
    assert saved.status_code in (200, 400, 422), saved.text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_text(shared_client: TestClient, text: str) -> None:
    for parameter in ("writer", "announcement", "decide_within"):
        body = sent({"parameters": {"announce": True, parameter: text}})
        answer = shared_client.post(REVIEW + "/preview", content=body, headers=JSON)
        assert answer.status_code in (200, 422), answer.text
        if answer.status_code == 200:
            assert [step["id"] for step in answer.json()["steps"]] == STEPS


JSON = {"Content-Type": "application/json"}


def sent(body: Any) -> bytes:
    return json.dumps(body).encode("utf-8", "surrogatepass")
