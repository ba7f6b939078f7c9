"""The executions of a whole run as text, each indented below the one that called it."""

from uuid import UUID

from app.cli.lists import NUMBERS, note_more
from app.cli.output import CommandOutput
from app.cli.wording import amounts, moment, seconds, status
from edge.run_names import run_name
from queries.paging import Page
from queries.trees import TreeExecution

# Deeper ones keep this indent: their column `level` shows how deep they are.
DEEPEST_INDENT = 10


def show_tree(output: CommandOutput, page: Page[TreeExecution], this: UUID) -> None:
    """Write the executions of a run, a parent before its children. this: the one that was requested."""
    if output.json:
        output.document(page)
        return
    columns = ("execution", "process", "level", "called by", "status", "started", "duration", "cost")
    output.table(columns, [_row(each, this) for each in _by_parent(page)], right=NUMBERS | {"level"})
    note_more(output, page.next_cursor)


def _by_parent(page: Page[TreeExecution]) -> list[TreeExecution]:
    """Return the executions with the descendants of each directly below it, as far as they are on this page."""
    there = {each.execution_id for each in page.items}
    below: dict[UUID, list[TreeExecution]] = {}
    for each in page.items:
        if each.parent_id in there and each.parent_id is not None:
            below.setdefault(each.parent_id, []).append(each)
    left = [each for each in reversed(page.items) if each.parent_id not in there]
    found: list[TreeExecution] = []
    while left:
        found.append(each := left.pop())
        left.extend(reversed(below.get(each.execution_id, [])))
    return found


def _row(each: TreeExecution, this: UUID) -> tuple[object, ...]:
    indent = "  " * min(each.depth, DEEPEST_INDENT)
    name = run_name(each.process, each.body, each.item, each.key, each.round)
    named = f"{indent}{name}{' (this one)' if each.execution_id == this else ''}"
    attempt = f", attempt {each.parent_attempt}" if each.parent_attempt is not None and each.parent_attempt > 1 else ""
    called = "" if each.parent_step is None else f"{each.parent_step}{attempt}"
    return (
        each.execution_id,
        named,
        each.depth,
        called,
        status(each.status),
        moment(each.started_at),
        seconds(each.duration),
        amounts(each.cost),
    )
