"""`siems asset list --agent` and `siems asset install-agent`: which machines their cloud can reach."""

from __future__ import annotations

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


STEPS = (
    field("ASSET", "asset", grows=True),
    Column("BY", lambda s: s["path"]),
    Column("DONE", lambda s: {True: "yes", False: "NO", None: ""}[s["done"]]),
    field("WHY", "why", grows=True, drop=1),
    field("OUTPUT", "output", grows=True, drop=2),
    field("PLATFORM", "platform", drop=3),
)


def install(door: Door, company: str, hosts: list[str], show: str, platform: str) -> int:
    """The plan; then, once somebody said yes, what became of it. 7 when it went wrong on some."""
    client = patient(door)
    client.timeout = max(client.timeout, LONG)
    client.dry_run = True
    plan = client.install_agents(company, hosts=hosts)
    client.dry_run = door.dry_run
    if show:
        texts = plan["user_data" if show == "user-data" else "scripts"]
        if show not in ("user-data", "script") or platform not in texts:
            hint = "--print user-data --platform windows"
            raise errors.UsageError("--print takes user-data or script, --platform linux or windows", hint=hint)
        print(texts[platform], end="")
        return 0
    for warning in plan["warnings"]:
        door.note(f"warning: {warning}")
    able = [step for step in plan["items"] if step["path"] in ("ssh", "winrm")]
    if door.dry_run or not able:
        show_list(door, plan["items"], STEPS, id="asset")
        again = "; this was a dry run" if door.dry_run else ""
        door.note(f"{len(able)} of {len(plan['items'])} could get it from here{again}")
        return 0 if able or not plan["items"] else 9
    names = ", ".join(step["asset"] for step in able)
    door.ask(f"install the agent of AWS on {len(able)} machines of {company} ({names})?", flag="--yes")
    done = client.install_agents(company, hosts=[step["asset"] for step in able], reason=door.reason)
    show_list(door, done["items"], STEPS, id="asset")
    return 0 if all(step["done"] for step in done["items"]) else 7


LONG = 660.0
