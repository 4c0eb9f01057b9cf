"""What correlation speaks of: a company's settings, what a strategy may look at, and where an alert goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from siems.domain.topology import Topology
from siems.domain.trails import Trails
from siems.vocabulary import State, Strategy


@dataclass(frozen=True, slots=True)
class Rules:
    """A company's correlation settings. `cascades` and `texts` are the third and fourth rule of `auto`."""

    enabled: bool = True
    strategy: Strategy = Strategy.AUTO
    window: timedelta = timedelta(minutes=15)
    min_alerts: int = 1
    quiet_delay: timedelta = timedelta(minutes=5)
    auto_resolve: bool = True
    reopen_window: timedelta = timedelta(minutes=30)
    auto_close: timedelta = timedelta(hours=72)
    cascades: bool = True
    texts: bool = True


class Kind(StrEnum):
    """What happens to an alert that is not a repeat."""

    OPEN = "open"
    JOIN = "join"
    REOPEN = "reopen"
    WAIT = "wait"


Key = tuple[str, ...]
"""What an incident answers to: a rule's name and the values it groups by."""


class Standing(Protocol):
    """What a strategy asks of an incident: it is not closed."""

    @property
    def id(self) -> int: ...
    @property
    def ref(self) -> str: ...
    @property
    def open(self) -> bool: ...
    @property
    def state(self) -> State: ...
    @property
    def resolved_at(self) -> datetime | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def last_alert_at(self) -> datetime: ...
    @property
    def assets(self) -> Sequence[str]: ...
    @property
    def asset_count(self) -> int: ...
    @property
    def folded(self) -> bool: ...
    @property
    def touched(self) -> bool: ...


class OpenIncidents(Protocol):
    """What a strategy may look at: one company's incidents that are not closed, and where alerts were lately."""

    @property
    def trails(self) -> Trails: ...
    @property
    def topology(self) -> Topology: ...

    def by_key(self, key: Key) -> Standing | None:
        """The incident that answers to a key."""
        ...

    def incident(self, incident_id: int) -> Standing | None:
        """An incident by its number, or the one that it was folded into."""
        ...

    def waiting(self, key: Key) -> Sequence[str]:
        """The fingerprints under a key, within the window, that have no incident yet."""
        ...

    def held(self, fingerprint: str) -> int:
        """How often an alert has fired within the window that has no incident yet; 0 for every other one."""
        ...


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an alert goes, and why."""

    kind: Kind
    rule: str
    evidence: str
    keys: tuple[Key, ...]
    incident_id: int | None = None
    absorb: tuple[int, ...] = ()
    link: tuple[int, ...] = ()
    recurrence_of: int | None = None
    new_keys: tuple[Key, ...] = field(default=())
    """Keys that the incident answers to from now on, besides its own."""
    gather: tuple[str, ...] = ()
    """Fingerprints of alerts that waited, and go where this one goes."""


def minutes(span: timedelta) -> str:
    """A window in words."""
    return f"{span // timedelta(minutes=1)} min"
