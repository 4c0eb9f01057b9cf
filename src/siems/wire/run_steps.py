"""How the steps of a run went on one host, every try of them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.shapes import Wire


class RunTryView(Wire):
    """An earlier try of a step on a host: it failed, and somebody had it tried again."""

    attempt: int
    state: str
    exit_code: int | None
    detail: str
    started_at: datetime
    ended_at: datetime | None


class RunStepView(Wire):
    """One step on one host; `number` counts from 1 over all phases.

    What it says is of its last try, `attempt`; `tries` are those before, the first one first.
    """

    number: int
    phase: str
    name: str
    state: str
    exit_code: int | None
    detail: str
    started_at: datetime
    ended_at: datetime | None
    attempt: int = 1
    tries: list[RunTryView] = msgspec.field(default_factory=list)
