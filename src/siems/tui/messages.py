"""What worker threads tell the app. Only its handlers change widgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from textual.message import Message

from siems.wire import (
    AlertView,
    ArrivalView,
    IncidentDetail,
    IncidentView,
    Me,
    NoticeView,
    Summary,
    TimelineEntry,
    UserView,
)

if TYPE_CHECKING:
    from siems.tui.desk import Order


@dataclass
class LinkUp(Message):
    """The stream is open and the list was read after it opened."""

    views: list[IncidentView]
    total: int
    more: bool
    me: Me
    generation: int
    heartbeat: float = 15.0
    """Seconds after which the daemon says something at the latest; older ones do not tell."""


@dataclass
class LinkDown(Message):
    """No daemon answers; the next try comes after `wait` seconds."""

    why: str
    hint: str
    wait: float
    attempt: int


@dataclass
class PageRead(Message):
    """A further page of the list."""

    views: list[IncidentView]
    generation: int


@dataclass
class ListRead(Message):
    """The whole list for a query that changed."""

    views: list[IncidentView]
    total: int
    query: str


@dataclass
class QueryRefused(Message):
    why: str
    hint: str
    query: str


class Dirty(Message):
    """Some incidents changed; their ids lie in the link's basket."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Dirty)


class Heard(Message):
    """A sign of life from the stream."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Heard)


class Arrived(Message):
    """Alerts or refusals came in."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Arrived)


class Happened(Message):
    """Something changed that is no alert: it stands in the audit log."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Happened)


@dataclass
class ArrivalsRead(Message):
    """What came after a row, newest first; without one, the newest rows of a query. `older`: there is more between."""

    query: str
    after: str
    rows: list[ArrivalView]
    older: str | None


@dataclass
class OlderRead(Message):
    """The rows of a query before a row."""

    query: str
    before: str
    rows: list[ArrivalView]
    older: str | None


@dataclass
class ArrivalsRefused(Message):
    """The daemon does not take this query."""

    why: str
    hint: str
    query: str


@dataclass
class ArrivalsFailed(Message):
    why: str
    hint: str


@dataclass
class BodyRead(Message):
    """An alert with the body it came in, or why it cannot be read."""

    ref: str
    alert: dict[str, Any] | None
    why: str = ""


@dataclass
class Refetched(Message):
    """What changed incidents look like now; None has left the list."""

    changes: dict[str, IncidentView | None]
    as_of: datetime


@dataclass
class Noticed(Message):
    """Something came into somebody's inbox."""

    data: dict[str, object]


@dataclass
class MeRead(Message):
    me: Me


@dataclass
class SummaryRead(Message):
    summary: Summary


@dataclass
class Story:
    """What the panes show of one incident besides its row."""

    detail: IncidentDetail
    timeline: list[TimelineEntry]
    alerts: list[AlertView]


@dataclass
class StoryRead(Message):
    ref: str
    story: Story


@dataclass
class StoryFailed(Message):
    ref: str
    why: str
    hint: str


@dataclass
class PeopleRead(Message):
    people: list[UserView]


@dataclass
class NoticesRead(Message):
    notices: list[NoticeView]


@dataclass
class ReadFailed(Message):
    """Something that was asked for could not be read."""

    why: str
    hint: str


@dataclass
class Result:
    """What became of one target of an order."""

    ref: str
    key: str
    view: IncidentView | None = None
    changed: bool = False
    lost: bool = False
    why: str = ""
    hint: str = ""
    undo_until: datetime | None = None
    server_time: datetime | None = None


@dataclass
class Acted(Message):
    """An order was carried out, target by target."""

    order: Order
    results: list[Result] = field(default_factory=list)


@dataclass
class LookedUp(Message):
    """What became of writes whose answers were lost: key → the incident now, or None when it was not done."""

    found: dict[str, IncidentView | None]


@dataclass
class Known(Message):
    """What was asked beside incidents has its answer; with `why` it was refused."""

    what: str
    answer: Any
    why: str = ""
