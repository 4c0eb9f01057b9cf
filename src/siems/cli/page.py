"""`siems page`: call somebody now, by hand or from a script."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, at, field, show_list, show_one, when

app = new_app("Pages: siems page USER|oncall, list, show, ack, end.")
DEFAULT = "send"
VERBS = ("send", "list", "show", "ack", "end")
"""What follows the noun; whatever else is typed there is somebody to be paged."""

Ref = Annotated[str, typer.Argument(help="PAG-7 or 7")]
Ids = Annotated[list[str], typer.Argument(help="PAG-7, 7, several, or - to read them from standard input")]

COLUMNS = (
    field("ID", "id"),
    field("STATE", "state"),
    field("SEVERITY", "severity", drop=3),
    Column("COMPANY", lambda p: p["company_id"], lambda p: str(p["company"]), grows=True, drop=4),
    Column("CALLS", lambda p: ",".join(one["name"] for one in p["people"]), grows=True),
    field("MESSAGE", "message", grows=True),
    field("SENT", "times_sent", drop=2),
    Column("BY", lambda p: p["created_by_name"], drop=1),
    when("OPENED", "created_at"),
    field("KEY", "key", wide=True),
    field("INCIDENT", "incident_id", wide=True),
)


@app.command()
@leaf
def send(
    door: Door,
    to: Annotated[str, typer.Argument(metavar="USER|oncall", help="jon, @me, or oncall: who is on call")],
    company: Annotated[str, typer.Option("--company", help="acme; goes without saying with --incident")] = "",
    message: Annotated[str, typer.Option("--message", help="what it is about; else the incident's title")] = "",
    incident: Annotated[
        str, typer.Option("--incident", help="INC-12: it stands in its story, and is not changed")
    ] = "",
    key: Annotated[str, typer.Option("--key", help="pages once for as long as the page with this key goes on")] = "",
    severity: Annotated[str, typer.Option("--severity", help="LOW to CRITICAL; HIGH, or the incident's")] = "",
    wait_ack: Annotated[str, typer.Option("--wait-ack", help="wait so long for an ack: 5m; exit 8 without")] = "",
) -> int:
    """Call somebody now: sent again every 5 minutes for an hour, until it is acknowledged.

    siems page oncall --company acme --message "the VPN is down" --wait-ack 5m
    siems page jon --incident INC-12 --key nightly-backup
    """
    from siems.present import safe

    span = _span(wait_ack)
    if not company and not incident:
        company = _only_company(door)
    done = door.client.open_page(
        idempotency_key=door.idempotency_key, to=to, company=company, message=message, incident=incident, key=key,
        severity=severity,
    )  # fmt: skip
    for note in done["notes"]:
        door.note(f"note: {safe(note)}")
    page = done["page"]
    if span and not door.dry_run:
        page = _awaited(door, page, span, wait_ack)
    show_one(door, {**page, "changed": done["changed"]}, lambda p: [_line(door, p)])
    return 0


def _span(text: str) -> float:
    from siems.grammar import parse_span

    return parse_span(text).total_seconds() if text else 0.0


def _only_company(door: Door) -> str:
    """The company that is meant where only one can be seen. Raises UsageError."""
    known = [c["id"] for c in door.client.companies()]
    if len(known) != 1:
        raise errors.UsageError(
            "a page belongs to a client", hint=f"add  --company {known[0] if known else 'NAME'}  or  --incident INC-12"
        )
    return str(known[0])


def _awaited(door: Door, page: Item, span: float, said: str) -> Item:
    """The page once it is acknowledged. Raises Pending when it is not in time, or is over without an ack."""
    import time

    end = time.monotonic() + span
    if not page["acknowledged_at"] and sys.stderr.isatty():
        door.note(f"{page['id']}: waiting for an ack, {said} at most")
    while not page["acknowledged_at"]:
        left = end - time.monotonic()
        names = ", ".join(one["name"] for one in page["people"])
        if page["ended_at"]:
            raise errors.Pending(f"{page['id']} {page['state']} without an ack", hint=f"siems page show {page['id']}")
        if left <= 0:
            raise errors.Pending(
                f"{page['id']}: {names} did not acknowledge within {said}", hint=f"siems page show {page['id']}"
            )
        time.sleep(min(1.0, left))
        page = door.client.page(page["id"])
    return page


def _line(door: Door, p: Item) -> str:
    from siems.present import safe

    again = " (dry run, nothing is written)" if door.dry_run else ""
    names = safe(", ".join(one["name"] for one in p["people"]))
    if p["acknowledged_at"]:
        return f"{p['id']}: acknowledged by {safe(p['acknowledged_by_name'])} at {at(p['acknowledged_at'])}"
    if not p["changed"]:
        return f"{p['id']}: open already with {names}, nobody is paged again{again}"
    return f"{p['id']}: {names} paged{again}, again at {at(p['next_at'])} until it is acknowledged"


# --- looking ---------------------------------------------------------------------------------------------------


@app.command("list")
@leaf
def list_(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="acme")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="those for you, and by you")] = False,
    ended: Annotated[bool, typer.Option("--ended", help="those that are over")] = False,
) -> None:
    """Pages that go on, the newest first: siems page list --mine"""
    show_list(door, door.client.pages(company=company, ended=ended, mine=mine), COLUMNS)


@app.command()
@leaf
def show(door: Door, ref: Ref) -> None:
    """One page: whom it calls, how often it was sent, who has acknowledged it."""
    show_one(door, door.client.page(ref), _card)


def _card(p: Item) -> list[str]:
    from siems.present import safe

    lines = [
        f"{p['id']}  {p['state']}  {p['severity']}  {safe(p['company'])} ({p['company_id']})",
        safe(p["message"]),
        "calls " + ", ".join(f"{safe(one['name'])} ({one['availability']})" for one in p["people"])
        + (" (whoever is on call)" if p["target"] == "oncall" else ""),
        f"by {safe(p['created_by_name'])} at {at(p['created_at'])}, sent {p['times_sent']}x, last {at(p['sent_at'])}",
    ]  # fmt: skip
    if p["key"]:
        lines.append(f"key {safe(p['key'])}")
    if p["incident_id"]:
        lines.append(f"about {p['incident_id']}:  siems incident show {p['incident_id']}")
    if p["acknowledged_at"]:
        lines.append(f"acknowledged by {safe(p['acknowledged_by_name'])} at {at(p['acknowledged_at'])}")
    if p["ended_at"]:
        lines.append(f"over since {at(p['ended_at'])}, by {safe(p['ended_by'])}")
    elif p["state"] == "open":
        lines.append(f"sent again at {at(p['next_at'])}:  siems page ack {p['id']}")
    elif p["key"]:
        lines.append(f"answers to its key until {at(p['next_at'])}:  siems page end {p['id']}")
    return lines


# --- changing --------------------------------------------------------------------------------------------------

RESULTS = (
    field("ID", "id"),
    field("CHANGED", "changed"),
    field("STATE", "state"),
    Column("ERROR", lambda r: r.get("error", {}).get("message"), grows=True),
)


@app.command()
@leaf
def ack(door: Door, ids: Ids) -> int:
    """I am on it: nothing more is sent of it.

    siems page ack PAG-7
    siems page list --mine -q | siems page ack -
    """
    return _change(door, "ack", ids)


@app.command()
@leaf
def end(door: Door, ids: Ids) -> int:
    """It is not needed any more; its key may page again."""
    return _change(door, "end", ids)


def _change(door: Door, action: str, words: list[str]) -> int:
    refs = list(dict.fromkeys(ref for word in words for ref in (_from_input() if word == "-" else [word])))
    results: list[dict[str, Any]] = []
    failed: errors.SiemsError | None = None
    for ref in refs:
        try:
            key = f"{door.idempotency_key}:{ref}" if door.idempotency_key and len(refs) > 1 else door.idempotency_key
            done = door.client.change_page(action, ref, idempotency_key=key, reason=door.reason)
            results.append({**done["page"], "changed": done["changed"]})
        except errors.SiemsError as error:
            if len(refs) == 1:
                raise
            failed = error
            said = {"code": error.code, "message": error.message}
            results.append({"id": ref, "changed": False, "state": None, "error": said})
    _report(door, results)
    if failed is None:
        return 0
    return 7 if any("error" not in r for r in results) else failed.exit


def _from_input() -> list[str]:
    return [line.split("\t")[0].strip() for line in sys.stdin if line.strip()]


def _report(door: Door, results: list[dict[str, Any]]) -> None:
    from siems.present import safe

    def line(r: Item) -> str:
        again = " (dry run, nothing is written)" if door.dry_run else ""
        return f"{r['id']}: {r['state']}{again}" if r["changed"] else f"{r['id']}: {r['state']} already"

    if len(results) == 1:
        show_one(door, results[0], lambda r: [line(r)])
    elif door.json or door.format in ("csv", "name") or door.fields:
        show_list(door, results, RESULTS)
    else:
        for r in results:
            if "error" in r:
                print(f"{safe(r['id'])}: {safe(r['error']['message'])}", file=sys.stderr)
            else:
                print(line(r))
