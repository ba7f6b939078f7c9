"""The figures as a table, with their ratios to the floor and to the peer."""

from collections.abc import Iterator
from statistics import mean
from typing import Any

from rich.table import Table

ReportRow = tuple[str, float, str, str]


def table(figures: dict[str, Any]) -> Table:
    """Return a table with a row a figure: name, value, unit, and its ratio to the floor or the peer, if any."""
    made = Table("figure", "value", "unit", "ratio", title="procession bench")
    made.columns[1].justify = "right"
    for name, value, unit, ratio in rows(figures):
        made.add_row(name, f"{value:,.1f}", unit, ratio)
    return made


def rows(figures: dict[str, Any]) -> Iterator[ReportRow]:
    """Return the rows of the table."""
    for name, value in floor_of(figures).items():
        yield f"floor: {name}", value, "", ""
    for workload in ("w1", "w2"):
        for name, value in figures.get(workload, {}).items():
            yield f"{workload.upper()}: {name}", value, "", _throughput(figures, workload, name, value)
    for name, value in figures.get("lone", {}).items():
        yield f"lone: {name}", value, "ms", _against(value, floor_of(figures).get("lone_p50_ms"), "floor p50")
    for name, value in figures.get("w4", {}).items():
        peer = figures.get("dbos", {}).get(f"w4_{name.removeprefix('projected_')}")
        yield f"W4: {name}", value, "ms" if name.startswith("lone_") else "", _against(value, peer, "DBOS")
    for part in ("starts", "list"):
        for name, value in figures.get(part, {}).items():
            yield f"{part}: {name}", value, "", ""
    for name, value in figures.get("rebuild", {}).items():
        yield (
            f"rebuild: {name}",
            value,
            "events/s",
            _against(value, floor_of(figures).get("rebuild_events_per_s"), "floor"),
        )
    for name, value in figures.get("timers", {}).items():
        peer = figures.get("dbos", {}).get(f"timers_{name}")
        yield f"timers: {name}", value, "%" if "percent" in name else "ms", _against(value, peer, "DBOS")
    for name, value in figures.get("fair", {}).items():
        if name != "ratio":
            ratio = figures["fair"]["ratio"]
            beside = f"{ratio:.2f} x alone" if name == "steps_per_s_beside" else ""
            yield f"fair: {name}", value, "ms" if "_ms_" in name else "", beside
    for name, value in figures.get("alerts", {}).items():
        if name != "ratio":
            ratio = figures["alerts"]["ratio"]
            beside = f"{ratio:.2f} x without" if name == "steps_per_s_with" else ""
            yield f"alerts: {name}", value, "ms" if "_ms" in name else "", beside
    for name, value in figures.get("w6", {}).items():
        yield f"W6: {name}", value, "ms" if "_ms_" in name else "", ""
    for name, value in (figures.get("pages", {}) | figures.get("browser", {})).items():
        yield f"pages: {name}", value, "ms", ""
    for name, value in figures.get("w7", {}).items():
        yield f"W7: {name}", value, "ms" if name.endswith("_ms") else "", ""
    for name, value in figures.get("w9", {}).items():
        beside = f"{figures['w9']['ratio']:.2f} x W4's parents" if name == "items_per_s" else ""
        yield f"W9: {name}", value, "", beside
    for name, value in figures.get("w8", {}).items():
        if name != "ratio":
            beside = f"{figures['w8']['ratio']:.2f} x without" if name == "steps_per_s_with" else ""
            yield f"W8: {name}", value, "ms" if name.endswith("_ms") else "", beside
    for name, value in figures.get("dbos", {}).items():
        yield f"DBOS: {name}", value, "", ""


def floor_of(figures: dict[str, Any]) -> dict[str, float]:
    """Return the floor, as the mean of its measurements before and after."""
    measured = [figures[part] for part in ("floor", "floor_again") if part in figures]
    return {name: mean(one[name] for one in measured) for name in measured[0]} if measured else {}


def _throughput(figures: dict[str, Any], workload: str, name: str, value: float) -> str:
    if not name.endswith("steps_per_s"):
        return ""
    ratios = [
        _against(value, floor_of(figures).get("steps_per_s"), "floor"),
        _against(value, figures.get("dbos", {}).get(f"{workload}_steps_per_s"), "DBOS"),
    ]
    return ", ".join(ratio for ratio in ratios if ratio)


def _against(value: float, other: float | None, what: str) -> str:
    return "" if not other else f"{value / other:.2f} x {what}"
