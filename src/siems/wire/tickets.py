"""Tickets in other systems: accounts, links, and what is asked of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from siems.wire.shapes import Ask, Wire


class TicketRef(Wire):
    """A ticket as its incident shows it; without a key while it is being opened."""

    id: str
    key: str
    url: str
    state: str
    account_id: str


class TicketRulesView(Wire):
    """When a ticket is made, and how things are called over there. `states` by OPEN, IN_PROGRESS, ON_HOLD, RESOLVED,
    CLOSED; `priorities` by severity; `fields` are set as they are on each new ticket."""

    create: str
    min_severity: str
    categories: list[str]
    at_state: str
    states: dict[str, str]
    priorities: dict[str, str]
    fields: dict[str, Any]
    ticket_type: str
    comments: str
    reopen_within_seconds: int
    poll_seconds: int


class TicketAccountView(Wire):
    """A way into a ticket system, without its secret. `since`: up to here its changes have been read."""

    id: str
    company_id: str
    company: str
    kind: str
    url: str
    project: str
    username: str
    rules: TicketRulesView
    paused: bool
    webhook: bool
    created_by: str
    created_at: datetime
    since: datetime
    polled_at: datetime | None
    failures: int
    error: str
    error_at: datetime | None
    tickets: int


class TicketAccountAsk(Ask):
    """A new account. `company` may be `msp`: then it serves every client. `create`: auto or never."""

    company: str
    kind: str
    url: str
    secret: str
    project: str = ""
    username: str = ""
    webhook: bool = False
    create: str = "auto"
    min_severity: str = "HIGH"
    categories: list[str] = msgspec.field(default_factory=list)
    at_state: str = "OPEN"
    states: dict[str, str] = msgspec.field(default_factory=dict)
    priorities: dict[str, str] = msgspec.field(default_factory=dict)
    fields: dict[str, Any] = msgspec.field(default_factory=dict)
    ticket_type: str = ""
    comments: str = "all"
    reopen_within_seconds: int = 86_400
    poll_seconds: int = 60
    reason: str = ""


class TicketAccountEdit(Ask):
    """Each field that is given is changed. `webhook`: true makes a new address, false takes it away."""

    url: str | None = None
    secret: str | None = None
    project: str | None = None
    username: str | None = None
    webhook: bool | None = None
    paused: bool | None = None
    create: str | None = None
    min_severity: str | None = None
    categories: list[str] | None = None
    at_state: str | None = None
    states: dict[str, str] | None = None
    priorities: dict[str, str] | None = None
    fields: dict[str, Any] | None = None
    ticket_type: str | None = None
    comments: str | None = None
    reopen_within_seconds: int | None = None
    poll_seconds: int | None = None
    reason: str = ""


class TicketAccountMade(Wire):
    """An account, and the address for its system's webhooks where one was made: the only time that it is shown."""

    account: TicketAccountView
    webhook_url: str | None


class TicketAccountTested(Wire):
    """What the other system said to us."""

    account_id: str
    ok: bool
    said: str


class TicketView(Wire):
    """A ticket. `waiting` things are still to be done to it, `failed` ones were given up, the last for `error`."""

    id: str
    company_id: str
    company: str
    account_id: str
    kind: str
    incident_id: str
    incident_title: str
    incident_state: str
    key: str
    url: str
    state: str
    created_at: datetime
    waiting: int
    failed: int
    error: str


class TicketAsk(Ask):
    """A ticket for an incident: a new one, or with `key` one that is there. `account` where there are several."""

    key: str = ""
    account: str = ""
    reason: str = ""


class TicketChangeAsk(Ask):
    reason: str = ""


class TicketChanged(Wire):
    ticket: TicketView
    changed: bool
