"""The strategy `auto`: what folds into one incident because it has one cause (DOMAIN §5).

1. the same signature on the same asset; 2. one signature on several assets; 3. failures along `depends_on`, folded
into the upstream one; 4. near-identical texts. Each answers with a placement that names its rule and its evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from siems.domain.alert import Reading
from siems.domain.placement import Key, Kind, OpenIncidents, Placement, Rules, Standing, minutes
from siems.domain.sentences import same_asset, says, words_of
from siems.domain.trails import ECHO, STORM, Sighting, Spoken, shakes, spreads, storms

CASCADE = "auto:3"
FOLD_ASSETS = 3
"""One signature, or one text, on this many assets within the window is one incident."""
MOST_COMPARED = 32
"""So many texts is a text compared with."""


def wide_key(signature: str) -> Key:
    """The key of an incident that one signature on several assets was folded into."""
    return ("auto:signature", signature)


class Auto:
    """One alert that is about to be placed."""

    __slots__ = ("now", "oldest", "reading", "rules", "seen", "span", "system", "words")

    def __init__(self, reading: Reading, seen: OpenIncidents, rules: Rules, now: datetime) -> None:
        self.reading = reading
        self.seen = seen
        self.rules = rules
        self.now = now
        self.oldest = now - rules.window
        self.span = minutes(rules.window)
        self.words = words_of(reading.message, reading.asset_name)
        self.system = seen.topology.system(reading.asset_name)

    def place(self, first: Placement, own: Standing | None) -> Placement:
        """Beyond the first rule, whose answer is `first`; with `own` it has joined that one."""
        if own is not None:
            if own.folded:
                return first
            fold = self._burst(first, own)
            return fold if fold is not None and own.id in (fold.incident_id, *fold.absorb) else first
        alike = self._alike()
        return (
            self._echo(first, alike) or self._cascade(first) or self._wide(first) or self._burst(first)
            or self._told(first, alike) or first
        )  # fmt: skip

    # --- what is there -----------------------------------------------------------------------------------------

    def _fresh(self, found: Standing | None) -> bool:
        return found is not None and found.open and found.last_alert_at >= self.oldest

    def _of(self, sighting: Sighting) -> Standing | None:
        """The incident of a sighting, when it is open."""
        found = self.seen.incident(sighting.incident_id) if sighting.incident_id else None
        return found if found is not None and found.open else None

    def _held(self, found: Iterable[Sighting]) -> tuple[str, ...]:
        """The alerts among these that wait for an incident."""
        waits = (s.fingerprint for s in found if not s.incident_id and self.seen.held(s.fingerprint))
        return tuple(dict.fromkeys(waits))

    def _together(self, found: Iterable[Sighting]) -> list[Sighting]:
        """Those that may have one cause with this alert: what happens in two unconnected systems has not.

        Assets of which the inventory says nothing may belong to any one system.
        """
        mine, kept = self.system, []
        for sighting in found:
            if sighting.at < self.oldest:
                continue
            incident = self._of(sighting)
            theirs = self._system_of(incident) if incident is not None else self.seen.topology.system(sighting.asset)
            if mine is None:
                mine = theirs
            if theirs is None or theirs == mine:
                kept.append(sighting)
        return kept

    def _explained(self, sighting: Sighting) -> bool:
        """Whether the incident of a sighting has a failure upstream of it: that is its cause, not what others have."""
        above = self.seen.topology.above(sighting.asset)
        found = self._of(sighting) if above else None
        return found is not None and any(name in above for name in islice(found.assets, 32))

    def _cascaded(self, found: Standing) -> bool:
        """Whether an incident is about a failure and what it dragged along: it takes only what depends on that."""
        names, above = set(islice(found.assets, 32)), self.seen.topology.above
        return any(not names.isdisjoint(above(name)) for name in names)

    def _system_of(self, found: Standing) -> str | None:
        """The system in which an incident is."""
        system = self.seen.topology.system
        return next((name for asset in islice(found.assets, 16) if (name := system(asset)) is not None), None)

    def _elsewhere(self, found: Standing) -> bool:
        """Whether an incident is in a system that is not connected with this asset's."""
        theirs = self._system_of(found) if self.system is not None else None
        return theirs is not None and theirs != self.system

    # --- 2: one signature on several assets --------------------------------------------------------------------

    def _wide(self, first: Placement) -> Placement | None:
        """What was folded already takes one more asset."""
        found = self.seen.by_key(wide_key(self.reading.signature))
        if found is None or not self._fresh(found) or self._elsewhere(found):
            return None
        if self._cascaded(found) or not self._close(islice(found.assets, 32)):
            return None
        evidence = f"{self.reading.signature} on {found.asset_count} other assets within {self.span}"
        return Placement(Kind.JOIN, "auto:2", evidence, first.keys, found.id)

    def _burst(self, first: Placement, own: Standing | None = None) -> Placement | None:
        """The placement that makes one incident of a signature on several assets, or None below the number."""
        asset, signature = self.reading.asset_name, self.reading.signature
        before = (s for s in self.seen.trails.signatures.get(signature, ()) if s.asset != asset)
        recent = self._together(s for s in before if not self._explained(s))
        recent = self._counted(recent)
        if len({s.asset for s in recent}) + 1 < FOLD_ASSETS:
            return None
        waits = self._held(recent)
        counted = {s.asset for s in recent if s.fingerprint in waits}
        found = self._standing(recent, own)
        assets = {asset, *counted, *(name for i in found for name in i.assets)}
        if len(assets) < FOLD_ASSETS:
            return None
        evidence = f"{signature} on {len(assets)} assets within {self.span}"
        return self._folded("auto:2", evidence, first, found, waits, wide=(wide_key(signature),))

    def _counted(self, recent: list[Sighting]) -> list[Sighting]:
        """Those that count together with this alert."""
        counts = self._close({s.asset for s in recent})
        return [s for s in recent if s.asset in counts]

    def _close(self, assets: Iterable[str]) -> set[str]:
        """What may come from upstream is counted for what needs the same.

        Three apps of one database that fails are one trouble; two of one and one of another are two. On three or
        more that need different things it is a trouble of its own.
        """
        needs, assets = self.seen.topology.needs, set(assets)
        mine = set(needs(self.reading.asset_name))
        if not mine or not spreads(self.reading.signature):
            return assets
        apart = {asset: set(needs(asset)) for asset in assets}
        if not all(apart.values()):
            return assets  # what needs nothing may be the trouble of all
        close = set[str]()
        while near := {asset for asset, theirs in apart.items() if not mine.isdisjoint(theirs)}:
            close |= near
            mine.update(*(apart.pop(asset) for asset in near))
        others = list[set[str]]()
        for asset in sorted(apart):
            if all(other.isdisjoint(apart[asset]) for other in others):
                others.append(apart[asset])
        return assets if len(others) + 1 >= FOLD_ASSETS else close

    def _standing(self, recent: Iterable[Sighting], own: Standing | None = None) -> list[Standing]:
        """The open incidents of these sightings, the oldest first."""
        unique = {own.id: own} if own is not None else {}
        for sighting in recent:
            if (incident := self._of(sighting)) is not None:
                unique[incident.id] = incident
        return sorted(unique.values(), key=lambda i: (i.created_at, i.id))

    def _folded(
        self, rule: str, evidence: str, first: Placement, found: Sequence[Standing], waits: tuple[str, ...] = (), *,
        wide: tuple[Key, ...] = (),
    ) -> Placement:  # fmt: skip
        """Into the first of these; without any it opens."""
        if not found:
            return Placement(
                Kind.OPEN, rule, evidence, first.keys, new_keys=wide, gather=waits, recurrence_of=first.recurrence_of
            )
        survivor, *rest = found
        absorb, link = _parted(rest)
        return Placement(
            Kind.JOIN, rule, evidence, first.keys, survivor.id, absorb=absorb, link=link, new_keys=wide, gather=waits
        )

    # --- 3: along depends_on -----------------------------------------------------------------------------------

    def _cascade(self, first: Placement) -> Placement | None:
        """With a failure upstream it goes there; failures downstream of it come here."""
        reading, topology = self.reading, self.seen.topology
        asset = reading.asset_name
        if not self.rules.cascades or not topology.knows(asset):
            return None
        here = [s for s in self.seen.trails.assets.get(asset, ()) if s.at >= self.oldest]
        stormy = shakes(reading.signature) and storms(reading.signature, here)
        if not stormy and not spreads(reading.signature):
            return None
        above = self._above(asset)
        mine = self._standing(s for s in here if (stormy and s.shaking) or self._spread_here(s))
        below = self._below(asset)
        waits = self._held(self._waiting_near(asset, here if stormy else ()))
        if above is not None:
            upstream, failed = above
            evidence = f"{asset} depends on {failed.asset}, where {failed.signature} came within {self.span}"
            rest = [i for i in (*mine, *below) if i.id != upstream.id]
            return self._folded(CASCADE, evidence, first, [upstream, *_unique(rest)], waits)
        if mine:
            why = f"{STORM} or more problems on {asset}" if stormy else f"{asset} failed, and what depends on it"
            rest = [i for i in (*mine[1:], *below) if i.id != mine[0].id]
            return self._folded(CASCADE, f"{why} within {self.span}", first, [mine[0], *_unique(rest)], waits)
        if not below and not waits:
            return None
        absorb, link = _parted(below)
        evidence = f"{_some(below, waits)} within {self.span}, and what failed there depends on {asset}"
        return Placement(
            Kind.OPEN, CASCADE, evidence, first.keys, absorb=absorb, link=link, gather=waits,
            recurrence_of=first.recurrence_of,
        )  # fmt: skip

    def _above(self, asset: str) -> tuple[Standing, Sighting] | None:
        """The incident of the nearest failure upstream, and that failure; of several the oldest."""
        best: tuple[tuple[int, datetime, int], Standing, Sighting] | None = None
        for upstream, steps in self.seen.topology.above(asset).items():
            if best is not None and steps > best[0][0]:
                break
            for sighting in self.seen.trails.assets.get(upstream, ()):
                found = self._of(sighting) if sighting.failing else None
                if found is not None and self._recent(sighting, found):
                    rank = (steps, found.created_at, found.id)
                    if best is None or rank < best[0]:
                        best = rank, found, sighting
        return None if best is None else best[1:]

    def _recent(self, sighting: Sighting, found: Standing) -> bool:
        """It came within the window; what has spread since goes by its last alert."""
        return sighting.at >= self.oldest or (found.asset_count > 1 and found.last_alert_at >= self.oldest)

    def _spread_here(self, sighting: Sighting) -> bool:
        """An incident of several assets that has reached this one."""
        found = self._of(sighting)
        return found is not None and sighting.failing and found.asset_count > 1

    def _below(self, asset: str) -> list[Standing]:
        """Incidents of what depends on this asset, most of whose assets do."""
        recent = (s for s in self.seen.trails.below.get(asset, ()) if s.at >= self.oldest)
        above = self.seen.topology.above
        found = self._standing(recent)
        return [i for i in found if 2 * sum(asset in above(name) for name in i.assets) >= len(i.assets)]

    def _waiting_near(self, asset: str, here: Iterable[Sighting]) -> Iterator[Sighting]:
        """Sightings without an incident on this asset, above and below it."""
        trails = self.seen.trails
        if self.rules.min_alerts > 1:
            yield from here
            for upstream in self.seen.topology.above(asset):
                yield from (s for s in trails.assets.get(upstream, ()) if s.failing and s.at >= self.oldest)
            yield from (s for s in trails.below.get(asset, ()) if s.at >= self.oldest)

    # --- 4: near-identical texts -------------------------------------------------------------------------------

    def _alike(self) -> list[Spoken]:
        """Recent alerts with nearly the same words."""
        words = self.words
        if not self.rules.texts or not words.telling:
            return []
        said = (s for word in words.prefix for s in reversed(self.seen.trails.words.get(word, ())))
        fresh = (s for s in said if s.seen.at >= self.oldest)
        heard = {id(s): s for s in islice(fresh, MOST_COMPARED)}.values()
        mine = frozenset(words.words)
        return [s for s in heard if says(mine, s.words)]

    def _echo(self, first: Placement, alike: Sequence[Spoken]) -> Placement | None:
        """The same said of the same asset under another name, or of one thing that both texts name."""
        same = [s.seen for s in alike if self._same_thing(s)]
        found = [i for i in self._standing(same) if self._fresh(i) and not self._elsewhere(i)]
        waits = () if found else self._held(same)
        if not found and not waits:
            return None
        evidence = f"reads like {_named(found[0] if found else None, same)} within {self.span}"
        return self._folded(ECHO, evidence, first, found[:1], waits)

    def _told(self, first: Placement, alike: Sequence[Spoken]) -> Placement | None:
        """The same said of several assets, whatever it is called."""
        mine = self.reading.asset_name
        others = (s.seen for s in alike if not same_asset(s.seen.asset, mine))
        recent = self._counted(self._together(s for s in others if not self._explained(s)))
        different = list[str]()
        for sighting in recent:
            if not any(same_asset(sighting.asset, other) for other in different):
                different.append(sighting.asset)
        if len(different) + 1 < FOLD_ASSETS:
            return None
        evidence = f"near-identical texts on {len(different) + 1} assets within {self.span}"
        return self._folded(ECHO, evidence, first, self._standing(recent), self._held(recent))

    def _same_thing(self, spoken: Spoken) -> bool:
        """Said of this asset under another signature, or naming the same address, host or id."""
        seen, mine, names = spoken.seen, self.reading, self.words.names
        if same_asset(seen.asset, mine.asset_name):
            return spoken.words.names == names
        if seen.signature == mine.signature:
            return False  # one signature on several assets is for the second rule to count
        return bool(names & spoken.words.names)


def _parted(found: Iterable[Standing]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(those that are absorbed, those that are only linked since a person has touched them)."""
    found = tuple(found)
    return tuple(i.id for i in found if not i.touched), tuple(i.id for i in found if i.touched)


def _unique(found: Iterable[Standing]) -> list[Standing]:
    return list({i.id: i for i in found}.values())


def _some(found: Sequence[Standing], waits: Sequence[str]) -> str:
    if not found:
        return f"{len(waits)} alerts"
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{found[0].ref}{more}"


def _named(found: Standing | None, seen: Sequence[Sighting]) -> str:
    where = f"{seen[0].signature} on {seen[0].asset}"
    return f"{found.ref} ({where})" if found is not None else where
