"""`siems asset list --agent` and `siems asset install-agent`: which machines their cloud can reach."""

from __future__ import annotations

from typing import Any

from siems import errors
from siems.cli.cloud import patient
from siems.cli.context import Door
from siems.cli.show import Column, Item, field, show_list, when

COLUMNS = (
    field("ASSET", "asset", grows=True),
    field("COMPANY", "company_id", drop=4),
    Column("AGENT", lambda a: a["answers"]),
    field("WHY NOT", "why", grows=True),
    field("DO", "fix", grows=True, drop=1),
    field("INSTANCE", "instance_id", drop=5),
    field("REGION", "region", drop=6),
    field("STATE", "state", drop=7),
    when("SEEN", "seen_at", drop=3),
    field("PLATFORM", "platform", wide=True),
    field("VERSION", "version", wide=True),
    field("ACCOUNT", "account_id", wide=True),
)


def list_agents(door: Door, company: str) -> None:
    """Every machine of one client, or of all, and whether it answers to its cloud."""
    client = patient(door)
    names = [company] if company else [c["id"] for c in client.companies()]
    found = [client.agents(name) for name in names]
    for told in found:
        for warning in told["warnings"]:
            door.note(f"warning: {warning}")
    items: list[Item] = [item for told in found for item in told["items"]]
    show_list(door, items, COLUMNS, id="asset")
    answers = sum(item["answers"] == "yes" for item in items)
    unlisted = sum(told["unlisted"] for told in found)
    more = f"; {unlisted} more are in the accounts and no assets yet: siems asset import --aws" if unlisted else ""
    door.note(f"{answers} of {len(items)} answer{more}")


def refused(query: str, critical: bool | None, limit: str) -> None:
    """Raises UsageError: what agents say is asked of the cloud, not of the inventory."""
    if query or critical is not None or limit:
        raise errors.UsageError(
            "--agent lists machines by company only", hint="siems asset list --agent --company acme"
        )


def install(door: Door, company: str, hosts: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = patient(door).install_agents(company, hosts=hosts, reason=door.reason)
    return found
