"""What admins decide about runs: approvals in advance, what heals by itself, tighter rules, how hosts are reached."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from siems.clock import to_micros
from siems.domain.events import Recorded
from siems.domain.matchers import parse
from siems.domain.permissions import Actor, Permission, missing, require
from siems.domain.run import RunRule, higher
from siems.domain.runbook_values import values
from siems.domain.self_heal import HealRule, checked
from siems.domain.standing import LONGEST, MOST_TARGETS, Standing, hours_from
from siems.errors import Conflict, InvalidField
from siems.services import runbooks
from siems.services.run_access import WAYS, login_row
from siems.storage import tables as t
from siems.storage.repositories.runs import rule_of
from siems.storage.run_rows import standing_from
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import Vault
from siems.vocabulary import MSP, Risk
from siems.wire import HealAsk, HostLoginAsk, RunRuleAsk, StandingAsk

SECRETS = ("password", "private_key", "passphrase")
LOGS_IN = ("ssh", "winrm")
_OWN = Permission.RUN_SETTINGS


# --- approvals in advance --------------------------------------------------------------------------------------


def grant(uow: UnitOfWork, actor: Actor, company_id: str, ask: StandingAsk) -> Standing:
    """Approve a runbook in advance, as it is now. Raises InvalidField, NotFound, Forbidden."""
    require(actor, _OWN, company_id, what=company_id)
    found = runbooks.find(uow.connection, company_id, ask.runbook)
    if not found.approved:
        raise Conflict(
            f"the content of {found.runbook.name} has not been approved",
            hint=f"siems runbook approve-content {found.runbook.name}",
        )
    if found.effective_risk is Risk.HIGH and ask.confirm.strip() != company_id:
        raise InvalidField(
            f"{found.runbook.name} is of high risk: type the id of the company", hint=f"--confirm {company_id}"
        )
    targets = tuple(dict.fromkeys(word.strip() for word in ask.targets if word.strip()))
    if not targets or len(targets) > MOST_TARGETS or any(len(word) > 255 for word in targets):
        raise InvalidField(f"say for which hosts, in at most {MOST_TARGETS} names", hint="--target 'web-*'")
    if (ask.expires_at is None) == (ask.seconds is None):
        raise InvalidField("it has to end some day", hint="--for 30d, or --until 2026-06-30")
    if ask.expires_at is not None and ask.expires_at.tzinfo is None:
        raise InvalidField("expires_at has no time zone", hint="write it like 2026-03-10T14:00:00Z")
    end = ask.expires_at or uow.now + timedelta(seconds=min(ask.seconds or 0, 1 << 31))
    if not timedelta(0) < end - uow.now <= LONGEST:
        raise InvalidField("it ends within a year, and not before now", hint="--for 30d")
    standing = Standing(
        id=uow.next_number("standing"), company_id=company_id, runbook=found.runbook.name,
        digest=found.runbook.digest, targets=targets, hours=hours_from(ask.hours, ask.days, ask.time_zone),
        reason=ask.reason.strip()[:1_000], granted_by=actor.id, granted_at=uow.now, expires_at=end,
    )  # fmt: skip
    uow.runs.put_standing(standing)
    _record(uow, actor, "standing.granted", company_id, standing.ref, ask.reason, _told(standing))
    return standing


def _told(s: Standing) -> dict[str, Any]:
    return {
        "runbook": s.runbook, "digest": s.digest, "targets": list(s.targets), "hours": str(s.hours),
        "expires_at": s.expires_at.isoformat(),
    }  # fmt: skip


def revoke(uow: UnitOfWork, actor: Actor, company_id: str, number: int, reason: str) -> tuple[Standing, bool]:
    """It covers nothing any more. (The approval, whether this changed it.)"""
    require(actor, _OWN, company_id, what=f"SA-{number}")
    found = find_standing(uow.connection, number)
    if found is None:
        raise missing(f"SA-{number}")
    if found.revoked_at is not None:
        return found, False
    after = replace(found, revoked_by=actor.id, revoked_at=uow.now)
    uow.runs.put_standing(after)
    _record(uow, actor, "standing.revoked", company_id, after.ref, reason, {"runbook": after.runbook})
    return after, True


def find_standing(connection: Connection, number: int) -> Standing | None:
    """An approval in advance, whether it is good or over."""
    row = connection.execute(t.standing_approval.select().where(t.standing_approval.c.id == number)).first()
    return None if row is None else standing_from(row)


# --- what heals by itself --------------------------------------------------------------------------------------


def set_heal(uow: UnitOfWork, actor: Actor, company_id: str, runbook: str, ask: HealAsk) -> HealRule:
    """Let an approved LOW runbook run by itself, as it is now. Raises InvalidField, Conflict, NotFound."""
    require(actor, _OWN, company_id, what=company_id)
    found = runbooks.find(uow.connection, company_id, runbook)
    name = found.runbook.name
    risk = rule_of(uow.connection, company_id).counts_as(found.effective_risk)
    if risk is not Risk.LOW or not found.approved:
        raise Conflict(
            f"{name} counts as {risk.value} risk: only LOW runs by itself", hint=f"siems runbook show {name}"
        )
    if secret := [p.name for p in found.runbook.parameters if p.secret]:
        raise Conflict(f"{name} takes a secret ({secret[0]}), so it does not run by itself")
    executor = ask.executor.strip().lower()
    if executor and executor not in WAYS:
        raise InvalidField(f"there is no executor {executor[:32]!r}", hint=f"one of: {', '.join(WAYS)}")
    rule = checked(
        HealRule(
            company_id=company_id, runbook=name, digest=found.runbook.digest, matchers=parse(ask.matchers),
            max_hosts=ask.max_hosts, per_day=ask.per_day, cool_down=_seconds(ask.cool_down_seconds),
            wait=_seconds(ask.wait_seconds), executor=executor, values=values(found.runbook, ask.values),
            set_by=actor.id, set_at=uow.now,
        )
    )  # fmt: skip
    uow.runs.put_heal(rule)
    details = {"matchers": [str(m) for m in rule.matchers], "max_hosts": rule.max_hosts, "per_day": rule.per_day}
    _record(uow, actor, "self_heal.set", company_id, name, ask.reason, details | {"digest": rule.digest})
    return rule


def _seconds(number: int) -> timedelta:
    return timedelta(seconds=max(-1, min(number, 1 << 31)))


def remove_heal(uow: UnitOfWork, actor: Actor, company_id: str, runbook: str, reason: str) -> None:
    """It does not run by itself any more."""
    require(actor, _OWN, company_id, what=company_id)
    rule = uow.company(company_id).heals.get(runbook)
    if rule is None:
        raise missing(f"self-healing by {runbook[:64]!r}")
    uow.runs.drop_heal(rule)
    _record(uow, actor, "self_heal.removed", company_id, runbook, reason, {})


# --- tighter rules ---------------------------------------------------------------------------------------------


def set_rule(uow: UnitOfWork, actor: Actor, company_id: str, ask: RunRuleAsk) -> RunRule:
    """As which risk runs count here; never as less than what they are. Raises InvalidField."""
    require(actor, _OWN, company_id, what=company_id)
    before = rule_of(uow.connection, company_id)
    after = RunRule(_risk("low", ask.low, before.low), _risk("medium", ask.medium, before.medium))
    if higher(after.medium, Risk.MEDIUM) is not after.medium or higher(after.low, after.medium) is not after.medium:
        raise InvalidField("a company can ask for more, never for less", hint="--low medium --medium high")
    uow.runs.put_rule(company_id, after, actor.id)
    details = {"before": [before.low, before.medium], "after": [after.low, after.medium]}
    _record(uow, actor, "run_rule.set", company_id, company_id, ask.reason, details)
    return after


def _risk(name: str, word: str | None, before: Risk) -> Risk:
    if word is None:
        return before
    try:
        return Risk(word.strip().lower())
    except ValueError as why:
        raise InvalidField(f"{name} counts as low, medium or high, not as {word[:40]!r}") from why


# --- how hosts are reached -------------------------------------------------------------------------------------


def set_login(uow: UnitOfWork, actor: Actor, company_id: str, executor: str, ask: HostLoginAsk, vault: Vault) -> None:
    """How an executor logs in to a company's hosts. Raises InvalidField."""
    require(actor, _OWN, company_id, what=company_id)
    if executor not in LOGS_IN:
        raise InvalidField(f"{executor[:32]!r} does not log in by this", hint=f"one of: {', '.join(LOGS_IN)}")
    row: Any = login_row(uow.connection, company_id, executor)
    kept: dict[str, str] = json.loads(vault.unseal(row.secret)) if row is not None and row.secret else {}
    if strange := sorted(set(ask.secrets) - set(SECRETS)):
        raise InvalidField(f"there is no secret {strange[0][:32]!r}", hint=f"one of: {', '.join(SECRETS)}")
    kept = {name: value for name, value in {**kept, **ask.secrets}.items() if value}
    username = ask.username if ask.username is not None else (row.username if row is not None else "")
    if not username.strip() or len(username) > 255 or not username.isprintable() or " " in username.strip():
        raise InvalidField("who logs in there?", hint="--login NAME")
    port = ask.port if ask.port is not None else (row.port if row is not None else 0)
    if not 0 <= port <= 65535:
        raise InvalidField(f"{port} is no port")
    known = ask.known_hosts if ask.known_hosts is not None else (row.known_hosts if row is not None else "")
    options = {**(json.loads(row.options) if row is not None else {}), **ask.options}
    if executor == "ssh" and not known.strip():
        raise InvalidField(
            "without the keys of the hosts nobody can tell whether it is them",
            hint="ssh-keyscan web-1 > hosts; look at it; then  --known-hosts hosts",
        )
    uow.run(
        "INSERT INTO host_login (company_id, executor, username, port, secret, known_hosts, options, updated_by,"
        " updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (company_id, executor) DO UPDATE SET"
        " username = excluded.username, port = excluded.port, secret = excluded.secret,"
        " known_hosts = excluded.known_hosts, options = excluded.options, updated_by = excluded.updated_by,"
        " updated_at = excluded.updated_at",
        [
            (
                company_id, executor, username.strip(), port, vault.seal(json.dumps(kept)), known,
                json.dumps(_words(options)), actor.id, to_micros(uow.now),
            )
        ],
    )  # fmt: skip
    details = {"executor": executor, "username": username, "port": port, "secrets": sorted(kept)}
    _record(uow, actor, "host_login.set", company_id, f"{company_id}/{executor}", ask.reason, details)


def _words(options: Mapping[str, str]) -> dict[str, str]:
    if len(options) > 32 or any(len(n) > 64 or len(v) > 1_000 for n, v in options.items()):
        raise InvalidField("these are too many options, or too long ones")
    return {name: value for name, value in options.items() if value}


def remove_login(uow: UnitOfWork, actor: Actor, company_id: str, executor: str, reason: str) -> None:
    """What was kept is gone, and its hosts are not reached by this any more."""
    require(actor, _OWN, company_id, what=company_id)
    if login_row(uow.connection, company_id, executor) is None:
        raise missing(f"login for {executor[:32]!r}")
    uow.run("DELETE FROM host_login WHERE company_id = ? AND executor = ?", [(company_id, executor)])
    _record(uow, actor, "host_login.removed", company_id, f"{company_id}/{executor}", reason, {"executor": executor})


def _record(
    uow: UnitOfWork, actor: Actor, type: str, company_id: str, object: str, reason: str, details: Mapping[str, Any]
) -> None:  # fmt: skip
    assert company_id != MSP or actor.sees(MSP)
    uow.emit(
        Recorded(type=type, actor=actor, company_id=company_id, object=object, reason=reason, details=dict(details))
    )
