"""Templates over HTTP: the library, one, previews and drafts made from them, what came from them, sharing."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import GREETING, Installation, Making, Shown

REVIEW = "/api/templates/bundled:content-review"
USED = {"name": "news", "parameters": {"writer": "clerk"}}
OTHER = GREETING.replace("name: greeting", "name: claims-intake")


@pytest.fixture
def projected(installation: Installation, client: TestClient) -> TestClient:
    installation.project()
    return client


def save(client: TestClient, process: str, headers: Shown | None = None, **body: Any) -> str:
    answer = client.post(f"/api/processes/{process}/template", json={"name": process, **body}, headers=headers or {})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["template_id"])


def listed(client: TestClient, query: str = "", headers: Shown | None = None) -> list[str]:
    answer = client.get(f"/api/templates?limit=200&{query}", headers=headers or {})
    assert answer.status_code == 200, answer.text
    return [each["template_id"] for each in answer.json()["items"] if each["source"] == "org"]


def test_a_bundled_template_is_listed_with_what_it_needs(projected: TestClient) -> None:
    page = projected.get("/api/templates?q=REVIEW+text&source=bundled").json()
    (item,) = [each for each in page["items"] if each["template_id"] == "bundled:content-review"]
    assert (item["version"], item["source"], item["author"], item["status"], item["uses"]) == (
        1,
        "bundled",
        None,
        "ok",
        0,
    )
    assert {"writer", "reviewer"} < set(item["needs"]["agents"]) == set(item["missing"]["agents"])
    assert {"value": "bundled", "count": len(page["items"])} in page["facets"]["sources"]
    assert projected.get("/api/templates?q=nothing-of-the-kind").json()["items"] == []


def test_one_template_shows_its_parameters_and_the_definition_of_its_sample(projected: TestClient) -> None:
    found = projected.get(REVIEW).json()
    assert found["parameters"]["writer"]["type"] == "agent"
    assert [step["id"] for step in found["definition"]["steps"]][:3] == ["draft", "judge", "improve"]
    assert [each["version"] for each in found["versions"]] == [1]
    assert projected.get(REVIEW + "?version=7").status_code == 404
    assert projected.get("/api/templates/org:nothing").status_code == 404
    assert projected.get("/api/templates/neither").status_code == 404


def test_a_preview_records_nothing(projected: TestClient, installation: Installation) -> None:
    before = installation.events()
    found = projected.post(REVIEW + "/preview", json={"parameters": {"writer": "clerk"}, "name": "news"})
    assert found.status_code == 200, found.text
    preview = found.json()
    assert preview["name"] == "news"
    assert preview["parameters"]["reviewer"] == "reviewer"
    assert [step["agent"] for step in preview["steps"]][:4] == ["clerk", "reviewer", "clerk", None]
    assert preview["estimated_cost"] is None
    assert {problem["code"] for problem in preview["problems"]} == {"unknown_agent", "channel_not_configured"}
    assert "# Only a weak draft is improved" in preview["yaml"]
    assert installation.events() == before


def test_every_bundled_template_is_previewed_with_its_sample(projected: TestClient) -> None:
    schedules = 0
    for item in projected.get("/api/templates?source=bundled&limit=200").json()["items"]:
        found = projected.get(f"/api/templates/{item['template_id']}").json()
        answers = {"parameters": found["samples"][0]}
        preview = projected.post(f"/api/templates/{item['template_id']}/preview", json=answers).json()
        steps = [step["id"] for step in found["definition"]["steps"]]
        assert [step["id"] for step in preview["steps"]] == steps == [roles["step"] for roles in preview["roles"]]
        for schedule in preview["schedules"]:
            schedules += 1
            assert (schedule["trigger_id"] != "", schedule["words"] != "", len(schedule["next"])) == (True, True, 5)
    assert schedules >= 3


def test_bad_answers_are_refused_with_all_problems(projected: TestClient, problem_codes: Any) -> None:
    bad = {"parameters": {"writer": 7, "nobody": 1}, "name": "news"}
    for path in ("/preview", "/use"):
        answer = projected.post(REVIEW + path, json=bad)
        assert answer.status_code == 422, answer.text
        assert len(problem_codes(answer)) >= 3


def test_a_template_makes_a_draft_that_keeps_its_lineage(projected: TestClient, installation: Installation) -> None:
    made = projected.post(REVIEW + "/use", json=USED, headers={"Idempotency-Key": "once"})
    again = projected.post(REVIEW + "/use", json=USED, headers={"Idempotency-Key": "once"})
    assert (made.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (201, 201, "true")
    assert made.json()["process_id"] == again.json()["process_id"]
    assert (made.json()["template_id"], made.json()["template_version"]) == ("bundled:content-review", 1)
    assert {problem["code"] for problem in made.json()["problems"]} == {"unknown_agent", "channel_not_configured"}
    installation.project()
    process = projected.get("/api/processes/news").json()
    assert (process["status"], process["version"], process["name"]) == ("draft", None, "news")
    (use,) = projected.get(REVIEW + "/uses").json()["items"]
    assert (use["process"], use["template_version"], use["versions"], use["running"]) == ("news", 1, 0, 0)
    assert projected.get(REVIEW).json()["uses"] == 1


def test_what_is_published_and_runs_is_counted(projected: TestClient, installation: Installation) -> None:
    for agent in ("clerk", "reviewer", "publisher"):
        assert projected.put(f"/api/agents/{agent}", json={"kind": "scripted", "script": "echo"}).status_code == 200
    assert projected.post(REVIEW + "/use", json=USED).status_code == 201
    assert projected.post("/api/processes/news/publish").status_code == 200
    started = projected.post("/api/processes/news/executions", json={"input": {"topic": "Spring"}})
    assert started.status_code == 202, started.text
    installation.project()
    (use,) = projected.get(REVIEW + "/uses?version=1").json()["items"]
    assert (use["versions"], use["running"], use["status"]) == (1, 1, "published")
    assert projected.get(REVIEW + "/uses?version=2").json()["items"] == []


def test_a_name_in_use_is_refused_with_a_free_one(projected: TestClient) -> None:
    assert projected.post(REVIEW + "/use", json=USED).status_code == 201
    answer = projected.post(REVIEW + "/use", json=USED)
    assert (answer.status_code, answer.json()["code"], answer.json()["suggestion"]) == (
        409,
        "process_name_taken",
        "news-2",
    )
    assert projected.post(REVIEW + "/use", json={**USED, "name": "news-2"}).status_code == 201


def test_agents_are_replaced(projected: TestClient) -> None:
    body = {"name": "news", "replace_agents": {"writer": "clerk", "reviewer": "chief"}}
    assert projected.post(REVIEW + "/use", json=body).status_code == 201
    wrong = projected.post(REVIEW + "/use", json={"name": "other", "replace_agents": {"nobody": "x", "writer": "A B"}})
    assert (wrong.status_code, len(wrong.json()["problems"])) == (422, 2)
    draft = projected.post(REVIEW + "/preview", json=body).json()
    assert [step["agent"] for step in draft["steps"]][:4] == ["clerk", "chief", "clerk", None]


def test_a_dry_run_shows_the_event_and_records_nothing(projected: TestClient, installation: Installation) -> None:
    before = installation.events()
    answer = projected.post(REVIEW + "/use?dry_run=true", json=USED)
    assert (answer.status_code, answer.json()["would"][-1]["type"]) == (200, "ProcessDrafted")
    assert installation.events() == before


def test_templates_are_seen_by_those_they_are_shared_with(
    client: TestClient, installation: Installation, root: Shown, key: Making
) -> None:
    ann, bob = key("designer", name="ann", teams=["desk"]), key("designer", name="bob", teams=["desk"])
    eve = key("designer", name="eve")
    client.headers.update(root)
    installation.publish(client, OTHER, writer={"script": "echo"})
    for header in root:
        del client.headers[header]
    id = save(client, "claims-intake", ann, tags=["hush"])

    def seen() -> list[bool]:
        installation.project()
        found = []
        for caller in (root, ann, bob, eve):
            opened = client.get(f"/api/templates/{id}", headers=caller).status_code == 200
            tags = client.get("/api/templates", headers=caller).json()["facets"]["tags"]
            assert (listed(client, headers=caller) == [id]) is opened
            assert ("hush" in [each["value"] for each in tags]) is opened
            tried = client.post(f"/api/templates/{id}/preview", json={}, headers=caller).status_code
            assert (tried == 404) is not opened
            found.append(opened)
        return found

    def act(act: str, caller: Shown, **body: str) -> int:
        return client.post(f"/api/templates/{id}/{act}", json=body, headers=caller).status_code

    assert seen() == [True, True, False, False]
    assert act("share", eve, **{"with": "organisation"}) == 404
    assert act("share", ann, **{"with": "everybody"}) == 422
    assert act("share", ann, **{"with": "team:desk"}) == 200
    assert seen() == [True, True, True, False]
    assert act("withdraw", bob, reason="mine") == 403
    assert act("share", ann, **{"with": "organisation"}) == 200
    assert seen() == [True, True, True, True]
    assert client.post(f"/api/templates/{id}/use", json={"name": "of-eve"}, headers=eve).status_code == 201
    assert act("share", root, **{"with": "private"}) == 200
    assert seen() == [True, True, False, False]
    assert client.get("/api/processes/of-eve", headers=eve).status_code == 200
    for caller, whole in ((eve, False), (root, True)):
        events = client.get("/api/events?limit=200", headers=caller).text
        assert ("hush" in events, id in events) == (whole, whole)
    assert (
        client.post("/api/processes/claims-intake/template", json={"name": "claims-intake"}, headers=eve).json()["code"]
        == "template_name_taken"
    )


def test_a_withdrawn_template_makes_nothing_and_stays_readable(
    client: TestClient, installation: Installation, greeting: str
) -> None:
    id = save(client, greeting)
    assert client.post(f"/api/templates/{id}/withdraw", json={}).status_code == 422
    assert client.post(f"/api/templates/{id}/withdraw", json={"reason": "old"}).status_code == 200
    installation.project()
    assert listed(client) == []
    assert listed(client, "withdrawn=true") == [id]
    assert client.get(f"/api/templates/{id}").json()["status"] == "withdrawn"
    refused = client.post(f"/api/templates/{id}/use", json={"name": "welcome"})
    assert (refused.status_code, refused.json()["code"]) == (409, "template_withdrawn")
    assert client.post(REVIEW + "/withdraw", json={"reason": "old"}).json()["code"] == "template_bundled"


def test_a_limited_key_sees_the_templates_and_the_uses_of_its_processes(
    client: TestClient, installation: Installation, root: Shown, key: Making
) -> None:
    desk = key("designer", name="desk", processes=["claims-*"])
    client.headers.update(root)
    for source in (GREETING, OTHER):
        installation.publish(client, source, writer={"script": "echo"})
    for process in ("greeting", "claims-intake"):
        shared = {"with": "organisation"}
        assert client.post(f"/api/templates/{save(client, process)}/share", json=shared).status_code == 200
    for name in ("greeting-2", "claims-2"):
        assert client.post(REVIEW + "/use", json={"name": name}).status_code == 201
    installation.project()
    for header in root:
        del client.headers[header]
    assert listed(client, headers=desk) == ["org:claims-intake"]
    assert client.get("/api/templates/org:greeting", headers=desk).status_code == 404
    assert [use["process"] for use in client.get(REVIEW + "/uses", headers=desk).json()["items"]] == ["claims-2"]
    assert client.get(REVIEW, headers=desk).json()["uses"] == 1
    assert client.post(REVIEW + "/use", json={"name": "other"}, headers=desk).status_code == 404
    assert client.post(REVIEW + "/use", json={"name": "claims-3"}, headers=desk).status_code == 201


def test_the_library_comes_in_pages(client: TestClient, installation: Installation, greeting: str) -> None:
    ids = [save(client, greeting, id=f"saved-{number}", tags=["x", f"t{number}"]) for number in range(3)]
    installation.project()
    found: list[str] = []
    cursor = ""
    while True:
        page = client.get(f"/api/templates?limit=1{cursor}").json()
        found += [each["template_id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == sorted(found)
    assert [each for each in found if each.startswith("org:")] == ids
    assert listed(client, "tag=t1") == ["org:saved-1"]
    assert listed(client, "tag=t1,t2") == ["org:saved-1", "org:saved-2"]
    assert client.get("/api/templates?cursor=bm90aGluZw").status_code == 400
