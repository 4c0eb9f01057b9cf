"""In which order files of tests run: those that wait beside those that work, and what takes longest first.

Tests of the console and of whole processes wait for most of their time, others keep a processor busy. In the order of
their names all that wait would come together, with the machine idle beside them, and the last file would run alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import pairwise, zip_longest
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)

SECONDS = {"stories": 5.0, "tui": 1.0, "daemon": 0.7, "services": 0.4, "storage": 0.4, "cli": 0.4, "library": 0.1}
"""About how long a test of a folder takes."""
WAITING = {"tui", "stories", "cli", "library", "executors"}
OTHERS = 0.05


def arranged(files: Sequence[tuple[Name, str]]) -> list[Name]:
    """The names of files in the order to run them in. `files`: for each test its file and folder."""
    weights: Counter[tuple[Name, str]] = Counter()
    for file, folder in files:
        weights[file, folder] += SECONDS.get(folder, OTHERS)  # type: ignore[assignment]
    longest = sorted(weights, key=lambda one: -weights[one])  # of two alike, the one that was found first
    waiting = [file for file, folder in longest if folder in WAITING]
    working = [file for file, folder in longest if folder not in WAITING]
    return [file for pair in _beside(waiting, working) for file in pair]


def _beside(waiting: list[Name], working: list[Name]) -> list[list[Name]]:
    """Both lists at once, spread evenly over the whole."""
    fewer, more = sorted((waiting, working), key=len)
    if not fewer:
        return [more]
    share = len(more) / len(fewer)
    cuts = [round(share * at) for at in range(len(fewer) + 1)]
    parts = [more[begin:end] for begin, end in pairwise(cuts)]
    return [[one, *rest] for one, rest in zip_longest(fewer, parts)]
