"""What a sentence model is to siems: texts in, vectors out, and how near those are. No model is needed to know this."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from siems.domain.incident import humanise

NEAR = 0.5
"""What is less near says nothing: with common models, texts about different things reach 0.4."""
LONGEST = 300
SIGNATURES = 5
"""So many signatures of one incident are read."""

Key = tuple[str, str]
"""Company and signature: what a vector is kept for."""

_NUMBERS = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+(?:[.,:/-]\d+)*", re.IGNORECASE)


class Sentences(Protocol):
    """A model that is open. It may be asked on any thread, by one at a time."""

    name: str
    """Which model it is: another file is another name."""

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """A vector for each text, of length 1, as bytes."""
        ...

    def nearest(self, ours: Sequence[bytes], block: bytes) -> list[float]:
        """For each vector in a block (one after the other), how near the nearest of ours is: -1 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of one model: whose they are, and all of them in one block in the same order."""

    keys: tuple[Key, ...] = ()
    block: bytes = b""


def sentence(signature: str, message: str, asset: str) -> str:
    """What a model reads of an alert: the problem without numbers, and without the name of where it is."""
    said = re.sub(re.escape(asset), " ", message, flags=re.IGNORECASE) if asset else message
    words = _NUMBERS.sub(" ", f"{humanise(signature)}. {said[:LONGEST]}")
    return " ".join(words.split())


def near(model: Sentences, ours: Sequence[bytes], known: Vectors) -> Mapping[Key, float]:
    """How near what is known is to the nearest of ours, where it is near at all."""
    if not ours or not known.keys:
        return {}
    found = zip(known.keys, model.nearest(ours, known.block), strict=True)
    return {key: round(min(score, 1.0), 2) for key, score in found if score >= NEAR}
