"""`siems whatif`: what would happen. Nothing is changed and nobody is told."""

from __future__ import annotations

from typing import Annotated

import typer

from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Item, at, show_one

app = new_app("What would happen: page.")


@app.command()
@leaf
def page(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="acme")],
    severity: Annotated[str, typer.Option("--severity", help="LOW, MEDIUM, HIGH or CRITICAL")] = "HIGH",
    when: Annotated[str, typer.Option("--at", help="'sat 03:00', 2026-03-14T02:00Z; else now")] = "",
) -> None:
    """Who would be told of an incident, when and how, if nobody did anything.

    siems whatif page --company acme --severity HIGH --at "sat 03:00"
    """
    from siems.clock import rfc3339
    from siems.moments import moment

    asked = rfc3339(moment(when)) if when else None
    show_one(door, door.client.what_if(company=company, severity=severity, at=asked), _told)


def _told(w: Item) -> list[str]:
    from siems.present import safe

    lines = [f"a {w['severity']} incident of {w['company_id']} at {at(w['at'])}, by policy {safe(w['policy'])}"]
    lines += [f"  note: {safe(note)}" for note in w["notes"]]
    for step in w["steps"]:
        level = f"level {step['level']}" if step["level"] else ""
        said = " ".join(part for part in (level, safe(step["text"])) if part)
        lines.append(f"{at(step['at'])}  {step['kind']:<7}  {said}")
        for person in step["people"]:
            lines.append(f"    {safe(person['name'])}{'' if person['pages'] else ' (not woken)'}: inbox")
            lines += [f"        {m['channel']} {safe(m['hint'])} at {at(m['at'])}  [{safe(m['why'])}]"
                      for m in person["messages"]]  # fmt: skip
            if person["why"]:
                lines.append(f"        {safe(person['why'])}")
        lines += [f"    calls {safe(url)}" for url in step["webhooks"]]
    return lines
