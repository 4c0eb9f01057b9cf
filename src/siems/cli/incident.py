"""`siems incident`: see them, and do something about them."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli import grouping as grouping
from siems.cli import watching as watching
from siems.cli.acts import VERBS, Ref
from siems.cli.advice import INCIDENT_VERBS, insight_lines
from siems.cli.context import Door, leaf, new_app
from siems.cli.pages import drawn_again, pages
from siems.cli.runbook_offer import offered
from siems.cli.show import Column, Item, at, field, show_list, show_one, when

app = new_app("Incidents: list, show, assign, ack, start, hold, resume, note, resolve, close, reopen, escalate.")

DEFAULT_QUERY = "state:OPEN,ASSIGNED,IN_PROGRESS"


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
    field("SCORE", "priority_score", wide=True),
    field("ID", "id"),
    Column("STATE", lambda i: i["state"], lambda i: "ON HOLD" if i["on_hold"] else str(i["state"])),
    Column("COMPANY", lambda i: i["company_id"], lambda i: str(i["company"]), grows=True, drop=1),
    field("TITLE", "title", grows=True),
    Column("WHO", lambda i: i["assignee"], lambda i: i["assignee_name"] or "--", grows=True, drop=2),
    field("ALERTS", "alert_count", drop=3),
    field("LEVEL", "escalation_level", wide=True),
    when("OPENED", "created_at", wide=True),
    field("SOURCES", "tool_sources", wide=True),
)


def _viewed(name: str, query: str, sort: str) -> tuple[str, str]:
    """(query, sort) of a saved view, narrowed by what else was asked for. Raises NotFound."""
    from siems.tui.saved import STOCK, own_views, view_named

    found = view_named(name)
    if found is None:
        known = ", ".join(one.name for one in (*own_views(), *STOCK))
        raise errors.NotFound(f"there is no view {name!r}", hint=f"there are: {known}; F saves one in  siems tui")
    parts = [f"({part})" for part in (found.filter, query) if part]
    if not any("state:" in part for part in parts):
        parts.insert(0, DEFAULT_QUERY)
    return " ".join(parts), sort or found.sort


def _terms(
    query: str, *, state: str, severity: str, company: str, assignee: str, sla: str, since: str, until: str
) -> str:  # fmt: skip
    """The flags as one query: each is short for a term."""
    given = {"state": state, "severity": severity, "company": company, "assignee": assignee, "sla": sla}
    words = [f'{name}:"{value}"' if " " in value else f"{name}:{value}" for name, value in given.items() if value]
    if since:
        words.append(f"created:<{since}")
    if until:
        words.append(f"created:>{until}")
    if query:
        words.insert(0, f"({query})" if words else query)
    if not query and not state:
        words.insert(0, DEFAULT_QUERY)
    return " ".join(words)


@app.command("list")
@leaf
def list_(
    door: Door,
    query: Annotated[str, typer.Option("--query", help="see: siems help query")] = "",
    state: Annotated[str, typer.Option("--state", help="OPEN,ASSIGNED,...")] = "",
    severity: Annotated[str, typer.Option("--severity", help="CRITICAL,HIGH")] = "",
    company: Annotated[str, typer.Option("--company", help="acme")] = "",
    assignee: Annotated[str, typer.Option("--assignee", help="NAME, @me or none")] = "",
    sla: Annotated[str, typer.Option("--sla", help="breached, or <1h")] = "",
    since: Annotated[str, typer.Option("--since", help="opened within: 24h")] = "",
    view: Annotated[str, typer.Option("--view", help="a view saved in the console: mine, late, critical")] = "",
    until: Annotated[str, typer.Option("--until", help="opened longer ago than: 8h")] = "",
    sort: Annotated[str, typer.Option("--sort", help="sla, -priority_score, -created_at ...")] = "",
    limit: Annotated[str, typer.Option("--limit", help="a number, or all")] = "",
    watch: Annotated[bool, typer.Option("--watch", help="draw it again every 5 seconds")] = False,
) -> None:
    """What is open, the next deadline first; with a query, what it finds.

    siems incident list --query '@me sla:<1h'
    siems incident list --query 'severity:>=HIGH #acme' -q | siems incident ack -
    """
    if view:
        query, sort = _viewed(view, query, sort)
    text = _terms(
        query, state=state, severity=severity, company=company, assignee=assignee, sla=sla, since=since, until=until
    )

    def draw() -> None:
        items, total = pages(door, "incidents", text, limit, sort=sort)
        show_list(door, items, COLUMNS, total=total)

    if watch:
        drawn_again(door, draw, hint="siems watch --types incident -o jsonl")
    else:
        draw()


@app.command()
@leaf
def show(door: Door, ref: Ref) -> None:
    """One incident with its clocks, its next steps and its story."""
    detail = door.client.incident(ref)
    story = [] if door.json else door.client.timeline(ref, limit=20)
    item = dict(detail["incident"])
    item["priority_terms"] = detail["priority_terms"]
    item["tickets"] = detail.get("tickets", [])
    item["runbooks"] = detail.get("runbooks", [])
    item["parent"] = detail.get("parent")
    item["watching"] = detail.get("watching", False)
    show_one(door, item, lambda i: _card(i, story))


def _card(i: Item, story: list[dict[str, Any]]) -> list[str]:
    from siems.present import instant, plural, safe, took

    response, resolution = i["sla"]["response"], i["sla"]["resolution"]

    def clock(name: str, c: Item) -> str:
        if c["met_at"]:
            spent = took((instant(c["met_at"]) - instant(i["created_at"])).total_seconds())
            return f"{name}: met in {spent}" + ("  BREACHED" if c["breached"] else "")
        word = "  BREACHED" if c["breached"] else ""
        if c.get("cancelled"):
            return f"{name}: no longer asked for{word}"
        return f"{name}: by {at(c['due_at'])}{word}" + ("  (paused)" if c.get("paused") else "")

    lines = [
        f"{i['id']}  {i['severity']}  {'ON HOLD' if i['on_hold'] else i['state']}  {safe(i['title'])}",
        f"{safe(i['company'])} ({i['company_id']})   owner {safe(i['assignee_name'] or '--')}"
        f"   level {i['escalation_level']}   score {i['priority_score']}",
        clock("respond", response),
        clock("resolve", resolution),
    ]
    if i.get("parent"):
        lines.append(f"part of {safe(i['parent'])}  (siems parent show {safe(i['parent'])})")
    if i["watching"]:
        lines.append(f"you watch it  (siems incident unwatch {i['id']})")
    if i["merged_into"]:
        lines.append(f"folded into {safe(i['merged_into'])}")
    if i["on_hold"]:
        lines.append(f"on hold for {safe(i['hold_reason'])} until {at(i['hold_until'])}")
    if i["next_escalation"]:
        following = i["next_escalation"]
        lines.append(f"escalates {at(following['due_at'])} to level {following['level']} ({safe(following['to'])})")
    lines += [
        f"{plural(i['alert_count'], 'alert')}, {plural(i['repeat_count'], 'repeat')}, {i['active_count']} active"
        f"   from {safe(', '.join(i['tool_sources']))}   rule {i['rule']}",
        *(f"ticket {safe(k['key'] or k['id'])}  {safe(k['state'])}  {safe(k['url'])}" for k in i.get("tickets", ())),
        f"next: {', '.join(i['actions']) or 'nothing you may do'}",
        *offered(i.get("runbooks", ())),
        *insight_lines(i.get("insight"), i["id"]),
        "",
    ]
    lines += [f"{e['at'][:19]}Z  {e['kind']:<10} {safe(e['actor']):<12} {safe(e['text'])}" for e in story]
    return lines


@app.command()
@leaf
def timeline(
    door: Door,
    ref: Ref,
    limit: Annotated[int, typer.Option("--limit", help="how many lines")] = 200,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="the oldest first, and what comes")] = False,
) -> None:
    """The story of an incident, newest first.

    siems incident timeline INC-12 --follow
    """
    if follow:
        from siems.cli.following import follow_story

        follow_story(door, ref, limit)
        return
    columns = (when("AT", "at"), field("KIND", "kind"), field("ACTOR", "actor"), field("TEXT", "text", grows=True))
    show_list(door, door.client.timeline(ref, limit=limit), columns, id="at")


@app.command()
@leaf
def explain(door: Door, ref: Ref) -> None:
    """Every decision about it: why grouped, this score, this owner, who was told and why not, what comes next."""
    from siems.cli.explain import story

    show_one(door, door.client.explain(ref), story)


@app.command()
@leaf
def wait(
    door: Door,
    ref: Ref,
    wanted: Annotated[str, typer.Option("--for", help="state=resolved, sla=met or owner=@any")] = "state=resolved",
    timeout: Annotated[str, typer.Option("--timeout", help="give up after")] = "30m",
) -> None:
    """Wait until it is so; exit 8 when it is not in time.

    siems incident wait INC-12 --for state=resolved --timeout 30m && ./after.sh
    """
    import time

    from siems.grammar import parse_span

    name, _, value = wanted.partition("=")
    states = "RESOLVED,CLOSED" if value.upper() == "RESOLVED" else value  # what is closed was resolved before
    query = {"state": f"state:{states}", "sla": f"sla:{value}", "owner": f"assignee:{value}"}.get(name)
    if query is None or not value:
        raise errors.UsageError(f"cannot wait for {wanted!r}", hint="--for state=resolved, sla=met or owner=@any")
    end = time.monotonic() + parse_span(timeout).total_seconds()
    door.client.timeout = 10.0
    found = door.client.incident(ref)["incident"]["id"]
    while not door.client.incidents(f"id:{found.removeprefix('INC-')} {query}", limit=1)["total"]:
        left = end - time.monotonic()
        if left <= 0:
            raise errors.Pending(f"{found}: not {wanted} after {timeout}", hint=f"siems incident show {found}")
        time.sleep(min(1.0, left))


CANDIDATES = (
    field("WHO", "name"),
    field("SCORE", "score"),
    Column("FIT", lambda c: c["fit"], lambda c: "yes" if c["fit"] else "no"),
    field("SKILLED", "skilled", drop=1),
    field("AVAILABILITY", "availability"),
    field("ON CALL", "on_call"),
    Column("OPEN", lambda c: c["open_incidents"]),
    when("LAST GIVEN", "assigned_at", drop=2),
    Column(
        "TERMS",
        lambda c: c["terms"],
        lambda c: " ".join(f"{k} {v:+d}" for k, v in c["terms"].items() if v),
        grows=True,
        drop=3,
    ),
)


@app.command()
@leaf
def candidates(
    door: Door,
    ref: Ref,
    strategy: Annotated[
        str, typer.Option("--strategy", help="best_match, round_robin, least_loaded or on_call; else the company's")
    ] = "",
    kept: Annotated[bool, typer.Option("--kept", help="the last choice, with the scores as they were")] = False,
) -> None:
    """Who might take it now, and why, the best first; the first is whom `assign --to auto` chooses.

    siems incident candidates INC-12 --strategy best_match
    siems incident candidates INC-12 --kept
    """
    if kept and strategy:
        raise errors.UsageError("what is kept was chosen by one strategy", hint="leave --strategy out")
    found = door.client.candidates(ref, strategy=strategy, kept=kept)
    show_list(door, found["candidates"], CANDIDATES)
    chosen = next((c["name"] for c in found["candidates"] if c["id"] == found["chosen"]), "nobody")
    if not door.json and sys.stdout.isatty():
        from siems.present import safe

        door.say(f"{safe(found['strategy'])} for {safe(found['category'])}: {safe(chosen)}")


for command in VERBS:
    app.command(command.__name__.replace("_", "-"))(command)

for command in INCIDENT_VERBS:
    app.command()(command)
