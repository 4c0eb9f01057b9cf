"""Where an alert belongs: the strategies that group alerts into incidents, and why (DOMAIN §5).

Each strategy is a pure function over what is open now (`OpenIncidents`); it answers with a `Placement` that
names its rule and its evidence. Nothing here reads a database or the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from siems.domain.alert import Reading
from siems.domain.incident import Incident
from siems.vocabulary import Severity, State, Strategy

FOLD_ASSETS = 3
"""One signature on this many assets within the window is one incident."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A company's correlation settings."""

    enabled: bool = True
    strategy: Strategy = Strategy.AUTO
    window: timedelta = timedelta(minutes=15)
    min_alerts: int = 1
    quiet_delay: timedelta = timedelta(minutes=5)
    auto_resolve: bool = True
    reopen_window: timedelta = timedelta(minutes=30)
    auto_close: timedelta = timedelta(hours=72)


class Kind(StrEnum):
    """What happens to an alert that is not a repeat."""

    OPEN = "open"
    JOIN = "join"
    REOPEN = "reopen"
    WAIT = "wait"


Key = tuple[str, ...]
"""What an incident answers to: a rule's name and the values it groups by."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One signature, seen on one asset, kept by one incident."""

    asset: str
    incident_id: int
    at: datetime


class OpenIncidents(Protocol):
    """What a strategy may look at: the incidents of one company that are not closed."""

    def by_key(self, key: Key) -> Incident | None:
        """The incident that answers to a key."""
        ...

    def incident(self, incident_id: int) -> Incident | None:
        """An incident by its number."""
        ...

    def sightings(self, signature: str) -> Sequence[Sighting]:
        """Where a signature was seen lately, oldest first."""
        ...

    def waiting(self, key: Key) -> int:
        """Firings under a key, within the window, that have no incident yet."""
        ...


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an alert goes, and why."""

    kind: Kind
    rule: str
    evidence: str
    keys: tuple[Key, ...]
    incident_id: int | None = None
    absorb: tuple[int, ...] = ()
    link: tuple[int, ...] = ()
    recurrence_of: int | None = None
    new_keys: tuple[Key, ...] = field(default=())
    """Keys that the incident answers to from now on, besides its own."""


def place(reading: Reading, fingerprint: str, seen: OpenIncidents, rules: Rules, *, now: datetime) -> Placement:
    """Where this alert belongs. A repeat of an active alert never gets here."""
    if not rules.enabled:
        placement = _by_fingerprint(reading, fingerprint, seen, rules, now)
    else:
        placement = STRATEGIES[rules.strategy](reading, fingerprint, seen, rules, now)
    if placement.kind is Kind.OPEN and rules.min_alerts > 1 and reading.severity < Severity.CRITICAL:
        count = seen.waiting(placement.keys[0]) + 1
        if count < rules.min_alerts:
            evidence = f"{count} of {rules.min_alerts} alerts within {_minutes(rules.window)}"
            return Placement(Kind.WAIT, placement.rule, evidence, placement.keys)
    return placement


def _minutes(span: timedelta) -> str:
    return f"{span // timedelta(minutes=1)} min"


def _settle(
    rule: str, keys: tuple[Key, ...], found: Incident | None, evidence: str, rules: Rules, now: datetime
) -> Placement:
    """Join what is open, reopen what was resolved a moment ago, else open: the end of every strategy."""
    if found is None:
        return Placement(Kind.OPEN, rule, "first of its kind", keys)
    if found.open:
        return Placement(Kind.JOIN, rule, evidence, keys, found.id)
    if found.state is State.RESOLVED and found.resolved_at is not None:
        if now - found.resolved_at <= rules.reopen_window:
            again = f"fires again within {_minutes(rules.reopen_window)} of the resolution"
            return Placement(Kind.REOPEN, rule, again, keys, found.id)
        return Placement(Kind.OPEN, rule, f"came back after {found.ref}", keys, recurrence_of=found.id)
    return Placement(Kind.OPEN, rule, "first of its kind", keys)


def _within(found: Incident | None, rules: Rules, now: datetime) -> Incident | None:
    """The incident, unless its last alert is older than the window. A resolved one has a window of its own."""
    if found is not None and found.open and now - found.last_alert_at > rules.window:
        return None
    return found


def _by_fingerprint(reading: Reading, fingerprint: str, seen: OpenIncidents, rules: Rules, now: datetime) -> Placement:
    key = ("fingerprint", fingerprint)
    return _settle("fingerprint", (key,), seen.by_key(key), "same alert", rules, now)


def _asset_signature(reading: Reading, fingerprint: str, seen: OpenIncidents, rules: Rules, now: datetime) -> Placement:
    key = ("asset|signature", reading.asset_name, reading.signature)
    evidence = f"{reading.signature} on {reading.asset_name} is open"
    return _settle("asset|signature", (key,), seen.by_key(key), evidence, rules, now)


def _asset_signature_tool(
    reading: Reading, fingerprint: str, seen: OpenIncidents, rules: Rules, now: datetime
) -> Placement:
    key = ("asset|signature|tool", reading.asset_name, reading.signature, reading.tool_source)
    evidence = f"{reading.signature} on {reading.asset_name} by {reading.tool_source} is open"
    return _settle("asset|signature|tool", (key,), seen.by_key(key), evidence, rules, now)


def _signature(reading: Reading, fingerprint: str, seen: OpenIncidents, rules: Rules, now: datetime) -> Placement:
    key = ("signature", reading.signature)
    evidence = f"{reading.signature} within {_minutes(rules.window)}"
    return _settle("signature", (key,), _within(seen.by_key(key), rules, now), evidence, rules, now)


def _asset(reading: Reading, fingerprint: str, seen: OpenIncidents, rules: Rules, now: datetime) -> Placement:
    key = ("asset", reading.asset_name)
    evidence = f"something else on {reading.asset_name} within {_minutes(rules.window)}"
    return _settle("asset", (key,), _within(seen.by_key(key), rules, now), evidence, rules, now)


def _auto(reading: Reading, fingerprint: str, seen: OpenIncidents, rules: Rules, now: datetime) -> Placement:
    """1. the same on the same asset; 2. one signature on three assets within the window folds into one."""
    first = _asset_signature(reading, fingerprint, seen, rules, now)
    wide = ("auto:signature", reading.signature)
    if first.kind is Kind.REOPEN:
        return first
    if first.kind is Kind.JOIN:
        return _fold_joined(reading, first, wide, seen, rules, now)
    folded = _within(seen.by_key(wide), rules, now)
    if folded is not None:
        evidence = f"{reading.signature} on {folded.asset_count} other assets within {_minutes(rules.window)}"
        into = _settle("auto:2", first.keys, folded, evidence, rules, now)
        if into.kind is not Kind.OPEN:
            return into
    return _fold(reading, first, wide, seen, rules, now) or first


def _fold_joined(
    reading: Reading, first: Placement, wide: Key, seen: OpenIncidents, rules: Rules, now: datetime
) -> Placement:
    """Its own incident takes it; but with it the signature may now be on enough assets for one incident of all."""
    assert first.incident_id is not None
    own = seen.incident(first.incident_id)
    if own is None or own.folded:
        return first
    fold = _fold(reading, first, wide, seen, rules, now, own=own)
    return fold if fold is not None and own.id in (fold.incident_id, *fold.absorb) else first


def _fold(
    reading: Reading, first: Placement, wide: Key, seen: OpenIncidents, rules: Rules, now: datetime,
    *, own: Incident | None = None,
) -> Placement | None:  # fmt: skip
    """The placement that makes one incident of a signature on several assets, or None below the number."""
    recent = [s for s in seen.sightings(reading.signature) if now - s.at <= rules.window]
    others = {s.asset for s in recent if s.asset != reading.asset_name}
    if len(others) + 1 < FOLD_ASSETS:
        return None
    found = [own, *(seen.incident(number) for number in dict.fromkeys(s.incident_id for s in recent))]
    unique = {i.id: i for i in found if i is not None and i.open}
    candidates = sorted(unique.values(), key=lambda i: (i.created_at, i.id))
    assets = {asset for i in candidates for asset in i.assets} | {reading.asset_name}
    if len(assets) < FOLD_ASSETS:
        return None
    survivor, *rest = candidates
    absorb = tuple(i.id for i in rest if not i.touched)
    link = tuple(i.id for i in rest if i.touched)
    evidence = f"{reading.signature} on {len(assets)} assets within {_minutes(rules.window)}"
    return Placement(Kind.JOIN, "auto:2", evidence, first.keys, survivor.id, absorb=absorb, link=link, new_keys=(wide,))


StrategyRule = Callable[[Reading, str, OpenIncidents, Rules, datetime], Placement]

STRATEGIES: Mapping[Strategy, StrategyRule] = MappingProxyType(
    {
        Strategy.ASSET_SIGNATURE: _asset_signature,
        Strategy.ASSET_SIGNATURE_TOOL: _asset_signature_tool,
        Strategy.SIGNATURE: _signature,
        Strategy.ASSET: _asset,
        Strategy.AUTO: _auto,
    }
)


def noise_reduction(*, alerts: int, incidents: int) -> float:
    """Per cent of what did not reach a person: (1 - incidents / alerts) * 100."""
    return 0.0 if alerts <= 0 else max(0.0, (1 - incidents / alerts) * 100)
