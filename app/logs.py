"""Plain log lines on standard error."""

import logging

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_to_stderr(level: int) -> None:
    """Log from `level` on. What libraries say of their ordinary doings is left out."""
    logging.basicConfig(level=level, format=FORMAT, force=True)
    for name in ("httpx2", "httpcore2", "uvicorn", "asyncio", "sse_starlette"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
