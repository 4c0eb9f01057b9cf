"""Texts of alerts as sets of words: numbers and ids masked, so that the same sentence is the same set."""

from __future__ import annotations

import re
from functools import lru_cache
from sys import intern

from siems.domain.changing import Fact

MOST_TEXT = 400
NEAR = 0.8
"""So much of all words of two texts must be in both (Jaccard)."""
ENOUGH = 4
"""A text of fewer words says too little to be compared."""

_URL = re.compile(r"\w+://\S+")
_TOKEN = re.compile(r"[\w.:-]*\w")
_SPLIT = re.compile(r"[_.:\-]+|(?<=[a-z])(?=[A-Z])")
_NUMBER = re.compile(r"[+-]?\d[\d.,:]*(?:[a-z]{0,3})")
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?|(?:[0-9a-f]{0,4}:){3,}[0-9a-f]{0,4}")
_NAME = re.compile(r"(?=[\w.-]*[a-z])(?:[a-z][\w-]*-[\w-]*\d[\w-]*(?:\.[\w-]+)*|[\w-]+(?:\.[\w-]+){2,})")
_ID = re.compile(r"(?=\S*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*")
_STOP = frozenset(
    ("a", "an", "and", "are", "at", "by", "for", "from", "has", "have", "in", "is", "it", "its", "of", "on", "or",
     "than", "that", "the", "this", "to", "was", "with")
)  # fmt: skip


_NOTHING: frozenset[str] = frozenset()


class Words(Fact, frozen=True):
    """A text for comparing: kept for each incident, so in tuples, which take a fifth of what sets would."""

    words: tuple[str, ...]
    """Each once. The longest, which are the rarest, come first."""
    names: frozenset[str] = _NOTHING
    """The addresses, hosts and ids in it: what it is about, not what happened."""

    @property
    def prefix(self) -> tuple[str, ...]:
        """The words under which it is found: by the rest of the rule two texts that are near share one of these."""
        return self.words[: len(self.words) - _least(len(self.words)) + 1]

    @property
    def telling(self) -> bool:
        """Whether there is enough to compare."""
        return len(self.words) >= ENOUGH


@lru_cache(maxsize=256)  # asked several times for one alert, and hardly ever again: messages hold numbers
def words_of(message: str, asset: str) -> Words:
    """The words of a message. The asset's own name counts for nothing: each alert has its own."""
    words: set[str] = set()
    names: set[str] = set()
    own = asset.lower()
    first = own[:1]
    text = message[:MOST_TEXT]
    for token in _TOKEN.findall(_URL.sub(" ", text) if "://" in text else text):
        lower = token.lower()
        if lower[0] == first and same_asset(lower, own):  # nearly all differ in their first letter
            continue
        if token.isalpha():  # most are: neither a name nor a number
            if token == lower:
                if len(lower) > 1 and lower not in _STOP:
                    words.add(intern(lower))
                continue
            parts = _SPLIT.split(token)
        elif _ADDRESS.fullmatch(lower) or _NAME.fullmatch(lower) or _ID.fullmatch(lower):
            names.add(lower)
            continue
        elif _NUMBER.fullmatch(lower):
            continue
        else:
            parts = _SPLIT.split(token)
        for part in parts:
            part = part.lower().rstrip("0123456789")
            if len(part) > 1 and part not in _STOP:
                words.add(intern(part))
    ordered = sorted(words)
    ordered.sort(key=len, reverse=True)
    return Words(tuple(ordered), frozenset(names) if names else _NOTHING)


def _least(count: int) -> int:
    """How many of so many words a near text must share."""
    return -(-count * 8 // 10)


def near(one: Words, other: Words) -> bool:
    """Whether two texts say the same, names and numbers aside."""
    return says(frozenset(one.words), other)


def says(words: frozenset[str], other: Words) -> bool:
    """As `near`, for the words of a text that is compared with several."""
    both = len(words.intersection(other.words))
    return both * 10 >= 8 * (len(words) + len(other.words) - both)


def same_asset(one: str, other: str) -> bool:
    """Whether two tools mean one asset: the same name without case, one of them perhaps with its domain."""
    one, other = one.lower(), other.lower()
    if len(one) < len(other):
        one, other = other, one
    # asked for every word of every alert: nearly all differ at once
    if not one.startswith(other):
        return False
    return one == other or (one.partition(".")[0] == other and not _ADDRESS.fullmatch(one))
