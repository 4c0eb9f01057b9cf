"""Messages to send, and channels that are closed afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from siems.channels import Answer, Channel, Message, registry
from siems.config import Settings
from siems.vocabulary import Severity

Open = Callable[..., Channel]

HOSTILE = (
    "</b><script>alert(1)</script> <!channel> <https://evil.example|click> [x](https://evil.example) `code` *b* _i_ "
    "& \x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07 \x9b2J \u202egpj.exe \u200b\u2028 @everyone \x00 \udc80"
)


def message(**changes: Any) -> Message:
    """A page of an incident that can be answered."""
    facts: dict[str, Any] = {
        "key": "ev-1:rule-1:user-john:email", "event": "incident.opened", "severity": Severity.CRITICAL,
        "company": "Acme", "company_id": "comp-acme", "object": "INC-42", "subject": "High CPU usage on web-01",
        "text": "CPU at 95% for 10 minutes\nSeen by Datadog", "url": "https://siems.example/i/42",
        "answers": (Answer(verb="ack", label="Acknowledge", url="https://siems.example/a/ack-token"),
                    Answer(verb="resolve", label="Resolve", url="https://siems.example/a/resolve-token")),
        "reply": "12", "thread": "INC-42", "pages": True,
    }  # fmt: skip
    return Message(**(facts | changes))


def bundle(count: int, **changes: Any) -> Message:
    """Several incidents in one message."""
    lines = tuple(f"{n} INC-{40 + n} CRITICAL: disk full on host-{n:02d}" for n in range(1, count + 1))
    return message(**({"lines": lines, "object": "", "reply": "B7", "subject": f"{count} incidents"} | changes))


def settings(**sections: Any) -> Settings:
    return Settings(**sections)


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens a channel by its name with these sections of the settings; it is closed in the end."""
    made: list[Channel] = []

    def open_(name: str, **sections: Any) -> Channel:
        made.append(registry.get(name)(settings(**sections)))
        return made[-1]

    yield open_
    for channel in made:
        await channel.close()


Sending = Callable[..., Awaitable[Any]]
