"""Pages: calling a person by hand or by script. A page changes no incident; its ack stops its messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from siems.vocabulary import Severity

EVERY = timedelta(minutes=5)
MOST = 12
"""So often a page is sent: for an hour, as long as nobody acknowledges it."""
KEPT = timedelta(hours=12)
"""So long after its ack a page still answers to its key: then what a script pages for again is news."""
ON_CALL = "oncall"


class PageState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"
    EXPIRED = "expired"


class PageStep(StrEnum):
    """What happens to a page; the second half of the names of its events."""

    OPENED = "opened"
    REPEATED = "repeated"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page as it is kept. `target` is a user or `oncall`; `people` everybody it was sent to so far."""

    id: int
    company_id: str
    target: str
    people: tuple[str, ...]
    message: str
    severity: Severity
    key: str | None
    incident_id: int | None
    created_by: str
    created_at: datetime
    times_sent: int
    sent_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None

    @property
    def ref(self) -> str:
        return f"PAG-{self.id}"

    @property
    def state(self) -> PageState:
        if self.acknowledged_at is None and self.ended_at is None:
            return PageState.OPEN
        if self.ended_at is None:
            return PageState.ACKNOWLEDGED
        gave_up = self.acknowledged_at is None and self.ended_by == "system"
        return PageState.EXPIRED if gave_up else PageState.ENDED


def due_at(page: Page) -> datetime | None:
    """When something happens to it by itself: it is sent again, given up, or forgets its key. None when it is over."""
    match page.state:
        case PageState.OPEN:
            return page.sent_at + EVERY
        case PageState.ACKNOWLEDGED:
            assert page.acknowledged_at is not None
            return page.acknowledged_at + KEPT
        case _:
            return None


def used_up(page: Page) -> bool:
    """Whether it was sent as often as a page is."""
    return page.times_sent >= MOST
