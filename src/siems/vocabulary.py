"""The words that everything shares: the only enums, with the order and the letters they are shown by."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How bad, in an order that can be compared."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def short(self) -> str:
        return self.name[:2]


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "OPEN"
    ASSIGNED = "ASSIGNED"
    IN_PROGRESS = "IN_PROGRESS"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"


class AlertStatus(StrEnum):
    ACTIVE = "active"
    RESOLVED = "resolved"
    SUPPRESSED = "suppressed"


class Role(StrEnum):
    ADMIN = "admin"
    MANAGER = "manager"
    TECHNICIAN = "technician"
    CLIENT = "client"

    @classmethod
    def parse(cls, word: str) -> Role:
        """A role from what people type; `engineer` is a technician. Raises ValueError."""
        word = word.strip().lower()
        return cls.TECHNICIAN if word == "engineer" else cls(word)


class Availability(StrEnum):
    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"


class Paging(StrEnum):
    """Whether people are told about a company, or it is only written down whom it would have been."""

    LIVE = "live"
    SHADOW = "shadow"


class AdviceMode(StrEnum):
    """Who may advise on a company's incidents: everybody in the settings' order, this machine alone, or nobody."""

    ON = "on"
    LOCAL = "local"
    OFF = "off"


class Action(StrEnum):
    """What may be done to an incident."""

    ASSIGN = "assign"
    UNASSIGN = "unassign"
    ACK = "ack"
    START = "start"
    HOLD = "hold"
    RESUME = "resume"
    NOTE = "note"
    RESOLVE = "resolve"
    CLOSE = "close"
    REOPEN = "reopen"
    ESCALATE = "escalate"
    UNDO = "undo"
    MERGE = "merge"
    SPLIT = "split"
    SEVERITY = "severity"
    EDIT = "edit"


class Strategy(StrEnum):
    """How alerts are grouped into incidents."""

    ASSET_SIGNATURE = "asset|signature"
    ASSET_SIGNATURE_TOOL = "asset|signature|tool"
    SIGNATURE = "signature"
    ASSET = "asset"
    AUTO = "auto"


class HoldReason(StrEnum):
    CLIENT = "client"
    VENDOR = "vendor"
    PARTS = "parts"
    SCHEDULED = "scheduled"


class Via(StrEnum):
    """The door a change came through."""

    CLI = "cli"
    TUI = "tui"
    API = "api"
    PORTAL = "portal"
    TICKET = "ticket"
    SYSTEM = "system"


class Category(StrEnum):
    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    NETWORK = "network"
    DATABASE = "database"
    SERVICE = "service"
    SECURITY = "security"
    BACKUP = "backup"
    HARDWARE = "hardware"
    CLOUD = "cloud"
    OTHER = "other"


class Platform(StrEnum):
    """What an asset runs."""

    LINUX = "linux"
    WINDOWS = "windows"
    NETWORK = "network"
    OTHER = "other"


class Risk(StrEnum):
    """How much a runbook may break: it decides who has to approve a run."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class AssetSource(StrEnum):
    """Who vouches for what is known of an asset: an alert named it, an inventory listed it, or a person wrote it."""

    DISCOVERED = "discovered"
    IMPORTED = "imported"
    BY_HAND = "by hand"


class Signing(StrEnum):
    REQUIRED = "required"
    NONE = "none"


MSP = "msp"
"""The id under which rows belong to the managed service provider itself."""
