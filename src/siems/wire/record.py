"""Notices, the audit log, the live stream, how the service is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from siems.wire.shapes import Ask, Wire


class NoticeView(Wire):
    id: int
    at: datetime
    kind: str
    subject: str
    object: str
    company_id: str
    read: bool


class ReadAsk(Ask):
    """Which notices were read; all of them without ids."""

    ids: list[int] | None = None


class AuditView(Wire):
    chain: str
    seq: int
    at: datetime
    actor: str
    via: str
    action: str
    object: str
    company_id: str
    reason: str
    digest: str
    prev_hash: str
    hash: str
    details: dict[str, Any] | None


class ChainHead(Wire):
    """How far a chain has come; whether it is whole only `verify` says."""

    chain: str
    entries: int
    head: str


class ProofAsk(Ask):
    """Which chain, and which of its entries; all without."""

    company: str = ""
    first: int = 1
    last: int | None = None


class ChainState(Wire):
    """`signed` is the last entry that was signed outside of the database."""

    chain: str
    entries: int
    head: str
    ok: bool
    seq: int | None = None
    damage: str | None = None
    explanation: str | None = None
    signed: int = 0


class WitnessState(Wire):
    """How it stands with the signed checkpoints: where they are, who signs, what is wrong with that."""

    ok: bool
    file: str
    key: str
    statements: int
    since: datetime | None
    signed_at: datetime | None
    bad_lines: list[int]
    unvouched: int
    cause: str = ""
    fix: str = ""


class RestoredView(Wire):
    """A backup was put back, and somebody who has the key said so. `lost` are the entries that went with it."""

    at: datetime
    source: str
    lost: dict[str, list[int]]
    anew: bool


class VerifyAnswer(Wire):
    ok: bool
    entries: int
    chains: list[ChainState]
    witness: WitnessState | None = None
    restored: list[RestoredView] = msgspec.field(default_factory=list)


class ExportAsk(Ask):
    """Which entries: of one chain or of all, by their times or their numbers."""

    company: str = ""
    since: datetime | None = None
    until: datetime | None = None
    first: int = 1
    last: int | None = None


class StreamEvent(Wire):
    """One committed fact. `cursor` is opaque: hand it back to go on after it."""

    cursor: str
    at: datetime
    type: str
    company_id: str
    object: str
    data: dict[str, Any]


class CompanyCount(Wire):
    company_id: str
    company: str
    open: int


class Summary(Wire):
    """The footer of the board: today, in numbers of what the reader may see."""

    open: int
    opened_today: int
    resolved_today: int
    breached_today: int
    mtta_seconds: int | None
    mttr_seconds: int | None
    alerts: int
    incidents: int
    noise_reduction: float
    by_company: list[CompanyCount]
    alerts_per_minute: list[int]
    """New alerts in each of the last 60 minutes, oldest first."""
    repeats: int
    """How often the alerts of these 60 minutes came again."""
    server_time: datetime


class ResumeAsk(Ask):
    """A copy that was put back may send again."""

    reason: str = ""


class Check(Wire):
    """One line of `doctor`."""

    name: str
    ok: bool
    cause: str
    fix: str


class Status(Wire):
    version: str
    pid: int
    url: str
    database: str
    started_at: datetime
    server_time: datetime
    queue: int
    overdue: int
    subscribers: int
    clock_drift_seconds: float
    checks: list[Check]
