"""`siems alert`: what the tools said, and what was refused."""

from __future__ import annotations

from typing import Annotated

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.pages import how_many, pages
from siems.cli.sending import VERBS
from siems.cli.show import Column, Item, field, show_list, show_one, when

app = new_app("Alerts: list, show, send, replay; with --rejected what was refused and why.")


def _silence(alert: Item) -> str:
    """What keeps it from an incident."""
    return str(alert["suppressed_by"] or "").partition(" ")[0] if alert["status"] == "suppressed" else ""


COLUMNS = (
    when("RECEIVED", "received_at"),
    field("ID", "id"),
    field("SEVERITY", "severity"),
    field("STATUS", "status", drop=2),
    Column("COMPANY", lambda a: a["company_id"], lambda a: str(a["company"]), grows=True, drop=4),
    field("SOURCE", "tool_source", grows=True, drop=5),
    field("ASSET", "asset_name", grows=True),
    field("SIGNATURE", "signature", grows=True, drop=1),
    field("COUNT", "count", drop=6),
    Column("INCIDENT", lambda a: a["incident_id"], lambda a: str(a["incident_id"] or _silence(a))),
    field("MESSAGE", "message", grows=True, drop=3),
    field("SUPPRESSED_BY", "suppressed_by", wide=True),
)
REJECTED = (
    when("AT", "at"),
    field("COMPANY", "company_id", grows=True),
    field("CAUSE", "cause"),
    field("COUNT", "count"),
    field("SOURCE", "source", drop=1),
    field("ADDRESS", "address", drop=2),
    field("DETAIL", "detail", grows=True),
    when("SINCE", "since", drop=3),
)


@app.command("list")
@leaf
def list_(
    door: Door,
    query: Annotated[str, typer.Option("--query", help="see: siems help query")] = "",
    company: Annotated[str, typer.Option("--company", help="acme")] = "",
    since: Annotated[str, typer.Option("--since", help="received within: 1h")] = "",
    rejected: Annotated[
        bool, typer.Option("--rejected", help="deliveries that were refused, with the true cause")
    ] = False,
    limit: Annotated[str, typer.Option("--limit", help="a number, or all")] = "",
) -> None:
    """What arrived, newest first: siems alert list --query 'severity:>=HIGH #acme' --since 1h"""
    if rejected:
        _refused(door, query, company, since, limit)
        return
    words = [f'company:"{company}"' if " " in company else f"company:{company}"] if company else []
    words += [f"received:<{since}"] if since else []
    text = " ".join([f"({query})" if words and query else query, *words]).strip()
    found, total = pages(door, "alerts", text, limit)
    show_list(door, found, COLUMNS, total=total)


def _refused(door: Door, query: str, company: str, since: str, limit: str) -> None:
    from datetime import UTC, datetime

    from siems.clock import rfc3339
    from siems.grammar import parse_span

    if query:
        raise errors.UsageError("--query is for alerts, and what was refused is none", hint="--company acme --since 1h")
    begin = rfc3339(datetime.now(UTC) - parse_span(since)) if since else ""
    items = door.client.rejections(company=company, since=begin, limit=how_many(limit) or 1_000)
    show_list(door, items, REJECTED, id="at")


@app.command()
@leaf
def show(
    door: Door,
    ref: Annotated[str, typer.Argument(help="ALR-1007 or 1007")],
    raw: Annotated[bool, typer.Option("--raw", help="only the body as it came")] = False,
) -> None:
    """One alert: what it says, why it is where it is, and the body it came in."""
    alert = door.client.alert(ref)
    if raw:
        if note := alert.get("raw_note"):
            raise errors.NotFound(f"the body of {alert['id']} is not there: {note}", hint=f"siems alert show {ref}")
        print(alert.get("raw", alert.get("raw_base64", "")))
        return
    show_one(door, alert, _card)


def _card(a: Item) -> list[str]:
    from siems.present import safe

    skip = {"labels", "raw", "raw_base64", "links"}
    lines = [f"{key:<18} {safe(str(value))}" for key, value in a.items() if key not in skip and value is not None]
    lines += [f"label {safe(key)}: {safe(value)}" for key, value in a["labels"].items()]
    return [*lines, *(f"link {safe(link)}" for link in a["links"])]


for command in VERBS:
    app.command()(command)
