"""Schedules, overrides, swaps, calendars and handoffs: one method per verb."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from siems.client.transport import Transport, given, part, said


class Oncall(Transport):
    def on_call(self, **asked: str) -> list[dict[str, Any]]:
        """`list[wire.WhoView]`: by `schedule`, `company` or `incident`, `at` a time."""
        return self._items("/oncall", **asked)

    def readiness(self, *, schedule: str = "", user: str = "", hours: int = 24) -> list[dict[str, Any]]:
        """`list[wire.ReadyView]`."""
        return self._items("/oncall/ready", schedule=schedule, user=user, hours=hours)

    def schedules(self, *, company: str = "") -> list[dict[str, Any]]:
        """`list[wire.ScheduleView]`."""
        return self._items("/schedules", company=company)

    def schedule(self, ref: str, *, days: int = 14) -> dict[str, Any]:
        """`wire.ScheduleDetail`."""
        return self._get(f"/schedules/{part(ref)}", days=days)

    def create_schedule(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.ScheduleAsk` in, `wire.ScheduleDetail` out."""
        return self._post("/schedules", given(ask), idempotency_key=idempotency_key)

    def edit_schedule(self, ref: str, **ask: Any) -> dict[str, Any]:
        """`wire.ScheduleEdit` in, `wire.ScheduleDetail` out."""
        return self._send("PATCH", f"/schedules/{part(ref)}", said(ask))

    def delete_schedule(self, ref: str, *, reason: str = "") -> dict[str, Any]:
        return self._send("DELETE", f"/schedules/{part(ref)}{_because(reason)}", {})

    def fairness(self, ref: str, *, month: str = "") -> dict[str, Any]:
        """`wire.FairnessView`."""
        return self._get(f"/schedules/{part(ref)}/fairness", month=month)

    def import_calendar(self, ref: str, **ask: Any) -> dict[str, Any]:
        """`wire.CalendarImport` in, `wire.CalendarImported` out."""
        return self._post(f"/schedules/{part(ref)}/import", said(ask))

    def overrides(self, *, schedule: str = "") -> list[dict[str, Any]]:
        """`list[wire.OverrideView]`: what is on or to come."""
        return self._items("/overrides", schedule=schedule)

    def add_override(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.OverrideAsk` in, `wire.OverrideView` out."""
        return self._post("/overrides", given(ask), idempotency_key=idempotency_key)

    def remove_override(self, ref: str, *, reason: str = "") -> dict[str, Any]:
        return self._send("DELETE", f"/overrides/{part(ref)}{_because(reason)}", {})

    def swaps(self) -> list[dict[str, Any]]:
        """`list[wire.SwapView]`."""
        return self._items("/swaps")

    def ask_swap(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.SwapAsk` in, `wire.SwapView` out."""
        return self._post("/swaps", given(ask), idempotency_key=idempotency_key)

    def answer_swap(self, ref: str, word: str, *, reason: str = "") -> dict[str, Any]:
        """`accept` or `decline`."""
        return self._post(f"/swaps/{part(ref)}/{word}{_because(reason)}", {})

    def calendar(self, *, user: str = "", schedule: str = "", days: int = 60) -> dict[str, Any]:
        """`wire.CalendarView`."""
        return self._get("/calendar", user=user, schedule=schedule, days=days)

    def feeds(self) -> list[dict[str, Any]]:
        """`list[wire.FeedView]`."""
        return self._items("/calendar/feeds")

    def make_feed(self, **ask: Any) -> dict[str, Any]:
        """`wire.FeedAsk` in, `wire.FeedView` out: the only time that the address is shown."""
        return self._post("/calendar/feeds", given(ask))

    def revoke_feed(self, ref: str) -> dict[str, Any]:
        return self._send("DELETE", f"/calendar/feeds/{part(ref)}", {})

    def handoffs(self, *, schedule: str = "") -> list[dict[str, Any]]:
        """`list[wire.HandoffView]`: those that concern whoever asks."""
        return self._items("/handoff", schedule=schedule)

    def note_handoff(self, incident: str, text: str) -> dict[str, Any]:
        return self._post("/handoff/note", {"incident": incident, "text": text})

    def give_handoff(self, *, schedule: str = "", keep: list[str]) -> dict[str, Any]:
        """`wire.HandoffDone`."""
        return self._post("/handoff/give", {"schedule": schedule, "keep": keep})

    def accept_handoff(self, *, schedule: str = "") -> dict[str, Any]:
        """`wire.HandoffDone`."""
        return self._post("/handoff/accept", {"schedule": schedule})


def _because(reason: str) -> str:
    return f"?{urlencode({'reason': reason})}" if reason else ""
