"""Heartbeats."""

from __future__ import annotations

from datetime import datetime

from siems.wire.shapes import Ask, Wire


class HeartbeatAsk(Ask):
    """A named address to be called every so often. Without a grace it is a tenth of the period, 1 min to 1 h."""

    name: str
    company: str
    every_seconds: int
    grace_seconds: int | None = None
    severity: str = "HIGH"
    reason: str = ""


class HeartbeatEdit(Ask):
    """Each field that is given is changed."""

    name: str | None = None
    every_seconds: int | None = None
    grace_seconds: int | None = None
    severity: str | None = None
    reason: str = ""


class HeartbeatView(Wire):
    """`state`: waiting (for its first beat), up, late (within its grace), down, paused."""

    id: str
    company_id: str
    name: str
    state: str
    every_seconds: int
    grace_seconds: int
    severity: str
    last_beat_at: datetime | None
    due_at: datetime | None
    down_since: datetime | None
    created_at: datetime
    token_hint: str


class HeartbeatMade(Wire):
    """Its address is a secret, in this answer and nowhere else."""

    heartbeat: HeartbeatView
    url: str
