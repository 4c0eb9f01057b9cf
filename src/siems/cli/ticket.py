"""`siems ticket`: incidents in the client's own ticket system, in step both ways."""

from __future__ import annotations

from typing import Annotated

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, at, field, show_list, show_one, when
from siems.cli.ticket_account import account

app = new_app("Tickets: list, show, open, link, unlink, sync, retry; account add, list, show, edit, remove, test.")
app.add_typer(account, name="account")

Ref = Annotated[str, typer.Argument(help="TKT-3, or its own key: OPS-17")]
Incident = Annotated[str, typer.Argument(help="INC-12 or 12")]
Account = Annotated[str, typer.Option("--account", help="which account, where the client has several")]


def _standing(ticket: Item) -> str:
    if ticket["failed"]:
        return f"FAILED: {ticket['error']}"
    return f"{ticket['waiting']} to do" if ticket["waiting"] else "in step"


COLUMNS = (
    field("ID", "id"),
    Column("KEY", lambda k: k["key"], lambda k: k["key"] or "(opening)"),
    field("STATE", "state", drop=2),
    field("INCIDENT", "incident_id"),
    Column("IS", lambda k: k["incident_state"], drop=3),
    field("TITLE", "incident_title", grows=True, drop=4),
    Column("COMPANY", lambda k: k["company_id"], lambda k: str(k["company"]), grows=True, drop=1),
    Column("STANDING", _standing, grows=True),
    field("URL", "url", wide=True),
    field("ACCOUNT", "account_id", wide=True),
    when("MADE", "created_at", wide=True),
)


@app.command("list")
@leaf
def list_(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="acme")] = "",
    failed: Annotated[bool, typer.Option("--failed", help="only those for which something was given up")] = False,
) -> None:
    """Every ticket, the newest first.

    siems ticket list --failed -q | xargs -n1 siems ticket retry
    """
    show_list(door, door.client.tickets(company=company, failed=failed), COLUMNS)


def _card(k: Item) -> list[str]:
    from siems.present import safe

    lines = [
        f"{k['id']}  {safe(k['key'] or 'being opened')}  {safe(k['state'])}   {safe(k['company'])}, {k['account_id']}",
        f"{k['incident_id']}  {k['incident_state']}  {safe(k['incident_title'])}",
        safe(k["url"]) or "it has no address yet",
        f"linked at {at(k['created_at'])}",
        f"{_standing(k)}" if k["failed"] or k["waiting"] else "both sides agree",
    ]
    if k["waiting"] and k["error"]:
        lines.append(f"last try: {safe(k['error'])}")
    if k["failed"]:
        lines.append(f"try again:  siems ticket retry {k['id']}")
    return lines


@app.command()
@leaf
def show(door: Door, ref: Ref) -> None:
    """One ticket, and what is still to be done to it."""
    show_one(door, door.client.ticket(ref), _card)


def _changed(door: Door, done: Item, word: str) -> None:
    from siems.present import safe

    again = " (dry run, nothing is written)" if door.dry_run else ""

    def line(k: Item) -> list[str]:
        if not k["changed"]:
            return [f"{k['id']}: already so, nothing changed"]
        name = f" {safe(k['key'])}" if k["key"] else ""
        return [f"{k['id']}{name}: {word}{again}  -> {k['incident_id']} {k['incident_state']}"]

    show_one(door, {**done["ticket"], "changed": done["changed"]}, line)


@app.command("open")
@leaf
def open_(door: Door, incident: Incident, account: Account = "") -> None:
    """Make a ticket for an incident, whatever the rules say: siems ticket open INC-12"""
    done = door.client.give_ticket(
        incident, account=account, reason=door.reason, idempotency_key=door.idempotency_key
    )  # fmt: skip
    _changed(door, done, "is being opened")


@app.command()
@leaf
def link(
    door: Door,
    incident: Incident,
    key: Annotated[str, typer.Argument(help="OPS-17, INC0010042")],
    account: Account = "",
) -> None:
    """A ticket that is there already; from now on changes go both ways: siems ticket link INC-12 OPS-17"""
    done = door.client.give_ticket(
        incident, key=key, account=account, reason=door.reason, idempotency_key=door.idempotency_key
    )
    _changed(door, done, "linked")


@app.command()
@leaf
def unlink(door: Door, ref: Ref) -> None:
    """Ticket and incident go their own ways; the ticket itself stays as it is."""
    done = door.client.unlink_ticket(ref, reason=door.reason)
    again = " (dry run, nothing is written)" if door.dry_run else ""
    show_one(door, done, lambda k: [f"{k['id']} {k['key']}: unlinked{again}"])


@app.command()
@leaf
def sync(
    door: Door, ref: Annotated[str, typer.Argument(help="TKT-3 or its key; without it all accounts that you may")] = ""
) -> None:
    """Read it now, and bring it to where the incident stands: siems ticket sync OPS-17"""
    if ref:
        _changed(door, door.client.ticket_act(ref, "sync"), "asked for")
        return
    done = [door.client.ticket_account_act(a["id"], "sync") for a in door.client.ticket_accounts() if not a["paused"]]
    if not done:
        raise errors.NotFound("there is no ticket account", hint="siems ticket account add jira --company ...")
    show_list(door, done, (field("ID", "id"), field("KIND", "kind"), Column("STANDING", lambda a: "asked for")))


@app.command()
@leaf
def retry(door: Door, ref: Ref) -> None:
    """Try once more what was given up: siems ticket retry TKT-3"""
    _changed(door, door.client.ticket_act(ref, "retry", reason=door.reason), "is tried again")
