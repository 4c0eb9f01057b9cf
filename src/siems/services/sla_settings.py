"""What a company's incidents are held to: a tier, targets per severity, business hours, which holds pause."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import Connection, select

from siems.domain.calendars import (
    Calendar,
    add_business,
    holidays_of,
    parse_day,
    parse_hours,
    parse_opened,
    told_hours,
)
from siems.domain.changing import replace
from siems.domain.company import CompanySettings
from siems.domain.recurrence import zone_named
from siems.domain.sla import Target, Targets, Terms
from siems.domain.tiers import OFFICE_HOURS, TIERS, Tier, tier_named
from siems.errors import InvalidField
from siems.storage import tables as t
from siems.storage.rows import settings_from
from siems.vocabulary import HoldReason, Severity
from siems.wire import BusinessHoursView, SlaPlan, SlaPolicyAsk, SlaTarget, SpecialDay

LONGEST_TARGET = 365 * 24 * 3_600
LATEST_DEADLINE = 2 * 365
"""Days: a target that business hours would stretch further is a mistake."""
MOST_DAYS = 400
NOTHING = "none"


def changed(before: CompanySettings, ask: SlaPolicyAsk, now: datetime) -> CompanySettings:
    """The settings with what was asked for. Raises InvalidField naming what is wrong."""
    terms, tier = before.terms, before.tier
    if ask.tier is not None:
        chosen = tier_named(ask.tier)
        tier, terms = chosen.name, _of_tier(chosen, terms, before.zone)
    zone = before.zone if ask.time_zone is None else zone_named(ask.time_zone).key
    calendar = _calendar(terms.calendar, ask, zone, now)
    terms = replace(terms, calendar=calendar)
    if ask.pausing is not None:
        terms = replace(terms, pausing=_reasons(ask.pausing))
    if ask.severity:
        terms = replace(terms, targets=_targets(terms.targets, ask))
    elif any(value is not None for value in (ask.response_seconds, ask.resolution_seconds, ask.warn_seconds)):
        raise InvalidField("targets of which severity?", hint="--severity HIGH")
    if terms.calendar is not None:
        _reachable(terms, terms.calendar, now)
    return replace(before, tier=tier, zone=zone, terms=terms)


def _of_tier(tier: Tier, before: Terms, zone: str) -> Terms:
    """A template's terms; hours that the company has named stay where the tier counts them."""
    calendar = None
    if tier.business:
        calendar = before.calendar or Calendar(zone=zone, hours=OFFICE_HOURS)
    return Terms(targets=dict(tier.targets), calendar=calendar, pausing=tier.pausing)


def _targets(before: Targets, ask: SlaPolicyAsk) -> Targets:
    try:
        severity = Severity[ask.severity.upper()]
    except KeyError as why:
        raise InvalidField(f"{ask.severity!r} is no severity", hint="LOW, MEDIUM, HIGH or CRITICAL") from why
    old = before[severity]
    new = Target(
        _span("response", ask.response_seconds, old.response),
        _span("resolution", ask.resolution_seconds, old.resolution),
        old.warn if ask.warn_seconds is None else _span("warn", ask.warn_seconds, old.response),
    )
    return {**before, severity: new}


def _span(name: str, value: int | None, before: timedelta) -> timedelta:
    if value is None:
        return before
    if not 1 <= value <= LONGEST_TARGET:
        raise InvalidField(f"{name} must be between 1 and {LONGEST_TARGET}", hint="nothing was changed")
    return timedelta(seconds=value)


def _calendar(before: Calendar | None, ask: SlaPolicyAsk, zone: str, now: datetime) -> Calendar | None:
    """Business hours as asked for; naming hours turns them on."""
    days = (ask.holidays, ask.open_days, ask.closed_days)
    if ask.always:
        if ask.hours is not None or any(value is not None for value in days):
            raise InvalidField("around the clock there are no hours", hint="--24x7, or --hours and what belongs to it")
        return None
    if before is None and ask.hours is None:
        if any(value not in (None, NOTHING) for value in days):
            raise InvalidField("holidays and single days belong to hours", hint='add  --hours "Mon-Fri 08:00-17:00"')
        return None
    after = replace(before or Calendar(zone=zone, hours=OFFICE_HOURS), zone=zone)
    if ask.hours is not None:
        after = replace(after, hours=parse_hours(ask.hours))
    if ask.holidays is not None:
        after = replace(after, country=_country(ask.holidays, now))
    if ask.open_days is not None:
        opened = [parse_opened(text) for text in _all_but_none(ask.open_days)]
        after = replace(after, opened=tuple(sorted(dict(_kept(after.opened, ask.open_days) + opened).items())))
    if ask.closed_days is not None:
        closed = {parse_day(text) for text in _all_but_none(ask.closed_days)}
        kept = () if NOTHING in ask.closed_days else after.closed
        after = replace(after, closed=tuple(sorted({*kept, *closed})))
    return _agreed(after, ask)


def _agreed(calendar: Calendar, ask: SlaPolicyAsk) -> Calendar:
    """What was said last about a day counts. Raises InvalidField for too many of them."""
    opened = {parse_opened(text)[0] for text in _all_but_none(ask.open_days or [])}
    closed = {parse_day(text) for text in _all_but_none(ask.closed_days or [])}
    if both := opened & closed:
        raise InvalidField(f"{min(both)} cannot be both open and closed", hint="nothing was changed")
    after = replace(
        calendar,
        opened=tuple(pair for pair in calendar.opened if pair[0] not in closed),
        closed=tuple(day for day in calendar.closed if day not in opened),
    )
    if len(after.opened) + len(after.closed) > MOST_DAYS:
        raise InvalidField(f"more than {MOST_DAYS} single days", hint="forget the old ones:  --closed none --open none")
    return after


def _all_but_none(texts: list[str]) -> list[str]:
    return [text for text in texts if text != NOTHING]


Opened = tuple[date, tuple[tuple[int, int], ...]]


def _kept(before: tuple[Opened, ...], texts: list[str]) -> list[Opened]:
    return [] if NOTHING in texts else list(before)


def _country(text: str, now: datetime) -> str:
    if text.strip().lower() == NOTHING:
        return ""
    country = text.strip().upper()
    holidays_of(country, now.year)
    return country


def _reasons(words: list[str]) -> frozenset[HoldReason]:
    known = {reason.value: reason for reason in HoldReason}
    for word in words:
        if word not in (*known, NOTHING):
            raise InvalidField(f"{word[:20]!r} is no reason to hold", hint=f"one of: {', '.join(known)}, or none")
    return frozenset(known[word] for word in words if word != NOTHING)


def _reachable(terms: Terms, calendar: Calendar, now: datetime) -> None:
    """Raises InvalidField for targets that these hours would stretch beyond reason."""
    longest = max(target.resolution for severity, target in terms.targets.items() if severity is not Severity.CRITICAL)
    if add_business(calendar, now, longest) - now > timedelta(days=LATEST_DEADLINE):
        hours = longest // timedelta(hours=1)
        raise InvalidField(
            f"a target of {hours} h would take more than two years of {told_hours(calendar.hours)}",
            hint="name more hours, or shorter targets",
        )


# --- as the wire shows it --------------------------------------------------------------------------------------


def targets_view(targets: Targets) -> list[SlaTarget]:
    """The highest severity first."""
    return [
        SlaTarget(
            severity=severity.name, response_seconds=int(target.response.total_seconds()),
            resolution_seconds=int(target.resolution.total_seconds()),
            warn_seconds=None if target.warn is None else int(target.warn.total_seconds()),
        )
        for severity, target in sorted(targets.items(), reverse=True)
    ]  # fmt: skip


def plan_view(settings: CompanySettings) -> SlaPlan:
    """A company's tier, what differs from it, its hours, and which holds pause."""
    terms, tier = settings.terms, TIERS.get(settings.tier)
    differs = [
        severity.name
        for severity, target in sorted(terms.targets.items(), reverse=True)
        if tier is not None and tier.targets[severity] != target
    ]
    return SlaPlan(
        tier=settings.tier, own_targets=differs, time_zone=settings.zone, calendar=calendar_view(terms.calendar),
        pausing=[reason.value for reason in HoldReason if reason in terms.pausing],
    )  # fmt: skip


def calendar_view(calendar: Calendar | None) -> BusinessHoursView | None:
    if calendar is None:
        return None
    return BusinessHoursView(
        hours=told_hours(calendar.hours), time_zone=calendar.zone, holidays=calendar.country or None,
        open_days=[SpecialDay(day=day.isoformat(), hours=told_hours([spans])[4:]) for day, spans in calendar.opened],
        closed_days=[day.isoformat() for day in calendar.closed],
    )  # fmt: skip


def countries(connection: Connection) -> set[str]:
    """Whose holidays deadlines will ask for."""
    settings = (settings_from(text) for (text,) in connection.execute(select(t.company.c.settings)))
    return {one.terms.calendar.country for one in settings if one.terms.calendar is not None} - {""}


def warm(countries: set[str], year: int) -> None:
    """Load holidays before anybody waits for them: a verb may not take that long."""
    for country in countries:
        for number in (year, year + 1):
            holidays_of(country, number)
