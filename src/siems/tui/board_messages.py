"""What worker threads tell the app about the audit log, duty and notices."""

from __future__ import annotations

from dataclasses import dataclass, field

from textual.message import Message

from siems.wire import (
    AuditView,
    ChainHead,
    FairnessView,
    HandoffView,
    IncidentView,
    OverrideView,
    ScheduleDetail,
    Status,
    SwapView,
    ToldView,
    VerifyAnswer,
    WhatIfView,
    WhoView,
    WitnessState,
)


@dataclass
class TrailRead(Message):
    """Entries of the audit log, newest first; `after`: the cursor behind which they stand."""

    query: str
    after: str
    entries: list[AuditView]
    older: str | None


@dataclass
class TrailRefused(Message):
    why: str
    hint: str
    query: str


@dataclass
class ChainsRead(Message):
    """How far the chains have come; for admins also how it stands with what is signed of them."""

    chains: list[ChainHead]
    witness: WitnessState | None = None


@dataclass
class Verified(Message):
    """Every chain was recomputed, or why it could not be."""

    answer: VerifyAnswer | None
    why: str = ""


@dataclass
class Duty:
    """Who is on call, will be, stands in, and what goes from one shift to the next."""

    schedules: list[ScheduleDetail] = field(default_factory=list)
    overrides: list[OverrideView] = field(default_factory=list)
    swaps: list[SwapView] = field(default_factory=list)
    handoffs: list[HandoffView] = field(default_factory=list)


@dataclass
class DutyRead(Message):
    duty: Duty


@dataclass
class LoadRead(Message):
    """How duty is shared in this month."""

    schedule: str
    load: FairnessView


@dataclass
class WhoRead(Message):
    """Who would be paged, for an incident like this one."""

    about: str
    view: WhatIfView | None
    why: str = ""


@dataclass
class WhyRead(Message):
    """Why somebody was told of an object."""

    object: str
    told: list[ToldView]


@dataclass
class PastRead(Message):
    """Earlier incidents on the assets of one."""

    ref: str
    views: list[IncidentView]


@dataclass
class Done(Message):
    """A change that is none of an incident was made, or why not."""

    cli: str
    said: str
    why: str = ""
    hint: str = ""


@dataclass
class StatusRead(Message):
    """What the daemon says of itself, or why it says nothing."""

    status: Status | None
    why: str = ""


@dataclass
class WhosRead(Message):
    """Who is on call now, by schedule."""

    whos: list[WhoView]


@dataclass
class Exported(Message):
    """A file was written, or why not."""

    path: str
    rows: int
    why: str = ""
