"""How people are reached: contacts, rules, preferences; and the messages that left the house."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.shapes import Ask, Wire


class ContactAsk(Ask):
    """A way to reach a user; `user` is an id, a name, or @me."""

    channel: str
    address: str
    user: str = "@me"
    options: dict[str, str] = msgspec.field(default_factory=dict)


class ContactView(Wire):
    """The address itself is never shown again; `hint` is enough to know it by."""

    id: str
    user_id: str
    user: str
    channel: str
    hint: str
    options: dict[str, str]
    verified: bool
    created_at: datetime | None
    verified_at: datetime | None
    last_delivered_at: datetime | None
    last_failed_at: datetime | None
    last_error: str
    set_up: bool
    secret: str = ""
    """What its messages are signed with, where siems chose it: in the answer that made it, and never again."""


class BrowserAsk(Ask):
    user: str = "@me"


class BrowserView(Wire):
    """A page to open in the browser that is to be told; good for one, and until then."""

    user_id: str
    user: str
    url: str
    until: datetime


class VerifyAsk(Ask):
    code: str


class RuleAsk(Ask):
    """From `severity` on, `after_seconds` without an ack, by a contact: one that is there, or channel and address."""

    user: str = "@me"
    contact: str = ""
    channel: str = ""
    address: str = ""
    options: dict[str, str] = msgspec.field(default_factory=dict)
    severity: str = "LOW"
    after_seconds: int = 0
    about: list[str] = msgspec.field(default_factory=lambda: ["all"])
    company: str = ""


class RuleEdit(Ask):
    severity: str | None = None
    after_seconds: int | None = None
    about: list[str] | None = None
    company: str | None = None


class RuleView(Wire):
    id: str
    user_id: str
    user: str
    contact_id: str
    channel: str
    hint: str
    severity: str
    after_seconds: int
    about: list[str]
    company_id: str
    secret: str = ""
    """As of a contact that was made with the rule."""


class PreferencesAsk(Ask):
    """Times are HH:MM on the clock of `zone`; empty text ends it."""

    user: str = "@me"
    quiet_from: str | None = None
    quiet_until: str | None = None
    digest_at: str | None = None
    zone: str | None = None


class PreferencesView(Wire):
    user_id: str
    user: str
    quiet_from: str
    quiet_until: str
    digest_at: str
    zone: str


class FollowAsk(Ask):
    """Hear of a company without being paged for it."""

    company: str
    user: str = "@me"
    severity: str = "LOW"
    about: list[str] = msgspec.field(default_factory=lambda: ["incident.resolved"])


class FollowView(Wire):
    user_id: str
    user: str
    company_id: str
    severity: str
    about: list[str]


class MessageView(Wire):
    """A message that left the house, or will; `why` names the rule that asked for it."""

    id: str
    company_id: str
    object: str
    event: str
    user_id: str
    user: str
    channel: str
    hint: str
    severity: str
    subject: str
    pages: bool
    state: str
    why: str
    rule: str
    attempt: int
    created_at: datetime
    next_at: datetime | None
    sent_at: datetime | None
    unknown_at: datetime | None
    ended_at: datetime | None
    error: str
    provider_message_id: str
    bundle: int | None
    listed: int


class ToldView(Wire):
    """One person and one happening: the inbox, what else was sent, and why not more."""

    at: datetime
    event: str
    object: str
    subject: str
    user_id: str
    user: str
    pages: bool
    inbox: str
    why: str
    messages: list[MessageView]


class WouldView(Wire):
    """Somebody who would have been told, had the company not been in shadow."""

    at: datetime
    company_id: str
    object: str
    event: str
    user_id: str
    user: str
    severity: str
    pages: bool
    channels: list[str]
    subject: str


class TrialAsk(Ask):
    """Send a test message now: by a contact, or by a channel to its owner's contact, or to an address."""

    user: str = "@me"
    channel: str = ""
    contact: str = ""
    address: str = ""
    options: dict[str, str] = msgspec.field(default_factory=dict)


class TrialView(Wire):
    """What the provider said."""

    channel: str
    hint: str
    ok: bool
    message_id: str
    error: str
    seconds: float


class ChannelView(Wire):
    """A way to reach people, and whether the settings allow it."""

    name: str
    set_up: bool
