"""`siems sla`: how fast, per company and severity."""

from __future__ import annotations

from typing import Annotated

import typer

from siems.cli.context import Door, leaf, new_app
from siems.cli.show import field, show_list

app = new_app("SLA: policy show, policy set.")
policy = new_app("Targets per company and severity.")
app.add_typer(policy, name="policy")

Company = Annotated[str, typer.Option("--company", help="acme")]
COLUMNS = (
    field("SEVERITY", "severity"),
    field("RESPONSE_SECONDS", "response_seconds"),
    field("RESOLUTION_SECONDS", "resolution_seconds"),
    field("WARN_SECONDS", "warn_seconds"),
)


@policy.command()
@leaf
def show(door: Door, company: Company) -> None:
    """The targets that new incidents of this client get."""
    show_list(door, door.client.company(company)["sla"], COLUMNS, id="severity")


@policy.command("set")
@leaf
def set_(
    door: Door,
    company: Company,
    severity: Annotated[str, typer.Option("--severity", help="CRITICAL, HIGH, MEDIUM or LOW")],
    response: Annotated[str | None, typer.Option("--response", help="30m")] = None,
    resolution: Annotated[str | None, typer.Option("--resolution", help="4h")] = None,
    warn: Annotated[str | None, typer.Option("--warn", help="so long before a breach")] = None,
) -> None:
    """Change targets; open incidents keep theirs: siems sla policy set --company acme --severity HIGH --response 1h"""
    from siems.cli.times import seconds

    changed = door.client.set_sla(
        company, severity=severity, response_seconds=seconds(response), resolution_seconds=seconds(resolution),
        warn_seconds=seconds(warn), reason=door.reason,
    )  # fmt: skip
    show_list(door, changed["sla"], COLUMNS, id="severity")
