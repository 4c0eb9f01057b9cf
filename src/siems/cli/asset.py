"""`siems asset`: what alerts are about, and which of it is critical."""

from __future__ import annotations

from typing import Annotated

import typer

from siems.cli.context import Door, leaf, new_app
from siems.cli.show import field, show_list, show_one, when

app = new_app("Assets: list, edit.")

Company = Annotated[str, typer.Option("--company", help="acme")]
COLUMNS = (
    field("NAME", "name", grows=True),
    field("COMPANY", "company_id"),
    field("CRITICAL", "critical"),
    when("SEEN", "first_seen_at", drop=1),
)


@app.command("list")
@leaf
def list_(door: Door, company: Company) -> None:
    """What this client's alerts were about."""
    show_list(door, door.client.assets(company), COLUMNS, id="name")


@app.command()
@leaf
def edit(
    door: Door,
    name: Annotated[str, typer.Argument(help="the asset's name")],
    company: Company,
    critical: Annotated[bool, typer.Option("--critical/--not-critical", help="whether it counts more")],
) -> None:
    """An incident on a critical asset scores higher: siems asset edit db-01 --company acme --critical"""
    changed = door.client.edit_asset(company, name, critical=critical)
    show_one(door, changed, lambda a: [f"{a['name']}: {'critical' if a['critical'] else 'not critical'}"], id="name")
