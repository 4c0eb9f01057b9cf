"""How alike two incidents are: by signature, by assets, and by the words of their alerts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from siems.domain.advice import Past
from siems.domain.changing import replace

SIGNATURE, ASSETS, TEXT = 0.5, 0.25, 0.25
LEAST = 0.4
"""What is less alike is not shown."""
CLOSE = 0.7
"""What is at least so alike is spoken of as the same thing."""
LOOKED_AT = 60
"""So many of the likeliest, and so many of the latest, are compared by their words."""

_MASKED = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8,}|\d+(?:[.,:]\d+)*", re.IGNORECASE)
_SPLIT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9#]+")


@dataclass(frozen=True, slots=True)
class Features:
    """What is compared."""

    signatures: frozenset[str]
    assets: frozenset[str]
    messages: tuple[str, ...]


@lru_cache(maxsize=8_192)
def masked(text: str) -> str:
    """The words of a text, numbers and ids apart, in lower case: `CPU at 95% on Web01` → `cpu at # on web#`."""
    return " ".join(word.lower() for word in _SPLIT.split(_MASKED.sub("#", text[:400])) if word)


def rank(features: Features, past: Sequence[Past], *, most: int, least: float = LEAST) -> list[Past]:
    """The likest first, the later one of two that are equally alike."""
    rated = [(_signature(features, one), _assets(features, one), one) for one in past]
    likely = sorted(rated, key=lambda r: -(SIGNATURE * r[0] + ASSETS * r[1]))[:LOOKED_AT]
    chosen = {one.number: (signature, assets, one) for signature, assets, one in (*likely, *rated[:LOOKED_AT])}
    found = [_rated(features, *each) for each in chosen.values()]
    alike = [one for one in found if one.likeness >= least]
    return sorted(alike, key=lambda one: (-one.likeness, -one.number))[:most]


def candidates(features: Features, past: Sequence[Past]) -> list[int]:
    """The numbers of those whose words are worth looking up."""
    rated = sorted(past, key=lambda one: -(SIGNATURE * _signature(features, one) + ASSETS * _assets(features, one)))
    return list(dict.fromkeys(one.number for one in (*rated[:LOOKED_AT], *past[:LOOKED_AT])))


def _signature(features: Features, one: Past) -> float:
    """1 for the same signature, less for one that is written alike (`HighCPU`, `high_cpu_usage`)."""
    if one.signature in features.signatures:
        return 1.0
    best = max((fuzz.token_set_ratio(masked(one.signature), masked(s)) for s in features.signatures), default=0.0)
    return 0.8 * best / 100 if best >= 80 else 0.0


def _assets(features: Features, one: Past) -> float:
    both = features.assets & set(one.assets)
    return len(both) / min(len(features.assets), len(one.assets)) if both else 0.0


def _rated(features: Features, signature: float, assets: float, one: Past) -> Past:
    text = _alike(features.messages, one.messages)
    likeness = SIGNATURE * signature + ASSETS * assets + TEXT * text
    if text >= 0.95 and not signature:
        likeness = max(likeness, 0.5)  # two tools say the same thing by other names
    why = []
    if signature == 1.0:
        why.append(f"same signature {one.signature}")
    elif signature:
        why.append(f"signature {one.signature} is much alike")
    if assets:
        both = sorted(features.assets & set(one.assets))
        why.append(f"same asset {both[0]}" if len(both) == 1 else f"{len(both)} of the same assets")
    if text >= 0.6:
        why.append(f"text {text:.0%} alike")
    return replace(one, likeness=round(likeness, 2), why=tuple(why))


def _alike(ours: Iterable[str], theirs: Iterable[str]) -> float:
    """How much the nearest two messages have in common, numbers apart."""
    known = {masked(text) for text in ours} - {""}
    other = {masked(text) for text in theirs} - {""}
    best = max((fuzz.token_sort_ratio(a, b) for a in known for b in other), default=0.0)
    return round(best / 100, 2)
