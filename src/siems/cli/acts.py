"""What can be done to incidents: one verb each, for one or for many."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf
from siems.cli.pages import pages
from siems.cli.show import Column, Item, at, field, show_list, show_one

Ids = Annotated[list[str], typer.Argument(help="INC-12, 12, several, or - to read them from standard input")]
Ref = Annotated[str, typer.Argument(help="INC-12 or 12")]

VERBS: list[Callable[..., Any]] = []


def verb(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command of `siems incident`, which gathers them."""
    VERBS.append(leaf(command))
    return command


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
    """One incident per line: an id, the lines of a list, or JSON with an id. Raises UsageError."""
    found = []
    for line in sys.stdin:
        word = line.strip()
        if word.startswith("{"):
            import json

            try:
                word = str(json.loads(word)["id"])
            except (ValueError, KeyError) as why:
                raise errors.UsageError(
                    "a line of standard input is neither an id nor JSON with one",
                    hint="siems incident list -q | siems incident ack -",
                ) from why
        columns = word.split("\t")
        found += [next((c for c in columns if c.startswith("INC-")), columns[0])] if word else []
    return found


Query = Annotated[str, typer.Option("--query", help="all that this finds")]
Max = Annotated[int, typer.Option("--max", help="refuse to change more than this")]
Strict = Annotated[bool, typer.Option("--strict", help="fail when it is so already")]


RESULTS = (
    field("ID", "id"),
    field("CHANGED", "changed"),
    field("STATE", "state"),
    Column("WHO", lambda r: r.get("assignee")),
    Column("ERROR", lambda r: r.get("error", {}).get("message"), grows=True),
)


def perform(
    door: Door, action: str, words: list[str], *, query: str = "", at_most: int = 25, strict: bool = False, **ask: Any
) -> int:
    """Do one thing to each; a result per item, 7 when some failed."""
    wanted = refs(words, query, door, at_most)
    results: list[dict[str, Any]] = []
    failed: errors.SiemsError | None = None
    for ref in wanted:
        try:
            if isinstance(failed, errors.Unavailable):
                raise failed  # nobody is there: the rest need not wait for that as well
            results.append(_do(door, action, ref, many=len(wanted) > 1, strict=strict, **ask))
        except errors.SiemsError as error:
            if len(wanted) == 1:
                raise
            failed = error
            said = {"code": error.code, "message": error.message, "hint": error.hint}
            results.append({"id": ref, "changed": False, "error": said})
    _report(door, results, single=len(wanted) == 1)
    if failed is None:
        return 0
    return 7 if any("error" not in r for r in results) else failed.exit


def _do(door: Door, action: str, ref: str, *, many: bool, strict: bool, **ask: Any) -> dict[str, Any]:
    """One of them, as an incident with `changed` and `steps`."""
    key = f"{door.idempotency_key}:{ref}" if many and door.idempotency_key else door.idempotency_key
    done = door.client.act(action, ref, idempotency_key=key, reason=door.reason, **ask)
    if strict and not done["changed"]:
        raise errors.Conflict(f"{done['incident']['id']} is so already", hint="without --strict that is fine")
    return {**done["incident"], "changed": done["changed"], "steps": done["steps"]}


def _report(door: Door, results: list[dict[str, Any]], *, single: bool) -> None:
    from siems.present import safe

    if single and door.format != "csv":
        show_one(door, results[0], lambda result: [_line(door, result)])
        return
    if door.json or door.format == "csv" or door.fields:
        show_list(door, results, RESULTS)
        return
    for result in results:
        if "error" in result:
            print(f"{safe(result['id'])}: {safe(result['error']['message'])}", file=sys.stderr)
        else:
            print(result["id"] if door.format == "name" else _line(door, result))


def _line(door: Door, result: Item) -> str:
    from siems.present import safe

    word = " and ".join(result["steps"]) if result["changed"] else "already so, nothing changed"
    if result["steps"] in (["severity"], ["edit"]):
        word = f"{result['severity']} by hand" if "severity" in result["steps"] else f"changed: {safe(result['title'])}"
    again = " (dry run, nothing is written)" if door.dry_run else ""
    who = f", with {safe(result['assignee_name'])}" if result["assignee_name"] else ""
    until = f", on hold until {at(result['hold_until'])}" if result["on_hold"] else ""
    missed = ", it has missed a deadline: cause unstated" if _unstated(result) else ""
    return f"{result['id']}: {word}{again}  -> {result['state']}{who}{until}{missed}"


def _unstated(result: Item) -> bool:
    return "resolve" in result["steps"] and result["cause"] == "unstated"


@verb
def ack(door: Door, ids: Ids = [], query: Query = "", at_most: Max = 25, strict: Strict = False) -> int:  # noqa: B006
    """Acknowledge: it is seen, and what waits for an ack stops. On an open one you take it."""
    return perform(door, "ack", ids, query=query, at_most=at_most, strict=strict)


@verb
def take(door: Door, ids: Ids = [], query: Query = "", at_most: Max = 25) -> int:  # noqa: B006
    """It is mine: assigns it to you and acknowledges."""
    return perform(door, "assign", ids, query=query, at_most=at_most, to="@me")


@verb
def start(door: Door, ids: Ids = [], query: Query = "", at_most: Max = 25, strict: Strict = False) -> int:  # noqa: B006
    """Begin to work on it; takes and acknowledges it where that was not done."""
    return perform(door, "start", ids, query=query, at_most=at_most, strict=strict)


@verb
def assign(
    door: Door,
    ids: Ids = [],  # noqa: B006
    to: Annotated[str, typer.Option("--to", help="NAME, @me, oncall, auto or none")] = "",
    query: Query = "",
    at_most: Max = 25,
    strict: Strict = False,
) -> int:
    """Give it to somebody; `auto` is whom the company's strategy chooses (siems incident candidates 97 shows why).

    siems incident assign 97 101 --to @me
    """
    if not to:
        raise errors.UsageError("assign to whom?", hint="add  --to NAME, @me, oncall, auto or none")
    if to == "none":
        return perform(door, "unassign", ids, query=query, at_most=at_most, strict=strict)
    return perform(door, "assign", ids, query=query, at_most=at_most, strict=strict, to=to)


@verb
def unassign(door: Door, ids: Ids = [], query: Query = "", at_most: Max = 25) -> int:  # noqa: B006
    """Give it back: nobody owns it, and the chain begins again."""
    return perform(door, "unassign", ids, query=query, at_most=at_most)


@verb
def hold(
    door: Door,
    ids: Ids = [],  # noqa: B006
    waits_for: Annotated[str, typer.Option("--for", help="client, vendor, parts or scheduled")] = "",
    until: Annotated[str, typer.Option("--until", help="4h, 'tomorrow 9am', 2026-03-10T14:00Z")] = "",
) -> int:
    """Wait for somebody else, at most 7 days; it comes back by itself."""
    from siems.clock import rfc3339
    from siems.moments import moment

    if not waits_for or not until:
        flag = "--for client|vendor|parts|scheduled" if not waits_for else "--until 4h"
        raise errors.UsageError("hold needs what it waits for, and an end", hint=f"add  {flag}")
    return perform(door, "hold", ids, hold_for=waits_for, until=rfc3339(moment(until)))


@verb
def resume(door: Door, ids: Ids = []) -> int:  # noqa: B006
    """End a hold."""
    return perform(door, "resume", ids)


@verb
def note(
    door: Door,
    ref: Ref,
    text: Annotated[str, typer.Argument(help="the note, or - to read it from standard input")] = "",
    public: Annotated[bool, typer.Option("--public", help="the client may read it")] = False,
    editor: Annotated[bool, typer.Option("--editor", help="write it in $EDITOR")] = False,
) -> int:
    """Write something down.

    siems incident note INC-12 "the vendor calls back at three"
    dmesg | tail | siems incident note INC-12 -
    """
    said = sys.stdin.read() if text == "-" else text
    if editor:
        from siems.cli.editor import edited

        said = edited(said, suffix=".txt") or ""
    elif not said and door.interactive:
        said = str(typer.prompt("note", err=True))
    return perform(door, "note", [ref], note=said.strip(), public=public)


@verb
def update(
    door: Door,
    ref: Ref,
    text: Annotated[str, typer.Argument(help="what to add to it, or - to read it from standard input")] = "",
    template: Annotated[
        str, typer.Option("--template", help="investigating, identified, monitoring, resolved, or one of your own")
    ] = "",
) -> None:
    """Tell the client where things stand, by a template: it becomes a public note.

    siems incident update INC-12 --template identified "A failed disk."
    """
    if not template:
        raise errors.UsageError("by which template?", hint="add  --template investigating; siems template list")
    said = sys.stdin.read() if text == "-" else text
    done = door.client.update_incident(
        ref, template=template, text=said.strip(), reason=door.reason, idempotency_key=door.idempotency_key
    )
    shown = {**done["incident"], "changed": done["changed"], "steps": done["steps"], "text": done["text"]}
    show_one(door, shown, lambda r: _updated(door, r))


def _updated(door: Door, r: Item) -> list[str]:
    from siems.present import safe

    again = " (dry run, nothing is written)" if door.dry_run else ""
    return [f"{r['id']}: the client reads{again}", *(f"  {safe(line)}" for line in r["text"].splitlines())]


@verb
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
    ask: dict[str, Any] = {"query": query, "at_most": at_most, "strict": strict, "note": said}
    try:
        return perform(door, "resolve", ids, cause=cause, ask_cause=not door.yes, **ask)
    except errors.UsageError as why:
        if "--cause" not in why.hint or not door.interactive:
            raise
        cause = str(typer.prompt(why.message, err=True))
    return perform(door, "resolve", ids, cause=cause, **ask)


@verb
def close(door: Door, ids: Ids = [], query: Query = "", at_most: Max = 25, strict: Strict = False) -> int:  # noqa: B006
    """Close what is resolved; it happens by itself after some days."""
    return perform(door, "close", ids, query=query, at_most=at_most, strict=strict)


@verb
def reopen(door: Door, ids: Ids = []) -> int:  # noqa: B006
    """It was not solved: siems incident reopen 12 --reason "came back" """
    return perform(door, "reopen", ids)


@verb
def escalate(
    door: Door,
    ids: Ids = [],  # noqa: B006
    to: Annotated[str, typer.Option("--to", help="a level, or NAME; else the next level")] = "",
    now: Annotated[bool, typer.Option("--now", help="although the condition of the step is not met")] = False,
) -> int:
    """The next level takes over: siems incident escalate 12 --reason "no access"

    siems incident escalate 12 --to 3 --now --reason "all users"
    siems incident escalate 12 --to mara --reason "knows that switch"
    """
    level = int(to) if to.isascii() and to.isdigit() and len(to) < 4 else None
    person = to if to and level is None else None
    return perform(door, "escalate", ids, level=level or None, to=person, now=now or None)


@verb
def undo(door: Door, ref: Annotated[str, typer.Argument(help="INC-12 or 12; else what you did last")] = "") -> int:
    """Take your last act back, within 10 seconds."""
    if not ref:
        last = door.client.undoable()
        if last["id"] is None:
            raise errors.Conflict("you have done nothing in the last 10 seconds that can be taken back")
        ref = last["id"]
    return perform(door, "undo", [ref])
