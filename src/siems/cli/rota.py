"""`siems oncall schedule`: rotations, layers, gaps, and shifts that were planned elsewhere."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, field, show_list, show_one

app = new_app("Schedules: list, show, create, edit, delete, gaps, import.")

Ref = Annotated[str, typer.Argument(help="primary or sch-primary")]
Zone = Annotated[str | None, typer.Option("--tz", help="whose clock it goes by: Europe/Oslo; else this machine's")]
Rotation = Annotated[str | None, typer.Option("--rotation", help="daily, weekly, 12h, 3d, 2w")]
Handoff = Annotated[str | None, typer.Option("--handoff", help="'mon 09:00', or 09:00")]
Members = Annotated[str | None, typer.Option("--members", help="in their order: jon,sam,maria")]
Restrict = Annotated[list[str], typer.Option("--restrict", help="only then: 'mon-fri 09:00-17:00'; repeat it")]
Start = Annotated[str | None, typer.Option("--start", help="the day on which it begins: 2026-04-01")]
Country = Annotated[str | None, typer.Option("--country", help="whose holidays count: NO, or DE-BY")]
FromFile = Annotated[str, typer.Option("--from-file", help="layers as YAML; - for standard input")]
Days = Annotated[int, typer.Option("--days", help="so far ahead")]

LIST = (
    field("ID", "id"),
    field("NAME", "name", grows=True),
    Column("ON CALL", lambda s: _of(s["now"], "user"), lambda s: _of(s["now"], "user_name") or "NOBODY"),
    Column("UNTIL", lambda s: _of(s["now"], "ends_at"), lambda s: when(_of(s["now"], "ends_at"), s["time_zone"])),
    Column("NEXT", lambda s: _of(s["next"], "user"), lambda s: _of(s["next"], "user_name") or "nobody", drop=1),
    field("TIME ZONE", "time_zone", drop=2),
    Column("USED BY", lambda s: s["used_by"], lambda s: _used(s), drop=3, grows=True),
)
SHIFTS = (
    Column("FROM", lambda s: s["starts_at"]),
    Column("UNTIL", lambda s: s["ends_at"]),
    field("USER", "user"),
    field("BY", "source"),
)


def _of(shift: Item | None, key: str) -> str:
    return "" if shift is None else str(shift[key])


def _used(s: Item) -> str:
    return ", ".join(c.removeprefix("comp-") for c in s["used_by"])


def some(companies: list[str]) -> str:
    """The first ones, without `comp-`: `acme, borealis and 4 more`."""
    more = f" and {len(companies) - 3} more" if companies[3:] else ""
    return ", ".join(c.removeprefix("comp-") for c in companies[:3]) + more


def short(text: str) -> str:
    return f"{text[:10]} {text[11:16]}Z"


def when(text: str | None, zone: str) -> str:
    """A time on the schedule's clock, with its day."""
    if not text:
        return "--"
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from siems.present import instant

    moment = instant(text)
    there = moment.astimezone(ZoneInfo(zone))
    return f"{there:%a %Y-%m-%d %H:%M} {there:%Z}" if moment.utcoffset() == timedelta(0) else text


def only(door: Door) -> str:
    """The schedule that is meant where none was named. Raises UsageError."""
    known = [s["id"] for s in door.client.schedules()]
    if len(known) != 1:
        raise errors.UsageError("which schedule?", hint=f"add  --schedule {known[0] if known else 'NAME'}")
    return str(known[0])


@app.command("list")
@leaf
def list_(
    door: Door, company: Annotated[str, typer.Option("--company", help="the one that this client goes by")] = ""
) -> None:
    """The schedules, with who is on call now."""
    show_list(door, door.client.schedules(company=company), LIST)


@app.command()
@leaf
def show(door: Door, ref: Ref, days: Days = 14) -> None:
    """One schedule with its layers, who is on call when, and what nobody covers."""
    shown(door, door.client.schedule(ref, days=days))


def shown(door: Door, found: Item) -> None:
    """A schedule with its shifts; for scripts one object."""
    show_one(door, {**found["schedule"], "shifts": found["shifts"], "gaps": found["gaps"]}, _card)


def _card(s: Item) -> list[str]:
    from siems.present import safe

    holidays = f", holidays of {s['country']}" if s["country"] else ""
    lines = [f"{safe(s['name'])} ({s['id']})  {safe(s['company'])}  times of {s['time_zone']}{holidays}"]
    lines.append(f"used by {_used(s) or 'no company'}")
    for layer in s["layers"]:
        people = ", ".join(m.removeprefix("user-") for m in layer["members"])
        span = f", from {layer['start']}" if layer["start"] else ""
        span += f", until {layer['end']}" if layer["end"] else ""
        only_then = f", only {'; '.join(layer['restrictions'])}" if layer["restrictions"] else ""
        said = f"{layer['rotation']} at {layer['handoff']}{only_then}{span}"
        lines.append(f"layer {safe(layer['name'])}: {said}: {safe(people)}")
    for member, hidden in s["unseen"].items():
        lines.append(f"{member.removeprefix('user-')} may not see {some(hidden)}, and is not paged for it:")
        lines.append(f"  siems user edit {member} --add-company {hidden[0]}")
    if len(s["layers"]) > 1:
        lines.append("  (a later layer counts where it has somebody)")
    for shift in s["shifts"]:
        by = f"  {safe(shift['source'])}" if len(s["layers"]) > 1 or shift["source"].startswith("OVR-") else ""
        span = f"{when(shift['starts_at'], s['time_zone'])} to {when(shift['ends_at'], s['time_zone'])}"
        lines.append(f"  {span}  {safe(shift['user_name'])}{by}")
    lines += [_gap(g, s["time_zone"]) for g in s["gaps"]]
    return lines


def _gap(g: Item, zone: str) -> str:
    return f"  {when(g['starts_at'], zone)} to {when(g['ends_at'], zone)}  NOBODY"


# --- changing --------------------------------------------------------------------------------------------------


@app.command()
@leaf
def create(
    door: Door,
    name: Annotated[str, typer.Argument(help="primary")],
    company: Annotated[str, typer.Option("--company", help="a client's own; else the MSP's, for all")] = "",
    zone: Zone = None,
    rotation: Rotation = None,
    handoff: Handoff = None,
    members: Members = None,
    restrict: Restrict = [],  # noqa: B006
    start: Start = None,
    country: Country = None,
    from_file: FromFile = "",
) -> None:
    """A new schedule: one rotation by flags, or layers from a file.

    siems oncall schedule create primary --tz Europe/Oslo --rotation weekly --handoff "mon 09:00" --members jon,sam
    siems oncall schedule create office --company acme --from-file layers.yaml
    """
    ask: dict[str, Any] = {"name": name, "company": company, "time_zone": zone or _zone_here(), "country": country}
    if from_file:
        ask |= {key: value for key, value in read_layers(from_file).items() if key not in ("name", "company")}
        ask |= {"time_zone": zone} if zone else {}
    elif not members:
        raise errors.UsageError("who takes turns?", hint="add  --members jon,sam  or  --from-file layers.yaml")
    else:
        layer = _layer(rotation, handoff, members, restrict, start)
        ask["layers"] = [{"name": "rotation", "rotation": "weekly"} | layer]
    shown(door, door.client.create_schedule(idempotency_key=door.idempotency_key, **ask, reason=door.reason))


def _zone_here() -> str:
    from siems.cli.silence import zone_here

    return zone_here()


def _layer(
    rotation: str | None, handoff: str | None, members: str | None, restrict: list[str], start: str | None
) -> dict[str, Any]:
    words = None if members is None else [word.strip() for word in members.split(",") if word.strip()]
    found = {"rotation": rotation, "handoff": handoff, "members": words, "restrictions": restrict, "start": start}
    return {key: value for key, value in found.items() if value not in (None, [])}


def read_layers(path: str) -> dict[str, Any]:
    """What a file says: a list of layers, or a mapping with `layers` and `time_zone`, `country`. Raises UsageError."""
    import yaml

    try:
        if path == "-":
            text = sys.stdin.read()
        else:
            with open(path) as file:
                text = file.read()
        found = yaml.safe_load(text)
    except OSError as why:
        raise errors.UsageError(f"{path} cannot be read ({why.strerror})", hint="--from-file layers.yaml") from why
    except (yaml.YAMLError, UnicodeDecodeError) as why:
        line = getattr(getattr(why, "problem_mark", None), "line", None)
        where = "" if line is None else f", line {line + 1}"
        raise errors.UsageError(f"{path} is no YAML{where}", hint="siems oncall schedule show NAME -o yaml") from why
    if isinstance(found, list):
        found = {"layers": found}
    if not isinstance(found, dict) or not isinstance(found.get("layers"), list):
        raise errors.UsageError(f"{path} has no layers", hint="siems oncall schedule show NAME -o yaml shows the form")
    taken = ("name", "time_zone", "country", "layers")
    return {key: value for key, value in found.items() if key in taken}


@app.command()
@leaf
def edit(
    door: Door,
    ref: Ref,
    name: Annotated[str | None, typer.Option("--name", help="another name; its id stays")] = None,
    zone: Annotated[str | None, typer.Option("--tz", help="the zone of its wall clock: Europe/Oslo")] = None,
    rotation: Rotation = None,
    handoff: Handoff = None,
    members: Members = None,
    restrict: Restrict = [],  # noqa: B006
    start: Start = None,
    country: Country = None,
    layer: Annotated[
        str, typer.Option("--layer", help="which layer the flags are about, where there are several")
    ] = "",
    from_file: FromFile = "",
) -> None:
    """Change what is given; whoever is on call stays so until the next handoff.

    siems oncall schedule edit primary --members jon,sam,maria
    siems oncall schedule show primary -o yaml > p.yaml; $EDITOR p.yaml; siems oncall schedule edit primary --from-file p.yaml
    """  # noqa: E501
    ask: dict[str, Any] = {"name": name, "time_zone": zone, "country": country}
    change = _layer(rotation, handoff, members, restrict, start)
    if from_file:
        ask = read_layers(from_file) | {key: value for key, value in ask.items() if value is not None}
    elif change:
        before = door.client.schedule(ref)["schedule"]
        chosen = [one for one in before["layers"] if layer in ("", one["name"])]
        if len(chosen) != 1:
            names = ", ".join(one["name"] for one in before["layers"])
            raise errors.UsageError(f"which layer? ({names})", hint=f"add  --layer {before['layers'][0]['name']}")
        if "rotation" in change and "handoff" not in change:
            change["handoff"] = chosen[0]["handoff"].split()[-1]
        ask["layers"] = [one | change if one is chosen[0] else one for one in before["layers"]]
        ask["version"] = before["version"]
    shown(door, door.client.edit_schedule(ref, **ask, reason=door.reason))


@app.command()
@leaf
def delete(door: Door, ref: Ref) -> None:
    """Remove a schedule with its overrides: siems oncall schedule delete primary --confirm primary"""
    door.sure(f"{ref} and its overrides will be removed", ref)
    done = door.client.delete_schedule(ref, reason=door.reason)
    show_one(door, done, lambda d: [f"{d['id']}: removed{' (dry run, nothing is written)' if door.dry_run else ''}"])


# --- looking ahead ---------------------------------------------------------------------------------------------

GAPS = (
    field("SCHEDULE", "schedule_id"),
    Column("FROM", lambda g: g["starts_at"], lambda g: short(g["starts_at"])),
    Column("UNTIL", lambda g: g["ends_at"], lambda g: short(g["ends_at"])),
    Column("HOURS", lambda g: g["seconds"], lambda g: f"{g['seconds'] / 3600:.1f}"),
)


@app.command()
@leaf
def gaps(
    door: Door,
    ref: Annotated[str, typer.Argument(help="a schedule; else all")] = "",
    days: Days = 14,
) -> int:
    """When nobody is on call; exit 9 if that happens: siems oncall schedule gaps --days 14"""
    refs = [ref] if ref else [s["id"] for s in door.client.schedules()]
    found = [gap for one in refs for gap in door.client.schedule(one, days=days)["gaps"]]
    if not found:
        door.note(f"no gap in {days} days" if refs else "there is no schedule:  siems oncall schedule create NAME")
    if found or door.json:
        show_list(door, found, GAPS, id="schedule_id")
    return 9 if found else 0


IMPORTED = (
    field("ID", "id"),
    Column("USER", lambda o: o["user"], lambda o: str(o["user_name"])),
    Column("FROM", lambda o: o["starts_at"], lambda o: short(o["starts_at"])),
    Column("UNTIL", lambda o: o["ends_at"], lambda o: short(o["ends_at"])),
)


@app.command("import")
@leaf
def import_(
    door: Door,
    file: Annotated[str, typer.Argument(help="an .ics file; - for standard input")],
    schedule: Annotated[str, typer.Option("--schedule", help="into this one")] = "",
    people: Annotated[list[str], typer.Option("--map", help="'Jon Doe=jon': who an event is about; repeat it")] = [],  # noqa: B006
) -> int:
    """Shifts that were planned elsewhere, as overrides: siems oncall schedule import team.ics --map "Jon Doe=jon"

    An event is about whoever is its attendee, or whose name stands in its summary. What is there already stays.
    """
    pairs = dict(word.partition("=")[::2] for word in people)
    if any(not name or not user for name, user in pairs.items()):
        raise errors.UsageError("--map takes a name and a user", hint='--map "Jon Doe=jon"')
    try:
        if file == "-":
            text = sys.stdin.read()
        else:
            with open(file, encoding="utf-8-sig") as handle:
                text = handle.read()
    except (OSError, UnicodeDecodeError) as why:
        raise errors.UsageError(f"{file} cannot be read ({why})", hint="siems oncall schedule import FILE.ics") from why
    done = door.client.import_calendar(schedule or only(door), text=text, people=pairs, reason=door.reason)
    if door.json:
        show_one(door, done, lambda d: [], id="skipped")
    else:
        show_list(door, done["overrides"], IMPORTED)
        for line in done["skipped"]:
            door.note(f"not taken: {line}")
    return 7 if done["skipped"] and done["overrides"] else 9 if done["skipped"] else 0
