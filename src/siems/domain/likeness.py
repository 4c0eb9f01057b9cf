"""How alike two incidents are: by signature, by assets, and by the words of their alerts.

Where there is a sentence model, what it finds near counts as much as a signature that is written alike: without the
same asset it never makes two incidents the same thing (`CLOSE`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nsmallest

from rapidfuzz import fuzz, process

from siems.domain.advice import Past
from siems.domain.changing import replace
from siems.domain.nearness import Key

SIGNATURE, ASSETS, TEXT = 0.5, 0.25, 0.25
LEAST = 0.4
"""What is less alike is not shown."""
CLOSE = 0.7
"""What is at least so alike is spoken of as the same thing."""
ALIKE = 0.8
"""How much a signature counts that is not the same, but written alike or near by the model."""
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


Rated = tuple[float, float, Past]


class Shelf:
    """Past incidents, the latest first, laid out so that many can be compared with them. Good as long as they are."""

    __slots__ = ("_assets", "_masked", "_places", "_signatures", "messages", "past")

    def __init__(self, past: Sequence[Past]) -> None:
        self.past = past
        self.messages: dict[int, tuple[str, ...]] = {}
        """What was looked up of their alerts."""
        self._signatures: dict[str, list[int]] = {}
        self._assets: dict[str, list[int]] = {}
        for place, one in enumerate(past):
            self._signatures.setdefault(one.signature, []).append(place)
            for asset in one.assets:
                self._assets.setdefault(asset, []).append(place)
        self._places = list(self._signatures.values())
        self._masked = [masked(signature) for signature in self._signatures]

    def likely(self, features: Features, *, but: int = 0, near: Mapping[Key, float] | None = None) -> list[Rated]:
        """(signature, assets, incident) of the likeliest and of the latest: those whose words are worth a look.

        `near`: what a sentence model finds near, by company and signature.
        """
        signatures = self._by_signature(features)
        by_model = self._by_model(near, signatures) if near else {}
        assets = {place for asset in features.assets for place in self._assets.get(asset, ())}
        shared = {place: _assets(features, self.past[place]) for place in assets}
        scores = [
            (-_worth(signatures.get(place, 0.0), shared.get(place, 0.0), by_model.get(place, 0.0)), place)
            for place in signatures.keys() | shared.keys() | by_model.keys()
        ]
        order = [place for _, place in nsmallest(LOOKED_AT, scores)]
        chosen = dict.fromkeys(order)
        for place in range(len(self.past)):
            if len(chosen) >= LOOKED_AT:
                break
            chosen.setdefault(place)
        chosen |= dict.fromkeys(range(min(LOOKED_AT, len(self.past))))
        found = (
            (signatures.get(at, 0.0), shared.get(at, 0.0), _near(self.past[at], by_model.get(at, 0.0))) for at in chosen
        )
        return [each for each in found if each[2].number != but]

    def _by_model(self, near: Mapping[Key, float], same: Mapping[int, float]) -> dict[int, float]:
        """How near they are, by place. The same signature says what it says, whatever a model makes of it."""
        return {
            place: score
            for (company, signature), score in near.items()
            for place in self._signatures.get(signature, ())
            if self.past[place].company_id == company and same.get(place) != 1.0
        }

    def _by_signature(self, features: Features) -> dict[int, float]:
        """How alike the signatures are, by place: 1 for the same, less for one that is written alike (`HighCPU`)."""
        found: dict[int, float] = {}
        for signature in features.signatures:
            for _, score, at in process.extract_iter(
                masked(signature), self._masked, scorer=fuzz.token_set_ratio, score_cutoff=80
            ):
                for place in self._places[at]:
                    found[place] = max(found.get(place, 0.0), ALIKE * score / 100)
            for place in self._signatures.get(signature, ()):
                found[place] = 1.0
        return found


def rank(
    features: Features, likely: Iterable[Rated], messages: Mapping[int, Sequence[str]], *, most: int,
    least: float = LEAST,
) -> list[Past]:  # fmt: skip
    """The likest of these first, the later one of two that are equally alike; what was said in each by its number."""
    ours = {masked(text) for text in features.messages} - {""}
    rated = [
        (_likeness(ours, messages.get(one.number, one.messages), s, a, one.near), s, a, one) for s, a, one in likely
    ]
    alike = [each for each in rated if each[0][0] >= least]
    alike.sort(key=lambda each: (-each[0][0], -each[3].number))
    return [_told(features, *each) for each in alike[:most]]


def _worth(signature: float, assets: float, near: float) -> float:
    return SIGNATURE * max(signature, ALIKE * near) + ASSETS * assets + TEXT * near


def _near(one: Past, score: float) -> Past:
    return replace(one, near=score) if score else one


def _assets(features: Features, one: Past) -> float:
    both = features.assets & set(one.assets)
    return len(both) / min(len(features.assets), len(one.assets)) if both else 0.0


def _likeness(
    ours: set[str], said: Iterable[str], signature: float, assets: float, near: float
) -> tuple[float, float]:  # fmt: skip
    """(how alike all in all, how alike the words)."""
    text = _alike(ours, said)
    likeness = SIGNATURE * max(signature, ALIKE * near) + ASSETS * assets + TEXT * max(text, near)
    if text >= 0.95 and not signature:
        likeness = max(likeness, 0.5)  # two tools say the same thing by other names
    return round(likeness, 2), text


def _told(features: Features, alike: tuple[float, float], signature: float, assets: float, one: Past) -> Past:
    likeness, text = alike
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
    if one.near:
        why.append(f"text is near by the sentence model ({one.near:.2f})")
    return replace(one, likeness=likeness, why=tuple(why))


def _alike(ours: Iterable[str], theirs: Iterable[str]) -> float:
    """How much the nearest two messages have in common, numbers apart; ours are masked already."""
    other = {masked(text) for text in theirs} - {""}
    best = max((fuzz.token_sort_ratio(a, b) for a in ours for b in other), default=0.0)
    return round(best / 100, 2)
