"""How an incident is found in memory: the keys that alerts give it, and where signatures were seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from siems.domain import correlation
from siems.domain.alert import Alert
from siems.domain.correlation import Key, Rules
from siems.domain.folding import wide_key as wide_key
from siems.domain.trails import ECHO, Sighting
from siems.storage.journal import Journal

if TYPE_CHECKING:
    from siems.storage.memory import CompanyMemory

FOLDED_KEPT = 4_096
"""So many incidents that were folded are remembered, longer than anything that has seen them."""


def keys_for(alert: Alert, rules: Rules) -> tuple[Key, ...]:
    """The keys that an alert gives its incident under the rules in force."""
    return correlation.keys_for(alert.asset_name, alert.signature, alert.tool_source, alert.fingerprint, rules)


def index_alert(
    journal: Journal, company: CompanyMemory, alert: Alert, keys: tuple[Key, ...], *, seen: bool = True
) -> None:  # fmt: skip
    """Let an alert's incident be found by its keys, and with `seen` remember where it was."""
    number = alert.incident_id
    if seen:
        sight(journal, company, alert)
    if number is None:
        for key in keys[:1]:
            journal.set(company.waiting, key, (*company.waiting.get(key, ()), alert.fingerprint))
        return
    for key in keys:
        if company.keys.get(key) != number:
            give_key(journal, company, number, key)


def stop_waiting(journal: Journal, company: CompanyMemory, alert: Alert) -> None:
    """An alert that had no incident is over, or has found one."""
    for key in keys_for(alert, company.rules)[:1]:
        left = tuple(f for f in company.waiting.get(key, ()) if f != alert.fingerprint)
        if left:
            journal.set(company.waiting, key, left)
        else:
            journal.drop(company.waiting, key)


def give_key(journal: Journal, company: CompanyMemory, number: int, key: Key) -> None:
    """From now on the incident answers to this key."""
    journal.set(company.keys, key, number)
    journal.set(company.keys_of.setdefault(number, {}), key, None)


def forget_incident(journal: Journal, company: CompanyMemory, number: int) -> None:
    """A closed incident is not looked for any more."""
    for key in tuple(company.keys_of.get(number, ())):
        if company.keys.get(key) == number:
            journal.drop(company.keys, key)
    journal.drop(company.keys_of, number)
    journal.drop(company.active_of, number)
    journal.drop(company.incidents, number)


def sight(journal: Journal, company: CompanyMemory, alert: Alert) -> None:
    """Remember where an alert was, for what comes after it."""
    seen = Sighting(
        alert.asset_name, alert.incident_id or 0, alert.last_seen_at, alert.signature, alert.fingerprint,
        echo=alert.rule == ECHO,
    )  # fmt: skip
    company.trails.note(seen, alert.message, company.topology, company.rules.window, put=journal.set, drop=journal.drop)


def fold(journal: Journal, company: CompanyMemory, absorbed: int, survivor: int) -> None:
    """Whoever has seen the one finds the other from now on."""
    if len(company.folded_into) >= FOLDED_KEPT:
        journal.drop(company.folded_into, next(iter(company.folded_into)))
    journal.set(company.folded_into, absorbed, survivor)
