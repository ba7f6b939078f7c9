"""Secrets are masked however JSON escapes them, in time linear in what was sent."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.masking import MASK, mask

SECRET = 'key-zq"3a/wx\\yk'


def escaped_by_json(secret: str) -> st.SearchStrategy[str]:
    """A secret with any of its characters behind backslashes or as \\u00XX."""

    def form(character: str) -> st.SearchStrategy[str]:
        backslashes = st.integers(0, 4).map(lambda count: "\\" * count)
        code = st.sampled_from((f"{ord(character):02x}", f"{ord(character):02X}"))
        as_code = st.tuples(st.integers(1, 4), code).map(lambda found: "\\" * found[0] + "u00" + found[1])
        return backslashes.map(lambda found: found + character) | as_code

    return st.tuples(*map(form, secret)).map("".join)


@given(st.text(r'ab\u06"', max_size=12), escaped_by_json("se/cr et-1"), st.text(r"ab\u06", max_size=12))
def test_a_secret_is_masked_in_every_form(before: str, secret: str, after: str) -> None:
    masked = mask(f"{before} {secret} {after}".encode(), ["se/cr et-1"]).decode()
    assert MASK.decode() in masked
    assert re.search(r"c[\\]*r[\\]* [\\]*e[\\]*t", masked) is None


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_secret_with_quotes_and_backslashes_is_masked_in_json_in_json(times: int) -> None:
    text = SECRET
    for _ in range(times):
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    assert mask(f"<{text}>".encode(), [SECRET]) == b"<***>"


@given(st.binary(max_size=60))
def test_what_holds_no_secret_is_left_as_it_is(data: bytes) -> None:
    assert mask(data, ["never-in-there-0123456789-0123456789-0123456789-0123456789"]) == data


def test_short_values_are_left_alone() -> None:
    assert mask(b"abc \\abc", ["abc"]) == b"abc \\abc"


@pytest.mark.parametrize("hostile", ["\\", "\\u0061", "\\a", "key-\\", "k\\e\\y\\-\\z\\q", "u0"])
def test_twice_as_much_takes_about_twice_as_long(hostile: str) -> None:
    def seconds(size: int) -> float:
        data = (hostile * size)[:size].encode()
        found = []
        for _ in range(3):
            begin = time.process_time()
            mask(data, [SECRET])
            found.append(time.process_time() - begin)
        return min(found)

    small, large = seconds(100_000), seconds(400_000)
    # Four times as much: quadratic work would take sixteen times as long.
    assert large < 9 * small + 0.05
