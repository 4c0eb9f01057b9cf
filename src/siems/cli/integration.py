"""`siems integration`: keys for the tools of a client."""

from __future__ import annotations

from typing import Annotated

import typer

from siems.cli import process
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Item, field, show_list, show_one, when

app = new_app("Integrations: add, list, check.")

COLUMNS = (
    field("ID", "id"),
    field("COMPANY", "company_id"),
    field("TOOL", "tool"),
    field("SIGNING", "signing"),
    field("KEY", "key_hint"),
    when("CREATED", "created_at", drop=2),
    when("REVOKED", "revoked_at", drop=1),
)


@app.command()
@leaf
def add(
    door: Door,
    tool: Annotated[str, typer.Argument(help="generic, alertmanager")],
    company: Annotated[str, typer.Option("--company", help="acme")],
    signing: Annotated[str, typer.Option("--signing", help="required or none; else as the tool can")] = "",
) -> None:
    """A key bound to one tool: siems integration add alertmanager --company acme"""
    made = door.client.add_integration(tool=tool, company=company, signing=signing)
    if door.dry_run:
        made = {key: value for key, value in made.items() if key in ("company_id", "tool", "integration_id")}
        show_one(door, made, lambda m: [f"{m['tool']} of {m['company_id']} would be ready"], id="integration_id")
        return
    show_one(door, made, _steps, id="integration_id")


_SWITCHED = {
    "pagerduty": ("https://events.pagerduty.com", "their routing key or integration key to this API key"),
    "opsgenie": ("https://api.opsgenie.com", "their API key (GenieKey) to this one"),
}
"""Tools whose own API siems answers: where their senders send to, and what else is to be changed."""


def _steps(made: Item) -> list[str]:
    lines = [
        f"{made['tool']} of {made['company_id']} is ready; the key is shown this once.",
        "",
        f"  webhook URL   {made['webhook_url']}",
        f"  API key       {made['api_key']}",
    ]
    if made["hmac_secret"]:
        return [*lines, f"  HMAC secret   {made['hmac_secret']}"]
    if made["tool"] in _SWITCHED:
        host, key = _SWITCHED[made["tool"]]
        base = made["webhook_url"].partition("/api/")[0]
        return [*lines, "", f"tools that send to {host}: change that to", "", f"  {base}", "", f"and {key}."]
    if made["tool"] != "alertmanager":
        return lines
    return [
        *lines,
        "",
        "in alertmanager.yml:",
        "",
        "  receivers:",
        "    - name: siems",
        "      webhook_configs:",
        f"        - url: '{made['webhook_url']}'",
        "          send_resolved: true",
    ]


@app.command("list")
@leaf
def list_(door: Door) -> None:
    """Every key that you may know of; keys themselves are kept as hashes."""
    show_list(door, door.client.integrations(), COLUMNS)


@app.command()
@leaf
def check(
    door: Door, folder: Annotated[str, typer.Argument(help="holds a folder per tool, with bodies as files")]
) -> None:
    """Whether siems understands bodies that your tools have sent: siems integration check ./bodies

    Each file in FOLDER/TOOL/ is one body. Nothing is stored and no daemon is needed.
    """
    from siems.present import bodies

    found, error = process.tried("check-bodies", "--json", "--", folder)
    show_one(door, found, bodies, id="ok")
    if error is not None:
        raise error
