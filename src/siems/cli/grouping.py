"""Verbs of `siems incident` that change what belongs together, how bad it is, and what it is called."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.acts import Ids, Max, Query, Ref, Strict, perform, refs, verb
from siems.cli.context import Door
from siems.cli.show import Item, show_one


@verb
def merge(
    door: Door,
    ids: Ids = [],  # noqa: B006
    into: Annotated[str, typer.Option("--into", help="the one that stays: INC-12")] = "",
    query: Query = "",
    at_most: Max = 25,
) -> None:
    """Fold incidents of one client into another, with their alerts, the earliest opening and the strictest deadlines.

    siems incident merge 13 14 --into 12 --reason "same cable"
    siems incident undo 12
    """
    if not into:
        raise errors.UsageError("merge into which incident?", hint="add  --into INC-12")
    wanted = [ref for ref in refs(ids, query, door, at_most) if not _same(ref, into)]
    if not wanted:
        raise errors.UsageError("merge which incidents into it?", hint="siems incident merge 13 14 --into 12")
    if query:
        door.ask(f"merge {' '.join(wanted)} into {into}?", flag="--yes")
    done = door.client.act("merge", into, idempotency_key=door.idempotency_key, reason=door.reason, incidents=wanted)
    show_one(door, _shown(done), lambda r: [_merged(door, r)])


def _same(ref: str, into: str) -> bool:
    return ref.strip().upper().removeprefix("INC-") == into.strip().upper().removeprefix("INC-")


def _shown(done: dict[str, Any]) -> Item:
    return {**done["incident"], "changed": done["changed"], "steps": done["steps"], "undo_until": done["undo_until"]}


def _merged(door: Door, r: Item) -> str:
    from siems.present import plural, safe

    if not r["changed"]:
        return f"{r['id']}: they are in it already, nothing changed"
    return f"{r['id']}: merged{_rehearsed(door)}, {plural(r['alert_count'], 'alert')} now: {safe(r['title'])}{_undo(r)}"


def _rehearsed(door: Door) -> str:
    return " (dry run, nothing is written)" if door.dry_run else ""


def _undo(r: Item) -> str:
    return f"  (siems incident undo {r['id']}, within 10 s)" if r["undo_until"] else ""


@verb
def create(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="whose it is: acme")] = "",
    title: Annotated[str, typer.Option("--title", help="what it is called")] = "",
    severity: Annotated[str, typer.Option("--severity", help="LOW, MEDIUM, HIGH or CRITICAL; else MEDIUM")] = "",
    category: Annotated[str, typer.Option("--category", help="cpu, memory, disk, network, database ...")] = "",
    alert: Annotated[str, typer.Option("--from-alert", help="of an alert that has no incident yet: ALR-7")] = "",
    to: Annotated[str, typer.Option("--assign", help="NAME, @me, oncall or auto")] = "",
    body: Annotated[str, typer.Option("--body", help="a first note, or - to read it from standard input")] = "",
) -> None:
    """Open one yourself; its clocks run, and its chain calls people, as of any other.

    siems incident create --company acme --title "UPS on battery" --severity HIGH -q
    """
    if not company:
        raise errors.UsageError("whose is it?", hint="add  --company acme")
    if not title and not alert:
        raise errors.UsageError("what is it called?", hint='add  --title "UPS on battery"')
    done = door.client.create_incident(
        company=company, title=title, severity=severity or None, category=category or None, alert=alert or None,
        to=to or None, note=sys.stdin.read() if body == "-" else body, reason=door.reason,
        idempotency_key=door.idempotency_key,
    )  # fmt: skip
    show_one(door, _shown(done), lambda r: [_opened(door, r)])


def _opened(door: Door, r: Item) -> str:
    from siems.present import safe

    who = f", with {safe(r['assignee_name'])}" if r["assignee_name"] else ""
    return f"{r['id']}: {r['severity']} opened{_rehearsed(door)} for {safe(r['company'])}: {safe(r['title'])}{who}"


@verb
def split(
    door: Door,
    ref: Ref,
    alerts: Annotated[str, typer.Option("--alerts", help="those that go: ALR-7,ALR-9")] = "",
    title: Annotated[str, typer.Option("--title", help="what the new one is called")] = "",
) -> None:
    """Make some alerts an incident of their own, with the same owner and the same clocks.

    siems incident split 12 --alerts ALR-7,ALR-9 --title "Backup of db-1"
    """
    wanted = [word.strip() for word in alerts.replace(" ", ",").split(",") if word.strip()]
    if not wanted:
        raise errors.UsageError("split which alerts out?", hint=f"siems alert list --query incident:{ref}")
    done = door.client.act(
        "split", ref, idempotency_key=door.idempotency_key, reason=door.reason, alerts=wanted, title=title or None
    )
    show_one(door, {**done["other"], "changed": done["changed"], "split_from": done["incident"]["id"],
                    "undo_until": done["undo_until"]}, lambda r: [_parted(door, r)])  # fmt: skip


def _parted(door: Door, r: Item) -> str:
    from siems.present import plural, safe

    back = f"  (siems incident undo {r['split_from']}, within 10 s)" if not door.dry_run else ""
    many = plural(r["alert_count"], "alert")
    return f"{r['id']}: {many} split out of {r['split_from']}{_rehearsed(door)}: {safe(r['title'])}{back}"


@verb
def severity(
    door: Door,
    ids: Ids = [],  # noqa: B006
    query: Query = "",
    at_most: Max = 25,
    strict: Strict = False,
) -> int:
    """Set how bad it is, by hand: it stays, whatever alerts say, and the deadlines follow.

    siems incident severity 12 CRITICAL --reason "all users"
    """
    word = ids[-1] if ids else ""
    if word.upper() not in ("LOW", "MEDIUM", "HIGH", "CRITICAL"):
        raise errors.UsageError(
            f"{word!r} is no severity" if word else "which severity?",
            hint='siems incident severity 12 CRITICAL --reason "all users"',
        )
    return perform(door, "severity", ids[:-1], query=query, at_most=at_most, strict=strict, severity=word.upper())


@verb
def edit(
    door: Door,
    ids: Ids = [],  # noqa: B006
    title: Annotated[str, typer.Option("--title", help="what it is called; joining alerts do not change it")] = "",
    category: Annotated[str, typer.Option("--category", help="cpu, memory, disk, network, database ...")] = "",
    query: Query = "",
    at_most: Max = 25,
) -> int:
    """Another title or category: siems incident edit 12 --title "VPN of all branches is down" """
    if not title and not category:
        raise errors.UsageError("what shall be changed?", hint="add  --title or --category")
    return perform(door, "edit", ids, query=query, at_most=at_most, title=title or None, category=category or None)
