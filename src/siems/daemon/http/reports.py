"""Reports over HTTP: measures in groups, and the incidents behind them."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web

from siems.daemon.http.call import Call
from siems.daemon.http.middleware import answer
from siems.domain.measures import DEFAULT_BY
from siems.errors import InvalidField
from siems.services import analytics, analytics_behind, analytics_causes
from siems.services.analytics_groups import Asked
from siems.services.analytics_sql import Range


def time_of(name: str, text: str) -> datetime | None:
    """A time of a query string. Raises InvalidField naming it."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as why:
        raise InvalidField(f"{name} is {text[:40]!r}, which is no time", hint="2026-03-10T14:00:00Z") from why
    if found.tzinfo is None:
        raise InvalidField(f"{name} has no time zone", hint="write it like 2026-03-10T14:00:00Z")
    return found


async def make_report(call: Call) -> web.Response:
    asked, now = _asked(call), call.runtime.clock.now()
    make = analytics_causes.report if asked.kind == analytics_causes.KIND else analytics.report
    return answer(await call.read(make, call.actor, now, asked))


async def list_behind(call: Call) -> web.Response:
    asked, now = _asked(call), call.runtime.clock.now()
    which = analytics_behind.Behind(measure=call.word("measure"), group=call.word("group"), limit=call.limit())
    listed = analytics_causes.behind if asked.kind == analytics_causes.KIND else analytics_behind.behind
    return answer(await call.read(partial(listed, which=which), call.actor, now, asked))


def _asked(call: Call) -> Asked:
    now, kind = call.runtime.clock.now(), call.path("ref")
    span = analytics.ranged(now, time_of("since", call.word("since")), time_of("until", call.word("until")))
    return Asked(
        kind=kind, span=span, by=call.word("by") or DEFAULT_BY.get(kind, "company"), company=call.word("company"),
        query=call.word("query"), zone=_zone(call.word("zone", "UTC")), compare=_compared(call, span),
        trend=_count("trend", call.word("trend")),
    )  # fmt: skip


def _compared(call: Call, span: Range) -> Range | None:
    """`compare=prior`: just as long, until it begins; else the range that `prior_since` and `prior_until` name."""
    word = call.word("compare")
    if word not in ("", "prior"):
        raise InvalidField(f"compare takes prior, not {word[:20]!r}", hint="or prior_since and prior_until")
    since, until = time_of("prior_since", call.word("prior_since")), time_of("prior_until", call.word("prior_until"))
    if since is not None or until is not None:
        return analytics.ranged(span.since, since, until)
    return Range(span.since - span.length, span.since) if word else None


def _count(name: str, text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 4):
        raise InvalidField(f"{name} is {text[:20]!r}, which is no number", hint=f"{name}=8")
    return int(text or 0)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as why:
        raise InvalidField(f"{name[:40]!r} is no time zone", hint="Europe/Oslo") from why
