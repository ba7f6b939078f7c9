"""The name of an execution for people, on pages and at the command line."""


def run_name(process: str, body: str | None, item: int | None, key: str | None, round: int | None) -> str:
    """Return the name of an execution: its process, or the steps inside a step, and which item or round it is."""
    name = process if body is None else f"{process}: {body}"
    if item is not None:
        return f"{name}, {key or f'item {item}'}"
    return name if round is None else f"{name}, round {round}"
