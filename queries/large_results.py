"""The content of a large result, as it is stored beside the log."""

import re
from uuid import UUID

from domain.refusal import NotFound
from queries.reading import Reading
from store import large_results

_DIGEST = re.compile(r"[0-9a-f]{64}")


def get_large_result(reading: Reading, execution_id: UUID, digest: str) -> bytes:
    """Return the JSON text that a reference of the execution states by its digest. Raises NotFound."""
    if _DIGEST.fullmatch(digest):
        with reading.datastore.reading() as connection:
            content = large_results.read(connection, execution_id, bytes.fromhex(digest))
        if content is not None:
            return content
    raise no_large_result()


def no_large_result() -> NotFound:
    """Return the refusal of a result that is not there, or not for the caller."""
    return NotFound("the execution has no such large result")
