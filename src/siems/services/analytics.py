"""The measures of DOMAIN §14 over a range, in groups, compared with another range, and the incidents behind each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, and_, func, literal, or_, select

from siems.domain import measures as m
from siems.domain.measures import Measure, Sums
from siems.domain.permissions import Actor, Permission, missing, require_role
from siems.errors import Forbidden, InvalidField
from siems.services import analytics_sql as q
from siems.services import users
from siems.services.analytics_groups import Asked, Key, alert_key, called, exploded, key_column, ordered, word
from siems.services.analytics_sql import Range
from siems.services.filters import Asker, in_scope, incident_filter
from siems.services.views import load_names
from siems.storage import tables as t
from siems.vocabulary import Role
from siems.wire import Figure, MeasureInfo, MeasureLine, MeasureReport

DEFAULT_RANGE = timedelta(days=30)
LONGEST_RANGE = timedelta(days=400)
LONGEST_TREND = timedelta(days=800)
MOST_TREND = 26
TREND_BY = ("company", "technician", "severity", "tool")
BY = ("company", "technician", "severity", "tool", "hour", "day", "weekhour")
_I, _A = t.incident.c, t.alert.c


def ranged(now: datetime, since: datetime | None, until: datetime | None) -> Range:
    """The range that is meant; by default the last 30 days. Raises InvalidField."""
    until = until or now
    since = since or until - DEFAULT_RANGE
    if not since < until <= since + LONGEST_RANGE:
        raise InvalidField(f"a range has a beginning before its end, and {LONGEST_RANGE.days} days at most",
                           hint="--range 30d")  # fmt: skip
    return Range(since, until)


def allowed_scope(connection: Connection, actor: Actor, now: datetime, asked: Asked) -> q.Clause:
    """The incidents that may be measured for somebody: a technician's own, a client's by the SLA report.

    Raises InvalidField, NotFound for a company outside the scope, Forbidden for what is not for clients.
    """
    if asked.kind not in m.REPORTS:
        raise InvalidField(f"there is no report {asked.kind[:20]!r}", hint=f"one of: {', '.join(m.REPORTS)}")
    require_role(actor, Permission.SEE if asked.kind == "sla" else Permission.SEE_ANALYTICS)
    if asked.by not in BY:
        raise InvalidField(f"a report is not made by {asked.by[:20]!r}", hint=f"one of: {', '.join(BY)}")
    if asked.by == "technician" and actor.role is Role.CLIENT:
        raise Forbidden("who works on what is not shown to clients", hint="siems sla report --by severity")
    where = [in_scope(_I.company_id, actor), _I.merged_into.is_(None)]
    if asked.company:
        where.append(_I.company_id == company_named(connection, actor, asked.company))
    if asked.query:
        where.append(incident_filter(asked.query, Asker(actor, now)))
    if actor.role is Role.TECHNICIAN:
        where.append(_I.assignee == actor.id)
    return and_(*where)


def company_named(connection: Connection, actor: Actor, ref: str) -> str:
    """The id of a company; outside the scope there is none."""
    found = users.find_company(connection, ref)
    if found is None or not actor.sees(found):
        raise missing(f"company {ref[:64]!r}")
    return found


def report(connection: Connection, actor: Actor, now: datetime, asked: Asked) -> MeasureReport:
    """One of the reports; raises as `allowed_scope`."""
    scope = allowed_scope(connection, actor, now, asked)
    return told(connection, asked, lambda span: _Count(connection, actor, asked, span, scope))


class Counted(Protocol):
    """The numbers of one range, by group."""

    @property
    def groups(self) -> Mapping[Key, Any]: ...

    def value(self, measure: Measure, key: Key) -> tuple[float | None, int]: ...


def told(connection: Connection, asked: Asked, count: Callable[[Range], Counted]) -> MeasureReport:
    """The report of what is counted of the ranges that are asked for."""
    names = load_names(connection)
    current = count(asked.span)
    before = None if asked.compare is None else count(asked.compare)
    past = [*(count(span) for span in _earlier(asked)), current] if asked.trend else []
    groups = {*current.groups, *(before.groups if before is not None and asked.by != "day" else ())}
    keys = ordered(asked, {*groups, *(key for one in past for key in one.groups)})
    shown = m.REPORTS[asked.kind]
    lines = [
        MeasureLine(
            group=word(asked.by, key), name=called(asked.by, key, names),
            figures=_figures(shown, key, current, before, past),
        )
        for key in keys
    ]  # fmt: skip
    return MeasureReport(
        kind=asked.kind, since=asked.span.since, until=asked.span.until, by=asked.by, zone=asked.zone.key,
        prior_since=asked.compare.since if asked.compare else None,
        prior_until=asked.compare.until if asked.compare else None,
        measures=[MeasureInfo(name=one.value, unit=m.unit_of(one).value) for one in shown], lines=lines,
        total=MeasureLine(group="all", name="all", figures=_figures(shown, ALL, current, before, past)),
    )  # fmt: skip


def _earlier(asked: Asked) -> list[Range]:
    """The ranges before, the oldest first. Raises InvalidField."""
    span, many = asked.span, asked.trend
    if asked.by not in TREND_BY:
        raise InvalidField(f"there is no trend by {asked.by}", hint=f"--by {', '.join(TREND_BY)}")
    if not 2 <= many <= MOST_TREND or many * span.length > LONGEST_TREND:
        raise InvalidField(
            f"a trend has 2 to {MOST_TREND} ranges, and {LONGEST_TREND.days} days at most", hint="--range 7d --trend 8"
        )
    return [Range(span.since - n * span.length, span.until - n * span.length) for n in range(many - 1, 0, -1)]


ALL = object()
_COHORTS = frozenset({"opened", "answered", "resolved"})
_OF_OPENED = frozenset({
    "opened", "reopened", "escalated", "response_in_time", "response_breached", "response_cancelled",
    "response_running", "resolution_in_time", "resolution_breached", "resolution_running",
})  # fmt: skip
"""What is counted of incidents that opened in the range."""


def _figures(
    shown: Iterable[Measure], key: Key, current: Counted, before: Counted | None, past: Sequence[Counted]
) -> dict[str, Figure]:
    found = {}
    for measure in shown:
        value, of = current.value(measure, key)
        # how many are open now is no matter of ranges
        prior = before.value(measure, key)[0] if before is not None and measure is not Measure.OPEN_NOW else None
        course = [one.value(measure, key)[0] for one in past] if measure is not Measure.OPEN_NOW and past else None
        found[measure.value] = Figure(
            value=value, of=of, prior=prior, change=m.change(measure, value, prior), trend=course
        )
    return found


class _Count:
    """The sums of one range, by group."""

    def __init__(self, connection: Connection, actor: Actor, asked: Asked, span: Range, scope: q.Clause) -> None:
        self._connection = connection
        self._actor = actor
        self._asked = asked
        self._span = span
        self._scope = scope
        self.all = Sums()
        self.groups: dict[Key, Sums] = {}
        self._answers: dict[Key, list[int]] = {}
        self._resolutions: dict[Key, list[int]] = {}
        self._spread_of: dict[Key, tuple[m.Spread, m.Spread]] = {}
        shown = set(m.REPORTS[asked.kind])
        self._single = (Measure.MTTA_MEDIAN in shown, Measure.MTTR_MEDIAN in shown)
        self._counted()
        if Measure.OPEN_NOW in shown:
            self._open_now()
        if Measure.ALERTS in shown:
            self._alerts()

    def value(self, measure: Measure, key: Key) -> tuple[float | None, int]:
        sums = self.all if key is ALL else self.groups.get(key, Sums())
        return m.value_of(measure, sums, *self._spreads(key))

    def _spreads(self, key: Key) -> tuple[m.Spread, m.Spread]:
        """Of answers and of resolutions; put in order once for all measures."""
        if key not in self._spread_of:
            self._spread_of[key] = (m.spread(self._answers.get(key, ())), m.spread(self._resolutions.get(key, ())))
        return self._spread_of[key]

    def _add(self, key: Key, sums: Sums) -> None:
        self.all.add(sums)
        for one in exploded(self._asked, key):
            self.groups.setdefault(one, Sums()).add(sums)

    def _key(self, at: Any = _I.created_at) -> Any:
        key = key_column(self._asked, self._span, at)
        # as it is, an index of clients would lead to each row one by one, only to have them in order
        return key.concat("") if self._asked.by == "company" else key

    def _rows(self, columns: list[Any], cohort: q.Clause, at: Any = _I.created_at) -> Iterable[Any]:
        key = self._key(at)
        return self._connection.execute(select(key, *columns).where(cohort, self._scope).group_by(key))

    def _counted(self) -> None:
        """All counts and times in one look at each incident. Days are those of what is counted, so they take three."""
        if self._asked.by != "day":
            self._look(_I.created_at, or_(q.opened(self._span), q.answered(self._span), q.resolved(self._span)))
            return
        self._look(_I.created_at, q.opened(self._span), "opened")
        self._look(_I.answered_at, q.answered(self._span), "answered")
        self._look(_I.resolved_at, q.resolved(self._span), "resolved")

    def _look(self, at: Any, cohort: q.Clause, only: str = "") -> None:
        bits, names = q.bits_of(self._span, only)
        inner = (
            select(
                self._key(at).label("key"), bits.label("bits"), q.ALERTS.label("alerts"),
                q.ANSWERING.label("answering"), q.RESOLVING.label("resolving"),
            ).where(cohort, self._scope).subquery()
        ).c  # fmt: skip
        sums = (func.count(), *(func.sum(c) for c in (inner.alerts, inner.answering, inner.resolving)))
        single = [
            q.listed(c, self._connection.dialect.name) if wanted else literal(None)
            for c, wanted in zip((inner.answering, inner.resolving), self._single, strict=True)
        ]
        for key, number, count, *added, answers, resolutions in self._connection.execute(
            select(inner.key, inner.bits, *sums, *single).group_by(inner.key, inner.bits)
        ):
            said = {name for at_bit, name in enumerate(names) if number >> at_bit & 1}
            said = said if not only else said - (_COHORTS - {only})
            self._take(key, said, count, *(int(one or 0) for one in added))
            if "answered" in said and answers:
                self._spread(self._answers, key, answers)
            if "resolved" in said and resolutions:
                self._spread(self._resolutions, key, resolutions)

    def _take(self, key: Key, said: set[str], count: int, alerts: int, answering: int, resolving: int) -> None:
        """So many incidents of which the same is true."""
        sums = Sums()
        if "opened" in said:
            for name in said & _OF_OPENED:
                setattr(sums, name, count)
            if self._asked.by == "tool":  # which tool said how much is counted by alert
                self.all.alerts += alerts
            else:
                sums.alerts = alerts
        if "answered" in said:
            sums.answered, sums.answering = count, answering
        if "resolved" in said:
            sums.resolved, sums.resolving = count, resolving
            sums.self_healed = count if "self_healed" in said else 0
        self._add(key, sums)

    def _spread(self, into: dict[Key, list[int]], key: Key, listed: str) -> None:
        """Every single duration, for what is in the middle and at the end."""
        micros = [int(one) for one in listed.split(",")]
        for one in (ALL, *exploded(self._asked, key)):
            into.setdefault(one, []).extend(micros)

    def _open_now(self) -> None:
        for key, count in self._rows([func.count()], _I.state.in_(q.OPEN)):
            self._add(key, Sums(open_now=count))

    def _alerts(self) -> None:
        """What came in beside incidents: silenced, or too few of them; and by tool, who said how much."""
        if self._asked.by == "tool":
            joined = t.incident.join(t.alert, _A.incident_id == _I.id)
            statement = select(_A.tool_source, func.sum(_A.count)).select_from(joined).group_by(_A.tool_source)
            for tool, count in self._connection.execute(statement.where(q.opened(self._span), self._scope)):
                self.groups.setdefault(tool, Sums()).alerts += int(count)
        if self._actor.role is Role.TECHNICIAN or self._asked.query or self._asked.by == "technician":
            return
        key = alert_key(self._asked, self._span)
        where = [in_scope(_A.company_id, self._actor), _A.incident_id.is_(None), self._span.holds(_A.received_at)]
        if self._asked.company:
            where.append(_A.company_id == company_named(self._connection, self._actor, self._asked.company))
        for found, count in self._connection.execute(select(key, func.sum(_A.count)).where(*where).group_by(key)):
            self.all.alerts += int(count)
            self.groups.setdefault(found, Sums()).alerts += int(count)
