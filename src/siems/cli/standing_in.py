"""`siems oncall override` and `siems oncall swap`: somebody stands in for somebody."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, dressed, leaf, new_app
from siems.cli.show import Column, Item, at, field, show_list, show_one

override = new_app("Overrides: add, list, remove.")
swap = new_app("Swaps: ask by --mine and --with; accept, decline, list.")

Schedule = Annotated[str, typer.Option("--schedule", help="primary or sch-primary; may be left out where it is clear")]
Ids = Annotated[list[str], typer.Argument(help="OVR-3 or 3; several")]
Swap = Annotated[str, typer.Argument(help="SWP-3 or 3")]

OVERRIDES = (
    field("ID", "id"),
    Column("SCHEDULE", lambda o: o["schedule_id"], drop=1),
    Column("USER", lambda o: o["user"], lambda o: str(o["user_name"])),
    Column("FROM", lambda o: o["starts_at"], lambda o: _short(o["starts_at"])),
    Column("UNTIL", lambda o: o["ends_at"], lambda o: _short(o["ends_at"])),
    field("WHY", "reason", grows=True, drop=2),
    Column("BY", lambda o: o["created_by"], lambda o: str(o["created_by_name"]), drop=3),
)


def _short(text: str) -> str:
    return f"{text[:10]} {text[11:16]}Z"


@override.command("add")
@leaf
def add(
    door: Door,
    user: Annotated[str, typer.Option("--user", help="who is on call instead: @me, an id or a name")],
    until: Annotated[str, typer.Option("--until", help="18:00, 'tomorrow 9am', 2h")],
    starts: Annotated[str, typer.Option("--from", help="14:00; else now")] = "",
    schedule: Schedule = "",
) -> None:
    """Somebody stands in: siems oncall override add --user sam --from 14:00 --until 18:00"""
    from siems.clock import rfc3339
    from siems.moments import moment

    begins = moment(starts) if starts not in ("", "now") else None
    made = door.client.add_override(
        idempotency_key=door.idempotency_key, user=user, schedule=schedule, reason=door.reason,
        starts_at=rfc3339(begins) if begins else None, ends_at=rfc3339(moment(until, begins)),
    )  # fmt: skip
    show_one(door, made, lambda o: [_said(door, o)])


def _said(door: Door, o: Item) -> str:
    from siems.present import safe

    again = " (dry run, nothing is written)" if door.dry_run else ""
    span = f"from {at(o['starts_at'])} until {at(o['ends_at'])}"
    return f"{o['id']}: {safe(o['user_name'])} is on call for {safe(o['schedule'])} {span}{again}"


@override.command("list")
@leaf
def list_overrides(door: Door, schedule: Schedule = "") -> None:
    """The overrides that are on or to come, the first first."""
    show_list(door, door.client.overrides(schedule=schedule), OVERRIDES)


@override.command("remove")
@leaf
def remove(door: Door, ids: Ids) -> int:
    """Take an override back; one that is on ends now: siems oncall override remove OVR-3"""
    results: list[dict[str, Any]] = []
    failed: errors.SiemsError | None = None
    for ref in ids:
        try:
            done = door.client.remove_override(ref, reason=door.reason)
            results.append({**done["override"], "changed": done["changed"]})
        except errors.SiemsError as error:
            if len(ids) == 1:
                raise
            failed = error
            results.append({"id": ref, "changed": False, "error": {"code": error.code, "message": error.message}})
    if len(results) == 1:
        word = "removed" if results[0]["changed"] else "over already, nothing changed"
        show_one(door, results[0], lambda o: [f"{o['id']}: {word}"])
    else:
        show_list(door, results, REMOVED)
    if failed is None:
        return 0
    return 7 if any("error" not in r for r in results) else failed.exit


REMOVED = (
    field("ID", "id"),
    field("CHANGED", "changed"),
    Column("ERROR", lambda r: r.get("error", {}).get("message"), grows=True),
)

# --- swaps -----------------------------------------------------------------------------------------------------

SWAPS = (
    field("ID", "id"),
    field("STATE", "state"),
    Column("FROM", lambda s: s["asker"], lambda s: str(s["asker_name"])),
    Column("TO", lambda s: s["other"], lambda s: str(s["other_name"])),
    Column("GIVES", lambda s: _spans(s["mine"], "/"), lambda s: _spans(s["mine"], " to "), grows=True),
    Column("TAKES", lambda s: _spans(s["theirs"], "/"), lambda s: _spans(s["theirs"], " to ") or "--", grows=True),
    field("SCHEDULE", "schedule_id", drop=1),
)


def _spans(spans: list[Item], between: str) -> str:
    short = _short if between != "/" else str
    return ", ".join(f"{short(one['starts_at'])}{between}{short(one['ends_at'])}" for one in spans)


def ask(
    door: Door,
    typed: typer.Context,
    mine: Annotated[str, typer.Option("--mine", help="the day of one's own shift: sat, 2026-03-14")] = "",
    other: Annotated[str, typer.Option("--with", help="who takes it: an id or a name")] = "",
    theirs: Annotated[str, typer.Option("--their", help="the day of their shift that one takes for it")] = "",
    schedule: Schedule = "",
) -> None:
    """Ask somebody to take a shift, for one of theirs or for nothing. Nothing changes before they accept.

    siems oncall swap --mine sat --with jon
    siems oncall swap --mine 2026-03-14 --with jon --their 2026-03-21
    siems oncall swap accept SWP-3
    """
    if typed.invoked_subcommand is not None:
        return
    if not mine or not other:
        raise errors.UsageError("which shift, and with whom?", hint="siems oncall swap --mine sat --with jon")
    made = door.client.ask_swap(
        idempotency_key=door.idempotency_key, mine=_day(mine), other=other, theirs=_day(theirs) if theirs else "",
        schedule=schedule, reason=door.reason,
    )  # fmt: skip
    show_one(door, made, lambda s: _asked(s))


swap.callback(invoke_without_command=True)(dressed(ask))
swap.info.no_args_is_help = False


def _day(text: str) -> str:
    """A day on the calendar, from `sat`, `tomorrow` or 2026-03-14."""
    from datetime import date

    from siems.moments import moment

    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return moment(text).astimezone().date().isoformat()


def _asked(s: Item) -> list[str]:
    from siems.present import safe

    for_it = f" for {_told(s['theirs'])}" if s["theirs"] else ""
    lines = [f"{s['id']}: {s['state']}: {safe(s['other_name'])} takes {_told(s['mine'])}{for_it}"]
    if s["state"] == "asked":
        lines.append(f"  {safe(s['other_name'])} says yes with:  siems oncall swap accept {s['id']}")
    return lines


def _told(spans: list[Item]) -> str:
    return ", ".join(f"{at(one['starts_at'])} to {at(one['ends_at'])}" for one in spans)


def _answer(door: Door, ref: str, word: str) -> None:
    done = door.client.answer_swap(ref, word, reason=door.reason)
    made = {**done["swap"], "changed": done["changed"]}
    by = f" ({', '.join(made['overrides'])})" if made["overrides"] else ""
    again = " (dry run, nothing is written)" if door.dry_run else "" if made["changed"] else ", nothing changed"
    show_one(door, made, lambda s: [f"{s['id']}: {s['state']}{by}{again}"])


@swap.command("accept")
@leaf
def accept(door: Door, ref: Swap) -> None:
    """Take the shift: both sides change hands at once."""
    _answer(door, ref, "accept")


@swap.command("decline")
@leaf
def decline(door: Door, ref: Swap) -> None:
    """Say no; whoever has asked takes it back by this."""
    _answer(door, ref, "decline")


@swap.command("list")
@leaf
def list_swaps(door: Door) -> None:
    """The swaps that wait for an answer, and those of the last month."""
    show_list(door, door.client.swaps(), SWAPS)
