"""The editor in a real browser, with the real server."""

import re

from playwright.sync_api import Page, expect

from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

TEXT = """name: {name}
# the words of the author stay
input: {{text: {{type: string, default: "Dear all"}}}}
steps:
  - {{id: write, name: Write the notes, agent: writer, message: "{{{{ input.text }}}}"}}
  - id: ask
    type: human_approval # a person
    title: Out?
    approvers: [ann]
    depends_on: write
"""
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


def published(served: Served, name: str) -> str:
    """Publish a process; return its text."""
    text = TEXT.format(name=name)
    served.publish(text, writer={"script": "echo"})
    return text


def editor(page: Page) -> None:
    """Wait until the editor has taken the place of the text field, and has checked the text."""
    expect(page.locator(".cm-content")).to_be_visible()
    expect(page.locator("#source")).to_be_hidden()


def write(page: Page, text: str) -> None:
    """Put a whole text into the editor."""
    page.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)


def test_a_slip_is_found_while_typing_and_mended_by_one_button(served: Served, windows: Watched) -> None:
    text = published(served, "slips")
    page = windows.open("/processes/slips/edit")
    editor(page)
    expect(page.locator("#problems")).to_contain_text("No problems")
    drawing = page.locator("#drawing svg[role=group]")
    expect(drawing).to_contain_text("Write the")
    write(page, text.replace("human_approval", "human_aproval"))
    expect(page.locator("#problems")).to_contain_text("1 error")
    expect(page.locator(".cm-lint-marker-error")).to_be_visible()
    expect(page.locator("#drawing")).to_have_class(re.compile("stale"))
    expect(drawing).to_contain_text("Write the")
    page.locator("#problems").get_by_role("button", name="human_approval").click()
    expect(page.locator("#problems")).to_contain_text("No problems")
    expect(page.locator("#drawing")).not_to_have_class(re.compile("stale"))
    page.keyboard.press("ControlOrMeta+s")
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    stored = served.client.get("/api/processes/slips").json()
    assert stored["yaml"] == text


def test_keys_and_values_are_suggested_from_the_schema(served: Served, windows: Watched) -> None:
    page = windows.open("/processes/new")
    editor(page)
    write(page, "name: a\nsteps:\n  - id: b\n    type: hum")
    page.keyboard.press("Control+Space")
    expect(page.get_by_role("option", name="human_approval")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.keyboard.type("appr")
    page.keyboard.press("Control+Space")
    expect(page.get_by_role("option", name="approvers")).to_be_visible()
    expect(page.get_by_role("option", name="message", exact=True)).to_have_count(0)


def test_names_of_the_text_are_suggested_in_expressions(served: Served, windows: Watched) -> None:
    page = windows.open("/processes/new")
    editor(page)
    write(
        page,
        "name: a\ninput: {text: {type: string}}\nsteps:\n"
        "  - {id: ask, type: human_approval, title: Out?, approvers: [ann]}\n"
        "  - id: write\n    agent: writer\n    depends_on: ask\n    message: go\n    condition: ",
    )
    expect(page.locator("#drawing")).to_contain_text("write")
    for typed, suggested in (("st", "steps"), (".a", "ask"), (".ou", "output"), (".dec", "decision")):
        page.keyboard.type(typed)
        option = page.get_by_role("option", name=re.compile(f"^{suggested}"))
        expect(option).to_have_attribute("aria-selected", "true")
        option.click()
    page.keyboard.type(" == 'approved'")
    expect(page.locator(".cm-content")).to_contain_text("condition: steps.ask.output.decision == 'approved'")
    page.keyboard.press("Enter")
    page.keyboard.type('name: "{{ inp')
    page.get_by_role("option", name="input").click()
    page.keyboard.type(".")
    expect(page.get_by_role("option", name="text")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.type("text | le")
    expect(page.get_by_role("option", name="length")).to_be_visible()
    check_everywhere(page, "the suggestions of an expression")


def test_a_new_process_is_written_saved_and_published_by_keyboard(served: Served, windows: Watched) -> None:
    served.publish(TEXT.format(name="others"), writer={"script": "echo"})
    page = windows.open("/processes/new")
    editor(page)
    page.locator(".cm-content").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(TEXT.format(name="by-keyboard"))
    expect(page.locator("#problems")).to_contain_text("No problems")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.locator(".cm-content")).not_to_be_focused()
    page.get_by_role("button", name="Publish…").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Publish by-keyboard")
    expect(page.locator("main")).to_contain_text("It is the first version")
    page.get_by_role("button", name="Publish version 1").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/processes/by-keyboard"))
    expect(page.locator("main")).to_contain_text("published")


def test_publishing_states_what_changes_and_who_calls(served: Served, windows: Watched) -> None:
    text = published(served, "called")
    served.publish("name: caller\nsteps: [{id: call, type: sub_process, process: called}]\n")
    served.begin("called")
    page = windows.open("/processes/called/edit")
    editor(page)
    write(page, text.replace("title: Out?", "title: Send it?"))
    page.get_by_role("button", name="Publish…").click()
    expect(page.locator(".diff del")).to_contain_text("title: Out?")
    expect(page.locator(".diff ins")).to_contain_text("title: Send it?")
    expect(page.locator("main")).to_contain_text("1 under way")
    expect(page.locator("main")).to_contain_text("caller calls it in step call")
    page.get_by_role("button", name="Publish version 2").click()
    expect(page).to_have_url(re.compile("done=published"))
    assert served.client.get("/api/processes/called").json()["version"] == 2


def test_unsaved_text_is_guarded_and_brought_back(served: Served, windows: Watched) -> None:
    text = published(served, "guarded")
    page = windows.open("/processes/guarded/edit")
    editor(page)
    write(page, text.replace("Out?", "Half a sente"))
    expect(page.locator("#problems")).to_contain_text("No problems")
    questions: list[str] = []

    def answer(dialog: object) -> None:
        questions.append(dialog.type)  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    page.on("dialog", answer)
    page.reload()
    assert questions == ["beforeunload"]
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator(".cm-content")).to_contain_text("Half a sente")


def test_a_conflict_shows_both_texts_and_loses_none(served: Served, windows: Watched) -> None:
    text = published(served, "raced")
    page = windows.open("/processes/raced/edit")
    editor(page)
    write(page, text.replace("Out?", "Mine?"))
    theirs = served.client.put(
        "/api/processes/raced", content=text.replace("Out?", "Theirs?"), headers={"Content-Type": "application/yaml"}
    )
    assert theirs.status_code == 200, theirs.text
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("alert")).to_contain_text("Not saved: somebody else has changed")
    expect(page.locator(".diff del")).to_contain_text("Theirs?")
    expect(page.locator(".diff ins")).to_contain_text("Mine?")
    expect(page.locator(".cm-content")).to_contain_text("Mine?")
    assert "Theirs?" in served.client.get("/api/processes/raced").json()["yaml"]
    page.get_by_role("button", name="Save over theirs").click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    assert "Mine?" in served.client.get("/api/processes/raced").json()["yaml"]
    windows.wrong[:] = [each for each in windows.wrong if "412" not in each]


def test_formatting_says_that_comments_are_lost(served: Served, windows: Watched) -> None:
    published(served, "formatted")
    page = windows.open("/processes/formatted/edit")
    editor(page)
    page.get_by_role("button", name="Format").click()
    expect(page.get_by_role("alert")).to_contain_text("Its comments are not in it")
    expect(page.locator(".cm-content")).not_to_contain_text("a person")
    assert "# a person" in served.client.get("/api/processes/formatted").json()["yaml"]


def test_a_step_is_chosen_in_the_diagram_or_in_the_text(served: Served, windows: Watched) -> None:
    published(served, "chosen")
    page = windows.open("/processes/chosen/edit")
    editor(page)
    page.locator("#drawing a[href='#step-ask']").click()
    expect(page.locator(".cm-content")).to_be_focused()
    expect(page.locator(".cm-activeLine")).to_contain_text("id: ask")
    expect(page.locator("#drawing a.sel")).to_have_attribute("href", "#step-ask")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#drawing a.sel")).to_have_attribute("href", "#step-write")
    page.locator("#drawing a[href='#step-ask']").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".cm-activeLine")).to_contain_text("id: ask")


def test_text_is_typed_over_a_selection(served: Served, windows: Watched) -> None:
    published(served, "typed-over")
    page = windows.open("/processes/typed-over/edit")
    editor(page)
    page.get_by_text("human_approval", exact=True).dblclick()
    page.keyboard.type("timer")
    expect(page.locator(".cm-content")).to_contain_text("type: timer # a person")
    page.keyboard.press("Shift+Home")
    page.keyboard.press("Backspace")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("name: n")
    expect(page.locator(".cm-content")).to_have_text("name: n")


def test_a_text_of_nearly_a_thousand_steps_is_edited(served: Served, windows: Watched) -> None:
    steps = "".join(f'  - {{id: s{n}, agent: writer, message: "{{{{ input.text }}}} {n}"}}\n' for n in range(999))
    served.publish(f"name: long\ninput: {{text: {{type: string}}}}\nsteps:\n{steps}", writer={"script": "echo"})
    page = windows.open("/processes/long/edit")
    editor(page)
    page.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.insert_text("  - {id: ask, type: human_aproval, title: Out?, approvers: [ann]}\n")
    page.locator("#problems").get_by_role("button", name="human_approval").click()
    expect(page.locator("#problems")).to_contain_text("No problems")
    expect(page.locator("#drawing a")).to_have_count(1000)


def test_hostile_text_is_text(served: Served, windows: Watched) -> None:
    page = windows.open("/processes/new")
    editor(page)
    hostile = HOSTILE.replace('"', '\\"')
    write(
        page,
        f'name: hostile\nsteps:\n  - {{id: a, name: "{hostile}", agent: "{hostile}", message: hi, tpe: "{hostile}"}}\n',
    )
    expect(page.locator("#problems")).to_contain_text("<img")
    write(
        page,
        f'name: hostile\nsteps:\n  - {{id: a, name: "{hostile}", type: human_approval, title: x, approvers: [b]}}\n',
    )
    expect(page.locator("#drawing")).to_contain_text("<script>")
    assert page.title() == "New process · Procession"


def test_without_a_script_the_text_is_checked_mended_saved_and_published(served: Served, windows: Watched) -> None:
    text = published(served, "plain")
    page = windows.plain("/processes/plain/edit")
    page.get_by_label("Definition of the process").fill(text.replace("human_approval", "human_aproval"))
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#problems")).to_contain_text("1 error")
    page.locator("#problems").get_by_role("button", name="human_approval").click()
    expect(page.locator("#problems")).to_contain_text("No problems")
    assert page.get_by_label("Definition of the process").input_value() == text
    page.get_by_label("Definition of the process").fill(text.replace("Out?", "Plainly?"))
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    page.get_by_role("button", name="Publish…").click()
    page.get_by_role("button", name="Publish version 2").click()
    assert "Plainly?" in served.client.get("/api/processes/plain").json()["yaml"]


def test_the_editor_is_accessible(served: Served, windows: Watched) -> None:
    text = published(served, "seen")
    page = windows.open("/processes/seen/edit")
    editor(page)
    write(page, text.replace("human_approval", "human_aproval"))
    expect(page.locator("#drawing")).to_have_class(re.compile("stale"))
    check_everywhere(page, "the editor")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{served.url}/processes/seen/publish")
    check_everywhere(page, "publish")
