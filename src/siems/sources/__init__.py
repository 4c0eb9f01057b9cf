"""Webhook formats: how the body of a tool becomes alerts. One file per tool, loaded when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from siems.domain.alert import Reading
from siems.registry import Registry


@dataclass(frozen=True, slots=True)
class Read:
    """What a body says. `many` bodies are answered with a list."""

    readings: tuple[Reading, ...]
    many: bool = False
    warnings: tuple[str, ...] = ()


class Source(Protocol):
    """One tool."""

    name: str
    native: bool
    """Whether the body is the tool's own; such senders get 503 rather than 429, since many repeat only on that."""

    def read(self, body: bytes, headers: Mapping[str, str]) -> Read:
        """The alerts of a body. Raises UsageError for what is no JSON, InvalidField for what cannot be an alert."""
        ...


SOURCES: Registry[Source] = Registry(
    "source",
    {
        "generic": "siems.sources.generic:source",
        "alertmanager": "siems.sources.alertmanager:source",
    },
    aliases={"alerts": "generic", "prometheus": "alertmanager", "prom": "alertmanager"},
)
