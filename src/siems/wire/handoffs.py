"""What goes from one shift to the next."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.shapes import Ask, Wire


class HandoffItem(Wire):
    """An open incident of whoever leaves; `kept`: it stays with them."""

    id: str
    company_id: str
    company: str
    title: str
    severity: str
    state: str
    next_action: str
    next_action_by: str
    hold_reason: str | None
    hold_until: datetime | None
    next_deadline: str
    next_deadline_at: datetime | None
    kept: bool


class HandoffView(Wire):
    """The brief of a shift. `state`: on (it goes on), given, waiting (over, not accepted yet), accepted."""

    id: str
    schedule_id: str
    schedule: str
    user: str
    user_name: str
    next_user: str
    next_user_name: str
    starts_at: datetime
    hands_over_at: datetime | None
    state: str
    given_at: datetime | None
    accepted_at: datetime | None
    incidents: list[HandoffItem]
    actions: list[str]


class NoteAsk(Ask):
    incident: str
    text: str


class GiveAsk(Ask):
    schedule: str = ""
    keep: list[str] = msgspec.field(default_factory=list)


class AcceptAsk(Ask):
    schedule: str = ""


class HandoffDone(Wire):
    """`moved`: incidents that changed hands; `left`: those that the reader may not take over."""

    handoffs: list[HandoffView]
    moved: list[str]
    left: list[str]
    changed: bool
