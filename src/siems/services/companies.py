"""Companies: onboarding and settings."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from siems.domain.assignment import MANUAL, STRATEGIES
from siems.domain.changing import replace
from siems.domain.company import Company, CompanySettings, slug_of
from siems.domain.correlation import Rules
from siems.domain.escalation import Policy
from siems.domain.events import Recorded
from siems.domain.integration import Opening, Terms, burst_of
from siems.domain.permissions import Actor, Permission, require, require_role
from siems.errors import Conflict, InvalidField
from siems.services import integrations, sla_settings
from siems.services.integrations import GENERIC
from siems.services.oncall import named
from siems.services.policy_lookup import find_policy
from siems.storage import tables as t
from siems.storage.memory import CompanyMemory
from siems.storage.policy_rows import policy_json
from siems.storage.repositories.policies import policy_in_force
from siems.storage.rows import settings_json
from siems.storage.sla_rows import terms_json
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import Vault
from siems.vocabulary import MSP, AdviceMode, Paging, Signing, Strategy
from siems.wire import CompanyEdit, CorrelationSettings, OnboardAsk, Onboarded, SlaPolicyAsk

HIGHEST_RATE = 1_000_000


def onboard(
    uow: UnitOfWork, actor: Actor, ask: OnboardAsk, vault: Vault, defaults: CompanySettings, public_url: str
) -> Onboarded:
    """A new client with a key, a secret and settings. Raises Conflict when the short name is taken."""
    require_role(actor, Permission.ADMINISTER)
    name = ask.name.strip()
    if not name:
        raise InvalidField("a company needs a name", hint='siems company onboard "Acme Corp"')
    slug = slug_of(ask.slug or name)
    company_id = f"comp-{slug}"
    if uow.memory.companies.get(company_id) or _exists(uow.connection, company_id):
        raise Conflict(f"there is a company {company_id} already", hint=f"choose another short name:  --slug {slug}-2")
    rate = ask.rate_per_minute if ask.rate_per_minute is not None else defaults.rate_per_minute
    if ask.policy:
        defaults = replace(defaults, policy_id=find_policy(uow.connection, ask.policy, actor, MSP).id)
    settings = replace(defaults, rate_per_minute=_positive("rate", rate), burst=max(defaults.burst, rate * 2))
    settings = sla_settings.changed(settings, _plan(ask), uow.now)
    company = Company(id=company_id, name=name[:255], created_at=uow.now, settings=settings)
    store_company(uow, company)
    added = integrations.make(uow, company_id, _opening(uow, ask), vault, public_url)
    uow.emit(
        Recorded(
            type="company.onboarded", actor=actor, company_id=company_id, object=company_id,
            details={"name": name, "integration": added.integration_id, "auth": ask.auth},
        )
    )  # fmt: skip
    assert added.api_key is not None
    return Onboarded(
        company_id=company_id, api_key=added.api_key, hmac_secret=added.hmac_secret,
        webhook_url=added.webhook_url, name=company.name, integration_id=added.integration_id,
        rate_per_minute=settings.rate_per_minute, burst=settings.burst,
        correlation=correlation_view(settings.rules), sla_plan=sla_settings.plan_view(settings),
    )  # fmt: skip


def _plan(ask: OnboardAsk | CompanyEdit) -> SlaPolicyAsk:
    return SlaPolicyAsk(tier=ask.sla, time_zone=ask.time_zone, hours=ask.hours, holidays=ask.holidays)


def _opening(uow: UnitOfWork, ask: OnboardAsk) -> Opening:
    """The first key of a client, as it was asked for."""
    signing = {"hmac": Signing.REQUIRED, "key": Signing.NONE}.get(ask.auth)
    if signing is None:
        raise InvalidField(f"{ask.auth!r} is no way to prove oneself", hint="hmac or key")
    terms = Terms(networks=tuple(ask.networks), expires_at=ask.expires_at).checked(uow.now)
    return Opening(tool=GENERIC, signing=signing, key_in_url=signing is Signing.NONE, terms=terms)


def _exists(connection: Connection, company_id: str) -> bool:
    return connection.execute(select(t.company.c.id).where(t.company.c.id == company_id)).first() is not None


def store_company(uow: UnitOfWork, company: Company) -> None:
    """Keep a new company, in the database and in memory."""
    uow.connection.execute(
        t.company.insert().values(
            id=company.id, name=company.name, active=True, created_at=company.created_at,
            settings=settings_json(company.settings), cache_version=0,
        )
    )  # fmt: skip
    policy = policy_in_force(uow.connection, company.settings.policy_id)
    uow.journal.set(uow.memory.companies, company.id, uow.memory.new_company(company, policy))
    _keep_snapshots(uow, company.settings)
    keep_policy(uow, policy)


def _keep_snapshots(uow: UnitOfWork, settings: CompanySettings) -> None:
    """What incidents refer to by its content must be in the database before them."""
    _keep(uow, uow.memory.remember_terms(settings.terms), "sla", terms_json(settings.terms))


def keep_policy(uow: UnitOfWork, policy: Policy) -> str:
    """A policy as incidents that open from now on refer to it; the name of its content."""
    name = uow.memory.remember_policy(policy)
    _keep(uow, name, "policy", policy_json(policy))
    return name


def _keep(uow: UnitOfWork, name: str, kind: str, body: dict[str, Any]) -> None:
    uow.run(
        "INSERT INTO snapshot (id, company_id, kind, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        [(name, MSP, kind, json.dumps(body))],
    )


def correlation_view(rules: Rules) -> CorrelationSettings:
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    return CorrelationSettings(
        enabled=rules.enabled, strategy=rules.strategy.value, window_minutes=rules.window // minute,
        min_alerts=rules.min_alerts, quiet_minutes=rules.quiet_delay // minute, auto_resolve=rules.auto_resolve,
        reopen_minutes=rules.reopen_window // minute, close_hours=rules.auto_close // hour,
        cascades=rules.cascades, texts=rules.texts,
    )  # fmt: skip


# --- settings --------------------------------------------------------------------------------------------------


def changed_rules(rules: Rules, ask: CompanyEdit) -> Rules:
    """The correlation settings with what is given. Raises InvalidField naming what cannot be."""
    minutes = timedelta(minutes=1)
    given: dict[str, Any] = {
        "enabled": ask.correlation_enabled,
        "strategy": None if ask.strategy is None else _strategy(ask.strategy),
        "window": None if ask.window_minutes is None else _between("window", ask.window_minutes, 5, 60) * minutes,
        "min_alerts": None if ask.min_alerts is None else _between("min-alerts", ask.min_alerts, 1, 1000),
        "quiet_delay": None if ask.quiet_minutes is None else _between("quiet", ask.quiet_minutes, 0, 1440) * minutes,
        "auto_resolve": ask.auto_resolve,
        "reopen_window": None
        if ask.reopen_minutes is None
        else _between("reopen", ask.reopen_minutes, 0, 1440) * minutes,
        "auto_close": None if ask.close_hours is None else _between("close", ask.close_hours, 1, 8760) * 60 * minutes,
        "cascades": ask.cascades,
        "texts": ask.texts,
    }  # fmt: skip
    return replace(rules, **{key: value for key, value in given.items() if value is not None})


def edit(uow: UnitOfWork, actor: Actor, company_id: str, ask: CompanyEdit) -> None:
    """Change what is given. Raises InvalidField naming the field and what it takes."""
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    company = uow.company(company_id)
    before = company.settings
    minutes = timedelta(minutes=1)
    changed = changed_rules(company.rules, ask)
    after = replace(sla_settings.changed(before, _plan(ask), uow.now), rules=changed)
    if ask.rate_per_minute is not None:
        rate = _positive("rate", ask.rate_per_minute)
        after = replace(after, rate_per_minute=rate, burst=burst_of(rate))
    if ask.burst is not None:
        after = replace(after, burst=_positive("burst", ask.burst))
    if ask.paging is not None:
        after = replace(after, paging=_paging(ask.paging))
    if ask.policy is not None:
        chosen = find_policy(uow.connection, ask.policy, actor, company_id)
        keep_policy(uow, chosen.policy)
        after = replace(after, policy_id=chosen.id)
    if ask.oncall is not None:
        after = replace(after, oncall=_schedule(uow, company_id, ask.oncall))
    if ask.assign is not None:
        after = replace(after, assign=_assign(ask.assign))
    if ask.update_minutes is not None:
        after = replace(after, update_every=_between("updates-every", ask.update_minutes, 0, 10_080) * minutes)
    after = _advice(after, ask)
    name = ask.name.strip()[:255] if ask.name else company.name
    _change(uow, actor, company, after, name=name, reason=ask.reason, type="company.edited")


def set_sla(uow: UnitOfWork, actor: Actor, company_id: str, ask: SlaPolicyAsk) -> None:
    """Change tier, targets or hours; incidents that are open keep those they opened with."""
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    company = uow.company(company_id)
    after = sla_settings.changed(company.settings, ask, uow.now)
    _change(uow, actor, company, after, name=company.name, reason=ask.reason, type="company.sla_set")


def _change(
    uow: UnitOfWork, actor: Actor, company: CompanyMemory, after: CompanySettings, *, name: str, reason: str, type: str
) -> None:  # fmt: skip
    uow.flush()
    before = company.settings
    uow.connection.execute(
        update(t.company).where(t.company.c.id == company.id).values(name=name, settings=settings_json(after))
    )
    _keep_snapshots(uow, after)
    # keys depend on the rules, so the company's memory is built anew once this is committed
    uow.journal.drop(uow.memory.companies, company.id)
    uow.emit(
        Recorded(
            type=type, actor=actor, company_id=company.id, object=company.id, reason=reason,
            details={"before": json.loads(settings_json(before)), "after": json.loads(settings_json(after))},
        )
    )  # fmt: skip


def _schedule(uow: UnitOfWork, company_id: str, ref: str) -> str:
    """The schedule that a company is to go by: one of its own or of the MSP; empty for the default one."""
    if ref.strip().lower() in ("", "none", "default"):
        return ""
    usable = {s.id: s for s in uow.oncall.rota().schedules.values() if s.company_id in (company_id, MSP)}
    found = named(usable, ref)
    if found is None:
        raise InvalidField(f"{ref[:64]!r} is no schedule for {company_id}", hint="siems oncall schedule list")
    return found.id


def _strategy(word: str) -> Strategy:
    try:
        return Strategy(word)
    except ValueError as why:
        raise InvalidField(f"{word!r} is no strategy", hint=f"one of: {', '.join(Strategy)}") from why


def _paging(word: str) -> Paging:
    try:
        return Paging(word.strip().lower())
    except ValueError as why:
        raise InvalidField(f"paging is live or shadow, not {word[:20]!r}") from why


def _advice(settings: CompanySettings, ask: CompanyEdit) -> CompanySettings:
    if ask.advice is not None:
        word = ask.advice.strip().lower()
        if word not in tuple(AdviceMode):
            raise InvalidField(f"advice is on, local or off, not {word[:20]!r}")
        settings = replace(settings, advice=AdviceMode(word))
    return settings if ask.advice_lowers is None else replace(settings, advice_lowers=ask.advice_lowers)


def _assign(word: str) -> str:
    wanted = word.strip().lower().replace("-", "_")
    if wanted != MANUAL and wanted not in STRATEGIES:
        known = ", ".join([MANUAL, *STRATEGIES])
        raise InvalidField(f"{word[:64]!r} is no way to assign", hint=f"one of: {known}")
    return wanted


def _positive(name: str, value: int) -> int:
    return _between(name, value, 1, HIGHEST_RATE)


def _between(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise InvalidField(f"{name} must be between {low} and {high}", hint="nothing was changed")
    return value
