"""Self-healing: which approved LOW runbook may run by itself, for what, where, and how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from siems.domain.matchers import Matcher
from siems.errors import InvalidField

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealRule:
    """What a company allows. `wait`: so long after an incident has opened, so that what belongs to it has joined."""

    company_id: str
    runbook: str
    digest: str
    matchers: tuple[Matcher, ...]
    max_hosts: int = 5
    per_day: int = 10
    cool_down: timedelta = timedelta(hours=1)
    wait: timedelta = timedelta(seconds=30)
    executor: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    set_by: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """A run that healed, or tried to: when, and where."""

    at: datetime
    hosts: frozenset[str]


def checked(rule: HealRule) -> HealRule:
    """Raises InvalidField for limits that are none."""
    minute = timedelta(minutes=1)
    for name, value, low, high in (("max-hosts", rule.max_hosts, 1, 100), ("per-day", rule.per_day, 1, 1_000)):
        if not low <= value <= high:
            raise InvalidField(f"{name} is between {low} and {high}, not {value}")
    if not minute <= rule.cool_down <= 30 * DAY:
        raise InvalidField("the cool-down is between a minute and 30 days", hint="--cool-down 1h")
    if not timedelta(0) <= rule.wait <= timedelta(hours=1):
        raise InvalidField("the wait is an hour at most", hint="--wait 30s")
    return rule


def refusal(rule: HealRule, hosts: Sequence[str], past: Sequence[Past], now: datetime) -> str:
    """Why it may not heal these hosts now, or "" where it may."""
    if not hosts:
        return "there is nothing to run it on"
    if len(hosts) > rule.max_hosts:
        return f"{len(hosts)} hosts are more than the {rule.max_hosts} that are allowed"
    if sum(now - one.at < DAY for one in past) >= rule.per_day:
        return f"it has run {rule.per_day} times within a day already"
    for one in past:
        again = sorted(one.hosts.intersection(hosts))
        if again and now - one.at < rule.cool_down:
            return f"it has run on {again[0]} less than {_span(rule.cool_down)} ago"
    return ""


def _span(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
