"""Plain log lines on standard error."""

import logging
import sys

from app.plain import plain

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
CHATTY = ("apscheduler", "httpx2", "httpcore2", "uvicorn", "asyncio", "sse_starlette")


class _Stderr(logging.Handler):
    """Writes to the `sys.stderr` of that moment, which tests and programs may replace."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(plain(self.format(record)) + "\n")
        sys.stderr.flush()


_HANDLER = _Stderr()
_HANDLER.setFormatter(logging.Formatter(FORMAT))


def log_to_stderr(level: int) -> None:
    """Log from `level` on. Libraries log warnings and worse only."""
    root = logging.getLogger()
    if _HANDLER not in root.handlers:
        root.addHandler(_HANDLER)
    _HANDLER.setLevel(level)
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
