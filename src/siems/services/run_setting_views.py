"""Looking up what was decided about runs: approvals in advance, self-healing, rules, logins."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.domain.run import RunRule, RunState
from siems.domain.self_heal import HealRule
from siems.domain.standing import Standing
from siems.errors import NotFound
from siems.services import runbooks
from siems.services.filters import in_scope
from siems.services.queries import number_of
from siems.services.run_settings import find_standing
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.repositories.runs import rule_of
from siems.storage.run_rows import heal_from, standing_from
from siems.storage.vault import Vault
from siems.vocabulary import Risk
from siems.wire import HealView, HostLoginView, RunRuleView, StandingView


def list_standing(
    connection: Connection, actor: Actor, now: datetime, company_id: str | None, *, ended: bool
) -> list[StandingView]:  # fmt: skip
    """Approvals in advance that are good; with `ended` those that are over, the newest first."""
    require_role(actor, Permission.RUN)
    s = t.standing_approval.c
    where: list[Any] = [in_scope(s.company_id, actor)]
    if company_id is not None:
        where.append(s.company_id == company_id)
    rows = connection.execute(select(t.standing_approval).where(*where).order_by(s.id.desc()))
    names = load_names(connection)
    found = [standing_from(row) for row in rows]
    return [standing_view(one, names, now) for one in found if one.alive(now) != ended]


def standing_named(connection: Connection, ref: str, actor: Actor) -> Standing:
    """Raises NotFound for what is not there and for what the reader may not know of."""
    number = number_of(ref, "SA")
    found = find_standing(connection, number)
    if found is None:
        raise missing(f"SA-{number}")
    require(actor, Permission.RUN, found.company_id, what=f"SA-{number}")
    return found


def standing_view(s: Standing, names: Names, now: datetime) -> StandingView:
    state = "revoked" if s.revoked_at is not None else "good" if now < s.expires_at else "expired"
    return StandingView(
        id=s.ref, company_id=s.company_id, company=names.companies.get(s.company_id, s.company_id),
        runbook=s.runbook, digest=s.digest, targets=list(s.targets), hours=str(s.hours), reason=s.reason,
        granted_by=s.granted_by, granted_by_name=names.users.get(s.granted_by, s.granted_by),
        granted_at=s.granted_at, expires_at=s.expires_at, state=state,
    )  # fmt: skip


def list_heals(connection: Connection, actor: Actor, company_id: str | None) -> list[HealView]:
    """What may run by itself, by company and runbook."""
    require_role(actor, Permission.RUN)
    s = t.self_heal.c
    where: list[Any] = [in_scope(s.company_id, actor)]
    if company_id is not None:
        where.append(s.company_id == company_id)
    rows = connection.execute(select(t.self_heal).where(*where).order_by(s.company_id, s.runbook))
    names = load_names(connection)
    return [heal_view(connection, heal_from(row), names) for row in rows.all()]


def heal_view(connection: Connection, rule: HealRule, names: Names) -> HealView:
    """One rule, with how often it has run and succeeded."""
    r = t.run.c
    rows = connection.execute(
        select(r.state, func.count())
        .where(
            r.company_id == rule.company_id, r.runbook == rule.runbook, r.heals.is_(True), r.rollback_of.is_(None)
        )
        .group_by(r.state)
    )  # fmt: skip
    counts = {state: int(count) for state, count in rows}
    return HealView(
        company_id=rule.company_id, company=names.companies.get(rule.company_id, rule.company_id),
        runbook=rule.runbook, matchers=[str(m) for m in rule.matchers], max_hosts=rule.max_hosts,
        per_day=rule.per_day, cool_down_seconds=int(rule.cool_down.total_seconds()),
        wait_seconds=int(rule.wait.total_seconds()), executor=rule.executor, values=dict(rule.values),
        set_by=rule.set_by, set_by_name=names.users.get(rule.set_by, rule.set_by), set_at=rule.set_at,
        state=_heal_state(connection, rule), runs=sum(counts.values()),
        succeeded=counts.get(RunState.SUCCEEDED.value, 0),
    )  # fmt: skip


def _heal_state(connection: Connection, rule: HealRule) -> str:
    try:
        found = runbooks.find(connection, rule.company_id, rule.runbook)
    except NotFound:
        return "the runbook is gone"
    if found.runbook.digest != rule.digest:
        return "the runbook was changed: set it again"
    risk = rule_of(connection, rule.company_id).counts_as(found.effective_risk)
    return "on" if risk is Risk.LOW and found.approved else f"counts as {risk.value} risk"


def rule_view(connection: Connection, company_id: str) -> RunRuleView:
    found: RunRule = rule_of(connection, company_id)
    return RunRuleView(company_id=company_id, low=found.low.value, medium=found.medium.value, high="high")


def list_logins(connection: Connection, actor: Actor, vault: Vault, company_id: str | None) -> list[HostLoginView]:
    """How executors log in, without what they log in with."""
    require_role(actor, Permission.RUN_SETTINGS)
    c = t.host_login.c
    where: list[Any] = [in_scope(c.company_id, actor)]
    if company_id is not None:
        where.append(c.company_id == company_id)
    rows = connection.execute(select(t.host_login).where(*where).order_by(c.company_id, c.executor))
    names = load_names(connection)
    return [
        HostLoginView(
            company_id=row.company_id, company=names.companies.get(row.company_id, row.company_id),
            executor=row.executor, username=row.username, port=row.port or None,
            known_hosts=sum(1 for line in row.known_hosts.splitlines() if line.strip() and line[0] != "#"),
            options=json.loads(row.options), secrets=sorted(json.loads(vault.unseal(row.secret))),
            updated_by=row.updated_by, updated_at=row.updated_at,
        )
        for row in rows
    ]  # fmt: skip
