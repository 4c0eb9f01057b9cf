"""Where alerts of a company were lately: by signature, by asset, below what they depend on, by their words.

Everything is bounded, so that placing an alert costs the same after a day and after a year. Whoever keeps it says
how a dict is changed (`put`, `drop`), so that a writer can undo and a replay need not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from siems.domain.alert import category_of
from siems.domain.changing import Fact, replace
from siems.domain.sentences import Words, words_of
from siems.domain.topology import Topology
from siems.vocabulary import Category

KEPT_PER_SIGNATURE = 32
KEPT_PER_ASSET = 16
KEPT_BELOW = 32
KEPT_PER_WORD = 12
MOST_NAMES = 20_000
"""So many signatures, assets and words are remembered; the one not seen for longest goes first."""

Put = Callable[[dict[Any, Any], Any, Any], None]
Drop = Callable[[dict[Any, Any], Any], Any]

_OWN = frozenset({Category.CPU, Category.MEMORY, Category.DISK, Category.HARDWARE})
_ALONE = re.compile(
    r"backup|restore|malware|virus|quarantine|intrusion|brute|phish|guardduty|certificate|\bcert(?![a-z])|expir"
    r"|(?:fail|bad|wrong|invalid|unauthor)\w*[\W_]*(?:login|logon|password|auth)"
    r"|(?:login|logon|password)s?[\W_]*(?:fail|attempt)",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"down|unreach|unavail|offline|time[\s_-]?out|timed|lost|latency|slow|unrespons|stall", re.IGNORECASE
)


@lru_cache(maxsize=1_024)
def spreads(signature: str) -> bool:
    """Whether a problem may come from elsewhere: what a resource of one's own does, a backup and a login do not."""
    return shakes(signature) and (category_of(signature) not in _OWN or _GONE.search(signature) is not None)


@lru_cache(maxsize=1_024)
def shakes(signature: str) -> bool:
    """Whether a problem counts when an asset has several at once: a backup, a login and a certificate do not."""
    return _ALONE.search(signature) is None


class Sighting(Fact, frozen=True):
    """One signature, seen on one asset, kept by one incident (0: it waits for one)."""

    asset: str
    incident_id: int
    at: datetime
    signature: str = ""
    fingerprint: str = ""
    failing: bool = False
    """It is a failure that others may suffer from, or that may come from elsewhere."""
    echo: bool = False
    """It only says again what another alert on the asset has said."""
    shaking: bool = True
    """It counts when its asset has several problems at once."""


class Spoken(Fact, frozen=True):
    """The words of an alert, and where it was."""

    words: Words
    seen: Sighting


@dataclass(slots=True)
class Trails:
    """What is remembered, newest last."""

    signatures: dict[str, tuple[Sighting, ...]] = field(default_factory=dict)
    assets: dict[str, tuple[Sighting, ...]] = field(default_factory=dict)
    below: dict[str, tuple[Sighting, ...]] = field(default_factory=dict)
    words: dict[str, tuple[Spoken, ...]] = field(default_factory=dict)

    def note(
        self, seen: Sighting, message: str, topology: Topology, window: timedelta, *, put: Put, drop: Drop
    ) -> None:  # fmt: skip
        """Remember where an alert was put."""
        oldest = seen.at - window
        here = self.assets.get(seen.asset, ())
        shaking = shakes(seen.signature)
        failing = spreads(seen.signature) or (shaking and storms(seen.signature, _since(oldest, here)))
        if failing != seen.failing or shaking != seen.shaking:
            seen = replace(seen, failing=failing, shaking=shaking)
        same = self.signatures.get(seen.signature, ())
        kept = tuple(s for s in same if s.asset != seen.asset and s.at >= oldest)[-(KEPT_PER_SIGNATURE - 1) :]
        _keep(self.signatures, seen.signature, (*kept, seen), put, drop)
        others = tuple(s for s in here if s.signature != seen.signature)[-(KEPT_PER_ASSET - 1) :]
        _keep(self.assets, seen.asset, (*others, seen), put, drop)
        if failing:
            for upstream in topology.above(seen.asset):
                found = self.below.get(upstream, ())
                kept = tuple(s for s in found if not _one_place(s, seen) and s.at >= oldest)[-(KEPT_BELOW - 1) :]
                put(self.below, upstream, (*kept, seen))
        said = words_of(message, seen.asset)
        if said.telling:
            self._hear(Spoken(said, seen), oldest, put, drop)

    def _hear(self, spoken: Spoken, oldest: datetime, put: Put, drop: Drop) -> None:
        seen = spoken.seen
        for word in spoken.words.prefix:
            found = tuple(
                s
                for s in self.words.get(word, ())
                if s.seen.at >= oldest and (s.seen.asset != seen.asset or s.seen.signature != seen.signature)
            )
            _keep(self.words, word, (*found[-(KEPT_PER_WORD - 1) :], spoken), put, drop)


ECHO = "auto:4"
"""The rule of what only says again what was said."""
STORM = 3
"""So many different problems on one asset within the window: the asset itself is failing."""


def storms(signature: str, here: Iterable[Sighting]) -> bool:
    """Whether one asset has so many different problems that the asset itself is failing."""
    found = {signature}
    for one in here:
        if one.shaking and not one.echo:
            found.add(one.signature)
            if len(found) >= STORM:
                return True
    return False


def _since(oldest: datetime, here: Sequence[Sighting]) -> Iterator[Sighting]:
    """Those that are not too old, the newest first."""
    return (one for one in reversed(here) if one.at >= oldest)


def _one_place(one: Sighting, other: Sighting) -> bool:
    """Whether two sightings lead to the same incident, or are the same alert that waits."""
    if one.incident_id == other.incident_id == 0:
        return one.fingerprint == other.fingerprint
    return one.incident_id == other.incident_id


def _keep(found: dict[str, Any], name: str, value: Any, put: Put, drop: Drop) -> None:
    """Under a new name only by forgetting the oldest one, when there are too many."""
    if name not in found and len(found) >= MOST_NAMES:
        drop(found, next(iter(found)))
    put(found, name, value)
