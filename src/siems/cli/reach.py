"""`siems notify contact` and `siems notify rules`: how a person is reached, and when."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, field, show_list, show_one, when

contacts = new_app("Ways to reach a person: list, add, delete, verify.")
rules = new_app("Who is told what, by which contact, after which wait: list, add, edit, delete.")

User = Annotated[str, typer.Option("--user", help="whose: a name, or @me")]
Channel = Annotated[str, typer.Option("--channel", help="email, sms, slack, webhook ...: siems notify channels")]
To = Annotated[str, typer.Option("--to", help="the address: +15550100, a URL; - reads it from standard input")]
Options = Annotated[list[str], typer.Option("--option", help="NAME=VALUE of this contact, several times")]
Private = Annotated[bool, typer.Option("--allow-private", help="the address may be inside your own network (admins)")]
From = Annotated[str, typer.Option("--severity", help="from this severity on")]
After = Annotated[str, typer.Option("--after", help="only if nobody has acknowledged by then: 5m")]
About = Annotated[str, typer.Option("--about", help="all, pages, or events with commas: incident.resolved")]

CONTACTS = (
    field("ID", "id"),
    field("USER", "user"),
    field("CHANNEL", "channel"),
    field("TO", "hint", grows=True),
    Column("VERIFIED", lambda c: c["verified"], lambda c: "yes" if c["verified"] else ""),
    when("DELIVERED", "last_delivered_at", drop=2),
    Column("READY", lambda c: c["set_up"], lambda c: "" if c["set_up"] else "not set up", drop=1),
    field("ERROR", "last_error", grows=True, drop=3),
)
RULES = (
    field("ID", "id"),
    field("USER", "user"),
    field("FROM", "severity"),
    Column("AFTER", lambda r: r["after_seconds"], lambda r: _after(r["after_seconds"])),
    field("CHANNEL", "channel"),
    field("TO", "hint", grows=True),
    Column("ABOUT", lambda r: ",".join(r["about"]), grows=True, drop=1),
    field("COMPANY", "company_id", drop=2),
)


def _after(seconds: int) -> str:
    from siems.present import duration

    return duration(seconds) if seconds else "at once"


def options_of(given: list[str], private: bool) -> dict[str, str]:
    """The options of a contact. Raises UsageError for what is no NAME=VALUE."""
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise errors.UsageError(f"{text!r} is no NAME=VALUE", hint="--option topic=oncall")
        found[name.strip()] = value
    return found | ({"allow_private": "yes"} if private else {})


def address_of(text: str) -> str:
    """The address; `-` reads it, so that a token in it stays out of the list of processes."""
    import sys

    return sys.stdin.readline().strip() if text == "-" else text


# --- contacts --------------------------------------------------------------------------------------------------


@contacts.command("list")
@leaf
def list_contacts(door: Door, user: User = "") -> None:
    """How people can be reached: your own, and of whom you may see."""
    show_list(door, door.client.contacts(user=user), CONTACTS)


@contacts.command()
@leaf
def add(
    door: Door, channel: Channel, to: To, user: User = "@me", options: Options = [], private: Private = False  # noqa: B006
) -> None:  # fmt: skip
    """A new way to reach somebody.

    siems notify contact add --channel sms --to +15550100
    siems notify contact add --channel webhook --to - --user maria < url
    """
    made = door.client.add_contact(
        channel=channel, address=address_of(to), user=user, options=options_of(options, private),
        idempotency_key=door.idempotency_key,
    )  # fmt: skip
    show_one(door, made, _made)


def _made(c: Item) -> list[str]:
    lines = [f"{c['id']}: {c['user']} by {c['channel']} at {c['hint']}"]
    if c["secret"]:
        lines.append(f"signed with {c['secret']} (Standard Webhooks; shown this once)")
    if not c["set_up"]:
        lines.append(f"{c['channel']} is not set up yet: nothing is sent by it (siems notify channels)")
    return [
        *lines,
        f"try it:  siems notify test --contact {c['id']}    prove it:  siems notify contact verify {c['id']}",
    ]


@contacts.command()
@leaf
def delete(door: Door, ref: Annotated[str, typer.Argument(help="CON-3")]) -> None:
    """Nobody is reached by it any more; its rules go too."""
    door.ask(f"delete {ref} and its rules?", flag="--yes")
    done = door.client.delete_contact(ref)
    door.say(f"{ref} deleted, with {done['rules']} rule{'' if done['rules'] == 1 else 's'}")


@contacts.command()
@leaf
def verify(
    door: Door,
    ref: Annotated[str, typer.Argument(help="CON-3")],
    code: Annotated[str, typer.Option("--code", help="the code that came; without it one is sent")] = "",
) -> None:
    """Prove that a contact works and is yours: siems notify contact verify CON-3, then again with --code"""
    if code:
        door.client.verify_contact(ref, code)
        door.say(f"{ref} is verified")
        return
    sent = door.client.send_code(ref)
    if not sent["ok"]:
        raise errors.Unavailable(f"{sent['channel']} to {sent['hint']}: {sent['error']}", hint="siems notify channels")
    door.say(f"a code was sent by {sent['channel']} to {sent['hint']}:  siems notify contact verify {ref} --code ...")


# --- rules -----------------------------------------------------------------------------------------------------


@rules.command("list")
@leaf
def list_rules(door: Door, user: User = "") -> None:
    """The rules of a person; without any, mail gets everything and phones get pages."""
    show_list(door, door.client.notify_rules(user=user), RULES)


@rules.command("add")
@leaf
def add_rule(
    door: Door,
    channel: Channel = "",
    to: To = "",
    contact: Annotated[str, typer.Option("--contact", help="or a contact that is there: CON-3")] = "",
    user: User = "@me",
    severity: From = "LOW",
    after: After = "",
    about: About = "all",
    company: Annotated[str, typer.Option("--company", help="only about this one")] = "",
    options: Options = [],  # noqa: B006
    private: Private = False,
) -> None:
    """From a severity on, by a contact, at once or after a wait without an ack.

    siems notify rules add --channel sms --severity HIGH
    siems notify rules add --channel voice --to +15550100 --severity CRITICAL --after 5m
    """
    from siems.moments import seconds

    if not channel and not contact:
        raise errors.UsageError("by which contact?", hint="add  --channel sms  or  --contact CON-3")
    made = door.client.add_rule(
        user=user, contact=contact, channel=channel, address=address_of(to), severity=severity,
        after_seconds=seconds(after or None) or 0, about=about.split(","), company=company,
        options=options_of(options, private), idempotency_key=door.idempotency_key,
    )  # fmt: skip
    show_one(door, made, _rule)


def _rule(r: Item) -> list[str]:
    where = f" about {r['company_id']}" if r["company_id"] else ""
    wait = f", after {_after(r['after_seconds'])} without an ack" if r["after_seconds"] else ""
    secret = [f"signed with {r['secret']} (Standard Webhooks; shown this once)"] if r["secret"] else []
    return [
        f"{r['id']}: {r['user']} is told by {r['channel']} ({r['hint']}) from {r['severity']} on"
        f"{where}: {', '.join(r['about'])}{wait}",
        *secret,
    ]


@rules.command("edit")
@leaf
def edit_rule(
    door: Door,
    ref: Annotated[str, typer.Argument(help="NR-3")],
    severity: Annotated[str | None, typer.Option("--severity", help="from this severity on")] = None,
    after: Annotated[str | None, typer.Option("--after", help="wait for an ack: 5m; 0s for at once")] = None,
    about: Annotated[str | None, typer.Option("--about", help="all, pages, or events with commas")] = None,
    company: Annotated[str | None, typer.Option("--company", help="only about this one; empty: all")] = None,
) -> None:
    """Change what is given: siems notify rules edit NR-3 --severity CRITICAL"""
    from siems.moments import seconds

    ask: dict[str, Any] = {
        "severity": severity, "after_seconds": seconds(after) if after else None,
        "about": about.split(",") if about is not None else None, "company": company,
    }  # fmt: skip
    show_one(door, door.client.edit_rule(ref, **ask), _rule)


@rules.command("delete")
@leaf
def delete_rule(door: Door, ref: Annotated[str, typer.Argument(help="NR-3")]) -> None:
    """A rule goes; the contact stays."""
    door.client.delete_rule(ref)
    door.say(f"{ref} deleted")


@rules.command("why")
@leaf
def rules_why(door: Door, ref: Annotated[str, typer.Argument(help="INC-12, or MSG-7")]) -> None:
    """The same as  siems notify why."""
    from siems.cli.notify import tell_why

    tell_why(door, ref)
