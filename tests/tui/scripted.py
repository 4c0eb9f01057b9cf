"""A daemon in memory for the console's tests: the client's methods, fixed data, a clock that stands still."""

from __future__ import annotations

import base64
import queue
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
from boards import duty, signed, told, trail, whatif
from grouped import Grouped
from measured import Measured, due_before
from offices import OfficeClient
from scripted_boards import ScriptedBoards
from scripted_runs import ScriptedRuns
from streamed import BODY, NOW, alert, arrivals, entry, user

from siems import errors, wire

ACTIONS = {
    "OPEN": ["assign", "ack", "start", "note", "resolve", "escalate"],
    "ASSIGNED": ["assign", "unassign", "ack", "start", "hold", "note", "resolve", "escalate"],
    "IN_PROGRESS": ["assign", "unassign", "hold", "note", "resolve", "escalate"],
    "RESOLVED": ["note", "close", "reopen"],
    "CLOSED": ["note", "reopen"],
}
TARGETS = {
    "CRITICAL": (1_800, 14_400),
    "HIGH": (7_200, 28_800),
    "MEDIUM": (28_800, 86_400),
    "LOW": (86_400, 172_800),
}
NEXT = {
    "ack": "ASSIGNED", "assign": "ASSIGNED", "start": "IN_PROGRESS", "resolve": "RESOLVED", "close": "CLOSED",
    "reopen": "IN_PROGRESS",
}  # fmt: skip


def view(number: int, *, minutes: float = 60, seconds: float = 0, **fields: Any) -> wire.IncidentView:
    """An incident whose next clock falls due in so many minutes."""
    severity, state = fields.pop("severity", "MEDIUM"), fields.pop("state", "OPEN")
    company = fields.pop("company", "Acme Dental")
    due = NOW + timedelta(minutes=minutes, seconds=seconds)
    response_target, target = TARGETS[severity]
    created = fields.pop("created_at", NOW - timedelta(minutes=21))
    answered = state != "OPEN"
    hold = fields.get("on_hold", False)
    sla = wire.Sla(
        response=wire.ResponseClock(
            due_at=created + timedelta(minutes=30) if answered else due,
            met_at=created + timedelta(seconds=188) if answered else None,
            breached=not answered and due < NOW,
            target_seconds=response_target,
        ),
        resolution=wire.ResolutionClock(
            due_at=due if answered else max(due, NOW) + timedelta(hours=3),
            met_at=NOW - timedelta(minutes=9) if state in ("RESOLVED", "CLOSED") else None,
            breached=answered and due < NOW and state not in ("RESOLVED", "CLOSED"),
            paused=hold,
            target_seconds=target,
        ),
    )
    return msgspec.structs.replace(_PLAIN, **{
        "id": f"INC-{number}", "title": "Disk C: 94% on FS02", "company": company, "severity": severity,
        "company_id": "comp-" + company.split()[0].lower(), "state": state, "created_at": created, "sla": sla,
        "actions": ACTIONS[state] + (["resume"] if hold else []),
        "acknowledged_at": created + timedelta(seconds=188) if answered else None,
    } | fields)  # fmt: skip


_PLAIN = wire.IncidentView(
    id="", company_id="", company="", title="", severity="LOW", state="OPEN", on_hold=False, hold_reason=None,
    hold_until=None, flapping=False, priority_score=30, escalation_level=1, escalated_at=None,
    next_escalation=None,
    assignee=None, assignee_name=None, alert_count=1, repeat_count=0, active_count=1, tool_sources=["zabbix"],
    assets=["fs02"], asset_count=1, category="disk", rule="asset|signature", created_at=NOW,
    last_alert_at=NOW,
    acknowledged_at=None, resolved_at=None, closed_at=None, resolved_by=None, resolution_notes=None,
    cause=None,
    merged_into=None, recurrence_of=None, related=[], version=1, actions=[], sla=None,
     # type: ignore[arg-type]
)  # fmt: skip


def incidents() -> list[wire.IncidentView]:
    """The board of the drawings."""
    jon = {"assignee": "user-jon", "assignee_name": "Jon Berg"}
    maria = {"assignee": "user-maria", "assignee_name": "Maria Lopez"}
    priya = {"assignee": "user-priya", "assignee_name": "Priya Nair"}
    chain = wire.NextEscalation(due_at=NOW + timedelta(seconds=101), level=2, to="jon")
    flap = {
        "assets": ["fw-edge-02"],
        "tool_sources": ["meraki"],
        "category": "network",
        "priority_score": 112,
    }
    return [
        view(118, minutes=-4, seconds=-12, severity="CRITICAL", title="DC01 down, DHCP+DNS failing",
        alert_count=14,
             priority_score=128, next_escalation=chain, assets=["dc01"]),
        view(121, seconds=221, minutes=0, severity="CRITICAL", state="IN_PROGRESS", company="Borealis",
             title="VPN concentrator flapping", alert_count=6, next_escalation=chain, **flap, **maria),
        view(109, minutes=8, seconds=2, severity="HIGH", state="ASSIGNED", title="Backup job failed x3",
             alert_count=3, **jon),
        view(97, minutes=42, severity="HIGH", state="ASSIGNED", company="Cedar Law", title="Exchange queue > 5000",
             alert_count=9, **maria),
        view(101, minutes=55, state="ASSIGNED", company="Cedar Law", alert_count=2, **maria),
        view(102, minutes=190, company="Delta Foods", title="POS-7 offline"),
        view(88, minutes=344, state="IN_PROGRESS", company="Borealis", title="AV definitions stale 11 PCs",
             alert_count=11, **jon),
        view(90, minutes=422, severity="LOW", state="ASSIGNED", company="Evergreen",
        title="UPS self-test warning",
             **priya),
        view(75, minutes=500, state="ASSIGNED", company="Delta Foods", title="Waiting on ISP ticket",
        on_hold=True,
             hold_reason="vendor", hold_until=NOW + timedelta(hours=20), alert_count=4, **priya),
        view(71, minutes=90, severity="HIGH", state="RESOLVED", title="SQL agent restarted", alert_count=5, **jon),
    ]  # fmt: skip


class ScriptedClient(ScriptedBoards, ScriptedRuns, Measured, OfficeClient, Grouped):
    """The methods of `Client` over lists in memory. `down` makes every call fail as a lost daemon does."""

    def __init__(self, views: list[wire.IncidentView] | None = None) -> None:
        self.context, self.url, self.token, self.socket_path = "prod", "http://127.0.0.1:8717", "", ""
        self.views = {v.id: v for v in (incidents() if views is None else views)}
        self.calls, self.queries, self.came, self.beats = [], [], 0, True
        self.down = self.lose_answers = False
        self.refuse: errors.SiemsError | None = None
        self.done: dict[str, dict[str, Any]] = {}
        self.stream: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.now, self.role = NOW, "manager"
        self.furnish()
        self.provide()
        self.notices = [
            wire.NoticeView(id=n, at=NOW - timedelta(minutes=m), kind=kind, subject=subject, object=ref,
                            company_id="comp-acme", read=n == 1)
            for n, m, kind, subject, ref in (
                (3, 4, "assigned", "INC-118 was assigned to you by escalation", "INC-118"),
                (2, 9, "sla", "INC-109 response target under 10 min", "INC-109"),
                (1, 31, "resolved", "INC-71 resolved by jon", "INC-71"),
            )
        ]  # fmt: skip
        self.arrived = arrivals()
        self.duty, self.whatif, self.told, self.trail, self.signed = duty(), whatif(), told(), trail(), signed()
        self.proof = wire.VerifyAnswer(ok=True, entries=48_211, chains=[
            wire.ChainState(chain="comp-acme", entries=48_001, head="9" * 64, ok=True),
        ])  # fmt: skip
        self.raw: str | bytes | None = BODY
        self.asked: list[dict[str, str]] = []
        self.reports = []
        self.entries = [
            entry(12, "alert", "meraki", "crit tunnel down fw-edge-02 (x4, correlated same device)"),
            entry(86, "state", "Maria Lopez", "started"),
            entry(227, "note", "Maria Lopez", "called ISP, ref 8812. They confirm carrier\nwork until 15:00."),
            entry(1_101, "state", "Maria Lopez", "acknowledged"),
            entry(1_102, "notify", "siems", "mail sent to maria@msp.example"),
            entry(1_289, "open", "siems", 'created from 2 alerts, rule "same device 5m"'),
        ]
        self.alert_list = [
            alert(9, 12, "CRITICAL", "tunnel down", 4),
            alert(8, 231, "MEDIUM", "packet loss 31 % site-2"),
            alert(7, 1_289, "CRITICAL", "tunnel down"),
        ]

    # --- what tests do to it ---

    def emit(self, type: str, ref: str, **data: Any) -> None:
        self.stream.put({
            "cursor": "2", "at": NOW.isoformat(), "type": type, "company_id": "comp-acme", "object": ref,
            "data": {"incident_id": ref} | data,
        })  # fmt: skip

    def lose(self) -> None:
        self.down = True
        self.stream.put(None)

    def comes(self, *rows: wire.ArrivalView) -> None:
        """Something arrives, and the stream tells of it."""
        self.arrived[:0] = rows
        for row in rows:
            kind = "delivery.refused" if row.refusal else f"alert.{row.kind}"
            self.stream.put({
                "cursor": row.cursor, "at": row.at.isoformat(), "type": kind, "company_id": row.company_id,
                "object": row.alert.id if row.alert else row.company_id, "data": {"incident_id": row.incident_id},
            })  # fmt: skip

    # --- the client ---

    def _check(self) -> None:
        if self.down:
            raise errors.Unavailable("no daemon answers at http://127.0.0.1:8717", hint="start one:  siems up -d")

    def me(self) -> dict[str, Any]:
        self._check()
        unread = sum(not notice.read for notice in self.notices)
        who, may = user("Maria Lopez", self.role), self.allowed()
        return msgspec.to_builtins(wire.Me(who, unread, server_time=self.now, context="prod", may=may))

    def incidents(self, query: str = "", *, sort: str = "", limit: int = 0, cursor: str = "") -> dict[str, Any]:
        self._check()
        self.queries.append(query)
        if "bad:" in query:
            raise errors.UsageError("unknown field 'bad'", hint="fields:  state, severity, company")
        found = list(self.views.values())
        wanted = [word for word in query.split() if word.startswith("id:")]
        if wanted:
            found = [v for v in found if v.id in wanted[0][3:].split(",")]
        for word in query.replace("(", "").replace(")", "").split():
            if word.startswith("#"):
                found = [v for v in found if v.company_id == "comp-" + word[1:]]
            elif word.startswith("state:"):
                found = [v for v in found if v.state in word[6:].split(",")]
            elif word in ("sla:breached", "sla:paused"):
                clocks = [(v, (v.sla.response, v.sla.resolution)) for v in found]
                late = [v for v, both in clocks if any(clock.breached for clock in both)]
                found = late if word == "sla:breached" else [v for v in found if v.sla.resolution.paused]
            elif word in ("sla:<0s", "sla:<1h"):
                found = due_before(found, self.now + timedelta(hours=word == "sla:<1h"))
            elif ":" not in word:
                found = [v for v in found if word.strip('"').lower() in v.title.lower()]
        return msgspec.to_builtins(wire.Page(items=found, next=None, total=len(found), as_of=self.now))

    def incident(self, ref: str) -> dict[str, Any]:
        self._check()
        if ref not in self.views:
            raise errors.NotFound(f"no incident {ref}")
        terms = {"base": 90, "duplicates": 12, "multi_tool": 10}
        return msgspec.to_builtins(
            wire.IncidentDetail(incident=self.views[ref], priority_terms=terms, undo=None, server_time=self.now)
        )

    def timeline(self, ref: str, *, limit: int = 200) -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins(self.entries)

    def incident_alerts(self, ref: str, *, limit: int = 200) -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins(self.alert_list)

    def arrivals(self, query: str = "", *, limit: int = 0, cursor: str = "", after: str = "") -> dict[str, Any]:
        self._check()
        self.asked.append({"query": query, "cursor": cursor, "after": after})
        if "bad:" in query:
            raise errors.InvalidField("there is no field 'bad' in a query", hint="did you mean status:?")
        found = [row for row in self.arrived if not after or int(row.cursor[1:]) > int(after[1:])]
        found = [row for row in found if not cursor or int(row.cursor[1:]) < int(cursor[1:])]
        if query:
            found = [row for row in found if query.lower() in str(row.alert or row.refusal).lower()]
        following = found[limit - 1].cursor if len(found) > limit else None
        return msgspec.to_builtins(
            wire.Page(items=found[:limit], next=following, total=len(found[:limit]), as_of=self.now)
        )

    def alert(self, ref: str) -> dict[str, Any]:
        self._check()
        row = next((row for row in self.arrived if row.alert and row.alert.id == ref), None)
        if row is None:
            raise errors.NotFound(f"no alert {ref}")
        shown: dict[str, Any] = msgspec.to_builtins(row.alert)
        if isinstance(self.raw, str):
            shown["raw"] = self.raw
        elif self.raw is not None:
            shown["raw_base64"] = base64.b64encode(self.raw).decode()
        return shown

    def act(self, action: str, ref: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        self._check()
        self.calls.append((action, ref, {key: value for key, value in ask.items() if value not in (None, "")}))
        if self.refuse is not None:
            raise self.refuse
        found = self.views[ref]
        changes: dict[str, Any] = {"version": found.version + 1}
        if action in NEXT:
            changes |= {"state": NEXT[action], "actions": ACTIONS[NEXT[action]]}
        if action in ("ack", "assign"):
            changes |= {"assignee": "user-maria", "assignee_name": "Maria Lopez"}
        if action == "hold":
            changes |= {"on_hold": True, "hold_reason": ask["hold_for"]}
        if action == "undo":
            changes |= {"state": "OPEN", "actions": ACTIONS["OPEN"], "assignee": None, "assignee_name": None}
        self.views[ref] = msgspec.structs.replace(found, **changes)
        until = self.now + timedelta(seconds=10) if ask.get("undoable") else None
        answer = msgspec.to_builtins(
            wire.ActAnswer(incident=self.views[ref], changed=True, steps=[action], undo_until=until,
                           server_time=self.now)
        )  # fmt: skip
        self.done[idempotency_key] = answer
        if self.lose_answers:
            self.lose()
            raise errors.Unavailable("the daemon did not answer within 10 s")
        return answer

    def idempotent(self, key: str) -> dict[str, Any]:
        self._check()
        return {"found": key in self.done, "answer": self.done.get(key)}

    def inbox(self, *, unread: bool = False, limit: int = 100) -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins([one for one in self.notices if not (unread and one.read)][:limit])

    def read_inbox(self, ids: list[int] | None = None) -> dict[str, Any]:
        self._check()
        for notice in self.notices:
            notice.read = notice.read or ids is None or notice.id in ids
        return {}

    def summary(self) -> dict[str, Any]:
        self._check()
        counts = [("acme", "Acme Dental", 9), ("borealis", "Borealis", 7), ("cedar", "Cedar Law", 6)]
        return msgspec.to_builtins(wire.Summary(
            open=23, opened_today=31, resolved_today=24, breached_today=2, mtta_seconds=252,
            mttr_seconds=4_080,
            alerts=412, incidents=31, noise_reduction=92.5,
            by_company=[wire.CompanyCount(company_id=f"comp-{i}", company=name, open=n) for i, name,
            n in counts],
            alerts_per_minute=[(n * 7) % 11 for n in range(60)], repeats=450, server_time=self.now,
        ))  # fmt: skip

    def events(self, *, cursor: str = "", query: str = "", types: str = "") -> Iterator[dict[str, Any]]:
        self._check()
        self.stream = queue.Queue()
        yield {"type": "hello", "cursor": "1"}
        while True:
            event = self.stream.get()
            if event is None or self.down:
                raise errors.Unavailable("the stream broke")
            yield event
