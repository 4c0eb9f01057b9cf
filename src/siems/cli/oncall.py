"""`siems oncall`: who is on call, by which schedule, and who stands in."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from siems import errors
from siems.cli import rota, standing_in
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, at, field, show_list, show_one

app = new_app("On-call: who, schedule, override, swap, gaps, export, fairness, ready.")
app.add_typer(rota.app, name="schedule")
app.add_typer(standing_in.override, name="override")
app.add_typer(standing_in.swap, name="swap")
app.command("gaps")(rota.gaps)

Schedule = Annotated[str, typer.Option("--schedule", help="primary or sch-primary")]
User = Annotated[str, typer.Option("--user", help="@me, an id or a name")]

WHO = (
    Column("SCHEDULE", lambda w: w["schedule_id"], lambda w: str(w["schedule"]), grows=True),
    Column("ON CALL", lambda w: w["user"], lambda w: _person(w)),
    Column("UNTIL", lambda w: w["until"], lambda w: rota.when(w["until"], w["time_zone"])),
    Column("NEXT", lambda w: w["next_user"], lambda w: str(w["next_user_name"] or "nobody"), drop=1),
    Column("BY", lambda w: w["source"], drop=3, grows=True),
    field("AVAILABILITY", "availability", drop=2),
)


BY_POLICY = (
    field("LEVEL", "level"),
    field("TARGET", "target"),
    Column("REACHES", lambda w: w["user"], lambda w: _person(w), grows=True),
    Column("SCHEDULE", lambda w: w["schedule_id"], lambda w: str(w["schedule"] or "--"), grows=True, drop=1),
    Column("UNTIL", lambda w: w["until"], lambda w: rota.when(w["until"], w["time_zone"]) if w["until"] else "--"),
    Column("NEXT", lambda w: w["next_user"], lambda w: str(w["next_user_name"] or "--"), drop=2),
    field("AVAILABILITY", "availability", drop=3),
)


def _by_policy(door: Door, policy: str, company: str, other: str, at: str) -> None:
    if other:
        raise errors.UsageError("--policy goes with --company and --at", hint="siems oncall who --policy default")
    show_list(door, door.client.on_call(policy=policy, company=company, at=at), BY_POLICY, id="user")


def _person(w: Item) -> str:
    if not w["user"]:
        return "NOBODY"
    return str(w["user_name"]) + ("" if w["pages"] else " (not paged)")


@app.command()
@leaf
def who(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="for this client: acme")] = "",
    schedule: Schedule = "",
    moment: Annotated[str, typer.Option("--at", help="at another time: 'sat 03:00'")] = "",
    incident: Annotated[str, typer.Option("--incident", help="for the client of INC-42")] = "",
    policy: Annotated[str, typer.Option("--policy", help="whom each step of an escalation policy reaches")] = "",
) -> None:
    """Who is on call, until when, and who is next.

    siems oncall who --company acme --at 'sat 03:00'
    siems oncall who --policy default --company acme
    """
    from siems.clock import rfc3339
    from siems.moments import moment as parse

    asked = {"company": company, "schedule": schedule, "incident": incident}
    if sum(map(bool, asked.values())) > 1 and not (company and schedule):
        raise errors.UsageError("one of --company, --schedule and --incident", hint="siems oncall who")
    if policy:
        _by_policy(door, policy, company, schedule or incident, rfc3339(parse(moment)) if moment else "")
        return
    found = door.client.on_call(**asked, at=rfc3339(parse(moment)) if moment else "")
    if not found and (company or incident):
        about = f"--company {company}" if company else f"--incident {incident}"
        door.note(f"no schedule covers {company or incident}:  siems oncall schedule create NAME --members a,b")
        door.note(f"until then pages go to all technicians ({about})")
    elif not found:
        door.note("there is no schedule yet:  siems oncall schedule create NAME --members a,b")
    show_list(door, found, WHO, id="user")
    for w in found:
        if hidden := w["unseen"]:
            door.note(f"{w['user_name']} may not see {rota.some(hidden)}, and is not paged for it:")
            door.note(f"  siems user edit {w['user']} --add-company {hidden[0]}")


@app.command()
@leaf
def export(
    door: Door,
    user: User = "",
    schedule: Schedule = "",
    days: Annotated[int, typer.Option("--days", help="so far ahead")] = 60,
    ics: Annotated[bool, typer.Option("--ics", help="as an iCalendar file")] = False,
    out: Annotated[str, typer.Option("--out", help="a file, or - for standard output")] = "-",
    url: Annotated[bool, typer.Option("--url", help="an address that calendars subscribe to, shown once")] = False,
    urls: Annotated[bool, typer.Option("--urls", help="list the addresses")] = False,
    revoke: Annotated[str, typer.Option("--revoke", help="end an address: its id, as --urls shows it")] = "",
) -> None:
    """Shifts for a calendar: a file, or an address to subscribe to.

    siems oncall export --user @me --ics --out shifts.ics
    siems oncall export --user @me --url
    """
    if urls:
        show_list(door, door.client.feeds(), FEEDS)
    elif revoke:
        done = door.client.revoke_feed(revoke)
        show_one(door, done, lambda d: [f"{d['id']}: {'ended' if d['changed'] else 'over already'}"])
    elif url:
        made = door.client.make_feed(user=user or ("" if schedule else "@me"), schedule=schedule)
        show_one(door, made, lambda f: _shared(f))
    else:
        _written(door, user or ("" if schedule else "@me"), schedule, days, out)


FEEDS = (
    field("ID", "id"),
    field("USER", "user"),
    field("SCHEDULE", "schedule_id"),
    field("BY", "created_by", drop=1),
    field("CREATED", "created_at", drop=2),
    field("REVOKED", "revoked_at"),
)


def _shared(f: Item) -> list[str]:
    return [
        f"{f['url']}",
        "(shown this once; whoever has it sees these shifts without logging in)",
        f"to end it:  siems oncall export --revoke {f['id']}",
    ]


def _written(door: Door, user: str, schedule: str, days: int, out: str) -> None:
    found = door.client.calendar(user=user, schedule=schedule, days=days)
    if door.json:
        show_one(door, found, lambda f: [f["text"]], id="shifts")
        return
    if out == "-":
        sys.stdout.write(found["text"].replace("\r\n", "\n") if sys.stdout.isatty() else found["text"])
        return
    try:
        with open(out, "w", newline="") as file:
            file.write(found["text"])
    except OSError as why:
        raise errors.UsageError(f"{out} cannot be written ({why.strerror})", hint="--out shifts.ics") from why
    door.say(f"{out}: {found['shifts']} shifts")


LOADS = (
    Column("USER", lambda p: p["user"], lambda p: str(p["user_name"]), grows=True),
    Column("HOURS", lambda p: _hours(p["seconds"])),
    Column("NIGHT", lambda p: _hours(p["night_seconds"])),
    Column("WEEKEND", lambda p: _hours(p["weekend_seconds"])),
    Column("HOLIDAY", lambda p: _hours(p["holiday_seconds"])),
    Column("SHIFTS", lambda p: p["shifts"], drop=1),
    Column("PAGES", lambda p: p["pages"]),
    Column("WAKE-UPS", lambda p: p["wake_ups"]),
)


def _hours(seconds: int) -> str:
    return f"{seconds / 3600:.1f}".removesuffix(".0")


@app.command()
@leaf
def fairness(
    door: Door,
    month: Annotated[str, typer.Option("--month", help="2026-03; else this one")] = "",
    schedule: Schedule = "",
) -> None:
    """Who carried how much: hours by night (22-06), at weekends, on holidays; pages; wake-ups.

    siems oncall fairness --month 2026-03
    """
    found = door.client.fairness(schedule or rota.only(door), month=month)
    if door.json:
        show_one(door, found, lambda f: [], id="schedule_id")
        return
    show_list(door, found["people"], LOADS, id="user")
    if found["planned_from"]:
        door.note(f"from {at(found['planned_from'])} on it is what the schedule says, before that what came to pass")


READY = (
    Column("USER", lambda r: r["user"], lambda r: str(r["user_name"]), grows=True),
    Column("SCHEDULE", lambda r: r["schedule_id"], drop=1),
    Column("FROM", lambda r: r["starts_at"], lambda r: rota.short(r["starts_at"])),
    Column("UNTIL", lambda r: r["ends_at"], lambda r: rota.short(r["ends_at"]), drop=2),
    Column("READY", lambda r: r["ok"], lambda r: "yes" if r["ok"] else "NO"),
    Column("WHY NOT", lambda r: _missing(r), grows=True),
)


def _missing(r: Item) -> str:
    return "; ".join(f"{c['name']}: {c['cause']}" for c in r["checks"] if not c["ok"])


@app.command()
@leaf
def ready(
    door: Door,
    schedule: Schedule = "",
    user: User = "",
    within: Annotated[str, typer.Option("--within", help="shifts that are on or begin within: 24h")] = "24h",
) -> int:
    """Whether those with the next shifts can be reached: exit 9 if someone is not.

    A verified contact, a delivery within 30 days, a login valid past the end of the shift.

    siems oncall ready --within 3d
    """
    from siems.moments import seconds

    hours = -(-(seconds(within) or 0) // 3_600)
    name = str(door.client.me()["user"]["id"]) if user in ("@me", "me") else user
    found = door.client.readiness(schedule=schedule, user=name, hours=hours)
    if not found:
        door.note("nobody has a shift then:  siems oncall schedule gaps")
    show_list(door, found, READY, id="user")
    for line in dict.fromkeys(c["fix"] for r in found for c in r["checks"] if c["fix"]):
        door.note(f"  {line}")
    return 0 if all(r["ok"] for r in found) else 9
