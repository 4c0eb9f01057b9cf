"""Ways to get advice on an incident: one file per provider, found by name; what they take and answer is said here.

An advisor is opened once with the settings and kept. It knows no database, changes nothing and runs nothing: it gives
a draft, which `domain/drafts.read_draft` reads with suspicion. One that asks somebody else (`leaves`) is handed a
prompt from which secrets, addresses and names were taken, and nothing besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from siems.config import Settings
from siems.domain.advice import Question
from siems.domain.sealing import Prompt
from siems.registry import Registry


class TryLater(Exception):
    """Not now: it throttles, fails or does not answer. `retry_after` in seconds where it said so."""

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Refused(Exception):
    """It will not do this, however often it is asked: credentials, model, request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A draft as it came, and how many tokens it has cost (0 where nobody counts)."""

    draft: Mapping[str, Any]
    tokens: int = 0


class Advisor(Protocol):
    """One provider."""

    leaves: bool
    """Whether what it is told leaves this machine."""
    model: str
    """What answers there; part of the key under which answers are kept."""

    async def advise(self, asked: Question | Prompt) -> Answer:
        """A draft; a `Prompt` is asked where `leaves`. Raises TryLater, Refused, Nonsense."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Opening(Protocol):
    """How an advisor is made from the settings. Raises UsageError naming the key while it is not set up."""

    def __call__(self, settings: Settings) -> Advisor: ...


ADVISORS: Registry[Opening] = Registry(
    "advisor",
    {
        "bedrock": "siems.advisors.bedrock:Bedrock",
        "gemini": "siems.advisors.gemini:Gemini",
        "local": "siems.advisors.local:Local",
    },
)
