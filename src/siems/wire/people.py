"""Users and their sessions."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.shapes import Ask, Wire


class UserView(Wire):
    id: str
    name: str
    email: str
    role: str
    companies: list[str]
    availability: str
    disabled: bool
    open_incidents: int = 0
    skills: list[str] = msgspec.field(default_factory=list)
    assigned_at: datetime | None = None


class UserAsk(Ask):
    name: str
    email: str
    role: str
    password: str
    companies: list[str] = msgspec.field(default_factory=list)


class UserEdit(Ask):
    """Each field that is given is changed. `add_companies` and `remove_companies` move the scope."""

    email: str | None = None
    role: str | None = None
    skills: list[str] | None = None
    availability: str | None = None
    disabled: bool | None = None
    add_companies: list[str] = msgspec.field(default_factory=list)
    remove_companies: list[str] = msgspec.field(default_factory=list)
    reason: str = ""


class AvailabilityAsk(Ask):
    availability: str
    reason: str = ""


class PasswordAsk(Ask):
    password: str
    reason: str = ""


class UserChanged(Wire):
    user: UserView
    changed: bool


class LoginAsk(Ask):
    user: str
    password: str


class RefreshAsk(Ask):
    refresh_token: str


class TokenPair(Wire):
    access_token: str
    refresh_token: str
    expires_at: datetime
    user: UserView


class Me(Wire):
    user: UserView
    unread: int
    server_time: datetime
    context: str
    on_call_until: datetime | None = None
    may: list[str] = msgspec.field(default_factory=list)
    """What one's role allows in the companies that one sees: `work`, `assign_others`, `company_settings`, ..."""
