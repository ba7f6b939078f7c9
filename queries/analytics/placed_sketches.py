"""Sketches of spans, and where in days each one counts."""

from typing import TYPE_CHECKING, Any, NamedTuple

from queries.analytics.totals import pair_type

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]


class PlacedSketches(NamedTuple):
    """Sketches, and where each one counts. sketches: one after another; sizes: of each, in bytes.

    places, signs: of each, as `DaySpans.places` has them.
    """

    sketches: bytes
    sizes: "Numbers"
    places: "Numbers"
    signs: "Numbers"

    def in_order(self) -> "PlacedSketches":
        """Return the same by ascending place."""
        import numpy as np  # here, so that commands that count nothing start fast

        if (self.places[1:] >= self.places[:-1]).all():
            return self
        order = np.argsort(self.places, kind="stable")
        lasts = self.sizes.cumsum()
        parts = zip((lasts - self.sizes)[order].tolist(), lasts[order].tolist(), strict=True)
        sketches = b"".join([self.sketches[first:last] for first, last in parts])
        return PlacedSketches(sketches, self.sizes[order], self.places[order], self.signs[order])


class PlacedPairs:
    """The pairs of sketches in order of their places, of which those of some days can be taken."""

    def __init__(self, given: PlacedSketches) -> None:
        import numpy as np

        pairs = np.frombuffer(given.sketches, dtype=pair_type())
        self.buckets, self._counts = pairs["bucket"], pairs["count"]
        self._places = given.places
        self._lengths = given.sizes // pair_type().itemsize
        self._signs = None if (given.signs == 1).all() else given.signs.astype(float)
        self._ends = np.concatenate(((0,), self._lengths.cumsum()))

    def of(self, first: int, many: int, width: int) -> "tuple[Numbers, Numbers] | None":
        """Return the cells of the pairs of some days, and the counts with their signs; None without any.

        width: cells of a place.
        """
        import numpy as np

        begin, end = self._places.searchsorted((2 * first, 2 * (first + many) + 1))
        if begin == end:
            return None
        lengths, part = self._lengths[begin:end], slice(self._ends[begin], self._ends[end])
        cells = np.repeat((self._places[begin:end] - 2 * first) * width, lengths)
        cells += self.buckets[part]
        # Counts are integers below 2^53, which doubles add up exactly.
        if self._signs is None:
            return cells, self._counts[part].astype(float)
        weighed = np.repeat(self._signs[begin:end], lengths)
        weighed *= self._counts[part]
        return cells, weighed
