"""Alerts: one problem as one tool sees it, and what makes two of them the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Any

import msgspec

from siems.domain.changing import Fact
from siems.vocabulary import AlertStatus, Category, Severity

MAX_NAME = 255
MAX_MESSAGE = 8_192
MAX_LABELS = 64

_WORDS = {
    Severity.CRITICAL: "critical crit fatal emergency emerg disaster page p1 sev0",
    Severity.HIGH: "high error err major alert severe p2 sev1",
    Severity.MEDIUM: "medium warning warn average minor moderate p3 sev2",
    Severity.LOW: "low info information informational notice none ok debug p4 p5 sev3 sev4",
}
SEVERITY_WORDS = {word: severity for severity, words in _WORDS.items() for word in words.split()}
"""What tools in general call how bad a thing is; a source may know better."""

_CATEGORY_WORDS = (
    (Category.BACKUP, r"backup|snapshot|restore|veeam"),
    (Category.SECURITY, r"login|brute|malware|virus|intrusion|security|unauthor|guardduty|firewall|cert|ssl|tls"),
    (Category.DATABASE, r"sql|postgres|mysql|mongo|redis|oracle|database|replication|\bdb\b|_db"),
    (Category.MEMORY, r"mem|oom|swap|ram\b"),
    (Category.CPU, r"cpu|load|processor"),
    (Category.DISK, r"disk|storage|volume|filesystem|inode|raid|smart|\bfs\b"),
    (Category.NETWORK, r"net|ping|icmp|dns|dhcp|packet|latency|vpn|link|port|bgp|interface|unreachable|tunnel"),
    (Category.HARDWARE, r"fan|temperature|ups|battery|power|psu|hardware|sensor"),
    (Category.CLOUD, r"ec2|lambda|s3|azure|aws|gcp|cloud|kube|pod|container|node"),
    (Category.SERVICE, r"service|http|web|process|down|heartbeat|queue|api|app|restart|mail|exchange"),
)
"""In the order in which they decide."""


class Reading(Fact, frozen=True, kw_only=True):
    """What a source made of one alert in a tool's body; nothing is decided yet."""

    asset_name: str
    signature: str
    severity: Severity
    original_severity: str
    message: str
    tool_source: str
    firing: bool = True
    dedup_key: str | None = None
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    links: tuple[str, ...] = ()
    starts_at: datetime | None = None
    warnings: tuple[str, ...] = ()
    thread: tuple[str, ...] = ()
    """The messages that this one belongs to, by which a recovery finds a problem that is called otherwise."""

    def fingerprint(self, company_id: str) -> str:
        """24 hex digits: the tool's own key where it has one, else company, tool, asset and signature."""
        if self.dedup_key:
            return fingerprint_of_key(company_id, self.tool_source, self.dedup_key)
        said = f"{company_id}\x1f{self.tool_source}\x1f{self.asset_name}\x1f{self.signature}"
        return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def fingerprint_of_key(company_id: str, tool_source: str, dedup_key: str) -> str:
    """The fingerprint of whatever a tool calls by a key of its own."""
    said = f"{company_id}\x1f{tool_source}\x1f\x1fkey\x1f{dedup_key}"
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a tool says about an alert of its own that is neither a firing nor a recovery: an acknowledgement,
    a comment. It becomes a note."""

    dedup_key: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change that somebody made, as a tool tells it: a deployment, a new setting. On record, and no alert."""

    summary: str
    source: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """What a body says. `many` bodies are answered with a list.

    `said` is for what is no alert and shall not become one: a test message, a handshake, an opening balance. With
    `confirm` it is an address that the sender wants to have called (only after the sender has proved itself).
    """

    readings: tuple[Reading, ...] = ()
    many: bool = False
    warnings: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    changes: tuple[Change, ...] = ()
    said: str = ""
    confirm: str = ""


class Alert(Fact, frozen=True, kw_only=True):
    """An alert as it is kept."""

    id: int
    company_id: str
    incident_id: int | None
    fingerprint: str
    asset_name: str
    signature: str
    severity: Severity
    original_severity: str
    message: str
    tool_source: str
    status: AlertStatus
    count: int
    starts_at: datetime
    received_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None = None
    suppressed_by: str | None = None
    rule: str = ""
    evidence: str = ""
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    links: tuple[str, ...] = ()
    raw_id: int | None = None

    def commitment(self) -> str:
        """A hash over what the alert says, for the audit entry of its batch."""
        said = "\x1f".join(
            (str(self.id), self.fingerprint, self.asset_name, self.signature, self.severity.name, self.message)
        )
        return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def severity_from(word: object, *, words: Mapping[str, Severity] = SEVERITY_WORDS) -> tuple[Severity, str, str]:
    """(severity, the word as it came, a warning or ""). An unknown or absent word becomes MEDIUM."""
    original = clip(str(word).strip(), MAX_NAME) if word is not None else ""
    known = words.get(original.lower())
    if known is not None:
        return known, original, ""
    if not original:
        return Severity.MEDIUM, "", "no severity given; taken as MEDIUM"
    return Severity.MEDIUM, original[:64], f"unknown severity {original[:64]!r}; taken as MEDIUM"


@lru_cache(maxsize=1_024)
def category_of(signature: str) -> Category:
    """The skill an alert asks for, by the words of its signature."""
    found = _categories().Match(signature.encode("utf-8", "replace"))
    return _CATEGORY_WORDS[min(found)][0] if found else Category.OTHER


@lru_cache(maxsize=1)
def _categories() -> Any:
    """All words at once: ten searches one after the other took a tenth of what opening an incident takes."""
    import re2  # most commands ask for no category

    options = re2.Options()
    options.case_sensitive = False
    found = re2.Set.SearchSet(options)
    for _, pattern in _CATEGORY_WORDS:
        found.Add(pattern)
    found.Compile()
    return found


def clip(text: str, limit: int) -> str:
    """The text without NUL and lone surrogates (no database takes them), cut to `limit` with a mark."""
    if len(text) <= limit and text.isascii() and "\x00" not in text:
        return text  # nearly always
    if "\x00" in text:
        text = text.replace("\x00", "\\x00")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= limit else text[: limit - 1] + "…"
