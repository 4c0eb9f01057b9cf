"""Calls, by Twilio: the incident is read out; 4 acknowledges it, 6 escalates it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from siems.channels import Accepted, Destination, Message
from siems.channels.rendering import one_line, phone
from siems.channels.twilio import Account
from siems.config import Settings
from siems.errors import UsageError

KEYS_PATH = "/api/twilio/keys"
"""Where the daemon takes the keys that were pressed: `?reply=12&key=…`, signed by Twilio; `Digits` is 4 or 6."""
VERBS = {"4": "ack", "6": "escalate"}
LONGEST = 3_900
"""Characters of TwiML that a call may bring along."""


class Voice:
    """`+4930123456`."""

    def __init__(self, settings: Settings) -> None:
        if not settings.voice.sender:
            raise UsageError("nobody is called: sender is not set", hint="[voice] of siems.toml")
        self._settings = settings
        self._account = Account(settings)

    def check(self, address: str, options: Mapping[str, str]) -> str:
        return phone(address)

    async def send(self, message: Message, to: Destination) -> Accepted:
        spoken = twiml(
            message, answer_url=self._settings.public_url + KEYS_PATH, language=self._settings.voice.language
        )
        form = {"To": to.address, "From": self._settings.voice.sender, "Twiml": spoken, "Timeout": "40"}
        return await self._account.make("Calls", form)

    async def close(self) -> None:
        await self._account.close()


def twiml(message: Message, *, answer_url: str, language: str = "en-US") -> str:
    """What is read out, twice; where it can be answered the keys go to `answer_url`, with the reply's number."""
    return _document(script(message), message.reply, message.key, answer_url, language, bool(message.lines))


def script(message: Message) -> str:
    """The words of it, in sentences."""
    what = _spoken(one_line(message.object, 40))
    company = _spoken(one_line(message.company, 60))
    told = f"{message.severity.name.capitalize()} page for {company}. {what}. {_spoken(one_line(message.subject))}."
    if message.lines:
        told += " " + ". ".join(_spoken(one_line(line, 120)) for line in message.lines[:10]) + "."
    return re.sub(r"(?:\s*\.)+(?=\s|$)", ".", told)


def thanks(text: str, *, language: str = "en-US") -> str:
    """What is said once a key was pressed."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{_say(_spoken(one_line(text)), language)}</Response>'


def again(text: str, *, reply: str, key: str, answer_url: str, language: str = "en-US") -> str:
    """What is said when a key means nothing: the same question once more."""
    return _document(_spoken(one_line(text)) + ". ", reply, key, answer_url, language, False)


def _document(said: str, reply: str, key: str, answer_url: str, language: str, several: bool) -> str:
    said = said[: LONGEST // 4]
    if not reply:
        spoken = _say(said, language) + '<Pause length="1"/>' + _say(said, language)
        return f'<?xml version="1.0" encoding="UTF-8"?><Response>{spoken}</Response>'
    action = quoteattr(f"{answer_url}?{urlencode({'reply': reply, 'key': key})}")
    keys = "Press 4 to acknowledge, 6 to escalate. "
    if several or reply.startswith("B"):
        keys = "Press 4 to acknowledge all. "
    elif reply.startswith("P"):
        keys = "Press 4 to acknowledge. "
    inner = _say(said, language) + _say(keys, language)
    gather = f'<Gather numDigits="1" timeout="8" method="POST" action={action}>{inner * 2}</Gather>'
    bye = _say("No answer was given. Goodbye.", language)
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{gather}{bye}</Response>'


def _say(text: str, language: str) -> str:
    return f"<Say language={quoteattr(language)}>{escape(text)}</Say>"


def _spoken(text: str) -> str:
    """Words that a voice can read: signs that it would spell out are left away, INC-42 becomes INC 42."""
    plain = "".join(c if c.isalnum() or c in " .,:%/-'" else " " for c in text)
    return " ".join(re.sub(r"(?<=[A-Za-z])-(?=[0-9])", " ", plain).split()).strip(" .")
