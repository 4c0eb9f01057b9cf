"""`siems incident`: see them, and do something about them."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, field, show_list, show_one

app = new_app("Incidents: list, show, assign, ack, start, hold, resume, note, resolve, close, reopen, escalate.")

Ids = Annotated[list[str], typer.Argument(help="INC-12, 12, several, or - to read them from standard input")]
Ref = Annotated[str, typer.Argument(help="INC-12 or 12")]
DEFAULT_QUERY = "state:OPEN,ASSIGNED,IN_PROGRESS"
ON_A_TERMINAL = 30


def _sla(item: Item) -> str:
    from datetime import UTC, datetime

    from siems.present import incident_sla

    return incident_sla(item, datetime.now(UTC))


def _style(item: Item) -> str:
    return {"CRITICAL": "bold red", "HIGH": "yellow", "LOW": "dim"}.get(item["severity"], "")


def _due(item: Item) -> str | None:
    response, resolution = item["sla"]["response"], item["sla"]["resolution"]
    running = response["met_at"] is None and not response["cancelled"] and item["resolved_at"] is None
    due: str = min(response["due_at"], resolution["due_at"]) if running else resolution["due_at"]
    return due


COLUMNS = (
    Column("SLA", _due, _sla),
    Column("SEVERITY", lambda i: i["severity"], style=_style),
    Column("SCORE", lambda i: i["priority_score"], wide=True),
    field("ID", "id"),
    Column("STATE", lambda i: i["state"], lambda i: "ON HOLD" if i["on_hold"] else str(i["state"])),
    Column("COMPANY", lambda i: i["company_id"], lambda i: str(i["company"])),
    field("TITLE", "title"),
    Column("WHO", lambda i: i["assignee"], lambda i: i["assignee_name"] or "--"),
    Column("ALERTS", lambda i: i["alert_count"]),
    Column("LEVEL", lambda i: i["escalation_level"], wide=True),
    Column("OPENED", lambda i: i["created_at"], wide=True),
    Column("SOURCES", lambda i: i["tool_sources"], wide=True),
)


def _terms(query: str, state: str, severity: str, company: str, assignee: str, sla: str, since: str) -> str:
    """The flags as one query: each is short for a term."""
    given = {"state": state, "severity": severity, "company": company, "assignee": assignee}
    words = [query, *(f"{name}:{value}" for name, value in given.items() if value)]
    if sla:
        words.append(f"sla:{sla}")
    if since:
        words.append(f"created:<{since}")
    text = " ".join(word for word in words if word)
    return text or DEFAULT_QUERY


@app.command("list")
@leaf
def list_(
    door: Door,
    query: Annotated[str, typer.Option("--query", help="see: siems help query")] = "",
    state: Annotated[str, typer.Option("--state", help="OPEN,ASSIGNED,...")] = "",
    severity: Annotated[str, typer.Option("--severity", help="CRITICAL,HIGH")] = "",
    company: Annotated[str, typer.Option("--company")] = "",
    assignee: Annotated[str, typer.Option("--assignee", help="NAME, @me or none")] = "",
    sla: Annotated[str, typer.Option("--sla", help="breached, or <1h")] = "",
    since: Annotated[str, typer.Option("--since", help="opened within: 24h")] = "",
    sort: Annotated[str, typer.Option("--sort", help="sla, -priority_score, -created_at ...")] = "",
    limit: Annotated[str, typer.Option("--limit", help="a number, or all")] = "",
) -> None:
    """What is open, the next deadline first; with a query, what it finds.

    siems incident list --query '@me sla:<1h'
    siems incident list --query 'severity:>=HIGH #acme' -q | siems incident ack -
    """
    text = _terms(query, state, severity, company, assignee, sla, since)
    items, total = pages(door, "incidents", text, limit, sort=sort)
    show_list(door, items, COLUMNS, total=total)


def pages(door: Door, what: str, query: str, limit: str, **more: Any) -> tuple[list[dict[str, Any]], int]:
    """(items, how many there are): 30 on a terminal, all for scripts, or what `--limit` says."""
    wanted = _limit(door, limit)
    fetch = getattr(door.client, what)
    items: list[dict[str, Any]] = []
    cursor, total = "", 0
    while True:
        size = 1_000 if wanted is None else min(1_000, wanted - len(items))
        page = fetch(query, limit=size, cursor=cursor, **more)
        items += page["items"]
        total, cursor = page["total"], page["next"] or ""
        if not cursor or (wanted is not None and len(items) >= wanted):
            return items, total


def _limit(door: Door, text: str) -> int | None:
    if not text:
        return ON_A_TERMINAL if sys.stdout.isatty() and not door.json else None
    if text == "all":
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10_000_000):
        raise errors.UsageError(f"--limit takes a number or all, not {text!r}")
    return int(text)


@app.command()
@leaf
def show(door: Door, ref: Ref) -> None:
    """One incident with its clocks, its next steps and its story."""
    detail = door.client.incident(ref)
    story = [] if door.json else door.client.timeline(ref, limit=20)
    item = dict(detail["incident"])
    item["priority_terms"] = detail["priority_terms"]
    show_one(door, item, lambda i: _card(i, story))


def _card(i: Item, story: list[dict[str, Any]]) -> list[str]:
    from siems.present import instant, safe, took

    response, resolution = i["sla"]["response"], i["sla"]["resolution"]

    def clock(name: str, c: Item) -> str:
        if c["met_at"]:
            spent = took((instant(c["met_at"]) - instant(i["created_at"])).total_seconds())
            return f"{name}: met in {spent}" + ("  BREACHED" if c["breached"] else "")
        word = "  BREACHED" if c["breached"] else ""
        return f"{name}: by {c['due_at']}{word}" + ("  (paused)" if c.get("paused") else "")

    lines = [
        f"{i['id']}  {i['severity']}  {'ON HOLD' if i['on_hold'] else i['state']}  {safe(i['title'])}",
        f"{safe(i['company'])} ({i['company_id']})   owner {safe(i['assignee_name'] or '--')}"
        f"   level {i['escalation_level']}   score {i['priority_score']}",
        f"{clock('respond', response)}   {clock('resolve', resolution)}",
    ]
    if i["next_escalation"]:
        following = i["next_escalation"]
        lines.append(f"escalates {following['due_at']} to level {following['level']} ({following['to']})")
    lines += [
        f"{i['alert_count']} alerts, {i['repeat_count']} repeats, {i['active_count']} active"
        f"   from {safe(', '.join(i['tool_sources']))}   rule {i['rule']}",
        f"next: {', '.join(i['actions']) or 'nothing you may do'}",
        "",
    ]
    lines += [f"{e['at'][:19]}Z  {e['kind']:<10} {safe(e['actor']):<12} {safe(e['text'])}" for e in story]
    return lines


@app.command()
@leaf
def timeline(door: Door, ref: Ref, limit: Annotated[int, typer.Option("--limit", help="how many lines")] = 200) -> None:
    """The story of an incident, newest first."""
    columns = (field("AT", "at"), field("KIND", "kind"), field("ACTOR", "actor"), field("TEXT", "text"))
    show_list(door, door.client.timeline(ref, limit=limit), columns, id="at")


# --- doing something -------------------------------------------------------------------------------------------


def refs(words: list[str], query: str, door: Door, at_most: int) -> list[str]:
    """The incidents that are meant: ids, `-` for standard input, or what a query finds. Raises UsageError."""
    found: list[str] = []
    for word in words:
        found += _from_input() if word == "-" else [word]
    if query:
        found += [i["id"] for i in pages(door, "incidents", query, "all")[0]]
    found = list(dict.fromkeys(found))
    if not found and not query and "-" not in words:
        raise errors.UsageError("which incident?", hint="name one: INC-12, or - to read ids, or --query")
    if len(found) > at_most:
        raise errors.UsageError(f"this would change {len(found)} incidents", hint=f"allow it:  --max {len(found)}")
    return found


def _from_input() -> list[str]:
    import json

    found = []
    for line in sys.stdin:
        word = line.strip()
        if word.startswith("{"):
            try:
                word = json.loads(word)["id"]
            except (ValueError, KeyError) as why:
                raise errors.UsageError("a line of standard input is neither an id nor JSON with one") from why
        if word:
            found.append(word.split("\t")[0])
    return found


Query = Annotated[str, typer.Option("--query", help="all that this finds")]
Max = Annotated[int, typer.Option("--max", help="refuse to change more than this")]
Strict = Annotated[bool, typer.Option("--strict", help="fail when it is so already")]


def perform(
    door: Door, action: str, words: list[str], *, query: str = "", at_most: int = 25, strict: bool = False, **ask: Any
) -> int:
    """Do one thing to each; a result per item, 7 when some failed."""
    wanted = refs(words, query, door, at_most)
    results, failed = [], None
    for ref in wanted:
        try:
            done = door.client.act(action, ref, idempotency_key=door.idempotency_key, reason=door.reason, **ask)
        except errors.SiemsError as error:
            if len(wanted) == 1:
                raise
            failed = error
            results.append({"id": ref, "changed": False, "error": {"code": error.code, "message": error.message}})
            continue
        if strict and not done["changed"]:
            raise errors.Conflict(f"{done['incident']['id']} is so already", hint="without --strict that is fine")
        results.append({**done["incident"], "changed": done["changed"], "steps": done["steps"]})
    _report(door, action, results, single=len(wanted) == 1)
    if failed is None:
        return 0
    return 7 if any("error" not in r for r in results) else failed.exit


def _report(door: Door, action: str, results: list[dict[str, Any]], *, single: bool) -> None:
    import json

    from siems.present import safe

    if door.json:
        print(json.dumps(results[0] if single else results))
        return
    for result in results:
        if door.quiet:
            if "error" not in result:
                print(result["id"])
        elif "error" in result:
            print(f"{safe(result['id'])}: {safe(result['error']['message'])}", file=sys.stderr)
        else:
            word = " and ".join(result["steps"]) if result["changed"] else "already so, nothing changed"
            again = " (dry run)" if door.dry_run else ""
            who = f", with {safe(result['assignee_name'])}" if result.get("assignee_name") else ""
            print(f"{result['id']}: {word}{again}  -> {result['state']}{who}")


@app.command()
@leaf
def ack(door: Door, ids: Ids = [], query: Query = "", at_most: Max = 25, strict: Strict = False) -> int:  # noqa: B006
    """Acknowledge: it is seen, and what waits for an ack stops. On an open one you take it."""
    return perform(door, "ack", ids, query=query, at_most=at_most, strict=strict)


@app.command()
@leaf
def take(door: Door, ids: Ids = [], query: Query = "", at_most: Max = 25) -> int:  # noqa: B006
    """It is mine: assigns it to you and acknowledges."""
    return perform(door, "assign", ids, query=query, at_most=at_most, to="@me")


@app.command()
@leaf
def start(door: Door, ids: Ids = [], query: Query = "", at_most: Max = 25, strict: Strict = False) -> int:  # noqa: B006
    """Begin to work on it; takes and acknowledges it where that was not done."""
    return perform(door, "start", ids, query=query, at_most=at_most, strict=strict)


@app.command()
@leaf
def assign(
    door: Door,
    ids: Ids = [],  # noqa: B006
    to: Annotated[str, typer.Option("--to", help="NAME, @me or none")] = "",
    query: Query = "",
    at_most: Max = 25,
    strict: Strict = False,
) -> int:
    """Give it to somebody: siems incident assign 97 101 --to @me"""
    if not to:
        raise errors.UsageError("assign to whom?", hint="add  --to NAME  or  --to @me")
    if to == "none":
        return perform(door, "unassign", ids, query=query, at_most=at_most, strict=strict)
    return perform(door, "assign", ids, query=query, at_most=at_most, strict=strict, to=to)


@app.command()
@leaf
def unassign(door: Door, ids: Ids = [], query: Query = "", at_most: Max = 25) -> int:  # noqa: B006
    """Give it back: nobody owns it, and the chain begins again."""
    return perform(door, "unassign", ids, query=query, at_most=at_most)


@app.command()
@leaf
def hold(
    door: Door,
    ids: Ids = [],  # noqa: B006
    waits_for: Annotated[str, typer.Option("--for", help="client, vendor, parts or scheduled")] = "",
    until: Annotated[str, typer.Option("--until", help="4h, 'tomorrow 9am', 2026-03-10T14:00Z")] = "",
) -> int:
    """Wait for somebody else, at most 7 days; it comes back by itself."""
    from siems.cli.times import moment
    from siems.clock import rfc3339

    if not waits_for or not until:
        flag = "--for client|vendor|parts|scheduled" if not waits_for else "--until 4h"
        raise errors.UsageError("hold needs what it waits for, and an end", hint=f"add  {flag}")
    at = moment(until)
    code = perform(door, "hold", ids, hold_for=waits_for, until=rfc3339(at))
    door.say(f"until {rfc3339(at)}")
    return code


@app.command()
@leaf
def resume(door: Door, ids: Ids = []) -> int:  # noqa: B006
    """End a hold."""
    return perform(door, "resume", ids)


@app.command()
@leaf
def note(
    door: Door,
    ref: Ref,
    text: Annotated[str, typer.Argument(help="the note, or - to read it from standard input")] = "",
    public: Annotated[bool, typer.Option("--public", help="the client may read it")] = False,
) -> int:
    """Write something down: dmesg | tail | siems incident note INC-12 -"""
    said = sys.stdin.read() if text == "-" else text
    return perform(door, "note", [ref], note=said.strip(), public=public)


@app.command()
@leaf
def resolve(
    door: Door,
    ids: Ids = [],  # noqa: B006
    said: Annotated[str, typer.Option("--note", help="what was done")] = "",
    cause: Annotated[str, typer.Option("--cause", help="what it was")] = "",
    query: Query = "",
    at_most: Max = 25,
    strict: Strict = False,
) -> int:
    """It is solved. Its alerts are resolved with it; missing steps are taken first.

    siems incident resolve INC-12 --cause disk --note "cleared the cache" --yes
    """
    if not said and door.interactive:
        said = str(typer.prompt("what was done", err=True))
    many = len(ids) != 1 or ids == ["-"] or bool(query)
    if many and "-" not in ids:
        door.ask(f"resolve {query or ' '.join(ids)}?", flag="--yes")
    return perform(door, "resolve", ids, query=query, at_most=at_most, strict=strict, note=said, cause=cause)


@app.command()
@leaf
def close(door: Door, ids: Ids = [], query: Query = "", at_most: Max = 25, strict: Strict = False) -> int:  # noqa: B006
    """Close what is resolved; it happens by itself after some days."""
    return perform(door, "close", ids, query=query, at_most=at_most, strict=strict)


@app.command()
@leaf
def reopen(door: Door, ids: Ids = []) -> int:  # noqa: B006
    """It was not solved: siems incident reopen 12 --reason "came back" """
    return perform(door, "reopen", ids)


@app.command()
@leaf
def escalate(
    door: Door,
    ids: Ids = [],  # noqa: B006
    to: Annotated[int, typer.Option("--to", help="level 2 or 3; else the next one")] = 0,
) -> int:
    """The next level takes over now: siems incident escalate 12 --reason "no access" """
    return perform(door, "escalate", ids, level=to or None)


@app.command()
@leaf
def undo(door: Door, ref: Ref) -> int:
    """Take your last act back, within 10 seconds."""
    return perform(door, "undo", [ref])


@app.command()
@leaf
def wait(
    door: Door,
    ref: Ref,
    wanted: Annotated[str, typer.Option("--for", help="state=resolved, sla=met or owner=@any")] = "state=resolved",
    at_most: Annotated[str, typer.Option("--max-wait", help="give up after")] = "30m",
) -> None:
    """Wait until it is so; exit 8 when it is not in time.

    siems incident wait INC-12 --for state=resolved --max-wait 30m && ./after.sh
    """
    import time

    from siems.grammar import parse_span

    name, _, value = wanted.partition("=")
    query = {"state": f"state:{value}", "sla": f"sla:{value}", "owner": f"assignee:{value}"}.get(name)
    if query is None or not value:
        raise errors.UsageError(f"cannot wait for {wanted!r}", hint="--for state=resolved, sla=met or owner=@any")
    number = ref.upper().removeprefix("INC-")
    door.client.incident(ref)
    end = time.monotonic() + parse_span(at_most).total_seconds()
    while time.monotonic() < end:
        if door.client.incidents(f"id:{number} {query}", limit=1)["total"]:
            return
        time.sleep(min(1.0, max(0.05, end - time.monotonic())))
    raise errors.Pending(f"{ref} is not {value} after {at_most}", hint=f"siems incident show {ref}")
