"""`siems parent`: one cause at several clients. Each keeps an incident and clocks of its own."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.acts import refs
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, at, field, show_list, show_one, when

app = new_app("One cause at several clients: each keeps an incident and clocks of its own.")

Par = Annotated[str, typer.Argument(help="PAR-3 or 3")]
Ids = Annotated[list[str], typer.Argument(help="INC-12, 12, several, or - to read them from standard input")]

COLUMNS = (
    field("ID", "id"),
    field("STATE", "state"),
    field("TITLE", "title", grows=True),
    field("OPEN", "open"),
    Column("INCIDENTS", lambda p: len(p["children"])),
    field("COMPANIES", "companies"),
    field("ACKED BY", "acknowledged_by", drop=1),
    when("CREATED", "created_at", drop=2),
    field("MATCH", "query", wide=True),
)


@app.command("list")
@leaf
def list_(
    door: Door,
    state: Annotated[str, typer.Option("--state", help="open,resolved,closed")] = "",
    ended: Annotated[bool, typer.Option("--ended", help="those that are over")] = False,
    everything: Annotated[bool, typer.Option("--all", help="open and over")] = False,
) -> None:
    """Those that are open, the newest first; or others: siems parent list --all"""
    said = [flag for flag, given in (("--state", state), ("--ended", ended), ("--all", everything)) if given]
    if len(said) > 1:
        raise errors.UsageError(f"{said[0]} and {said[1]} say different things", hint=f"siems parent list {said[0]}")
    show_list(door, door.client.parents(state=state or ("all" if everything else "ended" if ended else "")), COLUMNS)


@app.command()
@leaf
def show(door: Door, ref: Par) -> None:
    """One with the incidents of all clients, and its story."""
    show_one(door, door.client.parent(ref), _card)


def _card(p: Item) -> list[str]:
    from siems.present import plural, safe

    acked = f"acknowledged by {safe(p['acknowledged_by'])}" if p["acknowledged_by"] else "not acknowledged"
    lines = [
        f"{p['id']}  {p['state']}  {safe(p['title'])}",
        f"{plural(len(p['children']), 'incident')} of {plural(p['companies'], 'client')}, {p['open']} open   {acked}",
    ]
    if p["query"]:
        lines.append(f"new incidents join by:  {safe(p['query'])}" + ("" if p["state"] == "open" else "  (no longer)"))
    lines += ["", *(_child(child) for child in p["children"])]
    if p["story"]:
        lines += [
            "",
            *(f"{e['at'][:19]}Z  {e['kind']:<12} {safe(e['actor']):<12} {safe(e['text'])}" for e in p["story"]),
        ]
    return lines


def _child(child: Item) -> str:
    from siems.present import safe

    state = "ON HOLD" if child["on_hold"] else child["state"]
    due = f"  by {at(child['due_at'])}" if child["due_at"] else ""
    what = f"{safe(child['company'])}: {safe(child['title'])}"
    return f"{child['id']:<9} {child['severity']:<8} {state:<11} {what}  {safe(child['assignee_name'] or '--')}{due}"


@app.command()
@leaf
def create(
    door: Door,
    ids: Ids = [],  # noqa: B006
    match: Annotated[
        str, typer.Option("--match", help="new incidents that this finds join: 'signature:vpn_down'")
    ] = "",
    title: Annotated[str, typer.Option("--title", help="what it is called; technicians of these clients read it")] = "",
) -> int:
    """Group incidents of several clients that have one cause.

    siems parent create INC-3 INC-9 --title "Provider outage"
    siems parent create --match "signature:vpn_down severity:>=HIGH"
    """
    wanted = refs(ids, "", door, 500) if ids else []
    done = door.client.create_parent(
        title=title, query=match, incidents=wanted, reason=door.reason, idempotency_key=door.idempotency_key
    )
    return _report(door, done, "grouped")


def _act(door: Door, action: str, ref: str, word: str, **ask: Any) -> int:
    done = door.client.act_on_parent(action, ref, reason=door.reason, idempotency_key=door.idempotency_key, **ask)
    return _report(door, done, word)


RESULTS = (
    field("ID", "id"),
    field("COMPANY", "company_id"),
    field("CHANGED", "changed"),
    field("STATE", "state"),
    Column("ERROR", lambda r: (r.get("error") or {}).get("message"), grows=True),
)


def _report(door: Door, done: dict[str, Any], word: str) -> int:
    """What became of each; 7 when some failed, and the code of the error when all did."""
    from siems.present import plural, safe

    parent, results = done["parent"], done["results"]
    failed = [r for r in results if r["error"]]
    if door.format == "name":
        print(parent["id"])
    elif door.json or door.format in ("yaml", "csv") or door.fields:
        if door.format == "csv":
            show_list(door, results, RESULTS)
        else:
            show_one(door, {**parent, "results": results}, _card)
    else:
        again = " (dry run, nothing is written)" if door.dry_run else ""
        changed = sum(r["changed"] for r in results)
        print(f"{parent['id']}: {word}{again}, {plural(changed, 'incident')} changed: {safe(parent['title'])}")
        for r in results:
            so = "" if r["changed"] else "  (already so)"
            if not r["error"]:
                print(f"  {safe(r['id'])}  {safe(r['company_id'])}  -> {r['state']}{so}")
    for r in failed:
        print(f"{safe(r['id'])}: {safe(r['error']['message'])}", file=sys.stderr)
        if r["error"]["hint"]:
            print(f"  {safe(r['error']['hint'])}", file=sys.stderr)
    if not failed:
        return 0
    return 7 if len(failed) < len(results) else errors.BY_CODE[failed[0]["error"]["code"]].exit


@app.command()
@leaf
def ack(door: Door, ref: Par) -> int:
    """Acknowledge all of its incidents; what joins from now on calls nobody."""
    return _act(door, "ack", ref, "acknowledged")


@app.command()
@leaf
def note(
    door: Door,
    ref: Par,
    text: Annotated[str, typer.Argument(help="the note, or - to read it from standard input")] = "",
    children: Annotated[bool, typer.Option("--children", help="into each of its incidents as well")] = False,
    public: Annotated[bool, typer.Option("--public", help="into each, and the clients may read it")] = False,
) -> int:
    """Write something down; with --children into every incident of it: name no client then.

    siems parent note PAR-3 "the provider says: 40 minutes" --children
    """
    said = sys.stdin.read() if text == "-" else text
    if not said and door.interactive:
        said = str(typer.prompt("note", err=True))
    return _act(door, "note", ref, "noted", note=said.strip(), to_children=children or public, public=public)


@app.command()
@leaf
def update(
    door: Door,
    ref: Par,
    text: Annotated[str, typer.Argument(help="what to add to it, or - to read it from standard input")] = "",
    template: Annotated[str, typer.Option("--template", help="investigating, identified, monitoring ...")] = "",
) -> int:
    """Tell every client where things stand: siems parent update PAR-3 --template identified "A cut fibre." """
    if not template:
        raise errors.UsageError("by which template?", hint="add  --template investigating; siems template list")
    said = sys.stdin.read() if text == "-" else text
    return _act(door, "update", ref, "updated", note=said.strip(), template=template)


@app.command()
@leaf
def hold(
    door: Door,
    ref: Par,
    waits_for: Annotated[str, typer.Option("--for", help="client, vendor, parts or scheduled")] = "",
    until: Annotated[str, typer.Option("--until", help="4h, 'tomorrow 9am', 2026-03-10T14:00Z")] = "",
) -> int:
    """Put all of its incidents on hold: siems parent hold PAR-3 --for vendor --until 4h"""
    from siems.clock import rfc3339
    from siems.moments import moment

    if not waits_for or not until:
        flag = "--for client|vendor|parts|scheduled" if not waits_for else "--until 4h"
        raise errors.UsageError("hold needs what it waits for, and an end", hint=f"add  {flag}")
    return _act(door, "hold", ref, "on hold", hold_for=waits_for, until=rfc3339(moment(until)))


@app.command()
@leaf
def resume(door: Door, ref: Par) -> int:
    """End the hold of all of its incidents."""
    return _act(door, "resume", ref, "resumed")


@app.command()
@leaf
def resolve(
    door: Door,
    ref: Par,
    said: Annotated[str, typer.Option("--note", help="what was done")] = "",
    cause: Annotated[str, typer.Option("--cause", help="what it was")] = "",
) -> int:
    """It is solved everywhere: siems parent resolve PAR-3 --note "the provider has repaired it" --yes"""
    if not said and door.interactive:
        said = str(typer.prompt("what was done", err=True))
    door.ask(f"resolve all incidents of {ref}?", flag="--yes")
    return _act(door, "resolve", ref, "resolved", note=said, cause=cause)


@app.command()
@leaf
def add(door: Door, ref: Par, ids: Ids) -> int:
    """More incidents of it: siems parent add PAR-3 INC-12"""
    return _act(door, "add", ref, "added", incidents=refs(ids, "", door, 500))


@app.command()
@leaf
def remove(door: Door, ref: Par, ids: Ids) -> int:
    """These are on their own again: siems parent remove PAR-3 INC-12"""
    return _act(door, "remove", ref, "removed", incidents=refs(ids, "", door, 500))


@app.command()
@leaf
def close(door: Door, ref: Par) -> int:
    """The group is over, and nothing joins it any more; its incidents stay as they are."""
    return _act(door, "close", ref, "closed")
