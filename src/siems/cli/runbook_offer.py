"""The runbooks that match an incident, as its card and its explanation show them."""

from __future__ import annotations

from collections.abc import Sequence

from siems.cli.show import Item


def offered(runbooks: Sequence[Item]) -> list[str]:
    """A line for each: its risk, why it is offered, how often it has helped, and what to type."""
    from siems.present import plural, safe

    lines = []
    for r in runbooks:
        risk = f"{r['risk']} risk" if r["approved"] else f"{r['risk']} risk, content not approved"
        helped = f", fixed this {plural(r['fixed'], 'time')} before" if r["fixed"] else ""
        lines.append(f"runbook {safe(r['name'])}  {risk}, {safe(r['why'])}{helped}:  {safe(r['command'])}")
    return lines
