"""Ways to reach a person: one file per channel, found by name; what they take and answer is said here.

A channel is opened once with the settings and kept; it is asked to send one message to one destination and
answers what the provider said. It knows no database, no rules and no other channel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from siems.config import Settings
from siems.registry import Registry
from siems.vocabulary import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Something that the reader can do from the message: `verb` is ack, resolve or escalate."""

    verb: str
    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told, the same for every channel; each shows as much of it as it can.

    All text may come from an alert, so it is hostile: a channel escapes it for its own format, and cuts it to the
    provider's limit without losing the numbers and links.
    """

    key: str
    """The same at every try: a provider that takes an idempotency key gets it."""
    event: str
    """incident.opened, incident.escalated, sla.warned, ..."""
    severity: Severity
    company: str
    """The client's name, as people know it; the MSP's own is `MSP`."""
    company_id: str
    object: str
    """What it is about: INC-42, PAG-7; empty when it is about several things."""
    subject: str
    """One line."""
    text: str = ""
    """More, in plain lines."""
    lines: tuple[str, ...] = ()
    """The numbered members of a bundle ("1 INC-42 CRITICAL: ..."); empty for a single message."""
    url: str = ""
    """Where to see it."""
    answers: tuple[Answer, ...] = ()
    reply: str = ""
    """The number that a reply by text names: `12`, `B7`; empty when it cannot be answered."""
    thread: str = ""
    """Messages with the same thread belong together: one conversation by mail, one card in a chat."""
    update_of: str = ""
    """What the provider called the message of this thread before, where this one replaces it."""
    pages: bool = False
    """Somebody is to come: it may make a noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where to: `address` in the form that `Channel.check` gave it; `options` are the contact's own settings."""

    address: str
    name: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider has taken the message over; nothing less than that. `message_id` is what it calls it."""

    message_id: str = ""


class Refused(Exception):
    """The provider will never take this: no such address, a wrong token, a forbidden body. Not tried again."""


class TryLater(Exception):
    """Not now: it is busy, throttles, or fails. `retry_after` in seconds where it said so.

    Whatever else a channel raises, and running out of time, counts as this without a wait.
    """

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Channel(Protocol):
    """One way to reach people."""

    def check(self, address: str, options: Mapping[str, str]) -> str:
        """The address in its one form. Raises InvalidField that names what is wrong and what it takes."""
        ...

    async def send(self, message: Message, to: Destination) -> Accepted:
        """Hand it to the provider. Raises Refused, TryLater; the caller limits the time (10 s)."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Opening(Protocol):
    """How a channel is made from the settings. Raises UsageError naming the missing key while it is not set up."""

    def __call__(self, settings: Settings) -> Channel: ...


registry: Registry[Opening] = Registry(
    "channel",
    {
        "apprise": "siems.channels.apprise:Apprise",
        "email": "siems.channels.email:Email",
        "ntfy": "siems.channels.ntfy:Ntfy",
        "pushover": "siems.channels.pushover:Pushover",
        "slack": "siems.channels.slack:Slack",
        "sms": "siems.channels.sms:Sms",
        "teams": "siems.channels.teams:Teams",
        "voice": "siems.channels.voice:Voice",
        "webhook": "siems.channels.webhook:Webhook",
        "webpush": "siems.channels.webpush:Webpush",
    },
)

NEEDS: Mapping[str, Callable[[Settings], bool]] = {
    "email": lambda s: s.email.provider == "ses" or bool(s.email.host),
    "pushover": lambda s: bool(s.pushover.token.get_secret_value()),
    "sms": lambda s: bool(s.sms.provider),
    "voice": lambda s: bool(s.voice.sender and s.twilio.account),
    "webpush": lambda s: bool(s.webpush.private_key.get_secret_value()),
}
"""Channels that work only once something is set, and how to tell."""


def set_up(name: str, settings: Settings) -> bool:
    """Whether a channel can be used with these settings; imports nothing."""
    needs = NEEDS.get(name)
    return needs is None or needs(settings)
