"""`procession templates`."""

from collections.abc import Callable
from typing import Any

from app.wiring import Wiring

Run = Callable[..., Any]
REVIEW = "bundled:content-review"
DEFINITION = "name: letters\nsteps:\n  - {id: write, agent: echo, message: Write}\n"


def reach(working: Wiring) -> None:
    for name in ("templates", "template_uses"):
        assert working.progress.reached(name, working.log.last_position(), 60)


def test_templates_are_listed_shown_and_used(document: Run, procession: Run, working: Wiring) -> None:
    assert REVIEW in [each["template_id"] for each in document("templates", "list", "review")["items"]]
    assert REVIEW in procession("templates", "list", "--source", "bundled").stdout
    assert "writer (missing)" in procession("templates", "show", REVIEW).stdout
    assert document("templates", "show", REVIEW)["parameters"]["writer"]["type"] == "agent"
    answers = ("--set", "writer=clerk", "--set", "least_score=12", "--replace-agent", "reviewer=chief")
    would = document("templates", "use", REVIEW, "news", *answers, "--dry-run")["would_record"]
    assert would[-1]["type"] == "ProcessDrafted"
    made = document("templates", "use", REVIEW, "news", *answers)
    assert (made["name"], made["template_version"]) == ("news", 1)
    taken = document("templates", "use", REVIEW, "news", code=1)
    assert taken["error"]["code"] == "process_name_taken"
    assert document("templates", "use", REVIEW, "more", "--set", "nobody=1", code=1)["error"]["problems"]
    reach(working)
    assert document("templates", "show", REVIEW)["uses"] == 1


def test_a_process_is_saved_shared_and_withdrawn(document: Run, procession: Run, publish: Run, working: Wiring) -> None:
    publish("letters", DEFINITION)
    saving = ("templates", "save", "letters", "Letters", "--tag", "mail")
    saved = document(*saving)
    assert (saved["template_id"], saved["version"]) == ("org:letters", 1)
    assert "already" in procession(*saving).stdout
    assert document("templates", "share", "org:letters", "organisation")["new"] is True
    document("templates", "use", "org:letters", "post")
    publish("letters", DEFINITION.replace("Write", "Write it"))
    document(*saving)
    would = document("templates", "update", "post", "--dry-run")["would_record"]
    assert [each["type"] for each in would] == ["ProcessRevised"]
    assert document("templates", "update", "post")["template_version"] == 2
    assert "already" in procession("templates", "update", "post").stdout
    assert document("templates", "update", "letters", code=1)["error"]["code"] == "not_from_template"
    reach(working)
    assert document("templates", "show", "org:letters")["shared_with"] == "organisation"
    assert "withdrawn" in procession("templates", "withdraw", "org:letters", "--reason", "old").stdout
    assert document("templates", "withdraw", "org:letters", "--reason", "old")["new"] is False
    assert document("templates", "show", "org:nothing", code=1)["error"]["code"] == "template_not_found"
