"""The matrix of roles in a real browser: edited by mouse and by keys, in bulk, saved as one change, and in conflict."""

from playwright.sync_api import Dialog, Locator, Page, expect

from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

CLAIM = """name: {name}
# the words of the author stay
defaults: {{roles: {{monitors: [supervisor]}}}}
steps:
  - {{id: read, name: Read the claim, agent: clerk, message: Read}}
  - {{id: draft, name: Draft, agent: writer, message: Draft, depends_on: read}}
  - id: sign
    type: human_approval # a person
    name: Sign-off
    title: Out?
    approvers: [ann]
    depends_on: draft
  - {{id: route, name: Route, type: gateway, depends_on: sign, routes: [{{default: true, target: send}}]}}
  - {{id: send, name: "{hostile}", agent: clerk, message: Send, depends_on: route}}
"""
HOSTILE = "<script>document.title='owned'</script>"
ECHO = {"script": "echo"}


def published(served: Served, name: str) -> None:
    """Publish a process with five steps and three agents."""
    agents = dict.fromkeys(("clerk", "writer", "supervisor", "observer"), ECHO)
    served.publish(CLAIM.format(name=name, hostile=HOSTILE), **agents)


def cell(page: Page, name: str) -> Locator:
    """Return the cell of a name, as a screen reader says it."""
    return page.get_by_role("gridcell", name=name, exact=True)


def matrix(page: Page) -> None:
    """Wait until the table is a grid."""
    expect(page.get_by_role("grid", name="Roles: rows are steps, columns are agents")).to_be_visible()


def roles_of(served: Served, name: str, of: str) -> dict[str, dict[str, str]]:
    """Return the roles by step and agent."""
    cells: dict[str, dict[str, str]] = served.client.get(f"/api/processes/{name}/roles?of={of}").json()["cells"]
    return cells


def test_roles_are_edited_by_mouse_and_by_keys_and_undone(served: Served, windows: Watched) -> None:
    published(served, "edited")
    page = windows.open("/processes/edited/roles?of=draft")
    matrix(page)
    expect(page.get_by_text("Saving begins a draft.")).to_be_visible()
    expect(cell(page, "Sign-off, supervisor: Monitor, from the defaults")).to_be_visible()
    expect(cell(page, "Route, clerk: no role possible")).to_have_attribute("aria-readonly", "true")
    assert page.title() == "Roles in edited · Procession"
    # When: by mouse, a cell goes round: an approval takes no executor.
    cell(page, "Sign-off, clerk: no role").click()
    expect(cell(page, "Sign-off, clerk: Monitor, changed")).to_be_focused()
    expect(page.locator("#save summary")).to_have_text("1 change, not saved: clerk monitors Sign-off.")
    # When: by keys alone, from the cell that has the focus.
    for key in ("ArrowUp", "e"):
        page.keyboard.press(key)
    expect(cell(page, "Draft, clerk: Executor, changed")).to_be_focused()
    expect(cell(page, "Draft, writer: no role, changed")).to_be_visible()
    expect(page.locator("#save")).to_contain_text(
        "3 changes, not saved: clerk becomes executor of Draft instead of writer."
    )
    for key in ("End", "i", "Home", "ArrowUp", "Delete", "Control+End", "Delete", "e"):
        page.keyboard.press(key)
    expect(cell(page, "Read the claim, clerk: no role, changed")).to_be_visible()
    expect(page.locator("#step-read .worse")).to_have_text("needs an executor")
    expect(page.locator("#step-send .worse")).to_be_hidden()
    for _ in range(7):
        page.keyboard.press("Control+z")
    expect(page.locator("#save summary")).to_have_text("No changes")
    expect(cell(page, "Draft, writer: Executor")).to_be_visible()
    for _ in range(7):
        page.keyboard.press("Control+Shift+z")
    expect(page.locator("#step-read .worse")).to_be_visible()
    expect(page.locator("#save summary")).to_contain_text("7 changes, not saved")
    check_everywhere(page, "edited roles")
    assert page.title() == "Roles in edited · Procession"
    # When: the draft of a text names what is no agent. Then: it is text, on the page and in what the script draws.
    hostile = "<img src=x onerror=\"document.title='owned'\">"
    source = f"name: odd\nsteps:\n  - {{id: a, agent: clerk, message: go, roles: {{informed: ['{hostile}']}}}}\n"
    source = source.replace("'owned'", "''owned''")
    drafted = served.client.post("/api/processes", content=source, headers={"Content-Type": "application/yaml"})
    page = windows.open(f"/processes/odd/roles?min_position={drafted.json()['position']}")
    matrix(page)
    cell(page, f"a, {hostile}: Informed").press("m")
    expect(page.locator("#save summary")).to_contain_text(f"{hostile} monitors a instead of being informed of it.")
    assert page.title() == "Roles in odd · Procession"


def test_many_cells_are_set_at_once_and_saved_as_one_revision(served: Served, windows: Watched) -> None:
    published(served, "bulk")
    page = windows.open("/processes/bulk/roles?of=draft")
    matrix(page)
    # When: a column for an agent that has no role yet, and two steps selected by keys.
    page.get_by_role("button", name="Add agent").click()
    page.keyboard.type("observer")
    page.keyboard.press("Enter")
    expect(cell(page, "Read the claim, observer: no role")).to_be_focused()
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("tr[aria-selected=true]")).to_have_count(2)
    preview = page.locator("#bulk-preview")
    page.locator("#bulk-agent").select_option("observer")
    expect(preview).to_have_text("2 cells change, no executor moves")
    page.locator("#bulk-role").select_option("executor")
    expect(preview).to_have_text("4 cells change, 2 executors move")
    page.get_by_role("button", name="Set", exact=True).click()
    # When: a column is copied to another one, in all steps.
    page.locator("#bulk-steps").select_option("shown")
    page.locator("#bulk-agent").select_option("writer")
    page.locator("#bulk-role").select_option("like:supervisor")
    expect(preview).to_have_text("4 cells change, no executor moves")
    page.get_by_role("button", name="Set", exact=True).click()
    page.locator("#save summary").click()
    expect(page.locator("#save li").first).to_have_text("observer becomes executor of Read the claim instead of clerk.")
    check_everywhere(page, "roles with a list of changes")
    page.keyboard.press("Control+z")
    expect(cell(page, "Sign-off, writer: no role")).to_be_visible()
    page.keyboard.press("Control+Shift+z")
    before = page.locator("#step-read").bounding_box()
    page.get_by_role("button", name="Save to draft").click()
    # Then: one revision, in which the rest of the text is as it was.
    expect(page.locator("#save")).to_contain_text("No changes")
    expect(page.locator("#said")).to_have_text("Saved.")
    assert page.locator("#step-read").bounding_box() == before
    expect(cell(page, "Read the claim, observer: Executor")).to_be_visible()
    stored = roles_of(served, "bulk", "draft")
    assert stored["read"] == {"observer": "executor", "supervisor": "monitor", "writer": "monitor"}
    assert stored["sign"] == {"supervisor": "monitor", "writer": "monitor"}
    assert roles_of(served, "bulk", "published")["read"] == {"clerk": "executor", "supervisor": "monitor"}
    detail = served.client.get("/api/processes/bulk").json()
    assert "# the words of the author stay" in detail["yaml"]
    # When: what was saved is undone, a step loses its executor, and both are saved.
    page.keyboard.press("Control+z")
    cell(page, "Draft, observer: Executor").press("Delete")
    page.keyboard.press("Control+s")
    # Then: it is saved, and the problem of the draft stands on the page.
    expect(page.locator("#said")).to_have_text("Saved. 1 problem, named above.")
    expect(page.locator("#role-problems")).to_contain_text("steps[1]")
    expect(page.get_by_text("Of the draft.")).to_be_visible()
    stored = roles_of(served, "bulk", "draft")
    assert (stored["sign"], stored["draft"]) == ({"supervisor": "monitor"}, {"supervisor": "monitor"})


def test_what_somebody_else_saves_meanwhile_is_shown_cell_by_cell(served: Served, windows: Watched) -> None:
    published(served, "shared")
    ours, theirs = (windows.open("/processes/shared/roles?of=draft") for _ in range(2))
    for page in (ours, theirs):
        matrix(page)
    cell(theirs, "Draft, clerk: no role").press("e")
    cell(theirs, "Sign-off, supervisor: Monitor, from the defaults").press("i")
    theirs.get_by_role("button", name="Save to draft").click()
    expect(theirs.locator("#said")).to_have_text("Saved.")
    # When: ours set the same cells otherwise, and one that theirs left alone.
    cell(ours, "Draft, supervisor: Monitor, from the defaults").press("e")
    cell(ours, "Sign-off, supervisor: Monitor, from the defaults").press("Delete")
    cell(ours, "Read the claim, writer: no role").press("i")
    ours.get_by_role("button", name="Save to draft").click()
    # Then: nothing is saved, and each conflict is a line; the other edit is kept.
    conflicts = ours.get_by_role("region", name="Changed by somebody else meanwhile")
    expect(conflicts).to_contain_text("Executor of Draft: theirs clerk, yours supervisor")
    expect(conflicts).to_contain_text("Sign-off, supervisor: theirs Informed, yours no role")
    expect(ours.get_by_role("button", name="Save to draft")).to_be_disabled()
    expect(cell(ours, "Read the claim, writer: Informed, changed")).to_be_visible()
    check_everywhere(ours, "a conflict of roles")
    ours.get_by_role("button", name="Keep yours: Executor of Draft").click()
    ours.get_by_role("button", name="Take theirs: Sign-off, supervisor").click()
    expect(conflicts).to_be_hidden()
    ours.get_by_role("button", name="Save to draft").click()
    expect(ours.locator("#said")).to_have_text("Saved.")
    stored = roles_of(served, "shared", "draft")
    assert stored["draft"]["supervisor"] == "executor"
    assert "clerk" not in stored["draft"]
    assert (stored["sign"], stored["read"]["writer"]) == ({"supervisor": "informed"}, "informed")
    # When: a page is left with an edit. Then: the browser asks, and keeps the edit.
    cell(ours, "Read the claim, writer: Informed").press("m")
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    ours.on("dialog", leave)
    ours.reload()
    assert asked == ["beforeunload"]
    ours.get_by_role("button", name="Bring them back").click()
    expect(cell(ours, "Read the claim, writer: Monitor, changed")).to_be_visible()
    ours.get_by_role("button", name="Discard", exact=True).click()
    expect(cell(ours, "Read the claim, writer: Informed")).to_be_visible()
    windows.wrong = [text for text in windows.wrong if "412" not in text]


def test_a_published_version_keeps_its_executors_and_the_form_needs_no_script(served: Served, windows: Watched) -> None:
    published(served, "fixed")
    page = windows.open("/processes/fixed/roles")
    matrix(page)
    expect(cell(page, "Draft, writer: Executor")).to_have_attribute("aria-readonly", "true")
    cell(page, "Draft, writer: Executor").press("m")
    expect(page.locator("#said")).to_have_text("Executors are frozen with a published version. Edit them as a draft.")
    cell(page, "Draft, clerk: no role").press(" ")
    expect(cell(page, "Draft, clerk: Monitor, changed")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#said")).to_have_text("Saved.")
    assert roles_of(served, "fixed", "published")["draft"]["clerk"] == "monitor"
    page.get_by_role("link", name="Edit as draft").click()
    expect(cell(page, "Draft, clerk: Monitor")).to_be_visible()
    # When: without a script.
    plain = windows.plain("/processes/fixed/roles?of=draft")
    form = plain.get_by_role("region", name="Change one role")
    form.get_by_label("Step").select_option("draft")
    form.get_by_label("Agent").fill("observer")
    form.get_by_label("Role").select_option("executor")
    form.get_by_role("button", name="Save to draft").click()
    expect(plain.get_by_text("The roles are saved.")).to_be_visible()
    assert roles_of(served, "fixed", "draft")["draft"]["observer"] == "executor"
    form.get_by_label("Agent").fill("Nobody Else")
    form.get_by_role("button", name="Save to draft").click()
    expect(plain.get_by_role("alert")).to_contain_text("Not saved")
    expect(form.get_by_label("Agent")).to_have_value("Nobody Else")


def test_a_large_matrix_answers_each_key_at_once(served: Served, windows: Watched) -> None:
    names = [f"agent-{n}" for n in range(60)]
    steps = [
        f"  - {{id: s{n}, agent: {names[n % 60]}, message: go, roles: {{informed: [{names[(n + 7) % 60]}]}}"
        f"{f', depends_on: s{n - 1}' if n else ''}}}"
        for n in range(200)
    ]
    served.publish("\n".join(["name: large", "steps:", *steps]), **dict.fromkeys(names, ECHO))
    page = windows.open("/processes/large/roles?of=draft")
    matrix(page)
    assert page.get_by_role("gridcell").count() == 200 * 60
    cell(page, "s0, agent-0: Executor").focus()
    cells = "[...document.querySelectorAll('.mx td')]"
    page.evaluate(f"window.before = {cells}")
    # When: keys that set and move, each until its cell is laid out.
    longest = page.evaluate(
        """() => {
          const keys = ["m", "ArrowRight", "e", "i", "Delete", " ", "End", "e", "Home"];
          const rounds = [1, 2, 3].map(() => keys.map((key) => {
            const began = performance.now();
            document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
            document.body.getBoundingClientRect();
            return performance.now() - began;
          }));
          // A processor that is busy elsewhere delays a key once, a slow page delays it each time.
          return Math.max(...keys.map((_, at) => Math.min(...rounds.map((round) => round[at]))));
        }"""
    )
    # Then: no cell was drawn anew, and the slowest key took no second on the slowest machine.
    assert page.evaluate(f"{cells}.every((cell, at) => cell === window.before[at])")
    assert longest < 1000
    page.get_by_label("Filter steps").fill("s19")
    page.get_by_label("Filter agents").fill("agent-5")
    expect(page.locator(".mx tbody tr:visible")).to_have_count(11)
    expect(page.locator(".mx thead th:visible")).to_have_count(1 + 11)
    expect(page.locator("#bulk-preview")).to_contain_text("11 cells change")
    page.get_by_role("button", name="Set", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("11 cells change")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.locator("#bulk-preview")).to_contain_text("11 cells change")
    page.get_by_role("button", name="Set", exact=True).click()
    dialog.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator("#bulk-preview")).to_contain_text("0 cells change")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#bulk-preview")).to_contain_text("11 cells change")
