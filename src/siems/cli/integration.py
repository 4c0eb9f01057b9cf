"""`siems integration`: keys for the tools of clients, and how each tool is set up."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from siems import errors
from siems.cli import browser, process
from siems.cli.context import Door, leaf, new_app
from siems.cli.secrets import Expires, Networks, SecretFile, SecretsFile
from siems.cli.show import Column, Item, field, show_list, show_one, when

app = new_app("Integrations: set up, list, show, add, edit, rotate, revoke, map, tools, check.")

Ref = Annotated[str, typer.Argument(help="int-acme-zabbix-3")]
Company = Annotated[str, typer.Option("--company", help="acme; msp for one of many clients")]
Tool = Annotated[str, typer.Argument(help="zabbix, generic ...; siems integration tools lists them")]
RulesFile = Annotated[
    str, typer.Option("--rules-file", help="email: what is made of single messages, as JSON; - for standard input")
]
Rate = Annotated[str, typer.Option("--rate", help="its own instead of the company's: 600/min")]


def _last(item: Item) -> str:
    """What came last: an alert, a message without one, or something that was refused."""
    seen, refused = item["last_seen_at"] or "", item["refused_at"] or ""
    if item["queue"] and item["queue"]["error"]:
        return f"failing: {item['queue']['error']}"
    return (
        "" if not (seen or refused) else item["last_kind"] if seen >= refused else f"refused: {item['refused_cause']}"
    )


def _state(item: Item) -> str:
    from datetime import UTC, datetime

    if item["revoked_at"]:
        return "revoked"
    ends = item["expires_at"]
    if ends and datetime.fromisoformat(ends) <= datetime.now(UTC):
        return "expired"
    return "rotating" if item["old_keys"] else "active"


COLUMNS = (
    field("ID", "id"),
    field("COMPANY", "company_id", drop=5),
    field("TOOL", "tool", drop=6),
    field("NAME", "name", grows=True, drop=2),
    field("SIGNING", "signing", drop=3),
    field("KEY", "key_hint", drop=4),
    Column("STATE", _state),
    when("LAST SEEN", "last_seen_at"),
    Column("LAST", _last, grows=True),
    when("EXPIRES", "expires_at", wide=True),
    when("CREATED", "created_at", wide=True),
)
TOOLS = (
    field("TOOL", "name"),
    field("TITLE", "title", grows=True),
    Column("SIGNS", lambda t: t["signs"] or ("by Amazon" if t["proves"] else "no"), grows=True),
    field("CLIENT FIELD", "tenant", drop=1),
    Column("ALSO", lambda t: ", ".join(t["aliases"]), drop=2),
)


@app.command()
@leaf
def setup(
    door: Door,
    tool: Tool,
    company: Company,
    what: Annotated[str, typer.Option("--print", help="only this: url, key-id, env, curl or steps")] = "steps",
    rotate: Annotated[
        bool, typer.Option("--rotate", help="replace a key that is there, to be able to show it")
    ] = False,
    browse: Annotated[bool, typer.Option("--open", help="and the tool's own page about it, in a browser")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="wait for the first message; 9 when none comes")] = False,
    wait: Annotated[str, typer.Option("--wait", help="so long: 60s")] = "60s",
) -> None:
    """How to make a tool send here, with everything filled in: siems integration setup zabbix --company acme --verify

    Makes the key when there is none.
    """
    from siems.cli.ways import PRINTS, heard, marks, printed, steps, wait_for_first
    from siems.moments import seconds

    if what not in PRINTS:
        raise errors.UsageError(f"there is nothing called {what!r} to print", hint=f"one of: {', '.join(PRINTS)}")
    limit = seconds(wait) or 60
    made = _made(door, tool, company, rotate=rotate)
    if door.dry_run:
        show_one(door, made, lambda m: [f"{m['tool']} of {m['company_id']} would be set up"], id="company_id")
        return
    before = marks(door.client.integration(made["integration_id"])) if verify else None
    if what != "steps":
        print(printed(made, what), end="", flush=True)
    elif not verify or not door.json:
        show_one(door, made, steps, id="integration_id")
    if browse:
        browser.show(door, made["setup"]["docs"])
    if verify:
        found = wait_for_first(door, made["integration_id"], limit, since=before)
        if what == "steps":
            show_one(door, found, lambda f: ["", *heard(f)])


def _made(door: Door, tool: str, company: str, *, rotate: bool) -> Item:
    """The integration of a client for a tool: the one that is there, else a new one."""
    from siems.cli.ways import TRIAL

    name = door.client.tool(tool)["name"]
    wanted = "msp" if company.lower() == "msp" else door.client.company(company)["id"]
    there = [
        i for i in door.client.integrations()
        if i["company_id"] == wanted and i["tool"] == name and _state(i) in ("active", "rotating")
        and i["name"] != TRIAL
    ]  # fmt: skip
    if not there:
        return door.client.add_integration(tool=name, company=company, reason=door.reason)
    ref = there[0]["id"]
    if rotate:
        return door.client.rotate_integration(ref, reason=door.reason)
    return door.client.integration_setup(ref)


@app.command()
@leaf
def add(
    door: Door,
    tool: Tool,
    company: Company,
    name: Annotated[str, typer.Option("--name", help="what people call it")] = "",
    sign: Annotated[bool | None, typer.Option("--sign/--no-sign", help="take signed requests only")] = None,
    secret_file: SecretFile = "",
    rate: Rate = "",
    allow_cidr: Networks = None,
    key_expires: Expires = "",
    tenant_field: Annotated[
        str, typer.Option("--tenant-field", help="with --company msp: the field of the body that names the client")
    ] = "",
    secrets_file: SecretsFile = "",
    rules_file: RulesFile = "",
    queue_url: Annotated[str, typer.Option("--queue-url", help="sqs: the queue that siems empties")] = "",
    source: Annotated[str, typer.Option("--source", help="sqs: the tool whose messages are in it")] = "aws-cloudwatch",
    region: Annotated[str, typer.Option("--region", help="sqs: where the queue is, unless its URL says so")] = "",
    role_arn: Annotated[str, typer.Option("--role-arn", help="sqs: a role to take on for it")] = "",
    external_id: Annotated[str, typer.Option("--external-id", help="sqs: what the role asks for")] = "",
) -> None:
    """A key bound to one tool: siems integration add alertmanager --company acme --allow-cidr 192.0.2.0/24

    `add email` makes an address, `add sqs --queue-url URL` has a queue of AWS emptied.
    """
    from siems.cli.company import parse_rate
    from siems.cli.keys import ending, secretly
    from siems.cli.secrets import read_secret
    from siems.cli.ways import read_rules

    queue = {"url": queue_url, "region": region, "role_arn": role_arn, "external_id": external_id, "source": source}

    ask: dict[str, Any] = {
        "tool": tool, "company": company, "name": name, "sign": sign, "secret": read_secret(secret_file),
        "rate_per_minute": parse_rate(rate), "networks": allow_cidr or None, "expires_at": ending(key_expires),
        "tenant_field": tenant_field, "reason": door.reason, "rules": read_rules(rules_file),
        "queue": queue if queue_url else None,
    }  # fmt: skip
    secretly(door, secrets_file, lambda: door.client.add_integration(**ask))


@app.command()
@leaf
def edit(
    door: Door,
    ref: Ref,
    name: Annotated[str | None, typer.Option("--name", help="what people call it")] = None,
    rate: Annotated[str, typer.Option("--rate", help="600/min, or default for the company's")] = "",
    allow_cidr: Annotated[
        list[str] | None, typer.Option("--allow-cidr", help="only from there, instead of before; any for everywhere")
    ] = None,
    key_expires: Annotated[str, typer.Option("--key-expires", help="90d, 2027-01-31, or never")] = "",
    rules_file: RulesFile = "",
) -> None:
    """Change what is given: siems integration edit int-acme-zabbix-3 --allow-cidr 192.0.2.0/24 --rate 600/min"""
    from siems.cli.company import parse_rate
    from siems.cli.keys import ending
    from siems.cli.ways import read_rules

    never = key_expires == "never"
    networks = [] if allow_cidr == ["any"] else allow_cidr
    done = door.client.edit_integration(
        ref, name=name, rate_per_minute=0 if rate == "default" else parse_rate(rate), networks=networks,
        expires_at=None if never else ending(key_expires), never_expires=never, reason=door.reason,
        rules=read_rules(rules_file),
    )  # fmt: skip
    show_one(door, done, lambda d: [f"{d['integration_id']}: {'changed' if d['changed'] else 'as it was'}"],
             id="integration_id")  # fmt: skip


@app.command("list")
@leaf
def list_(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="only of this client")] = "",
    tools_: Annotated[bool, typer.Option("--tools", help="the tools that siems reads, instead")] = False,
) -> None:
    """Every key that you may know of, and what it sent last; keys themselves are kept as hashes."""
    if tools_:
        show_list(door, door.client.tools(), TOOLS, id="name")
        return
    found = door.client.integrations()
    if company:
        wanted = "msp" if company.lower() == "msp" else door.client.company(company)["id"]
        found = [item for item in found if item["company_id"] == wanted]
    show_list(door, found, COLUMNS)


@app.command()
@leaf
def tools(door: Door, name: Annotated[str, typer.Argument(help="only this one, with its steps")] = "") -> None:
    """The tools that siems reads, and how each signs: siems integration tools zabbix"""
    if not name:
        show_list(door, door.client.tools(), TOOLS, id="name")
        return
    from siems.cli.ways import tool_card

    show_one(door, door.client.tool(name), tool_card, id="name")


@app.command()
@leaf
def show(door: Door, ref: Ref) -> None:
    """One integration: what it may do, and what it sent last."""
    from siems.cli.ways import card

    show_one(door, door.client.integration(ref), card)


@app.command()
@leaf
def rotate(
    door: Door,
    ref: Ref,
    what: Annotated[str, typer.Option("--what", help="key, hmac or both; without it what the tool can change")] = "",
    overlap: Annotated[str, typer.Option("--overlap", help="how long the old ones are still taken")] = "24h",
    secret_file: SecretFile = "",
    key_expires: Expires = "",
    secrets_file: SecretsFile = "",
) -> None:
    """A new key, a new secret or both: siems integration rotate int-acme-zabbix-3 --overlap 24h"""
    from siems.cli.keys import ending, rotated
    from siems.cli.secrets import read_secret

    rotated(door, ref, what=what, overlap=overlap, secrets_file=secrets_file, secret=read_secret(secret_file),
            expires_at=ending(key_expires))  # fmt: skip


@app.command()
@leaf
def revoke(
    door: Door,
    ref: Ref,
    old: Annotated[bool, typer.Option("--old", help="only what was replaced and is still taken")] = False,
) -> None:
    """End a key at once and for good: siems integration revoke int-acme-zabbix-3 --confirm int-acme-zabbix-3"""
    from siems.cli.keys import revoked

    revoked(door, ref, old=old)


@app.command("map")
@leaf
def map_(
    door: Door,
    ref: Ref,
    value: Annotated[str, typer.Argument(help="what the field of the body says")],
    company: Annotated[str, typer.Option("--company", help="acme")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="it stands for nobody any more")] = False,
) -> None:
    """Which client a value stands for: siems integration map int-msp-ninjaone-4 77 --company acme"""
    if bool(company) == remove:
        raise errors.UsageError("which client does it stand for?", hint="--company acme, or --remove")
    done = door.client.map_tenant(ref, value, company or None, reason=door.reason)
    who = f"is {company}" if company else "is nobody"
    show_one(door, done, lambda d: [f"{d['integration_id']}: {value} {who}{'' if d['changed'] else ', as before'}"],
             id="integration_id")  # fmt: skip


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
