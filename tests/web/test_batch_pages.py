"""Acts on many, on the pages: from the filter of the list to the frozen list, and to its progress."""

import re

import pytest

from domain.agents.calls import Failed, StepError
from edge.references import batch_named
from tests.api.conftest import key, root, working

__all__ = ["key", "root"]

HELD = "name: held\nsteps:\n  - {id: rest, type: timer, duration: 10h}\n"
BROKEN = "name: broken\nsteps:\n  - {id: work, agent: breaker, message: go}\n"
HOSTILE = "<script>alert(1)</script>{{ 7 * 7 }}"


@pytest.fixture
def held(client, installation):
    installation.publish(client, HELD)
    ids = [installation.begin(client, "held") for _ in range(3)]
    installation.project()
    return ids


def freeze(client, **fields):
    return client.post("/operations/batches", data={"act": "cancel", **fields}, follow_redirects=False)


def opened(client, answer):
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def test_the_list_leads_to_the_form_only_with_a_filter(client, held):
    assert "Act on these" not in client.get("/executions").text
    assert "Act on these" not in client.get("/executions?order=oldest").text
    page = client.get("/executions?process=held&status=running&order=oldest").text
    href = re.search(r'href="(/operations/batches/new[^"]*)"', page)
    assert href is not None
    assert href[1].replace("&amp;", "&") == "/operations/batches/new?process=held&status=running"
    form = client.get(href[1].replace("&amp;", "&")).text
    assert 'name="process" value="held"' in form
    assert 'name="status" value="running"' in form
    assert "order" not in re.findall(r'name="([a-z_]+)"', form)


def test_a_frozen_list_is_shown_run_and_followed_to_its_end(client, installation, held):
    path = opened(client, freeze(client, process="held", status="running"))
    installation.project()
    page = client.get(path).text
    assert "Cancel: 3 executions" in page
    assert "Ready to run" in page
    assert all(str(id) in page for id in held)
    listed = f"/executions?batch={path.rpartition('/')[2]}"
    assert listed in page
    assert all(str(id) in client.get(listed).text for id in held)
    later = installation.begin(client, "held")
    answer = client.post(f"{path}/run", data={"reason": HOSTILE}, follow_redirects=False)
    assert answer.status_code == 303
    installation.project()
    page = client.get(f"{path}?done=batch-run").text
    assert "Workers go through the list" in page
    assert "0 of 3 gone through" in page
    assert "<script>alert" not in page
    with working(installation):
        installation.until(lambda: "BatchEnded" in batch_types(installation, path))
    installation.project()
    page = client.get(path).text
    assert "3 of 3 gone through" in page
    assert "Run" not in re.findall(r"<button[^>]*>([^<]+)", page)
    assert installation.executions.load(later).status == "running"
    assert path in client.get("/operations/batches").text


def batch_types(installation, path):
    return installation.types(batch_named(path.rpartition("/")[2]))


def test_what_was_refused_is_named(client, installation, held):
    path = opened(client, freeze(client, act="skip", step="nowhere", process="held"))
    client.post(f"{path}/run", data={"reason": "not needed"})
    with working(installation):
        installation.until(lambda: "BatchEnded" in batch_types(installation, path))
    installation.project()
    page = client.get(path).text
    assert "3 no_such_step" in page or "3 not_found" in page
    assert page.count('id="refused-') == 3
    for shown in (page, client.get("/operations/batches").text):
        assert '<span class="st c-bad' in shown
        assert "Done in part" not in shown


def test_a_batch_that_was_refused_in_part_says_so(client, installation, held):
    path = opened(client, freeze(client, act="skip", step="rest", process="held"))
    assert client.post(f"/api/executions/{held[0]}/cancel", json={"reason": "by hand"}).status_code == 200
    client.post(f"{path}/run", data={"reason": "over"})
    with working(installation):
        installation.until(lambda: "BatchEnded" in batch_types(installation, path))
    installation.project()
    page = client.get(path).text
    assert "1 execution_ended" in page
    for shown in (page, client.get("/operations/batches").text):
        assert "Done in part" in shown


def test_a_day_of_the_filter_is_that_of_the_reader(client, installation, held):
    client.cookies.set("procession-zone", "Asia/Kolkata")
    path = opened(client, freeze(client, process="held", **{"from": "2026-01-31", "to": "2090-12-31"}))
    found = client.get(f"/api/batches/{path.rpartition('/')[2]}?min_position={installation.project()}").json()
    assert found["filter"] == {
        "process": "held",
        "from": "2026-01-31T00:00:00+05:30",
        "to": "2091-01-01T00:00:00+05:30",
    }


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "at least one word"),
        ({"status": "failed"}, "no execution matches"),
        ({"status": "running", "act": "skip"}, "names a step"),
        ({"status": "running", "act": "reassign", "step": "rest", "agent": "nobody"}, "there is no agent"),
        ({"from": "yesterday"}, "from"),
    ],
)
def test_a_refusal_is_shown_with_everything_typed(client, held, fields, words):
    answer = freeze(client, **fields)
    assert answer.status_code in (409, 422)
    assert words in answer.text
    for name in fields.keys() & {"step", "status"}:
        assert f'value="{fields[name]}"' in answer.text


def test_failed_executions_are_retried_from_the_list(client, installation):
    installation.publish(client, BROKEN, breaker={"script": "echo"})
    id = installation.begin(client, "broken")
    installation.answer(id, "work", Failed(StepError("refused", "no", permanent=True)))
    installation.project()
    path = opened(client, freeze(client, act="retry", status="failed"))
    client.post(f"{path}/run", data={"reason": "mended"})
    with working(installation):
        installation.until(lambda: installation.executions.load(id).status == "completed")


def test_a_batch_is_left_alone(client, installation, held):
    path = opened(client, freeze(client, process="held"))
    answer = client.post(f"{path}/stop", data={"reason": "wrong ones"}, follow_redirects=False)
    assert answer.headers["location"].endswith("done=batch-stopped")
    installation.project()
    page = client.get(path).text
    assert "Stopped: wrong ones" in page
    assert f'action="{path}/run"' not in page


def test_a_reader_who_may_not_act_sees_no_forms(client, installation, held, key, root):
    path = opened(
        client,
        client.post(
            "/operations/batches", data={"act": "cancel", "process": "held"}, headers=root, follow_redirects=False
        ),
    )
    installation.project()
    viewer, desk = key("viewer"), key("operator", name="desk", processes=["claims-*"])
    assert "Act on these" not in client.get("/executions?process=held", headers=viewer).text
    assert "<textarea" not in client.get(path, headers=viewer).text
    assert client.post(f"{path}/run", data={"reason": "x"}, headers=viewer).status_code == 403
    assert client.get(path, headers=desk).status_code == 404
    assert path not in client.get("/operations/batches", headers=desk).text
