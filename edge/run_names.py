"""The name of an execution for people, on pages and at the command line."""


def place_name(item: int | None, key: str | None, round: int | None) -> str:
    """Return the name of an execution among those of one step: the key or the position of its item, or its round."""
    if item is not None:
        return key or f"item {item}"
    return "" if round is None else f"round {round}"


def run_name(process: str, body: str | None, item: int | None, key: str | None, round: int | None) -> str:
    """Return the name of an execution: its process, or the steps inside a step, and which item or round it is."""
    name = process if body is None else f"{process}: {body}"
    place = place_name(item, key, round)
    return f"{name}, {place}" if place else name
