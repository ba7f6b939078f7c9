"""The keys of every page, for people: what `static/keys.js` does with them."""

GO = {
    "Overview": "o",
    "Executions": "e",
    "Approvals": "a",
    "Schedules": "s",
    "Processes": "p",
    "Templates": "t",
    "Analytics": "n",
    "Cost alerts": "c",
}
"""The key behind `g` that leads to each entry of the navigation."""

REST = (
    (("/",), "search or go to"),
    (("?",), "show these keys"),
    (("j", "k"), "next and previous row of a list or timeline"),
    (("Enter",), "open the row"),
    (("[", "]"), "one event back and forth on an execution"),
    (("Esc",), "close what is open"),
)


def keyboard(entries: list[str]) -> list[tuple[tuple[str, ...], str]]:
    """Return each key with what it does. entries: of the navigation, as the reader sees them."""
    going = [(("g", GO[name]), name) for name in entries if name in GO]
    return [*REST[:2], *going, *REST[2:]]
