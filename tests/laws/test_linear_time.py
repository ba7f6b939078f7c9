"""Every function that reads what others send takes time in proportion to its length, and returns or refuses."""

import time

import pytest

from tests.laws.growing import Growing, growing

ALL = growing()


RUNS = 5


def seconds(case: Growing, given: object) -> float:
    """Return the processor time of one run: other work on the machine does not count."""
    begin = time.thread_time()
    case.run(given)
    return time.thread_time() - begin


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_four_times_as_much_takes_no_more_than_nine_times_as_long(case: Growing) -> None:
    short, long = case.make(case.size), case.make(4 * case.size)
    small = large = float("inf")
    for _ in range(RUNS):
        small, large = min(small, seconds(case, short)), min(large, seconds(case, long))
        # Quadratic work would take sixteen times as long. Less than a few hundredths of a second cannot be told apart.
        if large < 9 * small + 0.05:
            return
    raise AssertionError(f"{small:.3f} s, and {large:.3f} s for four times as much")
