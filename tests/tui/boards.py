"""Schedules, entries of the audit log and reasons for notices, for the scripted daemon of the console's tests."""

from __future__ import annotations

from datetime import datetime, timedelta

from streamed import NOW

from siems import wire
from siems.tui.board_messages import Duty

MIDNIGHT = NOW.replace(hour=0, minute=0, second=0)
NAMES = {"maria": "Maria Lopez", "jon": "Jon Berg", "sam": "Sam Reed", "priya": "Priya Nair"}


def shift(schedule: str, who: str, starts: datetime, hours: float, source: str = "day") -> wire.ShiftView:
    return wire.ShiftView(
        schedule_id=f"sch-{schedule}", schedule=schedule, user=f"user-{who}", user_name=NAMES.get(who, who),
        starts_at=starts, ends_at=starts + timedelta(hours=hours), source=source,
    )  # fmt: skip


def gap(schedule: str, starts: datetime, hours: float) -> wire.GapView:
    return wire.GapView(
        schedule_id=f"sch-{schedule}", schedule=schedule, starts_at=starts, ends_at=starts + timedelta(hours=hours),
        seconds=int(hours * 3600),
    )  # fmt: skip


def schedule(
    name: str, shifts: list[wire.ShiftView], gaps: list[wire.GapView] | None = None, *, company: str = "msp",
    used_by: list[str] | None = None, zone: str = "Europe/Berlin",
) -> wire.ScheduleDetail:  # fmt: skip
    now = next((s for s in shifts if s.starts_at <= NOW < s.ends_at), None)
    after = next((s for s in shifts if s.starts_at > NOW), None)
    view = wire.ScheduleView(
        id=f"sch-{name}", company_id=company, company="" if company == "msp" else company, name=name, time_zone=zone,
        country="DE", layers=[], used_by=used_by or [], now=now, next=after, version=1,
    )  # fmt: skip
    return wire.ScheduleDetail(schedule=view, shifts=shifts, gaps=gaps or [])


def duty() -> Duty:
    """The board of the drawings: two rotations of the house, and a client's own with a hole in it."""
    day = [
        shift("default", ("maria", "sam", "maria", "jon")[n % 4], MIDNIGHT + timedelta(hours=6 + 12 * n), 12)
        for n in range(28)
    ]
    day[2] = shift("default", "maria", day[2].starts_at, 12, "OVR-3")
    week = [shift("second", who, MIDNIGHT + timedelta(days=7 * n - 1), 168)
            for n, who in enumerate(("jon", "priya", "jon"))]  # fmt: skip
    cedar = [
        shift("cedar", "jon", MIDNIGHT + timedelta(hours=18), 14),
        shift("cedar", "sam", MIDNIGHT + timedelta(hours=40), 200),
    ]
    holes = [gap("cedar", MIDNIGHT + timedelta(hours=14), 4), gap("cedar", MIDNIGHT + timedelta(hours=32), 8)]
    return Duty(
        schedules=[
            schedule("default", day, used_by=["Acme Dental", "Borealis"]), schedule("second", week),
            schedule("cedar", cedar, holes, company="Cedar Law", used_by=["Cedar Law"]),
        ],
        overrides=[wire.OverrideView(
            id="OVR-3", schedule_id="sch-default", schedule="default", user="user-maria", user_name="Maria Lopez",
            starts_at=day[2].starts_at, ends_at=day[2].ends_at, reason="dentist", swap=None, created_by="user-sam",
            created_by_name="Sam Reed", created_at=NOW,
        )],
        swaps=[wire.SwapView(
            id="SWP-7", schedule_id="sch-default", schedule="default", asker="user-jon", asker_name="Jon Berg",
            other="user-maria", other_name="Maria Lopez",
            mine=[wire.SpanView(starts_at=day[3].starts_at, ends_at=day[3].ends_at)],
            theirs=[wire.SpanView(starts_at=day[4].starts_at, ends_at=day[4].ends_at)], reason="wedding", state="asked",
            created_at=NOW, answered_at=None, overrides=[], actions=["accept", "decline"],
        )],
        handoffs=[wire.HandoffView(
            id="HND-1", schedule_id="sch-default", schedule="default", user="user-sam", user_name="Sam Reed",
            next_user="user-maria", next_user_name="Maria Lopez", starts_at=day[0].starts_at,
            hands_over_at=day[0].ends_at, state="waiting", given_at=None, accepted_at=None, actions=["accept"],
            incidents=[wire.HandoffItem(
                id="INC-75", company_id="comp-delta", company="Delta Foods", title="Waiting on ISP ticket",
                severity="MEDIUM", state="ASSIGNED", next_action="call the ISP at nine", next_action_by="user-sam",
                hold_reason="vendor", hold_until=NOW + timedelta(hours=19), next_deadline="resolution",
                next_deadline_at=NOW + timedelta(hours=8), kept=False,
            )],
        )],
    )  # fmt: skip


def fairness(ref: str) -> wire.FairnessView:
    people = [
        wire.Load(user=f"user-{who}", user_name=NAMES[who], shifts=shifts, seconds=hours * 3600,
                  night_seconds=hours * 900, weekend_seconds=hours * 1200, holiday_seconds=0, pages=pages,
                  wake_ups=pages // 3)
        for who, shifts, hours, pages in (("maria", 12, 144, 9), ("sam", 8, 96, 4), ("jon", 6, 72, 1))
    ]  # fmt: skip
    return wire.FairnessView(
        schedule_id=ref, schedule=ref.removeprefix("sch-"), month="2026-03", time_zone="Europe/Berlin", country="DE",
        starts_at=MIDNIGHT, ends_at=MIDNIGHT + timedelta(days=30), planned_from=NOW, people=people,
    )  # fmt: skip


def whos(known: Duty) -> list[wire.WhoView]:
    found = []
    for one in known.schedules:
        now = one.schedule.now
        found.append(wire.WhoView(
            schedule_id=one.schedule.id, schedule=one.schedule.name, company_id="", time_zone=one.schedule.time_zone,
            at=NOW, user=now.user if now else "", user_name=now.user_name if now else "", availability="available",
            source="day", until=now.ends_at if now else None, next_user="", next_user_name="", pages=True,
        ))  # fmt: skip
    return found


def whatif() -> wire.WhatIfView:
    def person(name: str, why: str, *ways: str) -> wire.WhatIfPerson:
        sent = [wire.WhatIfMessage(channel=way, hint="m...@msp.example", at=NOW, why=why) for way in ways]
        return wire.WhatIfPerson(name=name, pages=bool(ways), messages=sent, why=why)

    def step(minutes: int, level: int | None, text: str, *people: wire.WhatIfPerson) -> wire.WhatIfStep:
        at = NOW + timedelta(minutes=minutes)
        return wire.WhatIfStep(at=at, kind="page", level=level, text=text, targets=[], people=list(people), webhooks=[])

    return wire.WhatIfView(
        id="pol-default", company_id="comp-acme", severity="CRITICAL", at=NOW, policy="default",
        notes=["SIL-3 is on until 2026-03-10 16:00Z and stops the pages of what it matches"],
        steps=[
            step(0, 1, "who is on call", person("Maria Lopez", "", "email", "sms")),
            step(5, 2, "managers of the client", person("Jon Berg", "", "email"), person("Priya Nair", "quiet hours")),
            step(15, 3, "all admins"),
        ],
    )  # fmt: skip


def told() -> list[wire.ToldView]:
    message = wire.MessageView(
        id="MSG-5", company_id="comp-acme", object="INC-118", event="incident.assigned", user_id="user-maria",
        user="Maria Lopez", channel="email", hint="m...@msp.example", severity="CRITICAL", subject="", pages=True,
        state="sent", why="rule R-1", rule="R-1", attempt=1, created_at=NOW, next_at=None,
        sent_at=NOW - timedelta(minutes=3), unknown_at=None, ended_at=None, error="", provider_message_id="",
        bundle=None, listed=1,
    )  # fmt: skip
    return [wire.ToldView(
        at=NOW - timedelta(minutes=4), event="incident.assigned", object="INC-118",
        subject="INC-118 was assigned to you by escalation", user_id="user-maria", user="Maria Lopez", pages=True,
        inbox="unread", why="the escalation policy default, step 1", messages=[message],
    )]  # fmt: skip


def audited(seq: int, seconds: float, actor: str, action: str, object: str, **fields: object) -> wire.AuditView:
    plain: dict[str, object] = {
        "chain": "comp-acme", "seq": seq, "at": NOW - timedelta(seconds=seconds), "actor": actor, "via": "tui",
        "action": action, "object": object, "company_id": "comp-acme", "reason": "", "digest": "d" * 64,
        "prev_hash": "0be4417a" * 8, "hash": "91cc02f1" * 8,
        "details": {"from": "OPEN", "to": "ASSIGNED", "version": 6},
    }  # fmt: skip
    return wire.AuditView(**(plain | fields))  # type: ignore[arg-type]


def signed() -> wire.WitnessState:
    """All is well with the checkpoints."""
    return wire.WitnessState(
        ok=True, file="/var/lib/siems/audit-checkpoints.jsonl", key="9" * 64, statements=2_210, since=NOW,
        signed_at=NOW, bad_lines=[], unvouched=0,
    )  # fmt: skip


def trail() -> list[wire.AuditView]:
    return [
        audited(48_211, 9, "user-maria", "incident.assigned", "INC-97", reason="taking Cedar"),
        audited(48_210, 9, "user-maria", "incident.assigned", "INC-101", reason="taking Cedar"),
        audited(48_209, 86, "user-maria", "incident.started", "INC-121"),
        audited(48_208, 96, "system", "alerts.accepted", "ALR-1007", via="system", details=None),
        audited(48_207, 227, "user-maria", "incident.noted", "INC-121", details={"note": "called ISP, ref 8812"}),
        audited(210, 1_949, "user-dana", "integration.rotated", "int-borealis", via="cli", chain="msp",
                company_id="msp", reason="yearly", details={"overlap": "24h", "kept": ["key", "secret"]}),
        audited(209, 90_000, "user-dana", "user.created", "user-sam", via="cli", chain="msp", company_id="msp"),
    ]  # fmt: skip
