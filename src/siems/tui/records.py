"""Asks the daemon for the audit log, for who is on call and for why one was told; answers are posted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from textual.message import Message

from siems import places
from siems.errors import SiemsError, UsageError
from siems.tui import board_messages, messages
from siems.tui.lanes import Lane
from siems.wire import (
    AuditView,
    ChainHead,
    FairnessView,
    HandoffView,
    IncidentView,
    OverrideView,
    Page,
    ScheduleDetail,
    Status,
    SwapView,
    ToldView,
    VerifyAnswer,
    WhatIfView,
    WitnessState,
)

if TYPE_CHECKING:
    from siems.client import Client

ENTRIES = 200
MORE = 1_000
DAYS = 35
"""How far ahead the shifts are read."""
SCHEDULES = 60
EXPORTED = 20_000
PAST = 30


class Records:
    """Questions that the boards ask, on a lane of their own; verifying has another one, since it may take long."""

    def __init__(self, client: Client, post: Callable[[Message], object]) -> None:
        self.client, self.post = client, post
        self.lane, self.slow = Lane("siems-records"), Lane("siems-verify")

    # --- the audit log --------------------------------------------------------------------------------------

    def trail(self, query: str, cursor: str = "") -> None:
        """Entries of a query: the newest, or those behind a cursor."""

        def run() -> None:
            try:
                page = self._entries(query, ENTRIES if not cursor else MORE, cursor)
            except UsageError as why:
                self.post(board_messages.TrailRefused(why.message, why.hint, query))
            except SiemsError as why:
                self.post(messages.ReadFailed(why.message, why.hint))
            else:
                self.post(board_messages.TrailRead(query, cursor, page.items, page.next))

        self.lane.put("older" if cursor else "trail", run)

    def _entries(self, query: str, limit: int, cursor: str) -> Page[AuditView]:
        return msgspec.convert(self.client.audit_page(query, limit=limit, cursor=cursor), Page[AuditView])

    def chains(self, *, signed: bool) -> None:
        """How far the chains have come; `signed`: and what of them is signed outside of the database."""

        def job() -> Message:
            heads = msgspec.convert(self.client.audit_chains(), list[ChainHead])
            witness = msgspec.convert(self.client.witness(), WitnessState) if signed else None
            return board_messages.ChainsRead(heads, witness)

        self._ask("chains", job)

    def verify(self) -> None:
        """Recompute every chain; as long as it takes."""

        def run() -> None:
            try:
                found = msgspec.convert(self.client.verify_audit(), VerifyAnswer)
            except SiemsError as why:
                self.post(board_messages.Verified(None, f"{why.message}  {why.hint}".strip()))
            else:
                self.post(board_messages.Verified(found))

        self.slow.put("verify", run)

    def export_trail(self, query: str, now: datetime) -> None:
        """All entries of a query as lines of JSON."""

        def lines() -> list[str]:
            found: list[str] = []
            cursor = ""
            while len(found) < EXPORTED:
                page = self.client.audit_page(query, limit=MORE, cursor=cursor)
                found += [json.dumps(entry) for entry in page["items"]]
                cursor = page["next"] or ""
                if not cursor:
                    break
            return found

        self._write("audit", "jsonl", now, lines)

    def status(self) -> None:
        """What the daemon says of itself."""

        def run() -> None:
            try:
                found = msgspec.convert(self.client.status(), Status)
            except SiemsError as why:
                self.post(board_messages.StatusRead(None, f"{why.message}  {why.hint}".strip()))
            else:
                self.post(board_messages.StatusRead(found))

        self.lane.put("status", run)

    # --- duty -----------------------------------------------------------------------------------------------

    def duty(self) -> None:
        """All schedules with their shifts, who stands in, swaps and briefs."""

        def job() -> Message:
            refs = [one["id"] for one in self.client.schedules()[:SCHEDULES]]
            return board_messages.DutyRead(board_messages.Duty(
                [msgspec.convert(self.client.schedule(ref, days=DAYS), ScheduleDetail) for ref in refs],
                msgspec.convert(self.client.overrides(), list[OverrideView]),
                msgspec.convert(self.client.swaps(), list[SwapView]),
                msgspec.convert(self.client.handoffs(), list[HandoffView]),
            ))  # fmt: skip

        self._ask("duty", job)

    def load(self, schedule: str) -> None:
        """How duty on a schedule is shared in this month."""
        self._ask(
            "load",
            lambda: board_messages.LoadRead(schedule, msgspec.convert(self.client.fairness(schedule), FairnessView)),
        )

    def export_calendar(self, schedule: str, now: datetime) -> None:
        """The shifts of a schedule as an iCalendar file."""

        def lines() -> list[str]:
            return str(self.client.calendar(schedule=schedule, days=DAYS)["text"]).splitlines()

        self._write(schedule, "ics", now, lines)

    def who(self, about: str, company: str, severity: str) -> None:
        """Who would be paged if an incident like this one opened now."""

        def run() -> None:
            try:
                found = msgspec.convert(self.client.what_if(company=company, severity=severity), WhatIfView)
            except SiemsError as why:
                self.post(board_messages.WhoRead(about, None, f"{why.message}  {why.hint}".strip()))
            else:
                self.post(board_messages.WhoRead(about, found))

        self.lane.put("who", run)

    # --- notices and the past ---------------------------------------------------------------------------------

    def why(self, object: str) -> None:
        """Why whoever asks was told of an object."""
        self._ask(
            "why", lambda: board_messages.WhyRead(object, msgspec.convert(self.client.why_told(object), list[ToldView]))
        )  # fmt: skip

    def past(self, view: IncidentView) -> None:
        """Earlier incidents on the same assets of the same company."""
        names = [name for name in view.assets[:5] if name and '"' not in name]
        query = f'company_id:{view.company_id} asset:"{names[0]}"' if names else ""

        def job() -> Message:
            found: dict[str, IncidentView] = {}
            if names:
                page = msgspec.convert(
                    self.client.incidents(query, sort="-created_at", limit=PAST), Page[IncidentView]
                )  # fmt: skip
                found = {one.id: one for one in page.items if one.id != view.id and one.created_at <= view.created_at}
            return board_messages.PastRead(view.id, list(found.values()))

        self._ask("past", job)

    # --- how ------------------------------------------------------------------------------------------------

    def change(self, job: Callable[[], Any], *, cli: str, said: str) -> None:
        """Make a change that is none of an incident; never twice."""

        def run() -> None:
            try:
                answer = job()
            except SiemsError as why:
                self.post(board_messages.Done(cli, said, why.message, why.hint))
            else:
                told = answer if isinstance(answer, str) else said
                self.post(board_messages.Done(cli, told))

        self.lane.put("", run)

    def _ask(self, name: str, job: Callable[[], Message]) -> None:
        def run() -> None:
            try:
                self.post(job())
            except SiemsError as why:
                self.post(messages.ReadFailed(why.message, why.hint))
            except msgspec.ValidationError as why:
                self.post(messages.ReadFailed(f"the daemon's answer cannot be read: {why}", "upgrade siems"))

        self.lane.put(name, run)

    def export(self, name: str, kind: str, now: datetime, lines: Callable[[], list[str]]) -> None:
        """Lines into a file of the reader's own."""
        self._write(name, kind, now, lines)

    def _write(self, name: str, kind: str, now: datetime, lines: Callable[[], list[str]]) -> None:
        def run() -> None:
            try:
                found = lines()
                stamp = now.strftime("%Y%m%d-%H%M%S")
                safe = "".join(char if char.isalnum() or char in "-_" else "-" for char in name)[:60]
                path = places.state_dir() / "exports" / f"{safe}-{stamp}.{kind}"
                places.write_private(path, "".join(f"{line}\n" for line in found))
            except SiemsError as why:
                self.post(board_messages.Exported("", 0, f"{why.message}  {why.hint}".strip()))
            except OSError as why:
                self.post(board_messages.Exported("", 0, f"the file cannot be written: {why.strerror}"))
            else:
                self.post(board_messages.Exported(str(path), len(found)))

        self.lane.put("export", run)
