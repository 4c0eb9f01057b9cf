"""`siems sla policy`: tiers, targets, hours, and which holds pause."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, field, show_list, show_one

policy = new_app("Tiers, targets per company and severity, business hours.")

Company = Annotated[str, typer.Option("--company", help="acme")]
Tier = Annotated[str | None, typer.Option("--sla", help="gold, silver or bronze: see sla policy list")]
Zone = Annotated[str | None, typer.Option("--tz", help="time zone: Europe/Oslo")]
Hours = Annotated[str | None, typer.Option("--hours", help='when time counts: "Mon-Fri 08:00-17:00"')]
Holidays = Annotated[str | None, typer.Option("--holidays", help="of a country: NO, DE-BY, or none")]

COLUMNS = (
    field("SEVERITY", "severity"),
    field("RESPONSE_SECONDS", "response_seconds"),
    field("RESOLUTION_SECONDS", "resolution_seconds"),
    field("WARN_SECONDS", "warn_seconds"),
)


def _target(severity: str) -> Column:
    def told(tier: Item) -> str:
        found = next(target for target in tier["targets"] if target["severity"] == severity)
        return f"{span(found['response_seconds'])}/{span(found['resolution_seconds'])}"

    return Column(severity, told)


TIERS = (
    field("TIER", "name"),
    *(_target(severity) for severity in ("CRITICAL", "HIGH", "MEDIUM", "LOW")),
    field("CLOCK", "clock"),
    field("PAUSED_BY", "pausing", drop=2),
    Column("COMPANIES", lambda t: t["companies"], lambda t: str(len(t["companies"])), drop=1),
)


@policy.command("list")
@leaf
def list_(door: Door) -> None:
    """The tiers: time to respond and to resolve per severity, when it counts, and how many clients are on each."""
    show_list(door, door.client.sla_tiers(), TIERS, id="name")


@policy.command()
@leaf
def show(door: Door, company: Company) -> None:
    """What new incidents of this client get: siems sla policy show --company acme"""
    found = door.client.company(company)
    said = {"company_id": found["id"], "company": found["name"], **found["sla_plan"], "targets": found["sla"]}
    show_one(door, said, _card, id="company_id")


def _card(p: Item) -> list[str]:
    from siems.present import safe

    return [f"{safe(p['company'])} ({p['company_id']})", plan(p), *targets(p["targets"], p["own_targets"])]


def plan(p: Item) -> str:
    """A plan in a line."""
    from siems.present import safe

    calendar = p["calendar"]
    hours = "24x7"
    if calendar is not None:
        words = [f"{calendar['hours']} {calendar['time_zone']}"]
        words += [f"holidays {calendar['holidays']}"] if calendar["holidays"] else []
        words += [f"open {day['day']} {day['hours']}".rstrip() for day in calendar["open_days"]]
        words += [f"closed {day}" for day in calendar["closed_days"]]
        hours = f"{', '.join(words)} (CRITICAL 24x7)"
    paused = f"paused by {', '.join(p['pausing'])}" if p["pausing"] else "never paused"
    return safe(f"tier {p['tier']}, {hours}, {paused}")


def targets(found: list[Item], own: list[str]) -> list[str]:
    """A line per severity."""
    lines = []
    for target in found:
        response, resolution = span(target["response_seconds"]), span(target["resolution_seconds"])
        warn = f"   warn {span(target['warn_seconds'])} before" if target["warn_seconds"] is not None else ""
        mine = "   own target" if target["severity"] in own else ""
        lines.append(f"SLA {target['severity']:<9} respond {response:>6}   resolve {resolution:>6}{warn}{mine}")
    return lines


def span(seconds: int) -> str:
    """In the largest unit that fits: 24h, 30m, 90s. Never in days, since those of business hours are no 24 hours."""
    for size, unit in ((3_600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


@policy.command("set")
@leaf
def set_(
    door: Door,
    company: Company,
    severity: Annotated[str, typer.Option("--severity", help="CRITICAL, HIGH, MEDIUM or LOW")] = "",
    response: Annotated[str | None, typer.Option("--response", help="30m")] = None,
    resolution: Annotated[str | None, typer.Option("--resolution", help="4h")] = None,
    warn: Annotated[str | None, typer.Option("--warn", help="so long before a breach")] = None,
    tier: Annotated[str | None, typer.Option("--tier", help="gold, silver or bronze: see sla policy list")] = None,
    hours: Hours = None,
    tz: Zone = None,
    holidays: Holidays = None,
    opened: Annotated[
        list[str] | None, typer.Option("--open", help='a day: 2026-12-24, "2026-12-24 09:00-12:00", none')
    ] = None,
    closed: Annotated[list[str] | None, typer.Option("--closed", help="a day: 2026-12-31, none")] = None,
    pausing: Annotated[str | None, typer.Option("--pausing", help="which holds pause: client,scheduled, none")] = None,
    always: Annotated[bool, typer.Option("--24x7", help="no business hours")] = False,
) -> None:
    """Change what is given; open incidents keep theirs.

    siems sla policy set --company acme --severity HIGH --response 1h
    siems sla policy set --company acme --tier bronze --hours "Mon-Fri 08:00-17:00" --tz Europe/Oslo --holidays NO
    siems sla policy set --company acme --closed 2026-12-31 --open "2026-12-24 09:00-12:00"
    """
    from siems.moments import seconds

    ask: dict[str, Any] = {
        "severity": severity, "response_seconds": seconds(response), "resolution_seconds": seconds(resolution),
        "warn_seconds": seconds(warn), "tier": tier, "hours": hours, "time_zone": tz, "holidays": holidays,
        "open_days": opened or None, "closed_days": closed or None, "always": always,
        "pausing": None if pausing is None else [word.strip() for word in pausing.split(",") if word.strip()],
    }  # fmt: skip
    changed = door.client.set_sla(company, **ask, reason=door.reason)
    show_list(door, changed["sla"], COLUMNS, id="severity")
    if sys.stdout.isatty():  # a pipe gets the targets alone
        door.say(plan(changed["sla_plan"]))
