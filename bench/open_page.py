"""An open page in chromium: the time from the commit of an event until the page has drawn it."""

import shutil
import time
from statistics import median, quantiles

from playwright.sync_api import Page, sync_playwright

from app.wiring import operator
from bench.engine import PROJECTOR
from bench.http_load import free_port, wait_ready
from bench.rig import Rig, children, wait_until
from bench.workloads import WORKLOADS
from commands.executions import CancelExecution, StartExecution
from domain.identity import process_id

QUIET_SECONDS = 2
"""After so long without a change, a page has all its credit back."""
WATCH = """() => {
  window.drawn = 0;
  new MutationObserver((_, watching) => {
    if (!document.querySelector(".head").textContent.includes("Cancelled")) return;
    watching.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.drawn = performance.timeOrigin + performance.now(); }));
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def drawn(rig: Rig, events: int) -> dict[str, float]:
    """Return p50, p95 and the longest ms from a commit until chromium has drawn it, on a page that was quiet.

    Raises RuntimeError where chromium is not installed.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-headless-shell")
    if chromium is None:
        raise RuntimeError("chromium is not installed: apt install chromium")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with children(rig.dsn, [("serve", "--port", str(port)), PROJECTOR]), sync_playwright() as playwright:
        wait_ready(base)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(timezone_id="Europe/Berlin").new_page()
        page.goto(base)
        page.wait_for_selector("html[data-zone='Europe/Berlin']")
        times = [_drawn(rig, page, base) for _ in range(events)]
        browser.close()
    return {"drawn_p50_ms": median(times), "drawn_p95_ms": quantiles(times, n=20)[18], "drawn_max_ms": max(times)}


def _drawn(rig: Rig, page: Page, base: str) -> float:
    command = StartExecution(process_id(WORKLOADS["w1"].name), {"n": 1})
    started = rig.executions.start(command, operator("bench:pages"))
    page.goto(f"{base}/executions/{started.stream}?min_position={started.position}")
    page.wait_for_timeout(QUIET_SECONDS * 1e3)
    page.evaluate(WATCH)
    rig.executions.cancel(CancelExecution(started.stream, "bench"), operator("bench:pages"))
    committed = time.time() * 1e3
    wait_until(lambda: bool(page.evaluate("window.drawn")), 0.05)
    at: float = page.evaluate("window.drawn")
    return at - committed
