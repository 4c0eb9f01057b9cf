"""`siems handoff`: what goes from one shift to the next."""

from __future__ import annotations

from typing import Annotated

import typer

from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Item, at, show_one

app = new_app("Handoff of a shift: show, note, give, accept.")

Schedule = Annotated[str, typer.Option("--schedule", help="primary or sch-primary; may be left out where it is clear")]


@app.command()
@leaf
def show(door: Door, schedule: Schedule = "") -> None:
    """The brief of your shift, or of the one that you take over: per open incident what is next."""
    found = door.client.handoffs(schedule=schedule)
    if not found:
        door.note("no shift begins or ends with you now:  siems oncall who")
    show_one(door, {"handoffs": found, "id": found[0]["id"] if found else ""}, lambda f: _lines(f["handoffs"]))


def _lines(found: list[Item]) -> list[str]:
    return [line for one in found for line in _brief(one)]


def _brief(h: Item) -> list[str]:
    from siems.present import plural, safe

    ends = at(h["hands_over_at"]) if h["hands_over_at"] else "no end"
    taker = safe(h["next_user_name"] or "nobody")
    lines = [f"{h['id']}  {safe(h['schedule'])}: {safe(h['user_name'])} hands over to {taker} at {ends}: {h['state']}"]
    if not h["incidents"]:
        lines.append("  nothing is open")
    for i in h["incidents"]:
        lines.append(f"  {i['id']}  {i['severity']}  {i['state']}  {safe(i['company'])}: {safe(i['title'])}")
        if i["kept"]:
            lines.append(f"      stays with {safe(h['user_name'])}")
        by = f" ({safe(i['next_action_by'])})" if i["next_action"] else ""
        lines.append(
            f"      next: {safe(i['next_action']) or 'not written:  siems handoff note ' + i['id'] + ' TEXT'}{by}"
        )
        if i["hold_reason"]:
            lines.append(f"      on hold for {i['hold_reason']} until {at(i['hold_until'])}")
        if i["next_deadline_at"]:
            lines.append(f"      {i['next_deadline']} at {at(i['next_deadline_at'])}")
    if "accept" in h["actions"]:
        open_ = plural(sum(not i["kept"] for i in h["incidents"]), "incident")
        lines.append(f"to take {open_} over:  siems handoff accept")
    elif "give" in h["actions"] and h["state"] == "on":
        lines.append("when the brief is ready:  siems handoff give")
    return lines


@app.command()
@leaf
def note(
    door: Door,
    incident: Annotated[str, typer.Argument(help="INC-42 or 42")],
    text: Annotated[str, typer.Argument(help="the next action; '' takes it away")],
) -> None:
    """What is next with an incident: siems handoff note INC-42 "call the vendor at 9" """
    done = door.client.note_handoff(incident, text)
    show_one(door, done, lambda d: [f"{d['id']}: next: {d['next_action'] or 'nothing'}"])


@app.command()
@leaf
def give(
    door: Door,
    keep: Annotated[list[str], typer.Option("--keep", help="an incident that stays with you; repeat it")] = [],  # noqa: B006
    schedule: Schedule = "",
) -> None:
    """The brief is ready: whoever is next may accept it from now on: siems handoff give --keep INC-42"""
    done = door.client.give_handoff(schedule=schedule, keep=keep)
    show_one(door, {**done, "id": done["handoffs"][0]["id"]}, lambda d: _lines(d["handoffs"]))


@app.command()
@leaf
def accept(door: Door, schedule: Schedule = "") -> None:
    """Take over: the open incidents of whoever leaves are yours."""
    done = door.client.accept_handoff(schedule=schedule)
    show_one(door, {**done, "id": done["handoffs"][0]["id"]}, lambda d: _taken(d))


def _taken(d: Item) -> list[str]:
    lines = [f"{', '.join(d['moved'])}: yours now" if d["moved"] else "accepted; nothing was left to take over"]
    if d["left"]:
        lines.append(f"not yours to take: {', '.join(d['left'])}")
    return lines
