"""`siems asset`: what alerts are about: where it is, what it depends on, and whether it is critical."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.pages import pages
from siems.cli.show import Column, Item, field, show_list, show_one, when

app = new_app("Assets: list, show, create, edit, merge, delete, import.")

Company = Annotated[str, typer.Option("--company", help="acme")]
Name = Annotated[str, typer.Argument(help="the asset's name")]
Critical = Annotated[bool | None, typer.Option("--critical/--not-critical", help="whether it counts more")]
Address = Annotated[list[str], typer.Option("--address", help="IP address or host name; repeat it")]
InstanceId = Annotated[str | None, typer.Option("--instance-id", help="its id in the cloud")]
Account = Annotated[str | None, typer.Option("--cloud-account", help="the account it runs in; for admins")]
PlatformName = Annotated[str | None, typer.Option("--platform", help="linux, windows, network or other")]
CategoryName = Annotated[str | None, typer.Option("--category", help="cpu, memory, disk, network, database ...")]
Notes = Annotated[str | None, typer.Option("--notes", help="for colleagues")]
DependsOn = Annotated[str | None, typer.Option("--depends-on", help="names with commas: db-01,san-01")]

COLUMNS = (
    field("NAME", "name", grows=True),
    field("COMPANY", "company_id"),
    field("CRITICAL", "critical"),
    field("PLATFORM", "platform", drop=3),
    Column("OPEN", lambda a: a["open_incidents"]),
    when("LAST ALERT", "last_seen_at", drop=1),
    field("ADDRESSES", "addresses", grows=True, drop=4),
    field("DEPENDS ON", "depends_on", grows=True, drop=5),
    field("INSTANCE", "instance_id", wide=True),
    field("ACCOUNT", "cloud_account", wide=True),
    field("SOURCE", "source", drop=6),
    when("SEEN", "first_seen_at", wide=True),
)


@app.command("list")
@leaf
def list_(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="only this client's")] = "",
    query: Annotated[str, typer.Option("--query", help="name, address, or field:value; see: siems help query")] = "",
    critical: Annotated[bool | None, typer.Option("--critical/--not-critical", help="only what counts more")] = None,
    limit: Annotated[str, typer.Option("--limit", help="a number, or all")] = "",
    agent: Annotated[bool, typer.Option("--agent", help="which machines their cloud can reach, and why not")] = False,
) -> None:
    """What alerts are about: siems asset list --company acme --critical --query 'platform:linux'

    With --agent the clouds are asked which machines answer: siems asset list --agent --company acme
    """
    if agent:
        from siems.cli.agents import list_agents, refused

        refused(query, critical, limit)
        list_agents(door, company)
        return
    if company:
        company = door.client.company(company)["id"]
    words = (f"#{company}" if company else "", "" if critical is None else f"critical:{str(critical).lower()}")
    text = " ".join(filter(None, (*words, f"({query})" if query else "")))
    found, total = pages(door, "assets", text, limit)
    show_list(door, found, COLUMNS, id="name", total=total)


@app.command()
@leaf
def show(door: Door, name: Name, company: Company) -> None:
    """One asset and what goes on there: siems asset show db-01 --company acme"""
    show_one(door, door.client.asset(company, name), _card, id="name")


def _card(a: Item) -> list[str]:
    from siems.cli.show import at
    from siems.present import safe_lines

    def names(key: str) -> str:
        return ", ".join(a[key])

    told = {
        "company": a["company_id"],
        "critical": "yes" if a["critical"] else "no",
        "addresses": names("addresses"),
        "instance": f"{a['instance_id']}  {a['cloud_account']}".strip(),
        "platform": a["platform"],
        "category": a["category"],
        "depends on": names("depends_on"),
        "needed by": names("needed_by"),
        "open incidents": names("incidents") or "none",
        "last alert": f"{a['last_alert'] or ''}  {at(a['last_seen_at'])}".strip() if a["last_seen_at"] else "never",
        "first seen": at(a["first_seen_at"]),
        "known by": {"discovered": "its alerts", "imported": "an import"}.get(a["source"], "hand"),
        "notes": a["notes"],
    }
    lines = safe_lines(a["name"])
    for label, text in told.items():
        for number, line in enumerate(safe_lines(text) if text else ()):
            lines.append(f"  {label if not number else '':<15} {line}")
    return lines


@app.command()
@leaf
def create(
    door: Door,
    name: Name,
    company: Company,
    critical: Critical = None,
    address: Address = [],  # noqa: B006
    instance_id: InstanceId = None,
    cloud_account: Account = None,
    platform: PlatformName = None,
    category: CategoryName = None,
    notes: Notes = None,
    depends_on: DependsOn = None,
) -> None:
    """An asset that no alert has named yet: siems asset create san-01 --company acme --platform network"""
    said = _said(critical, address, instance_id, cloud_account, platform, category, notes, depends_on)
    show_one(door, door.client.create_asset(company, name, **said, reason=door.reason), _card, id="name")


@app.command()
@leaf
def edit(
    door: Door,
    name: Name,
    company: Company,
    critical: Critical = None,
    address: Address = [],  # noqa: B006
    instance_id: InstanceId = None,
    cloud_account: Account = None,
    platform: PlatformName = None,
    category: CategoryName = None,
    notes: Notes = None,
    depends_on: DependsOn = None,
) -> None:
    """Change what is given: siems asset edit web-01 --company acme --critical --depends-on db-01,san-01

    An incident on a critical asset scores higher. Empty text clears: --depends-on "". Addresses and dependencies are
    replaced as a whole.
    """
    said = _said(critical, address, instance_id, cloud_account, platform, category, notes, depends_on)
    if all(value is None for value in said.values()):
        raise errors.UsageError("nothing was given that could be changed", hint="siems asset edit --help")
    show_one(door, door.client.edit_asset(company, name, **said, reason=door.reason), _card, id="name")


def _said(
    critical: bool | None, address: list[str], instance_id: str | None, cloud_account: str | None,
    platform: str | None, category: str | None, notes: str | None, depends_on: str | None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "critical": critical, "addresses": address or None, "instance_id": instance_id,
        "cloud_account": cloud_account, "platform": platform, "category": category, "notes": notes,
        "depends_on": None if depends_on is None else depends_on.split(","),
    }  # fmt: skip


@app.command()
@leaf
def merge(
    door: Door, name: Name, company: Company, into: Annotated[str, typer.Option("--into", help="the name that stays")]
) -> None:
    """Two names of one thing: siems asset merge web01.acme.local --into web-01 --company acme

    What the one that stays does not say is taken from the other, and what depended on the other depends on it. Alerts
    keep the name that their tool gave, and a new one under the old name brings that back.
    """
    door.ask(f"merge {name} into {into}?", flag="--yes")
    show_one(door, door.client.merge_asset(company, name, into=into, reason=door.reason), _card, id="name")


@app.command()
@leaf
def delete(door: Door, name: Name, company: Company) -> None:
    """Forget an asset until an alert names it again: siems asset delete old-01 --company acme"""
    door.ask(f"delete {name} of {company}?", flag="--yes")
    gone = door.client.delete_asset(company, name, reason=door.reason)
    show_one(door, gone, lambda a: [f"{a['name']} of {a['company_id']} is forgotten"], id="name")


@app.command("install-agent")
@leaf
def install_agent(
    door: Door,
    company: Company,
    host: Annotated[list[str], typer.Option("--host", help="only this asset; repeat it")] = [],  # noqa: B006
    show: Annotated[str, typer.Option("--print", help="user-data or script: the text, and nothing is done")] = "",
    platform: Annotated[str, typer.Option("--platform", help="with --print: linux or windows")] = "linux",
) -> int:
    """Put the agent of AWS Systems Manager where it is missing, by SSH or WinRM; machines elsewhere are registered.

    siems asset install-agent --company acme --dry-run
    siems asset install-agent --company acme --host web-01 --host web-02
    siems asset install-agent --company acme --print user-data > user-data.sh

    Exit 7 when it went wrong on some of them.
    """
    from siems.cli.agents import install

    return install(door, company, host, show, platform)


# --- imports ---------------------------------------------------------------------------------------------------


@app.command("import")
@leaf
def import_(
    door: Door,
    company: Company,
    file: Annotated[str, typer.Argument(help="a CSV file with a header, or - for standard input")] = "",
    aws: Annotated[bool, typer.Option("--aws", help="from EC2 and Systems Manager instead of a file")] = False,
    region: Annotated[list[str], typer.Option("--region", help="with --aws: eu-west-1; repeat it")] = [],  # noqa: B006
    role: Annotated[str, typer.Option("--role", help="with --aws: ARN of a role to take on")] = "",
) -> None:
    """Many assets at once, all or none; what changes is shown first.

    siems asset import acme.csv --company acme --dry-run
    siems asset import --aws --company acme --region eu-west-1

    Columns: name, critical, addresses, instance_id, cloud_account, platform, category, notes, depends_on. Several
    addresses or names in a cell are separated by semicolons. An empty cell leaves what is there, - clears it.
    """
    if aws == bool(file):
        raise errors.UsageError(
            "where do the assets come from?", hint="siems asset import FILE.csv --company acme, or --aws"
        )
    if not aws and (region or role):
        raise errors.UsageError("--region and --role belong to --aws", hint="siems asset import --aws --company acme")
    client, text = door.client, "" if aws else _text(file)
    if aws and door.flags["timeout"] == "10s":
        client.timeout = 180.0  # a cloud takes its time

    def ask() -> dict[str, Any]:
        if aws:
            return client.import_from_aws(company, regions=region, role=role, reason=door.reason)
        return client.import_assets(company, csv=text, reason=door.reason)

    try:
        found = _confirmed(door, ask)
    except errors.InvalidField as refused:
        raise _told(door, refused) from None
    show_one(door, found, lambda f: _outcome(f, dry=door.dry_run), id="changed")


def _text(file: str) -> str:
    """Raises UsageError for a file that cannot be read or is no text."""
    try:
        if file == "-":
            return sys.stdin.buffer.read().decode()
        with open(file, "rb") as handle:
            return handle.read().decode()
    except OSError as why:
        raise errors.UsageError(f"{file} cannot be read ({why.strerror})", hint="name a CSV file, or -") from why
    except UnicodeDecodeError as why:
        raise errors.UsageError(f"{file} is no UTF-8 text", hint="save it as CSV in UTF-8") from why


def _confirmed(door: Door, ask: Any) -> dict[str, Any]:
    """The import; on a terminal only after a look at what it would change."""
    client = door.client
    if door.dry_run or door.yes or not door.interactive:
        if not (door.dry_run or door.yes):
            door.ask("import", flag="--yes, or --dry-run to see what would change")
        found: dict[str, Any] = ask()
        return found
    client.dry_run = True
    plan = ask()
    client.dry_run = False
    if not plan["new"] and not plan["changed"]:
        return dict(plan)
    for line in _outcome(plan, dry=True):
        door.note(line)
    door.ask(f"import {plan['new']} new and {plan['changed']} changed?", flag="--yes")
    done: dict[str, Any] = ask()
    return done | {"changes": []} if not door.json else done


def _outcome(found: Item, *, dry: bool) -> list[str]:
    from siems.present import safe

    lines = []
    for change in found["changes"]:
        lines.append(f"{'+' if change['new'] else '~'} {safe(change['name'])}")
        for key, (before, after) in change["fields"].items():
            was = "" if change["new"] else f"{_shown(before)} -> "
            lines.append(f"    {key}: {was}{_shown(after)}")
    lines += [f"warning: {safe(warning)}" for warning in found["warnings"]]
    said = f"{found['new']} new, {found['changed']} changed, {found['unchanged']} as before"
    return [*lines, f"{said}; nothing was changed, this was a dry run" if dry else said]


def _shown(value: Any) -> str:
    from siems.present import safe

    if isinstance(value, bool):
        return "yes" if value else "no"
    return safe(", ".join(value) if isinstance(value, list) else str(value).replace("\n", " ")) or "nothing"


def _told(door: Door, refused: errors.InvalidField) -> errors.SiemsError:
    """A problem a line for people; scripts get them in one message."""
    head, *problems = refused.message.split("\n")
    if door.json or not problems:
        return refused
    from siems.present import safe

    for problem in problems:
        print(safe(problem), file=sys.stderr)
    return errors.InvalidField(f"{head.rstrip(':')}: see the lines above", hint=refused.hint)
