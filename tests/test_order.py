"""The order of the test run: nothing is lost, what waits is spread, what takes long comes first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

import order

FOLDERS = st.sampled_from(["tui", "stories", "services", "domain", "sources", "daemon"])


@given(st.lists(st.tuples(st.integers(0, 30), FOLDERS), max_size=80))
def test_every_file_is_there_once(found: list[tuple[int, str]]) -> None:
    files = [(f"{folder}/{number}", folder) for number, folder in found]
    arranged = order.arranged(files)
    assert sorted(arranged) == sorted({file for file, _ in files})


def test_what_waits_runs_beside_what_works() -> None:
    files = [(f"{folder}/{number}", folder) for folder in ("services", "tui") for number in range(6)]
    arranged = order.arranged(files)
    assert [name.split("/")[0] for name in arranged] == ["tui", "services"] * 6


def test_the_longest_of_each_come_first() -> None:
    files = [(name, "tui") for name in ("short", *["long"] * 3)] + [(name, "domain") for name in ("b", "a", "a")]
    assert order.arranged(files) == ["long", "a", "short", "b"]
