"""What siems asks of clouds, and what they answer. One file per cloud; each imports its library when it is used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One machine that a cloud lists. Empty text and no addresses mean that the cloud does not say."""

    id: str
    name: str
    account: str
    addresses: tuple[str, ...]
    platform: str


@dataclass(frozen=True, slots=True)
class Found:
    """The machines of a cloud, in a fixed order; `warnings` is what could not be asked."""

    origin: str
    instances: tuple[Instance, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What was taken from a queue. Who holds `receipt` may delete it; `tries` counts how often it was taken."""

    id: str
    body: bytes
    receipt: str
    tries: int
