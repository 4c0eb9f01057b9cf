"""A company's incidents in memory, as plain as it can be: placements are applied as they are said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from siems.domain.alert import Reading
from siems.domain.changing import replace
from siems.domain.correlation import Key, Kind, Placement, Rules, Sighting, keys_for, place
from siems.domain.incident import Incident, include_asset
from siems.domain.instant import in_order
from siems.domain.topology import Topology
from siems.domain.trails import ECHO, Trails
from siems.vocabulary import State

from .making import ACME, T0, incident, reading


@dataclass
class World:
    """What is open, what answers to which key, and where each fingerprint went."""

    rules: Rules = field(default_factory=Rules)
    now: datetime = T0
    incidents: dict[int, Incident] = field(default_factory=dict)
    keys: dict[Key, int] = field(default_factory=dict)
    edges: dict[str, tuple[str, ...]] = field(default_factory=dict)
    topology: Topology = field(init=False)
    trails: Trails = field(default_factory=Trails)
    held_under: dict[Key, list[str]] = field(default_factory=dict)
    waits: dict[str, list[tuple[datetime, Reading]]] = field(default_factory=dict)
    went: dict[str, int | None] = field(default_factory=dict)
    placements: list[Placement] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.topology = Topology(self.edges)

    def by_key(self, key: Key) -> Incident | None:
        number = self.keys.get(key)
        return None if number is None else self.incidents[number]

    def incident(self, incident_id: int) -> Incident | None:
        found = self.incidents.get(incident_id)
        while found is not None and found.merged_into is not None:
            found = self.incidents[found.merged_into]
        return found

    def waiting(self, key: Key) -> Sequence[str]:
        return [name for name in self.held_under.get(key, []) if self.held(name)]

    def held(self, fingerprint: str) -> int:
        return sum(self.now - at <= self.rules.window for at, _ in self.waits.get(fingerprint, []))

    def fire(self, asset: str = "web-1", signature: str = "high_cpu", **changes: object) -> Placement | None:
        """One firing; None when it repeats an alert that is active."""
        return self.take(reading(asset, signature, **changes))

    def take_together(self, readings: Sequence[Reading]) -> None:
        """All of one instant, as the writer takes them."""
        names = [fired.fingerprint(ACME) for fired in readings]
        for at in in_order(readings, names, lambda name: self.went.get(name) is not None, self.topology):
            self.take(readings[at])

    def take(self, fired: Reading) -> Placement | None:
        name = fired.fingerprint(ACME)
        if self.went.get(name) is not None:
            self._repeat(self.went[name])
            return None
        said = place(fired, name, self, self.rules, now=self.now)
        self.placements.append(said)
        self._apply(fired, name, said)
        return said

    def resolve(self, number: int) -> None:
        """The incident and its alerts are over."""
        self.incidents[number] = replace(self.incidents[number], state=State.RESOLVED, resolved_at=self.now)
        self.went = {name: at for name, at in self.went.items() if at != number}

    def touch(self, number: int) -> None:
        self.incidents[number] = replace(self.incidents[number], touched=True)

    def groups(self) -> set[frozenset[str]]:
        """Which fingerprints share an incident: the grouping, whatever the numbers."""
        out: dict[int | None, set[str]] = {}
        for name, number in self.went.items():
            out.setdefault(number, set()).add(name)
        return {frozenset(names) for number, names in out.items() if number is not None}

    def standing(self) -> list[int]:
        return [number for number, found in self.incidents.items() if found.merged_into is None]

    def _repeat(self, number: int) -> None:
        self.incidents[number] = replace(self.incidents[number], last_alert_at=self.now)

    def _apply(self, fired: Reading, name: str, said: Placement) -> None:
        if said.kind is Kind.WAIT:
            self.held_under.setdefault(said.keys[0], []).append(name)
            self.waits.setdefault(name, []).append((self.now, fired))
            self.went[name] = None
            self._note(fired, name, 0, said.rule)
            return
        number = said.incident_id
        if said.kind is Kind.OPEN:
            number = len(self.incidents) + 1
            self.incidents[number] = incident(
                id=number,
                assets=(),
                asset_count=0,
                created_at=self.now,
                signature=fired.signature,
                recurrence_of=said.recurrence_of,
            )
        assert number is not None
        if said.kind is Kind.REOPEN:
            self.incidents[number] = replace(self.incidents[number], state=State.OPEN, resolved_at=None)
        for absorbed in said.absorb:
            self._fold(absorbed, number)
        for key in (*said.keys, *said.new_keys):
            self.keys[key] = number
        self.waits.pop(name, None)
        self._join(fired, name, number, said.rule)
        for other in said.gather:
            for _, waited in self.waits.pop(other, [])[-1:]:
                [key] = keys_for(waited.asset_name, waited.signature, waited.tool_source, other, self.rules)
                self.keys[key] = number
                self._join(waited, other, number, said.rule)

    def _join(self, fired: Reading, name: str, number: int, rule: str) -> None:
        joined = replace(include_asset(self.incidents[number], fired.asset_name), last_alert_at=self.now)
        self.incidents[number] = joined
        self.went[name] = number
        self._note(fired, name, number, rule)

    def _note(self, fired: Reading, name: str, number: int, rule: str) -> None:
        seen = Sighting(fired.asset_name, number, self.now, fired.signature, name, echo=rule == ECHO)
        self.trails.note(seen, fired.message, self.topology, self.rules.window, put=dict.__setitem__, drop=dict.pop)

    def _fold(self, absorbed: int, survivor: int) -> None:
        gone = self.incidents[absorbed]
        self.incidents[absorbed] = replace(gone, state=State.CLOSED, merged_into=survivor)
        for asset in gone.assets:
            self.incidents[survivor] = include_asset(self.incidents[survivor], asset)
        self.keys = {key: survivor if at == absorbed else at for key, at in self.keys.items()}
        self.went = {name: survivor if at == absorbed else at for name, at in self.went.items()}
