"""`siems silence`: alerts that shall page nobody for a while."""

from __future__ import annotations

import sys
from datetime import tzinfo
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, at, field, show_list, show_one

app = new_app("Silences: add, list, show, extend, end.")

Ids = Annotated[list[str], typer.Argument(help="SIL-3, 3, several, or - to read them from standard input")]
Ref = Annotated[str, typer.Argument(help="SIL-3 or 3")]
Matches = Annotated[
    list[str], typer.Argument(metavar="MATCH...", help="asset=dc*, severity!=HIGH, message~.*timeout.*, label.env=x")
]  # fmt: skip
Company = Annotated[str, typer.Option("--company", help="acme; may be left out where you see only one")]
Starts = Annotated[str, typer.Option("--from", help="now, or 'today 22:00', 2026-03-10T22:00Z")]
Lasts = Annotated[str, typer.Option("--for", help="how long: 2h")]
Until = Annotated[str, typer.Option("--until", help="or until when: 'tomorrow 6am'")]
Change = Annotated[str, typer.Option("--change", help="change reference: CHG-9; makes it a maintenance window")]
Repeat = Annotated[
    str, typer.Option("--repeat", help="daily, 'weekly sat,sun', 'monthly 2tue', 'monthly 15', or an RRULE")
]
Zone = Annotated[str, typer.Option("--tz", help="whose clock all this goes by: Europe/Oslo; else this machine's")]
Preview = Annotated[bool, typer.Option("--preview", help="only show what it would match, like --dry-run")]
Once = Annotated[bool, typer.Option("--once", help="only this window, not those to come")]

COLUMNS = (
    field("ID", "id"),
    field("STATE", "state"),
    Column("COMPANY", lambda s: s["company_id"], lambda s: str(s["company"]), grows=True, drop=4),
    field("MATCHERS", "matchers", grows=True),
    Column("STARTS", lambda s: s["starts_at"], lambda s: _short(s["starts_at"]), drop=3),
    Column("ENDS", lambda s: s["ended_at"] or s["ends_at"], lambda s: _short(s["ended_at"] or s["ends_at"])),
    field("HOLDS", "suppressed"),
    Column("WHY", lambda s: s["change"] or s["comment"], grows=True, drop=1),
    field("REPEATS", "repeats", grows=True, drop=2),
    field("BY", "created_by_name", wide=True),
)


def _short(text: str) -> str:
    return f"{text[:10]} {text[11:16]}Z"


# --- making ----------------------------------------------------------------------------------------------------


def create(
    door: Door, company: str, matchers: list[str], *, starts: str, lasts: str, until: str, comment: str, change: str,
    repeat: str, zone: str, preview: bool,
) -> None:  # fmt: skip
    """A silence as the flags say, or with `--dry-run` what it would match."""
    ask = asked(company_of(door, company), matchers, starts=starts, lasts=lasts, until=until, zone=zone)
    ask |= {"comment": comment or door.reason, "change": change, "repeat": repeat}
    if repeat:
        ask["time_zone"] = zone or zone_here()
    if preview or door.dry_run:
        door.client.dry_run = True
        made = door.client.create_silence(**ask)
        found = door.client.preview_silence(ask["company"], matchers)
        show_one(door, {"id": "", "silence": made, **found}, _foreseen)
        return
    made = door.client.create_silence(idempotency_key=door.idempotency_key, **ask)
    show_one(door, made, lambda s: [_line(s)])


def asked(
    company: str, matchers: list[str], *, lasts: str, starts: str = "", until: str = "", zone: str = ""
) -> dict[str, Any]:  # fmt: skip
    """`wire.SilenceAsk`, as far as it is about what and when. Raises UsageError."""
    from siems.clock import rfc3339
    from siems.moments import moment, seconds

    _one_way(lasts, until, "a silence needs an end")
    clock = _zone(zone)
    return {
        "company": company,
        "matchers": matchers,
        "starts_at": rfc3339(moment(starts, zone=clock)) if starts not in ("", "now") else None,
        "seconds": seconds(lasts or None),
        "ends_at": rfc3339(moment(until, zone=clock)) if until else None,
    }


def _one_way(lasts: str, until: str, neither: str, such: str = "2h") -> None:
    """Raises UsageError unless one of the two says when it ends."""
    if bool(lasts) == bool(until):
        said = "--for and --until both say when it ends" if lasts else neither
        raise errors.UsageError(said, hint=f"one of them:  --for {such}  or  --until 'tomorrow 6am'")


def _zone(name: str) -> tzinfo | None:
    if not name:
        return None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as why:
        raise errors.UsageError(f"{name!r} is no time zone", hint="write it like  --tz Europe/Oslo") from why


def company_of(door: Door, named: str) -> str:
    """The company that is meant; where only one can be seen it goes without saying. Raises UsageError."""
    if named:
        return named
    known = [c["id"] for c in door.client.companies()]
    if len(known) != 1:
        raise errors.UsageError("which company?", hint=f"add  --company {known[0] if known else 'NAME'}")
    return str(known[0])


def zone_here() -> str:
    """The time zone of this machine, by name; UTC where it has none."""
    import os

    name = os.environ.get("TZ", "").lstrip(":") or os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    return name if "/" in name else "UTC"


@leaf
def add(
    door: Door,
    matchers: Matches,
    company: Company = "",
    lasts: Lasts = "",
    until: Until = "",
    comment: Annotated[str, typer.Option("--comment", help="why, for whoever wonders")] = "",
    starts: Starts = "",
    change: Change = "",
    repeat: Repeat = "",
    zone: Zone = "",
    preview: Preview = False,
) -> None:
    """Nobody is paged for what matches; it is stored, and comes up when the silence ends if it is still active.

    siems silence add asset=ups-3 --for 2h --comment "battery swap"
    siems silence add 'asset=dc*' severity!=CRITICAL --company acme --for 2h --comment patches --preview
    """
    create(
        door, company, matchers, starts=starts, lasts=lasts, until=until, comment=comment, change=change,
        repeat=repeat, zone=zone, preview=preview,
    )  # fmt: skip


app.command("add")(add)
app.command("create")(add)


def _line(s: Item) -> str:
    from siems.present import safe

    again = f", {safe(s['repeats'])}" if s["repeats"] else ""
    return f"{s['id']}: {_about(s)}{again}"


def _about(s: Item) -> str:
    from siems.present import safe

    begin = "from now" if s["state"] == "active" else f"from {at(s['starts_at'])}"
    return f"{safe(' '.join(s['matchers']))} of {safe(s['company'])}, {begin} until {at(s['ends_at'])}"


def _foreseen(found: Item) -> list[str]:
    from siems.present import plural, safe

    s = found["silence"]
    lines = [f"would be silent: {_about(s)}"]
    if s["repeats"]:
        lines.append(f"  {safe(s['repeats'])}")
        lines += [f"  window {at(w['starts_at'])} to {at(w['ends_at'])}" for w in s["windows"]]
    lines.append(f"active now: {plural(found['alert_count'], 'alert')}")
    lines += [f"  {a['id']}  {a['severity']}  {safe(a['asset_name'])}  {safe(a['signature'])}" for a in found["alerts"]]
    if (more := found["alert_count"] - len(found["alerts"])) > 0:
        lines.append(f"  and {more} more")
    for i in found["incidents"]:
        word = "nobody would be paged" if i["hushed"] else "still pages: other alerts of it do not match"
        lines.append(f"  {i['id']}  {i['severity']}  {safe(i['title'])}: {word}")
    lines.append(f"last 24 h: {found['last_24h']} of {plural(found['last_24h_of'], 'alert')}")
    return lines


# --- looking ---------------------------------------------------------------------------------------------------


def listed(door: Door, *, company: str, within: str, expired: bool, kind: str = "") -> None:
    items = door.client.silences(company=company, ended=expired)
    if within:
        from datetime import UTC, datetime

        from siems.grammar import parse_span
        from siems.present import instant

        limit = datetime.now(UTC) + parse_span(within)
        items = [s for s in items if instant(s["ends_at"]) <= limit]
    show_list(door, [s for s in items if kind in ("", s["kind"])], COLUMNS)


@app.command("list")
@leaf
def list_(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="acme")] = "",
    within: Annotated[str, typer.Option("--within", help="that end within: 8h")] = "",
    expired: Annotated[bool, typer.Option("--expired", help="those that are over")] = False,
) -> None:
    """What is silent or will be, the next end first: siems silence list --within 8h"""
    listed(door, company=company, within=within, expired=expired)


@leaf
def show(door: Door, ref: Ref) -> None:
    """One silence: what it is about, why, until when, and how many alerts it holds back."""
    show_one(door, door.client.silence(ref), _card)


def _card(s: Item) -> list[str]:
    from siems.present import plural, safe

    lines = [
        f"{s['id']}  {s['state']}  {s['kind']}  {safe(s['company'])} ({s['company_id']})",
        safe(" ".join(s["matchers"])),
        f"from {at(s['starts_at'])} until {at(s['ends_at'])}",
        "  ".join(safe(text) for text in dict.fromkeys((s["change"], s["comment"])) if text),
        f"made by {safe(s['created_by_name'])} at {at(s['created_at'])}",
    ]
    if s["repeats"]:
        lines.append(f"repeats {safe(s['repeats'])}")
        lines += [f"  window {at(w['starts_at'])} to {at(w['ends_at'])}" for w in s["windows"]]
    if s["ended_at"]:
        lines.append(f"ended at {at(s['ended_at'])} by {safe(s['ended_by'])}")
    held = plural(s["suppressed"], "alert")
    query = f"siems alert list --query suppressed_by:{s['id']}"
    lines.append(f"holds {held} back" + (f":  {query}" if s["suppressed"] else ""))
    return lines


app.command("show")(show)


# --- changing --------------------------------------------------------------------------------------------------


@leaf
def extend(door: Door, ref: Ref, lasts: Lasts = "", until: Until = "") -> None:
    """Let it last longer; of a recurring one only this window: siems silence extend SIL-3 --for 1h"""
    from siems.clock import rfc3339
    from siems.moments import moment, seconds

    _one_way(lasts, until, "extend by how long?", "1h")
    done = door.client.change_silence(
        "extend", ref, idempotency_key=door.idempotency_key, seconds=seconds(lasts or None),
        ends_at=rfc3339(moment(until)) if until else None, reason=door.reason,
    )  # fmt: skip
    again = " (dry run, nothing is written)" if door.dry_run else ""
    show_one(door, done["silence"], lambda s: [f"{s['id']}: until {at(s['ends_at'])}{again}"])


app.command("extend")(extend)

RESULTS = (
    field("ID", "id"),
    field("CHANGED", "changed"),
    field("STATE", "state"),
    Column("ERROR", lambda r: r.get("error", {}).get("message"), grows=True),
)


@leaf
def end(door: Door, ids: Ids, once: Once = False) -> int:
    """It is over: what it held back and is still active comes up now.

    siems silence end SIL-3 SIL-4
    siems silence list --company acme -q | siems silence end -
    """
    refs = [ref for word in ids for ref in (_from_input() if word == "-" else [word])]
    results: list[dict[str, Any]] = []
    failed: errors.SiemsError | None = None
    for ref in refs:
        try:
            key = f"{door.idempotency_key}:{ref}" if door.idempotency_key and len(refs) > 1 else door.idempotency_key
            done = door.client.change_silence("end", ref, idempotency_key=key, once=once, reason=door.reason)
            results.append({**done["silence"], "changed": done["changed"]})
        except errors.SiemsError as error:
            if len(refs) == 1:
                raise
            failed = error
            results.append({"id": ref, "changed": False, "error": {"code": error.code, "message": error.message}})
    _report(door, results)
    if failed is None:
        return 0
    return 7 if any("error" not in r for r in results) else failed.exit


def _from_input() -> list[str]:
    return [line.split("\t")[0].strip() for line in sys.stdin if line.strip()]


def _report(door: Door, results: list[dict[str, Any]]) -> None:
    from siems.present import safe

    if len(results) == 1:
        show_one(door, results[0], lambda r: [_ended(door, r)])
    elif door.json or door.format in ("csv", "name") or door.fields:
        show_list(door, results, RESULTS)
    else:
        for r in results:
            if "error" in r:
                print(f"{safe(r['id'])}: {safe(r['error']['message'])}", file=sys.stderr)
            else:
                print(_ended(door, r))


def _ended(door: Door, r: Item) -> str:
    if not r["changed"]:
        return f"{r['id']}: over already, nothing changed"
    again = " (dry run, nothing is written)" if door.dry_run else ""
    following = f", next window from {at(r['starts_at'])}" if r["state"] != "ended" else ""
    return f"{r['id']}: over{again}{following}"


app.command("end")(end)
app.command("expire")(end)
