"""Schedules, who is on call, who stands in, and how duty is shared."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.shapes import Ask, Wire


class LayerView(Wire):
    """A rotation as it is written; `members` are ids, in their order. Written back as it is, it changes nothing."""

    name: str
    rotation: str
    handoff: str
    members: list[str]
    restrictions: list[str]
    start: str
    end: str


class ShiftView(Wire):
    """Who is on call from when to when; `source` is the layer or the override that says so."""

    schedule_id: str
    schedule: str
    user: str
    user_name: str
    starts_at: datetime
    ends_at: datetime
    source: str


class GapView(Wire):
    schedule_id: str
    schedule: str
    starts_at: datetime
    ends_at: datetime
    seconds: int


class ScheduleView(Wire):
    """A schedule; later layers lie on top of earlier ones. `used_by`: the companies that go by it. `unseen`: member →
    those of them that they may not see, whose pages go to others."""

    id: str
    company_id: str
    company: str
    name: str
    time_zone: str
    country: str
    layers: list[LayerView]
    used_by: list[str]
    now: ShiftView | None
    next: ShiftView | None
    version: int
    unseen: dict[str, list[str]] = msgspec.field(default_factory=dict)


class ScheduleDetail(Wire):
    schedule: ScheduleView
    shifts: list[ShiftView]
    gaps: list[GapView]


class LayerAsk(Ask):
    """`rotation`: daily, weekly, 12h, 3d, 2w. `restrictions`: mon-fri 09:00-17:00. Dates are the schedule's."""

    members: list[str]
    name: str = ""
    rotation: str = "weekly"
    handoff: str = ""
    restrictions: list[str] = msgspec.field(default_factory=list)
    start: str = ""
    end: str = ""


class ScheduleAsk(Ask):
    """Without a company it is the MSP's, for every client that has none of its own."""

    name: str
    layers: list[LayerAsk]
    company: str = ""
    time_zone: str = "UTC"
    country: str = ""
    reason: str = ""


class ScheduleEdit(Ask):
    """Each field that is given is changed; `layers` are all layers, and keep whoever is on call now."""

    name: str | None = None
    time_zone: str | None = None
    country: str | None = None
    layers: list[LayerAsk] | None = None
    version: int | None = None
    reason: str = ""


class WhoView(Wire):
    """Who is on call. `user` is empty when nobody is; `pages` is false where they may not see that client, or none of
    those that go by the schedule; `unseen` are the ones that they may not see.

    Asked for by a policy: the `level` of the step, and the `target` that it names; the schedule is empty where that is
    a person or a role.
    """

    schedule_id: str
    schedule: str
    company_id: str
    time_zone: str
    at: datetime
    user: str
    user_name: str
    availability: str
    source: str
    until: datetime | None
    next_user: str
    next_user_name: str
    pages: bool
    level: int = 0
    target: str = ""
    unseen: list[str] = msgspec.field(default_factory=list)


class OverrideView(Wire):
    id: str
    schedule_id: str
    schedule: str
    user: str
    user_name: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    swap: str | None
    created_by: str
    created_by_name: str
    created_at: datetime


class OverrideAsk(Ask):
    """`user`: @me, an id or a name. Without `starts_at` from now on."""

    user: str
    ends_at: datetime
    starts_at: datetime | None = None
    schedule: str = ""
    reason: str = ""


class SpanView(Wire):
    starts_at: datetime
    ends_at: datetime


class SwapView(Wire):
    """`mine` is what the asker gives away, `theirs` what they take over for it; `actions`: what the reader may do."""

    id: str
    schedule_id: str
    schedule: str
    asker: str
    asker_name: str
    other: str
    other_name: str
    mine: list[SpanView]
    theirs: list[SpanView]
    reason: str
    state: str
    created_at: datetime
    answered_at: datetime | None
    overrides: list[str]
    actions: list[str]


class SwapAsk(Ask):
    """`mine` and `theirs` are days on the schedule's calendar: the shifts that begin there, else what lies in them."""

    other: str
    mine: str
    theirs: str = ""
    schedule: str = ""
    reason: str = ""


class Load(Wire):
    """What one person carried in a month, in seconds; pages and those between 22 and 6."""

    user: str
    user_name: str
    shifts: int
    seconds: int
    night_seconds: int
    weekend_seconds: int
    holiday_seconds: int
    pages: int
    wake_ups: int


class FairnessView(Wire):
    """`planned_from`: from then on it is what the schedule says, before that what came to pass."""

    schedule_id: str
    schedule: str
    month: str
    time_zone: str
    country: str
    starts_at: datetime
    ends_at: datetime
    planned_from: datetime | None
    people: list[Load]


class ReadyCheck(Wire):
    name: str
    ok: bool
    cause: str
    fix: str


class ReadyView(Wire):
    """Whether somebody is ready for their shift."""

    user: str
    user_name: str
    schedule_id: str
    schedule: str
    starts_at: datetime
    ends_at: datetime
    ok: bool
    checks: list[ReadyCheck]


class CalendarView(Wire):
    """`text` is an iCalendar file."""

    text: str
    shifts: int


class FeedAsk(Ask):
    """An address that a calendar subscribes to: of one person, of a schedule, or of one person's part of it."""

    user: str = ""
    schedule: str = ""


class FeedView(Wire):
    """`url` is shown once, when it is made."""

    id: str
    user: str
    schedule_id: str
    created_by: str
    created_at: datetime
    revoked_at: datetime | None
    url: str = ""


class CalendarImport(Ask):
    """An iCalendar file; `people`: which words of its events mean whom."""

    text: str
    people: dict[str, str] = msgspec.field(default_factory=dict)
    reason: str = ""


class CalendarImported(Wire):
    """`skipped`: events that were not taken, each with why."""

    overrides: list[OverrideView]
    skipped: list[str]
