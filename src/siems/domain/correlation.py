"""Where an alert belongs: the strategies that group alerts into incidents, and why (DOMAIN §5).

Each strategy is a pure function over what is open now (`OpenIncidents`); it answers with a `Placement` that
names its rule and its evidence. Nothing here reads a database or the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from siems.domain.alert import Reading
from siems.domain.folding import CASCADE, Auto
from siems.domain.placement import Key, Kind, OpenIncidents, Placement, Rules, Standing, minutes
from siems.domain.trails import Sighting
from siems.vocabulary import Severity, State, Strategy

__all__ = [
    "CASCADE", "STRATEGIES", "Key", "Kind", "OpenIncidents", "Placement", "Rules", "Sighting", "Standing", "keys_for",
    "noise_reduction", "place",
]  # fmt: skip


def place(reading: Reading, fingerprint: str, seen: OpenIncidents, rules: Rules, *, now: datetime) -> Placement:
    """Where this alert belongs. A repeat of an active alert never gets here."""
    if not rules.enabled:
        placement = _by_fingerprint(reading, fingerprint, seen, rules, now)
    else:
        placement = STRATEGIES[rules.strategy](reading, fingerprint, seen, rules, now)
    if placement.kind is not Kind.OPEN or rules.min_alerts <= 1:
        return placement
    waits = tuple(dict.fromkeys((*placement.gather, *(w for key in placement.keys for w in seen.waiting(key)))))
    count = 1 + sum(seen.held(waiting) for waiting in {*waits, fingerprint})
    if reading.severity < Severity.CRITICAL and count < rules.min_alerts and not placement.absorb:
        evidence = f"{count} of {rules.min_alerts} alerts within {minutes(rules.window)}"
        return Placement(Kind.WAIT, placement.rule, evidence, placement.keys)
    return replace(placement, gather=waits)


def keys_for(asset: str, signature: str, tool: str, fingerprint: str, rules: Rules) -> tuple[Key, ...]:
    """The keys that an alert gives its incident under the rules in force."""
    if not rules.enabled:
        return (("fingerprint", fingerprint),)
    match rules.strategy:
        case Strategy.ASSET_SIGNATURE_TOOL:
            return (("asset|signature|tool", asset, signature, tool),)
        case Strategy.SIGNATURE:
            return (("signature", signature),)
        case Strategy.ASSET:
            return (("asset", asset),)
        case _:
            return (("asset|signature", asset, signature),)


def _settle(
    rule: str, keys: tuple[Key, ...], found: Standing | None, evidence: str, rules: Rules, now: datetime
) -> Placement:
    """Join what is open, reopen what was resolved a moment ago, else open: the end of every strategy."""
    if found is None:
        return Placement(Kind.OPEN, rule, "first of its kind", keys)
    if found.open:
        return Placement(Kind.JOIN, rule, evidence, keys, found.id)
    if found.state is State.RESOLVED and found.resolved_at is not None:
        if now - found.resolved_at <= rules.reopen_window:
            again = f"fires again within {minutes(rules.reopen_window)} of the resolution"
            return Placement(Kind.REOPEN, rule, again, keys, found.id)
        return Placement(Kind.OPEN, rule, f"came back after {found.ref}", keys, recurrence_of=found.id)
    return Placement(Kind.OPEN, rule, "first of its kind", keys)


def _within(found: Standing | None, rules: Rules, now: datetime) -> Standing | None:
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
    evidence = f"{reading.signature} within {minutes(rules.window)}"
    return _settle("signature", (key,), _within(seen.by_key(key), rules, now), evidence, rules, now)


def _asset(reading: Reading, fingerprint: str, seen: OpenIncidents, rules: Rules, now: datetime) -> Placement:
    key = ("asset", reading.asset_name)
    evidence = f"something else on {reading.asset_name} within {minutes(rules.window)}"
    return _settle("asset", (key,), _within(seen.by_key(key), rules, now), evidence, rules, now)


def _auto(reading: Reading, fingerprint: str, seen: OpenIncidents, rules: Rules, now: datetime) -> Placement:
    """The same on the same asset first; then what has one cause with what is open."""
    first = _asset_signature(reading, fingerprint, seen, rules, now)
    if first.kind is Kind.REOPEN:
        return first
    own = seen.incident(first.incident_id) if first.incident_id is not None else None
    return Auto(reading, seen, rules, now).place(first, own)


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
