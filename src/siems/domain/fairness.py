"""How on-call duty is shared: hours by night, at weekends and on holidays, on the wall clock of a schedule."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from siems.domain.oncall import Stretch
from siems.domain.rotation import DAY, instant
from siems.errors import InvalidField

NIGHT_FROM, NIGHT_UNTIL = time(22), time(6)
SATURDAY = 5


@dataclass(slots=True)
class Share:
    """What one person carried. A night at a weekend counts as both."""

    total: timedelta = timedelta(0)
    night: timedelta = timedelta(0)
    weekend: timedelta = timedelta(0)
    holiday: timedelta = timedelta(0)
    shifts: int = 0


def by_night(at: datetime, zone: ZoneInfo) -> bool:
    """Whether it is between 22 and 6 there."""
    wall = at.astimezone(zone).time()
    return wall >= NIGHT_FROM or wall < NIGHT_UNTIL


def shares(found: Iterable[Stretch], zone: ZoneInfo, is_holiday: Callable[[date], bool]) -> dict[str, Share]:
    """What each person carried, in real time: an hour that the clock shows twice is two."""
    result: dict[str, Share] = {}
    for stretch in found:
        if stretch.user is None:
            continue
        share = result.setdefault(stretch.user, Share())
        share.shifts += 1
        for starts, ends in _pieces(stretch.starts, stretch.ends, zone):
            wall, length = starts.astimezone(zone), ends - starts
            share.total += length
            share.night += length if by_night(starts, zone) else timedelta(0)
            share.weekend += length if wall.weekday() >= SATURDAY else timedelta(0)
            share.holiday += length if is_holiday(wall.date()) else timedelta(0)
    return result


def _pieces(starts: datetime, ends: datetime, zone: ZoneInfo) -> Iterable[tuple[datetime, datetime]]:
    """The stretch, cut where day, night or date change."""
    day = starts.astimezone(zone).date()
    at = starts
    while at < ends:
        for cut in (NIGHT_UNTIL, NIGHT_FROM, None):
            wall = datetime.combine(day, cut) if cut is not None else datetime.combine(day, time()) + DAY
            following = min(instant(wall, zone), ends)
            if following > at:
                yield at, following
                at = following
        day += DAY


def holidays_of(country: str, years: Iterable[int]) -> Container[date]:
    """The public holidays of `NO`, or `DE-BY` for a part of a country; none without one. Raises InvalidField."""
    if not country:
        return ()
    import holidays

    name, _, part = country.upper().partition("-")
    try:
        return holidays.country_holidays(name, subdiv=part or None, years=list(years))
    except (NotImplementedError, KeyError) as why:
        raise InvalidField(f"{country[:16]!r} is no country", hint="two letters: NO, or DE-BY for a part") from why
