"""`siems ticket account`: ways into the ticket systems of clients."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.secrets import SecretFile, read_secret
from siems.cli.show import Column, Item, at, field, show_list, show_one, when

account = new_app("Ticket accounts: add, list, show, edit, remove, test.")

Ref = Annotated[str, typer.Argument(help="acme-jira")]
Project = Annotated[str | None, typer.Option("--project", help="key of the project; of ServiceNow: its table")]
User = Annotated[str | None, typer.Option("--user", help="e-mail or user name; none with a token alone")]
Create = Annotated[str | None, typer.Option("--create", help="auto, or never: only by hand")]
Least = Annotated[str | None, typer.Option("--min-severity", help="make one from this severity on: HIGH")]
Category = Annotated[list[str], typer.Option("--category", help="only of these, several times; any without it")]
When = Annotated[str | None, typer.Option("--when", help="OPEN at once, ASSIGNED or IN_PROGRESS once it is that")]
States = Annotated[
    list[str], typer.Option("--state", metavar="OURS=THEIRS", help="IN_PROGRESS='In Review', several times")
]
Priorities = Annotated[list[str], typer.Option("--priority", metavar="OURS=THEIRS", help="CRITICAL=Blocker")]
Fields = Annotated[
    list[str], typer.Option("--field", metavar="NAME=VALUE", help="set on each new one; VALUE may be JSON")
]
Kind = Annotated[str | None, typer.Option("--type", help="type of issue: Incident; Task without it")]
Comments = Annotated[str | None, typer.Option("--comments", help="which notes go out: all, public or none")]
Reopen = Annotated[str | None, typer.Option("--reopen-within", help="a recurrence reopens the old one: 24h")]
Poll = Annotated[str | None, typer.Option("--poll", help="how often changes are read: 60s")]
Webhook = Annotated[bool | None, typer.Option("--webhook/--no-webhook", help="an address for it to call, shown once")]

COLUMNS = (
    field("ID", "id"),
    field("KIND", "kind"),
    Column("COMPANY", lambda a: a["company_id"], lambda a: str(a["company"]), grows=True, drop=2),
    field("URL", "url", grows=True, drop=3),
    field("PROJECT", "project"),
    field("TICKETS", "tickets"),
    Column("STANDING", lambda a: _standing(a), grows=True),
    when("READ", "polled_at", drop=1),
)


def _standing(a: Item) -> str:
    if a["paused"]:
        return "paused"
    return f"FAILING x{a['failures']}: {a['error']}" if a["failures"] else "ok" if a["polled_at"] else "not read yet"


def pairs(words: list[str], flag: str) -> dict[str, str] | None:
    """`A=B` several times. Raises UsageError."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise errors.UsageError(f"{flag} takes NAME=VALUE, not {word!r}", hint=f"{flag} IN_PROGRESS='In Review'")
        found[name.strip()] = value.strip()
    return found or None


def _values(words: list[str]) -> dict[str, Any] | None:
    """As `pairs`; what is JSON is taken as such."""
    import json

    found: dict[str, Any] = {}
    for name, text in (pairs(words, "--field") or {}).items():
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found or None


def _asked(
    project: str | None, user: str | None, create: str | None, least: str | None, category: list[str],
    at_state: str | None, states: list[str], priorities: list[str], fields: list[str], kind: str | None,
    comments: str | None, reopen: str | None, poll: str | None, webhook: bool | None,
) -> dict[str, Any]:  # fmt: skip
    from siems.moments import seconds

    named = [word.strip() for text in category for word in text.split(",") if word.strip()]
    return {
        "project": project, "username": user, "create": create, "min_severity": least,
        "categories": named or None, "at_state": at_state, "states": pairs(states, "--state"),
        "priorities": pairs(priorities, "--priority"), "fields": _values(fields), "ticket_type": kind,
        "comments": comments, "reopen_within_seconds": seconds(reopen), "poll_seconds": seconds(poll),
        "webhook": webhook,
    }  # fmt: skip


@account.command()
@leaf
def add(
    door: Door,
    system: Annotated[str, typer.Argument(help="jira (Cloud), jira-server or servicenow")],
    url: Annotated[str, typer.Option("--url", help="https://acme.atlassian.net")],
    company: Annotated[str, typer.Option("--company", help="acme; msp serves every client")] = "",
    project: Project = None,
    user: User = None,
    secret_file: SecretFile = "",
    create: Create = None,
    least: Least = None,
    category: Category = [],  # noqa: B006
    at_state: When = None,
    states: States = [],  # noqa: B006
    priorities: Priorities = [],  # noqa: B006
    fields: Fields = [],  # noqa: B006
    kind: Kind = None,
    comments: Comments = None,
    reopen: Reopen = None,
    poll: Poll = None,
    webhook: Webhook = None,
) -> None:
    """A way into a client's ticket system. Tickets are made from HIGH on, and stay in step both ways.

    siems ticket account add jira --company acme --url https://acme.atlassian.net --project OPS \\
      --user siems@msp.example --secret-file token.txt
    siems ticket account add servicenow --company acme --url https://acme.service-now.com --user siems --secret-file -
    """
    from siems.cli.silence import company_of

    asked = _asked(
        project, user, create, least, category, at_state, states, priorities, fields, kind, comments, reopen, poll,
        webhook,
    )  # fmt: skip
    secret = read_secret(secret_file) or door.secret("token or password", flag="--secret-file F, or -")
    made = door.client.add_ticket_account(
        company=company_of(door, company), kind=system, url=url, secret=secret, reason=door.reason, **asked
    )
    _shown(door, made, "is there" if not door.dry_run else "would be there")


def _shown(door: Door, made: Item, word: str) -> None:
    def lines(a: Item) -> list[str]:
        first = [
            f"{a['id']} {word}.",
            *([f"webhook (shown this once): {a['webhook_url']}"] if a["webhook_url"] else []),
        ]
        return [*first, *_card(a), f"try it:  siems ticket account test {a['id']}"]

    show_one(door, {**made["account"], "webhook_url": made["webhook_url"]}, lines)


@account.command("list")
@leaf
def list_(door: Door, company: Annotated[str, typer.Option("--company", help="acme")] = "") -> None:
    """Every account that you may manage, and how it goes."""
    show_list(door, door.client.ticket_accounts(company=company), COLUMNS)


@account.command()
@leaf
def show(door: Door, ref: Ref) -> None:
    """One account with its rules; its secret is never shown."""
    show_one(door, door.client.ticket_account(ref), _card)


def _card(a: Item) -> list[str]:
    from siems.present import plural, safe, took

    r = a["rules"]
    many = ", ".join(r["categories"]) or "any category"
    rule = f"made at {r['at_state']} from {r['min_severity']} on, {many}" if r["create"] == "auto" else "made by hand"
    lines = [
        f"{a['id']}  {a['kind']}  {safe(a['company'])} ({a['company_id']})  {safe(_standing(a))}",
        f"{safe(a['url'])}  {safe(a['project'])}  as {safe(a['username'] or 'its token')}",
        f"{plural(a['tickets'], 'ticket')}; {rule}; notes that go out: {r['comments']}",
        f"read every {took(r['poll_seconds'])}, up to {at(a['since'])}; webhook {'on' if a['webhook'] else 'off'};"
        f" a recurrence within {took(r['reopen_within_seconds'])} reopens",
    ]
    for name in ("states", "priorities", "fields"):
        if r[name]:
            said = ", ".join(f"{ours}={theirs}" for ours, theirs in r[name].items())
            lines.append(safe(f"{name}: {said}"))
    return lines


@account.command()
@leaf
def edit(
    door: Door,
    ref: Ref,
    url: Annotated[str | None, typer.Option("--url", help="another address needs the secret once more")] = None,
    project: Project = None,
    user: User = None,
    secret_file: SecretFile = "",
    create: Create = None,
    least: Least = None,
    category: Category = [],  # noqa: B006
    at_state: When = None,
    states: States = [],  # noqa: B006
    priorities: Priorities = [],  # noqa: B006
    fields: Fields = [],  # noqa: B006
    kind: Kind = None,
    comments: Comments = None,
    reopen: Reopen = None,
    poll: Poll = None,
    webhook: Webhook = None,
    paused: Annotated[bool | None, typer.Option("--pause/--resume", help="stop for a while; nothing is lost")] = None,
) -> None:
    """Change what is given: siems ticket account edit acme-jira --min-severity CRITICAL"""
    asked = _asked(
        project, user, create, least, category, at_state, states, priorities, fields, kind, comments, reopen, poll,
        webhook,
    )  # fmt: skip
    made = door.client.edit_ticket_account(
        ref, url=url, secret=read_secret(secret_file), paused=paused, reason=door.reason, **asked
    )
    _shown(door, made, "is changed" if not door.dry_run else "would be changed")


@account.command()
@leaf
def remove(door: Door, ref: Ref) -> None:
    """It is gone with its links; the tickets stay as they are, over there."""
    held = door.client.ticket_account(ref)["tickets"]
    door.ask(f"remove {ref} and unlink its {held} tickets?", flag="--yes")
    door.client.remove_ticket_account(ref, reason=door.reason)
    again = " (dry run, nothing is written)" if door.dry_run else ""
    show_one(door, {"id": ref, "removed": not door.dry_run}, lambda a: [f"{a['id']}: removed{again}"])


@account.command()
@leaf
def test(door: Door, ref: Ref) -> None:
    """Ask the other system who we are there; nothing is changed."""
    show_one(door, door.client.ticket_account_act(ref, "test"), lambda a: [f"{a['account_id']}: {a['said']}"],
             id="account_id")  # fmt: skip
