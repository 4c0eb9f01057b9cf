"""The half of the daemon in memory that answers about duty, the audit log, and how it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from boards import fairness, whos

from siems import errors, wire
from siems.tui.board_messages import Duty


class ScriptedBoards:
    """Methods of `Client` over lists that tests change."""

    calls: list[tuple[str, str, dict[str, Any]]]
    queries: list[str]
    refuse: errors.SiemsError | None
    now: datetime
    url: str
    duty: Duty
    trail: list[wire.AuditView]
    told: Sequence[wire.ToldView]
    asked: list[dict[str, str]]
    whatif: wire.WhatIfView
    proof: wire.VerifyAnswer

    def _check(self) -> None:
        raise NotImplementedError

    def schedules(self, *, company: str = "") -> list[dict[str, Any]]:
        self._check()
        return [msgspec.to_builtins(one.schedule) for one in self.duty.schedules]

    def schedule(self, ref: str, *, days: int = 14) -> dict[str, Any]:
        self._check()
        return msgspec.to_builtins(next(one for one in self.duty.schedules if one.schedule.id == ref))

    def overrides(self, *, schedule: str = "") -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins(self.duty.overrides)

    def swaps(self) -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins(self.duty.swaps)

    def handoffs(self, *, schedule: str = "") -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins(self.duty.handoffs)

    def fairness(self, ref: str, *, month: str = "") -> dict[str, Any]:
        self._check()
        return msgspec.to_builtins(fairness(ref))

    def on_call(self, **asked: str) -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins(whos(self.duty))

    def status(self) -> dict[str, Any]:
        self._check()
        return msgspec.to_builtins(wire.Status(
            version="0.1.0", pid=7, url=self.url, database="sqlite", started_at=self.now - timedelta(hours=30),
            server_time=self.now, queue=0, overdue=0, subscribers=1, clock_drift_seconds=0.0,
            checks=[wire.Check(name="deadlines", ok=True, cause="none is late", fix=""),
                    wire.Check(name="messages", ok=False, cause="2 could not be sent", fix="siems notify list")],
        ))  # fmt: skip

    def what_if(self, **ask: Any) -> dict[str, Any]:
        self._check()
        self.asked.append({key: str(value) for key, value in ask.items()})
        return msgspec.to_builtins(self.whatif)

    def judge_advice(self, ref: str, verdict: str, *, idempotency_key: str, **ask: Any) -> dict[str, Any]:
        self._check()
        assert idempotency_key
        self.asked.append({"advice": verdict, "on": ref})
        return {}

    def rate_advice(self, ref: str, useful: bool, comment: str = "") -> dict[str, Any]:
        self._check()
        self.asked.append({"advice": "useful" if useful else "useless", "on": ref})
        return {}

    def why_told(self, ref: str) -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins([one for one in self.told if one.object == ref])

    def calendar(self, *, user: str = "", schedule: str = "", days: int = 60) -> dict[str, Any]:
        self._check()
        return {"text": "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "shifts": 3}

    def _changed(self, verb: str, ref: str, **ask: Any) -> dict[str, Any]:
        self._check()
        self.calls.append((verb, ref, ask))
        if self.refuse is not None:
            raise self.refuse
        return {}

    def add_override(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        return self._changed("override", ask.pop("schedule"), **ask)

    def ask_swap(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        return self._changed("swap", ask.pop("schedule"), **ask)

    def answer_swap(self, ref: str, word: str, *, reason: str = "") -> dict[str, Any]:
        return self._changed(word, ref)

    def accept_handoff(self, *, schedule: str = "") -> dict[str, Any]:
        return self._changed("accept", schedule)

    def give_handoff(self, *, schedule: str = "", keep: list[str]) -> dict[str, Any]:
        return self._changed("give", schedule)

    def audit_page(self, query: str = "", *, limit: int = 0, cursor: str = "") -> dict[str, Any]:
        self._check()
        self.queries.append(query)
        if "bad:" in query:
            raise errors.UsageError("there is no field 'bad' in a query", hint="fields:  actor, action, object")
        found = [one for one in self.trail if not query or query.partition(":")[2] in one.actor + one.object]
        start = int(cursor or 0)
        rest = found[start + limit :] if limit else []
        return msgspec.to_builtins(wire.Page(
            items=found[start : start + limit], next=str(start + limit) if rest else None, total=0, as_of=self.now,
        ))  # fmt: skip

    def audit_chains(self) -> list[dict[str, Any]]:
        self._check()
        return [
            {"chain": "comp-acme", "entries": 48_001, "head": "9" * 64},
            {"chain": "msp", "entries": 210, "head": "a" * 64},
        ]

    def verify_audit(self) -> dict[str, Any]:
        self._check()
        return msgspec.to_builtins(self.proof)
