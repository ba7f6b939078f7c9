"""The cells of a row of the matrix of roles, written without a template: a large matrix has twelve thousand."""

from collections.abc import Sequence

from markupsafe import Markup

from queries.roles import RoleAgent, RoleMatrix, RoleRow

_EMPTY = "<td></td>"
_CELLS = {
    (role, own): f'<td><abbr class="cell {role[0]}{"" if own else " inh"}" '
    f'title="{word}{"" if own else ", from the defaults"}">{role[0].upper()}</abbr></td>'
    for role, word in (("executor", "Executor"), ("monitor", "Monitor"), ("informed", "Informed"))
    for own in (True, False)
}


def row_of_cells(row: RoleRow, agents: Sequence[RoleAgent], found: RoleMatrix) -> Markup:
    """Return a cell for each agent, in order. It holds constants only: no text of others."""
    roles, own = found.cells[row.step], set(found.own[row.step])
    cells = (_CELLS[roles[a.name], a.name in own] if a.name in roles else _EMPTY for a in agents)
    return Markup("".join(cells))  # noqa: S704 - the constants above
