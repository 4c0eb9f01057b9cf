"""`siems runbook standing|selfheal|rule|access`: what admins decide about runs."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, at, field, show_list, show_one, when

standing = new_app("Approvals that were given in advance: list, grant, revoke.")
selfheal = new_app("What may run by itself: list, set, remove.")
rule = new_app("As which risk a client's runs count: show, set.")
access = new_app("How hosts are logged in to: list, set, remove.")
GROUPS = {"standing": standing, "selfheal": selfheal, "rule": rule, "access": access}

Company = Annotated[str, typer.Option("--company", help="acme; may be left out where you see only one")]
Some = Annotated[str, typer.Option("--company", help="acme")]
Runbook = Annotated[str, typer.Argument(metavar="RUNBOOK", help="as siems runbook list shows it")]
Vars = Annotated[list[str] | None, typer.Option("--var", metavar="K=V", help="a value; again for more")]

STANDING = (
    field("ID", "id"),
    field("STATE", "state"),
    field("RUNBOOK", "runbook", grows=True),
    Column("COMPANY", lambda s: s["company_id"], lambda s: str(s["company"]), grows=True, drop=3),
    Column("TARGETS", lambda s: ",".join(s["targets"]), grows=True),
    field("HOURS", "hours", drop=2),
    when("UNTIL", "expires_at"),
    Column("BY", lambda s: s["granted_by_name"], drop=1),
)
HEALS = (
    field("RUNBOOK", "runbook", grows=True),
    field("STATE", "state", grows=True),
    Column("COMPANY", lambda s: s["company_id"], lambda s: str(s["company"]), grows=True, drop=3),
    field("MATCHERS", "matchers", grows=True),
    field("HOSTS", "max_hosts", drop=2),
    field("PER_DAY", "per_day", drop=2),
    Column("COOL_DOWN", lambda s: f"{s['cool_down_seconds']}s", drop=2),
    Column("RUNS", lambda s: f"{s['succeeded']}/{s['runs']}"),
    Column("BY", lambda s: s["set_by_name"], drop=1),
)
LOGINS = (
    field("EXECUTOR", "executor"),
    Column("COMPANY", lambda s: s["company_id"], lambda s: str(s["company"]), grows=True),
    field("LOGIN", "username", grows=True),
    field("PORT", "port"),
    field("KNOWN_HOSTS", "known_hosts"),
    Column("SECRETS", lambda s: ",".join(s["secrets"])),
    when("CHANGED", "updated_at"),
)


def _owner(door: Door, company: str) -> str:
    from siems.cli.silence import company_of

    return company_of(door, company)


def _again(door: Door) -> str:
    return " (dry run, nothing is written)" if door.dry_run else ""


# --- approvals in advance --------------------------------------------------------------------------------------


@leaf
def list_standing(
    door: Door, company: Some = "", ended: Annotated[bool, typer.Option("--ended", help="those that are over")] = False
) -> None:  # fmt: skip
    """Approvals in advance that are good: siems runbook standing list --company acme"""
    show_list(door, door.client.standing_approvals(company=company, ended=ended), STANDING)


@leaf
def grant(
    door: Door,
    runbook: Runbook,
    target: Annotated[list[str] | None, typer.Option("--target", help="hosts: web-*; again for more")] = None,
    company: Company = "",
    lasts: Annotated[str, typer.Option("--for", help="how long: 30d")] = "",
    until: Annotated[str, typer.Option("--until", help="or until when: 2026-06-30")] = "",
    hours: Annotated[str, typer.Option("--hours", help="22:00-06:00")] = "",
    days: Annotated[str, typer.Option("--days", help="mon,tue,wed")] = "",
    zone: Annotated[str, typer.Option("--tz", help="whose clock the hours go by: Europe/Oslo")] = "UTC",
) -> None:
    """Approve a runbook in advance, as it is now; runs cite it. Once it is changed, this covers nothing.

    siems runbook standing grant restart-service --company acme --target 'web-*' --hours 22:00-06:00 --for 30d
    """
    from siems.clock import rfc3339
    from siems.moments import moment, seconds

    made = door.client.grant_standing(
        idempotency_key=door.idempotency_key, company=_owner(door, company), runbook=runbook, targets=target or [],
        hours=hours, days=days, time_zone=zone, seconds=seconds(lasts or None),
        expires_at=rfc3339(moment(until)) if until else None, confirm=door.flags["confirm"], reason=door.reason,
    )  # fmt: skip
    show_one(door, made, lambda s: [f"{_standing(s)}{_again(door)}"])


def _standing(s: Item) -> str:
    from siems.present import safe

    where = safe(", ".join(s["targets"]))
    return (
        f"{s['id']}: {safe(s['runbook'])} on {where} of {safe(s['company'])}, {s['hours']}, until {at(s['expires_at'])}"
    )


@leaf
def revoke(door: Door, ref: Annotated[str, typer.Argument(metavar="ID", help="SA-3 or 3")]) -> None:
    """It covers nothing any more: siems runbook standing revoke SA-3"""
    done = door.client.revoke_standing(ref, reason=door.reason)
    said = "revoked" if done["changed"] else "over already, nothing changed"
    show_one(door, {**done["standing"], "changed": done["changed"]}, lambda s: [f"{s['id']}: {said}{_again(door)}"])


standing.command("list")(list_standing)
standing.command("grant")(grant)
standing.command("revoke")(revoke)


# --- self-healing ----------------------------------------------------------------------------------------------


@leaf
def list_heals(door: Door, company: Some = "") -> None:
    """What may run by itself, and how it went: siems runbook selfheal list"""
    show_list(door, door.client.self_heals(company=company), HEALS, id="runbook")


@leaf
def set_heal(
    door: Door,
    runbook: Runbook,
    match: Annotated[list[str] | None, typer.Option("--match", help="signature=high_cpu*; again for more")] = None,
    company: Company = "",
    max_hosts: Annotated[int, typer.Option("--max-hosts", help="on so many hosts at once")] = 5,
    per_day: Annotated[int, typer.Option("--per-day", help="so many times a day")] = 10,
    cool_down: Annotated[str, typer.Option("--cool-down", help="not again on the same host within")] = "1h",
    wait: Annotated[str, typer.Option("--wait", help="so long after the incident opened")] = "30s",
    executor: Annotated[str, typer.Option("--executor", help="by this and nothing else")] = "",
    var: Vars = None,
) -> None:
    """Let an approved runbook of low risk run by itself; where its verify step says so, the incident is resolved.

    siems runbook selfheal set high-cpu-fix --company acme --match 'signature=high_cpu*' --match 'asset=web-*'
    """
    from siems.cli.runbook_run import pairs
    from siems.grammar import parse_span

    made = door.client.set_self_heal(
        _owner(door, company), runbook, matchers=match or [], max_hosts=max_hosts, per_day=per_day,
        cool_down_seconds=int(parse_span(cool_down).total_seconds()),
        wait_seconds=int(parse_span(wait).total_seconds()), executor=executor, values=pairs(var or []),
        reason=door.reason,
    )  # fmt: skip
    show_one(door, made, lambda s: [f"{_heal(s)}{_again(door)}"], id="runbook")


def _heal(s: Item) -> str:
    from siems.present import safe

    about = safe(" ".join(s["matchers"]))
    return (
        f"{safe(s['runbook'])} heals {about} of {safe(s['company'])} by itself: {s['max_hosts']} hosts at most,"
        f" {s['per_day']} times a day, the same host after {s['cool_down_seconds']} s"
    )


@leaf
def remove_heal(door: Door, runbook: Runbook, company: Company = "") -> None:
    """It does not run by itself any more: siems runbook selfheal remove high-cpu-fix --company acme"""
    done = door.client.remove_self_heal(_owner(door, company), runbook, reason=door.reason)
    show_one(door, done, lambda d: [f"{d['id']}: runs by itself no more{_again(door)}"])


selfheal.command("list")(list_heals)
selfheal.command("set")(set_heal)
selfheal.command("remove")(remove_heal)


# --- tighter rules ---------------------------------------------------------------------------------------------


def _rule(r: Item) -> list[str]:
    return [f"{r['company_id']}: low counts as {r['low']}, medium as {r['medium']}, high as high"]


@leaf
def show_rule(door: Door, company: Company = "") -> None:
    """As which risk a client's runs count: siems runbook rule show --company acme"""
    show_one(door, door.client.run_rule(_owner(door, company)), _rule, id="company_id")


@leaf
def set_rule(
    door: Door,
    company: Company = "",
    low: Annotated[str, typer.Option("--low", help="low, medium or high")] = "",
    medium: Annotated[str, typer.Option("--medium", help="medium or high")] = "",
) -> None:
    """Ask for more approval than runbooks need, never for less: siems runbook rule set --company acme --low medium"""
    if not low and not medium:
        raise errors.UsageError("what counts as what?", hint="--low medium, or --medium high")
    owner = _owner(door, company)
    if low and not medium:
        medium = max(low, door.client.run_rule(owner)["medium"], key=("low", "medium", "high").index)
    done = door.client.set_run_rule(owner, low=low, medium=medium, reason=door.reason)
    show_one(door, done, lambda r: [f"{line}{_again(door)}" for line in _rule(r)], id="company_id")


rule.command("show")(show_rule)
rule.command("set")(set_rule)


# --- how hosts are reached -------------------------------------------------------------------------------------


@leaf
def list_access(door: Door, company: Some = "") -> None:
    """How executors log in, without what with: siems runbook access list"""
    show_list(door, door.client.host_logins(company=company), LOGINS, id="executor")


@leaf
def set_access(
    door: Door,
    executor: Annotated[str, typer.Argument(metavar="EXECUTOR", help="ssh or winrm")],
    company: Company = "",
    login: Annotated[str, typer.Option("--login", help="who logs in there")] = "",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="another port than the usual one")] = 0,
    key_file: Annotated[str, typer.Option("--key-file", metavar="F|-", help="a private key")] = "",
    passphrase_file: Annotated[str, typer.Option("--passphrase-file", metavar="F|-", help="of that key")] = "",
    password_file: Annotated[str, typer.Option("--password-file", metavar="F|-", help="a password")] = "",
    known_hosts: Annotated[str, typer.Option("--known-hosts", metavar="F|-", help="the keys of the hosts")] = "",
    option: Annotated[list[str] | None, typer.Option("--option", metavar="K=V", help="windows=yes")] = None,
) -> None:
    """How a client's hosts are logged in to. Secrets are read from files, kept encrypted, and never shown.

    ssh-keyscan web-1 web-2 > hosts
    siems runbook access set ssh --company acme --login ops --key-file id_ed25519 --known-hosts hosts
    """
    from siems.cli.runbook_run import pairs

    files = {"private_key": key_file, "passphrase": passphrase_file, "password": password_file}
    secrets = {name: _text(file, strip=name != "private_key") for name, file in files.items() if file}
    ask: dict[str, Any] = {"username": login or None, "port": port or None, "secrets": secrets}
    ask |= {"options": pairs(option or []), "reason": door.reason}
    ask["known_hosts"] = _text(known_hosts) if known_hosts else None
    made = door.client.set_host_login(_owner(door, company), executor, **ask)
    show_one(door, made, lambda s: [f"{_access(s)}{_again(door)}"], id="executor")


def _text(file: str, *, strip: bool = False) -> str:
    try:
        text = sys.stdin.read() if file == "-" else open(file).read()  # noqa: SIM115
    except (OSError, UnicodeDecodeError) as why:
        raise errors.UsageError(f"{file} cannot be read ({why})", hint="name a file, or - for stdin") from why
    return text.strip() if strip else text


def _access(s: Item) -> str:
    from siems.present import safe

    secrets = ", ".join(s["secrets"]) or "no secret"
    return (
        f"{s['executor']} of {safe(s['company'])}: as {safe(s['username'])}, {secrets}, {s['known_hosts']} known hosts"
    )


@leaf
def remove_access(
    door: Door,
    executor: Annotated[str, typer.Argument(metavar="EXECUTOR", help="ssh or winrm")],
    company: Company = "",
) -> None:
    """Forget it, secrets and all: siems runbook access remove ssh --company acme --yes"""
    owner = _owner(door, company)
    door.ask(f"forget how {executor} reaches the hosts of {owner}?", flag="--yes")
    done = door.client.remove_host_login(owner, executor, reason=door.reason)
    show_one(door, done, lambda d: [f"{d['id']}: forgotten{_again(door)}"])


access.command("list")(list_access)
access.command("set")(set_access)
access.command("remove")(remove_access)
