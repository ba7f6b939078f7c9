"""Pages of processes: the list, one, its versions, the form that starts it, the archive."""

import re
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import GREETING, Installation

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}\u202e\"'"
TYPED = """
name: typed
description: "<script>alert(1)</script>"
input:
  text: {type: string, required: true, description: "What <b>it</b> says"}
  size: {type: integer, default: 3}
  ratio: {type: number}
  sure: {type: boolean}
  speed: {enum: [slow, fast, 3], default: slow}
  tags: {type: array, default: [a]}
  anything: {}
triggers:
  - {type: webhook, id: typed-hook, secret: "${ORDERS_SECRET}"}
  - {type: webhook, id: open-hook}
  - {type: schedule, id: nightly, cron: "0 3 * * *", input: {text: nightly}}
steps:
  - {id: write, name: Write, agent: writer, message: "{{ input.text }}"}
"""
CALLING = """
name: calling
steps:
  - {id: call, type: sub_process, process: greeting, input_mapping: {name: Ann}}
"""


@pytest.fixture
def published(installation: Installation, client: TestClient) -> None:
    for source in (GREETING, CALLING, TYPED):
        installation.publish(client, source, writer={"script": "echo"})
    installation.project()


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def typed(client: TestClient, **fields: str) -> dict[str, str]:
    """The form of `typed` as a browser sends it: every control, changed by `fields`."""
    page = client.get("/processes/typed/start").text
    shown = {"input.text": "hello", "input.size": "3", "input.ratio": "", "input.sure": "", "input.speed": '"slow"'}
    shown |= {"input.tags": '["a"]', "input.anything": "", "token": token_of(page)}
    return shown | {f"input.{name}": text for name, text in fields.items()}


def test_an_empty_installation_says_what_would_be_there(client: TestClient) -> None:
    assert "No process yet" in client.get("/processes").text
    assert "No process matches" in client.get("/processes?status=archived").text
    assert client.get("/processes/nothing").status_code == 404


def test_a_text_of_others_takes_the_name_of_the_field_beside_it(client: TestClient, installation: Installation) -> None:
    text = '# kept\nname: "{{name}}"\nsteps: [{id: a, type: timer, duration: 1h}]\n'

    def send(act: str, name: str, source: str = text) -> Any:
        return client.post("/processes/new", data={"act": act, "name": name, "source": source}, follow_redirects=False)

    bare = send("save", "")
    assert (bare.status_code, "the field Name" in bare.text) == (422, True)
    other = send("save", "intake", text.replace('"{{name}}"', "mine"))
    assert (other.status_code, "a name of its own" in other.text, 'value="intake"' in other.text) == (422, True, True)
    assert "not well formed" in send("check", HOSTILE).text
    assert 'name: "intake"' in unescape(send("check", "intake").text)
    assert send("save", " intake ").status_code == 303
    installation.project()
    assert client.get("/api/processes/intake").json()["yaml"] == text.replace("{{name}}", "intake")


@pytest.mark.usefixtures("published")
def test_the_pages_of_a_process_are_tabs_of_each_other(client: TestClient) -> None:
    tabs = ["", "/definition", "/roles", "/triggers", "/costs", "/analytics", "/versions"]
    for at in tabs:
        page = client.get(f"/processes/typed{at}").text
        bar = re.search('<nav class="tabs" aria-label="typed">(.*?)</nav>', page)
        assert bar is not None, at
        assert re.findall('href="/processes/typed([^"]*)"', bar[1]) == tabs
        assert re.findall('href="/processes/typed([^"]*)" aria-current="page"', bar[1]) == [at]
    text = client.get("/processes/typed/definition").text
    assert "What &lt;b&gt;it&lt;/b&gt; says" in text
    assert "Diagram of typed version 1" in text
    triggers = client.get("/processes/typed/triggers").text
    assert "/api/triggers/webhook/typed-hook" in triggers
    assert "0 3" in client.get("/processes/typed/definition").text
    assert "Called" in client.get("/processes/greeting/triggers").text
    for at in ("/versions/1", "/versions/compare"):
        assert '<nav class="tabs" aria-label="typed">' in client.get(f"/processes/typed{at}").text


@pytest.mark.usefixtures("published")
def test_the_list_shows_each_process_with_its_last_run(installation: Installation, client: TestClient) -> None:
    id = client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}}).json()["execution_id"]
    installation.project()
    page = client.get("/processes").text
    for words in ('href="/processes/greeting"', "Greets.", "Published", f'href="/executions/{id}"', "process=greeting"):
        assert words in page
    assert page.index("/processes/calling") < page.index("/processes/greeting") < page.index("/processes/typed")
    assert "/processes/calling" not in client.get("/processes?name=greeting").text
    first = client.get("/processes?limit=1").text
    following = re.search(r'href="(/processes\?[^"]*cursor=[^"]+)"', first)
    assert following is not None
    assert "/processes/greeting" in client.get(unescape(following[1])).text


@pytest.mark.usefixtures("published")
def test_a_process_shows_how_it_starts_and_who_calls_it(client: TestClient) -> None:
    page = client.get("/processes/greeting").text
    assert 'Called</b> by <a href="/processes/calling">' in page
    assert page.count('class="nd ') == 2
    of_typed = client.get("/processes/typed").text
    assert "POST http://testserver/api/triggers/webhook/typed-hook" in of_typed
    assert "${ORDERS_SECRET}" in of_typed
    assert "<script>alert" not in of_typed


@pytest.mark.usefixtures("published")
def test_two_versions_differ_in_text_and_steps(installation: Installation, client: TestClient) -> None:
    second = GREETING.replace("Hello", "Good day").replace(
        "outputs:", "  - {id: send, agent: writer, message: send, depends_on: check}\noutputs:"
    )
    second_draft = client.put("/api/processes/greeting", content=second, headers={"Content-Type": "application/yaml"})
    assert second_draft.status_code == 200
    installation.project()
    assert "There is a draft" in client.get("/processes/greeting").text
    compared = client.get("/processes/greeting/versions/compare?from=1&to=draft").text
    assert "1 steps are new, 1 changed, 0 are gone" in compared
    assert client.post("/api/processes/greeting/publish").status_code == 200
    installation.project()
    for address in ("compare?from=1&to=2", "compare"):
        compared = client.get(f"/processes/greeting/versions/{address}").text
        assert re.search(r"<del>- .*Hello", compared)
        assert re.search(r"<ins>\+ .*Good day", compared)
        assert "only here" in compared
    assert "The texts are equal" in client.get("/processes/greeting/versions/compare?from=2&to=2").text
    assert "Good day" not in client.get("/processes/greeting/versions/1").text
    listed = client.get("/processes/greeting/versions").text
    assert listed.index("Version 2") < listed.index("Version 1")
    for wrong in ("compare?from=9&to=1", "compare?from=draft&to=1", "compare?from=x&to=1", "9", "x"):
        assert client.get(f"/processes/greeting/versions/{wrong}").status_code == 404


@pytest.mark.usefixtures("published")
def test_the_form_has_the_declared_input_with_its_defaults(client: TestClient) -> None:
    page = unescape(client.get("/processes/typed/start").text)
    assert "What <b>it</b> says" in page
    assert "What <b>it</b> says" not in client.get("/processes/typed/start").text
    assert 'name="input.size" value="3"' in page
    assert '<option value=""slow"" selected>slow</option>' in page
    assert '["a"]' in page
    assert "this process takes any input" in client.get("/processes/calling/start").text


@pytest.mark.usefixtures("published")
def test_a_form_starts_what_was_typed_and_once(installation: Installation, client: TestClient) -> None:
    form = typed(client, text=f"two\r\nlines {HOSTILE}", sure="true", ratio="0.5", speed="3", anything="plain words")
    first = client.post("/processes/typed/start", data=form)
    assert first.status_code == 303, first.text
    again = client.post("/processes/typed/start", data=form)
    assert again.headers["location"] == first.headers["location"]
    other = client.post("/processes/typed/start", data=form | {"input.size": "4"})
    assert other.headers["location"] != first.headers["location"]
    installation.project()
    assert "The execution has begun." in client.get(first.headers["location"]).text
    id = first.headers["location"].split("?")[0].rpartition("/")[2]
    assert client.get(f"/api/executions/{id}").json()["input"] == {
        "text": f"two\nlines {HOSTILE}",
        "size": 3,
        "ratio": 0.5,
        "sure": True,
        "speed": 3,
        "tags": ["a"],
        "anything": "plain words",
    }


@pytest.mark.usefixtures("published")
def test_every_problem_stands_at_its_field_and_nothing_typed_is_lost(client: TestClient) -> None:
    form = typed(client, text="", size="many", ratio="1.5.2", tags="[1,", anything=HOSTILE)
    answer = client.post("/processes/typed/start", data=form)
    assert answer.status_code == 422
    assert "4 problems" in answer.text
    assert answer.text.count('aria-invalid="true"') == 4
    page = unescape(answer.text)
    for words in ('value="many"', 'value="1.5.2"', "[1,", HOSTILE, "is required", "is an integer, not a string"):
        assert words in page
    assert "<img src=x" not in answer.text
    assert token_of(answer.text) == form["token"]
    mended = form | {"input.text": "hello", "input.size": "5", "input.ratio": "", "input.tags": "[]"}
    assert client.post("/processes/typed/start", data=mended).status_code == 303


@pytest.mark.usefixtures("published")
def test_a_form_without_its_token_or_with_another_kind_of_body_starts_nothing(client: TestClient) -> None:
    form = typed(client)
    assert client.post("/processes/typed/start", data=form | {"token": "x"}).status_code == 422
    assert client.post("/processes/typed/start", json=form).status_code == 415
    assert client.post("/processes/nothing/start", data=form).status_code == 404
    assert client.get("/api/executions").json()["items"] == []


@pytest.mark.usefixtures("published")
def test_archiving_shows_its_consequences_and_can_be_taken_back(installation: Installation, client: TestClient) -> None:
    client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}})
    installation.project()
    page = client.get("/processes/greeting/archive").text
    for words in ("1 running", "0 queued", "1 step calls", 'href="/processes/calling"', "0 webhook addresses"):
        assert words in page
    of_typed = client.get("/processes/typed/archive").text
    assert "2 webhook addresses refuse" in of_typed
    assert "1 schedule" in of_typed
    assert client.post("/processes/greeting/archive", data={"reason": "old"}).status_code == 422
    stale = client.post("/processes/greeting/archive", data={"reason": "old", "revision": "1"})
    assert stale.status_code == 412
    assert 'href="/processes/greeting"' in stale.text
    archived = client.post("/processes/greeting/archive", data={"reason": "old", "revision": "2"})
    assert archived.status_code == 303
    installation.project()
    shown = client.get(archived.headers["location"]).text
    assert "The process is in the archive." in shown
    assert 'href="/processes/greeting/start"' not in shown
    assert client.get("/processes/greeting/start").status_code == 409
    assert "calling" not in client.get("/processes?status=archived").text
    restored = client.post("/processes/greeting/restore", data={"reason": "needed"})
    assert restored.status_code == 303
    installation.project()
    assert "The process is in use again." in client.get(restored.headers["location"]).text
    assert client.get("/processes/greeting/start").status_code == 200


@pytest.mark.usefixtures("published")
def test_a_process_is_paused_with_a_reason_and_resumed(installation: Installation, client: TestClient) -> None:
    assert client.post("/processes/greeting/pause", data={"mode": "refuse"}).status_code == 422
    assert client.post("/processes/greeting/pause", data={"mode": "stop", "reason": "x"}).status_code == 422
    paused = client.post("/processes/greeting/pause", data={"mode": "refuse", "reason": "the <b>desk</b> is shut"})
    installation.project()
    page = client.get(paused.headers["location"]).text
    for words in (
        "The process is paused.",
        "the &lt;b&gt;desk&lt;/b&gt; is shut",
        "A start is refused.",
        "Resume greeting",
    ):
        assert words in page
    assert client.get("/processes/greeting/start").status_code == 409
    assert "paused" in client.get("/processes").text
    client.post("/processes/greeting/resume", data={"reason": "open again"})
    client.post("/processes/greeting/pause", data={"mode": "queue", "reason": "slow"})
    installation.project()
    assert "A start waits, in order." in client.get("/processes/greeting").text
    assert client.get("/processes/greeting/start").status_code == 200


def test_a_draft_is_shown_and_starts_nothing(installation: Installation, client: TestClient) -> None:
    client.post("/api/processes", content="name: half\nsteps: 3", headers={"Content-Type": "application/yaml"})
    installation.project()
    page = client.get("/processes/half").text
    for words in ("Draft", "with errors", "No diagram", "Nothing published yet"):
        assert words in page
    assert client.get("/processes/half/start").status_code == 409
    assert client.get("/processes/half/archive").status_code == 200
    assert client.get("/processes/half/versions/compare").status_code == 404


@pytest.mark.usefixtures("published")
def test_what_a_key_does_not_permit_is_not_shown(installation: Installation, client: TestClient) -> None:
    root = client.post("/api/keys", json={"name": "root", "scopes": ["admin"]}).json()["key"]
    viewer = client.post(
        "/api/keys",
        json={"name": "vera", "scopes": ["viewer"], "processes": ["call*"]},
        headers={"Authorization": f"Bearer {root}"},
    ).json()["key"]
    shown: Any = {"Authorization": f"Bearer {viewer}"}
    installation.until(lambda: client.get("/processes").status_code != 200)
    page = client.get("/processes", headers=shown).text
    assert "/processes/calling" in page
    assert "/processes/greeting" not in page
    assert client.get("/processes/greeting", headers=shown).status_code == 404
    one = client.get("/processes/calling", headers=shown).text
    assert "/start" not in one
    assert "/archive" not in one
    for path in ("start", "archive"):
        assert client.get(f"/processes/calling/{path}", headers=shown).status_code == 403
        assert client.post(f"/processes/calling/{path}", headers=shown, data={"reason": "x"}).status_code == 403
    for path in ("restore", "pause", "resume"):
        assert client.post(f"/processes/calling/{path}", headers=shown, data={"reason": "x"}).status_code == 403
