"""The account of a deadline: whatever was done to the incident, its stretches lead to exactly the shown deadline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain import sla, sla_account
from siems.domain.calendars import Calendar, business_between, parse_hours
from siems.domain.changing import replace
from siems.domain.incident import Incident
from siems.domain.permissions import SYSTEM
from siems.domain.sla_account import Account, Facts, Kind, Mark, changes_between, stand_of
from siems.vocabulary import Action, HoldReason, Severity

from .making import ANA, BEN, act, hours, incident, minutes

FRIDAY = datetime(2026, 3, 27, 15, 30, tzinfo=UTC)  # 16:30 in Oslo, two days before the clock goes forward
OFFICE = Calendar(zone="Europe/Oslo", hours=parse_hours("Mon-Fri 08:00-17:00"))


class Story:
    """An incident, what was done to it, and the marks that its timeline would hold."""

    def __init__(
        self, calendar: Calendar | None, severity: Severity = Severity.HIGH, opened: datetime = FRIDAY
    ) -> None:
        self.terms = sla.Terms(calendar=calendar)
        target, mine = self.terms[severity], self.terms.calendar_for(severity)
        clocks = sla.begin(target, now=opened, calendar=mine)
        self.incident: Incident = incident(created_at=opened, last_alert_at=opened, severity=severity, clocks=clocks)
        self.marks: list[Mark] = []
        self.now = opened

    def does(self, action: Action, actor=ANA, **more) -> None:
        severity = self.incident.severity
        given = {"target": self.terms[severity], "calendar": self.terms.calendar_for(severity)}
        outcome = act(self.incident, action, actor, now=self.now, **(given | more))
        for step in outcome.steps:
            self._mark(step.action.value, actor.id, step.before, step.after)
        self.incident = outcome.incident

    def rises(self, severity: Severity) -> None:
        if self.incident.on_hold:
            self.does(Action.RESUME, SYSTEM)
        before, calendar = self.incident, self.terms.calendar_for(severity)
        clocks = sla.raise_severity(before.clocks, self.terms[severity], now=self.now, calendar=calendar)
        self.incident = replace(before, severity=severity, clocks=clocks)
        self._mark("severity", SYSTEM.id, before, self.incident)

    def _mark(self, what: str, by: str, before: Incident, after: Incident) -> None:
        changes = changes_between(stand_of(before), stand_of(after))
        if changes:
            self.marks.append(Mark(self.now, by, what, changes))

    @property
    def facts(self) -> Facts:
        i = self.incident
        return Facts(
            opened=i.created_at, now=self.now, terms=self.terms, clocks=i.clocks, stand=stand_of(i), marks=self.marks,
            resolved_at=i.resolved_at,
        )  # fmt: skip


def told(account: Account) -> list[tuple[str, timedelta, str]]:
    return [(line.kind.value, line.lasts, line.who) for line in account.lines]


def adds_up(account: Account) -> None:
    """To the microsecond, and in the whole seconds that are shown."""
    due = max(account.due, account.starts)
    assert account.starts + sum((line.lasts for line in account.lines), timedelta(0)) == due
    seconds = sum(line.seconds for line in account.lines)
    assert account.starts.replace(microsecond=0) + timedelta(seconds=seconds) == due.replace(microsecond=0)


def test_held_for_the_client_over_the_weekend() -> None:
    story = Story(OFFICE)
    story.now += minutes(10)
    story.does(Action.ACK)
    story.does(Action.HOLD, hold_reason=HoldReason.CLIENT, until=story.now + hours(66))
    story.now = datetime(2026, 3, 30, 7, 0, tzinfo=UTC)  # Monday, 09:00
    story.does(Action.RESUME, SYSTEM)
    story.now += hours(1)
    found = sla_account.resolution(story.facts)
    assert told(found) == [
        ("counted", minutes(10), ""),
        ("paused", minutes(80), ANA.id),  # till 17:00, and from 08:00
        ("outside", hours(62), ""),  # the night of the change is an hour shorter
        ("counted", hours(1), ANA.id),
        ("left", hours(8) - minutes(70), ""),
    ]
    assert found.due == datetime(2026, 3, 30, 14, 50, tzinfo=UTC)
    assert story.incident.clocks.resolution_due == found.due
    adds_up(found)
    answered = sla_account.response(story.facts)
    assert told(answered) == [
        ("counted", minutes(10), ""), ("unused", minutes(110), ""), ("ahead", hours(62), ""),
    ]  # fmt: skip
    adds_up(answered)


def test_on_hold_the_account_ends_where_the_clock_stands_and_says_where_it_would_go_on() -> None:
    story = Story(None)
    story.does(Action.ACK)
    story.now += hours(1)
    story.does(Action.HOLD, hold_reason=HoldReason.CLIENT, until=story.now + hours(5))
    story.now += hours(3)
    found = sla_account.resolution(story.facts)
    assert told(found) == [("counted", hours(1), ANA.id), ("left", hours(7), "")]
    assert found.due_if_resumed == found.due + hours(3)


def test_what_got_worse_is_counted_anew_from_then_on() -> None:
    story = Story(OFFICE)
    story.now += minutes(5)
    story.rises(Severity.CRITICAL)
    story.now += minutes(10)
    found = sla_account.resolution(story.facts)
    assert (found.starts, found.span) == (FRIDAY + minutes(5), hours(4))
    assert found.basis == "CRITICAL since then: its target from then on"
    assert [(line.kind, line.lasts) for line in found.before] == [(Kind.COUNTED, minutes(5))]
    assert found.due == FRIDAY + minutes(5) + hours(4)  # around the clock
    adds_up(found)


def test_after_the_deadline_time_is_late() -> None:
    story = Story(None)
    story.now += hours(9)
    story.does(Action.START, BEN)
    story.now += hours(1)
    found = sla_account.resolution(story.facts)
    assert told(found) == [("counted", hours(8), "")]
    assert [(line.lasts, line.who) for line in found.late] == [(hours(1), ""), (hours(1), BEN.id)]


ACTS = ("ack", "start", "give", "hold", "pause", "resume", "resolve", "reopen", "comes back", "worse", "unassign")


@settings(max_examples=150, deadline=None)
@given(
    calendar=st.sampled_from([None, OFFICE, Calendar(zone="Australia/Lord_Howe", hours=parse_hours("daily 1-3,9-17"))]),
    severity=st.sampled_from(list(Severity)),
    opened=st.integers(0, 20_000).map(lambda n: FRIDAY + timedelta(minutes=n, microseconds=n * 37)),
    steps=st.lists(st.tuples(st.integers(0, 250_000_000), st.sampled_from(ACTS)), max_size=12),
)
def test_it_always_adds_up_to_the_shown_deadline(calendar, severity, opened, steps) -> None:
    story = Story(calendar, severity, opened)
    for milliseconds, word in steps:
        story.now += timedelta(milliseconds=milliseconds, microseconds=milliseconds % 1_000)
        _do(story, word)
    story.now += minutes(3)
    for account, due in (
        (sla_account.response(story.facts), story.incident.clocks.response_due),
        (sla_account.resolution(story.facts), story.incident.clocks.resolution_due),
    ):
        assert account.due == due
        assert account.corrected == timedelta(0) or _moved_when_over(story)
        adds_up(account)
    resolution = sla_account.resolution(story.facts)
    paused = sum((line.lasts for line in resolution.lines if line.kind is Kind.PAUSED), timedelta(0))
    assert paused <= story.incident.clocks.paused


def _moved_when_over(story: Story) -> bool:
    """A hold or a reopening after the deadline moves it over time that had counted already."""
    moves = (mark for mark in story.marks if "resolution_due" in mark.changes and "severity" not in mark.changes)
    return any(mark.at > mark.changes["resolution_due"][0] for mark in moves)


def _do(story: Story, word: str) -> None:
    """What may be done now, else nothing."""
    i, until = story.incident, story.now + hours(60)
    taken = i.acknowledged_at is not None or i.started_at is not None
    if word == "worse" and i.open and i.severity < Severity.CRITICAL:
        story.rises(Severity(i.severity + 1))
    elif word in ("reopen", "comes back") and not i.open:
        story.does(Action.REOPEN, SYSTEM if word == "comes back" else ANA)
    elif word in ("hold", "pause") and i.open and taken and i.assignee:
        reason = HoldReason.VENDOR if word == "hold" else HoldReason.CLIENT
        story.does(Action.HOLD, hold_reason=reason, until=until)
    elif word == "give" and i.open:
        story.does(Action.ASSIGN, ANA, assignee=BEN.id)
    elif (word in ("ack", "start", "resolve") or (word in ("resume", "unassign") and i.assignee)) and i.open:
        story.does(Action(word))


def test_what_is_told_is_what_the_calendar_says() -> None:
    """The account and the calendar are made from the same time."""
    story = Story(OFFICE)
    story.now += hours(65)
    found = sla_account.resolution(story.facts)
    counted = sum((line.lasts for line in found.lines if line.kind is Kind.COUNTED), timedelta(0))
    assert counted == business_between(OFFICE, FRIDAY, story.now)
