"""How an incident is found in memory: the keys that alerts give it, and where signatures were seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from siems.domain.alert import Alert
from siems.domain.correlation import Key, Rules, Sighting
from siems.storage.journal import Journal
from siems.vocabulary import Strategy

if TYPE_CHECKING:
    from siems.storage.memory import CompanyMemory

SIGHTINGS_KEPT = 32


def keys_for(alert: Alert, rules: Rules) -> tuple[Key, ...]:
    """The keys that an alert gives its incident under the rules in force."""
    if not rules.enabled:
        return (("fingerprint", alert.fingerprint),)
    match rules.strategy:
        case Strategy.ASSET_SIGNATURE_TOOL:
            return (("asset|signature|tool", alert.asset_name, alert.signature, alert.tool_source),)
        case Strategy.SIGNATURE:
            return (("signature", alert.signature),)
        case Strategy.ASSET:
            return (("asset", alert.asset_name),)
        case _:
            return (("asset|signature", alert.asset_name, alert.signature),)


def wide_key(signature: str) -> Key:
    """The key of an incident that one signature on several assets was folded into."""
    return ("auto:signature", signature)


def index_alert(journal: Journal, company: CompanyMemory, alert: Alert, keys: tuple[Key, ...]) -> None:
    """Let an alert's incident be found by its keys, and its signature on its asset be remembered."""
    number = alert.incident_id
    if number is None:
        for key in keys[:1]:
            journal.set(company.waiting, key, (*company.waiting.get(key, ()), alert.fingerprint))
        return
    for key in keys:
        if company.keys.get(key) != number:
            give_key(journal, company, number, key)
    sight(journal, company, alert)


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
    """Remember where a signature was seen last, a few assets of it."""
    assert alert.incident_id is not None
    before = company.seen.get(alert.signature, ())
    oldest = alert.last_seen_at - company.rules.window
    kept = tuple(s for s in before if s.asset != alert.asset_name and s.at >= oldest)[-(SIGHTINGS_KEPT - 1) :]
    now = Sighting(alert.asset_name, alert.incident_id, alert.last_seen_at)
    journal.set(company.seen, alert.signature, (*kept, now))
