"""`siems notify`: your inbox, how people are reached, and what was sent to whom and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.reach import Options, Private, User, address_of, contacts, options_of, rules
from siems.cli.show import Column, Item, at, field, show_list, show_one, when
from siems.cli.subscribing import browser

app = new_app(
    "Who is told, how, and why: inbox, read, list, show, why, retry, diff, test, channels, contact, browser, rules."
)
app.add_typer(contacts, name="contact")
app.add_typer(rules, name="rules")

COLUMNS = (
    Column("READ", lambda n: n["read"], lambda n: "yes" if n["read"] else ""),
    field("ID", "id"),
    when("AT", "at"),
    field("KIND", "kind", drop=1),
    field("OBJECT", "object"),
    field("WHAT", "subject", grows=True),
)
MESSAGES = (
    field("ID", "id"),
    when("AT", "created_at"),
    field("STATE", "state"),
    field("USER", "user"),
    field("CHANNEL", "channel"),
    field("TO", "hint", grows=True, drop=3),
    field("OBJECT", "object"),
    field("EVENT", "event", drop=2),
    Column("TRIES", lambda m: m["attempt"], drop=1),
    field("WHAT", "subject", grows=True),
    field("ERROR", "error", grows=True, wide=True),
)
WOULD = (
    when("AT", "at"),
    field("COMPANY", "company_id"),
    field("OBJECT", "object"),
    field("USER", "user"),
    Column("BY", lambda w: ",".join(w["channels"])),
    Column("PAGE", lambda w: w["pages"], lambda w: "page" if w["pages"] else ""),
    field("EVENT", "event", drop=1),
    field("WHAT", "subject", grows=True),
)
CHANNELS = (
    field("CHANNEL", "name"),
    Column("READY", lambda c: c["set_up"], lambda c: "yes" if c["set_up"] else "no: see siems.toml.example"),
)


# --- the inbox -------------------------------------------------------------------------------------------------


@app.command()
@leaf
def inbox(
    door: Door,
    unread: Annotated[bool, typer.Option("--unread", help="only what was not read")] = False,
    limit: Annotated[int, typer.Option("--limit", help="how many of the newest")] = 100,
) -> None:
    """What you were told, newest first."""
    show_list(door, door.client.inbox(unread=unread, limit=limit), COLUMNS)


@app.command()
@leaf
def read(
    door: Door,
    ids: Annotated[list[int], typer.Argument(help="ids of notices")] = [],  # noqa: B006
    all_: Annotated[bool, typer.Option("--all", help="every one")] = False,
) -> None:
    """Mark notices as read: siems notify read --all"""
    if not ids and not all_:
        raise errors.UsageError("which notices?", hint="name ids, or add  --all")
    done = door.client.read_inbox(None if all_ else ids)
    door.say(f"{done['read']} marked as read")


# --- what was sent ---------------------------------------------------------------------------------------------


def _since(text: str) -> str:
    from datetime import UTC, datetime, timedelta

    from siems.clock import rfc3339
    from siems.moments import moment, seconds

    if not text:
        return ""
    try:
        return rfc3339(datetime.now(UTC) - timedelta(seconds=seconds(text) or 0))
    except errors.SiemsError:
        return rfc3339(moment(text))


@app.command("list")
@leaf
def list_messages(
    door: Door,
    about: Annotated[str, typer.Option("--incident", help="INC-12: only about it")] = "",
    user: User = "",
    state: Annotated[str, typer.Option("--state", help="sent, failed, dead, unknown ..., with commas")] = "",
    since: Annotated[str, typer.Option("--since", help="2h, 7d, or a time")] = "",
    limit: Annotated[int, typer.Option("--limit", help="how many of the newest")] = 100,
) -> None:
    """Every message that left the house or will, newest first: siems notify list --state dead,unknown"""
    number = f"INC-{about}" if about.isdigit() else about
    found = door.client.messages(object=number, user=user, state=state, since=_since(since), limit=limit)
    show_list(door, found, MESSAGES)


@app.command()
@leaf
def show(door: Door, ref: Annotated[str, typer.Argument(help="MSG-7")]) -> None:
    """One message: what, to whom, by which rule, and what became of it."""
    show_one(door, door.client.message(ref), _shown)


def _shown(m: Item) -> list[str]:
    lines = [
        f"{m['id']}  {m['state']}  {m['severity']}  {m['subject']}",
        f"  to       {m['user']} by {m['channel']} ({m['hint']})",
        f"  about    {m['object']} of {m['company_id']}, {m['event']}" + (", a page" if m["pages"] else ""),
        f"  why      {m['why']}",
        f"  decided  {at(m['created_at'])}",
    ]
    if m["sent_at"]:
        lines.append(f"  taken    {at(m['sent_at'])}, try {m['attempt']}, as {m['provider_message_id'] or 'no number'}")
    if m["next_at"]:
        lines.append(f"  next     {at(m['next_at'])}, after {m['attempt']} tries")
    if m["unknown_at"]:
        lines.append(f"  unknown  {at(m['unknown_at'])}: siems stopped while it was being sent; it went out again")
    if m["bundle"]:
        lines.append(f"  bundle   B{m['bundle']}" + (f", number {m['listed']}" if m["listed"] else ", counted in it"))
    if m["error"]:
        lines.append(f"  because  {m['error']}")
    return lines


@app.command()
@leaf
def why(door: Door, ref: Annotated[str, typer.Argument(help="INC-12, or MSG-7")]) -> None:
    """Who was told about something, how, by which rule, and why not more: siems notify why INC-12"""
    tell_why(door, ref)


def tell_why(door: Door, ref: str) -> None:
    """For people a story, for scripts the shapes."""
    found = door.client.why_told(ref)
    if door.json or not door.interactive:
        show_list(door, found, TOLD, id="at")
        return
    from siems.present import safe

    if not found:
        door.say(f"nobody was told about {ref}")
    for told in found:
        print(f"{at(told['at'])}  {told['event']}  {safe(told['user'])}{'  (page)' if told['pages'] else ''}")
        print(f"    inbox: {'not told' if told['inbox'] == 'cancelled' else told['inbox']}"
              + (f" ({safe(told['why'])})" if told["why"] else ""))  # fmt: skip
        for m in told["messages"]:
            said = f": {safe(m['error'])}" if m["error"] else ""
            print(f"    {m['channel']}: {m['state']}{said}  [{safe(m['why'])}]  {m['id']}")


TOLD = (
    Column("AT", lambda w: w["at"]),
    field("EVENT", "event"),
    field("OBJECT", "object"),
    field("USER", "user"),
    field("INBOX", "inbox"),
    Column("SENT", lambda w: ",".join(f"{m['channel']}={m['state']}" for m in w["messages"])),
    field("WHY", "why", grows=True),
)


@app.command()
@leaf
def retry(door: Door, refs: Annotated[list[str], typer.Argument(help="MSG-7, several")]) -> None:
    """Try messages again that were given up."""
    for ref in refs:
        done = door.client.retry_message(ref)
        door.say(f"{ref}: {'tried again' if done['changed'] else 'it is ' + done['message']['state'] + ' already'}")


@app.command()
@leaf
def diff(door: Door, since: Annotated[str, typer.Option("--since", help="how far back: 7d")] = "7d") -> None:
    """Who would have been told about companies in shadow: siems company edit acme --paging shadow"""
    show_list(door, door.client.would_have_told(since=_since(since)), WOULD, id="object")


# --- channels --------------------------------------------------------------------------------------------------


@app.command()
@leaf
def channels(door: Door) -> None:
    """The channels there are, and which are set up."""
    show_list(door, door.client.channels(), CHANNELS, id="name")


@app.command("test")
@leaf
def try_channel(
    door: Door,
    channel: Annotated[str, typer.Option("--channel", help="email, sms, slack ...")] = "",
    to: Annotated[str, typer.Option("--to", help="me, a user, or (admins) an address")] = "me",
    contact: Annotated[str, typer.Option("--contact", help="or one contact: CON-3")] = "",
    options: Options = [],  # noqa: B006
    private: Private = False,
) -> None:
    """Send a test message now and say what the provider answers: siems notify test --channel email --to me

    Exits with 9 when it did not arrive there.
    """
    if not channel and not contact:
        raise errors.UsageError("which channel?", hint="siems notify channels names them;  --channel email")
    to = address_of(to)
    address = to if any(mark in to for mark in "@+:/#") and to != "@me" else ""
    done = door.client.try_channel(
        channel=channel, contact=contact, user="" if address or contact else to.removeprefix("@") or "me",
        address=address, options=options_of(options, private),
    )  # fmt: skip
    show_one(door, {"id": done["channel"], **done}, _tried)
    if not done["ok"]:
        raise typer.Exit(9)


def _tried(t: Item) -> list[str]:
    said = f"taken as {t['message_id']}" if t["message_id"] else "taken"
    return [f"{t['channel']} to {t['hint']}: {said if t['ok'] else t['error']} ({t['seconds']} s)"]


app.command()(browser)


# --- when to be left alone -------------------------------------------------------------------------------------


@app.command()
@leaf
def quiet(
    door: Door,
    hours: Annotated[str, typer.Argument(help="22:00-06:00, or off")] = "",
    tz: Annotated[str, typer.Option("--tz", help="whose clock: Europe/Oslo")] = "",
    user: User = "@me",
) -> None:
    """Nothing wakes you then but CRITICAL: siems notify quiet 22:00-06:00 --tz Europe/Oslo"""
    if not hours and not tz:
        _preferences(door, door.client.preferences(user=user))
        return
    begin, _, end = ("", "", "") if hours in ("off", "") else hours.partition("-")
    ask = {"quiet_from": begin.strip(), "quiet_until": end.strip()} if hours else {}
    _preferences(door, [door.client.set_preferences(user=user, zone=tz or None, **ask)])


@app.command()
@leaf
def digest(
    door: Door,
    at_: Annotated[str, typer.Argument(metavar="TIME", help="08:00, or off")],
    tz: Annotated[str, typer.Option("--tz", help="whose clock: Europe/Oslo")] = "",
    user: User = "@me",
) -> None:
    """What is LOW and no page comes together once a day: siems notify digest 08:00"""
    asked = door.client.set_preferences(user=user, zone=tz or None, digest_at="" if at_ == "off" else at_)
    _preferences(door, [asked])


def _preferences(door: Door, found: Sequence[Item]) -> None:
    columns = (
        field("USER", "user"),
        Column("QUIET", lambda p: f"{p['quiet_from']}-{p['quiet_until']}" if p["quiet_from"] else ""),
        field("DIGEST", "digest_at"),
        field("ZONE", "zone"),
    )
    show_list(door, found, columns, id="user_id")


@app.command()
@leaf
def follow(
    door: Door,
    company: Annotated[str, typer.Argument(help="acme; without it, what is followed")] = "",
    about: Annotated[str, typer.Option("--about", help="events with commas, or all")] = "incident.resolved",
    severity: Annotated[str, typer.Option("--severity", help="from this severity on")] = "LOW",
    off: Annotated[bool, typer.Option("--off", help="no longer")] = False,
    user: User = "@me",
) -> None:
    """Hear of a company without being paged for it: siems notify follow acme --about all"""
    if company:
        words = [] if off else about.split(",")
        done = door.client.follow(company=company, user=user, severity=severity, about=words)
        door.note("nothing changed" if not done["changed"] else "no longer followed" if off else "followed")
    columns = (
        field("USER", "user"),
        field("COMPANY", "company_id"),
        field("FROM", "severity"),
        Column("ABOUT", lambda f: ",".join(f["about"])),
    )
    show_list(door, door.client.follows(user=user), columns, id="company_id")
