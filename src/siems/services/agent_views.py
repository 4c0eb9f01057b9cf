"""Which machines of a company answer to their cloud's agent, how they are patched, and how an agent would get there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from siems.domain.agents import Answers, Health, Look, Patches, Step, health, install_step
from siems.domain.asset import Asset
from siems.domain.cloud import CloudAccount, kind_of_instance, serving
from siems.domain.events import Recorded
from siems.domain.permissions import Actor, Permission, missing, require
from siems.services.run_access import login_row
from siems.storage import tables as t
from siems.storage.repositories.assets import asset_from
from siems.storage.repositories.clouds import accounts_of
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Platform
from siems.wire import AgentsView, AgentView, PatchesView, PatchView

_NO_HOSTS = (Platform.NETWORK.value, Platform.OTHER.value)


@dataclass(frozen=True, slots=True)
class Estate:
    """A company's machines, and the accounts that they run in."""

    company_id: str
    assets: tuple[Asset, ...]
    accounts: tuple[CloudAccount, ...]

    def account(self, asset: Asset) -> CloudAccount | None:
        return serving(self.accounts, asset.instance_id, asset.cloud_account)


def estate(connection: Connection, actor: Actor, company_id: str) -> Estate:
    """What is an instance somewhere, or might have an agent. Raises NotFound, Forbidden."""
    require(actor, Permission.SEE_AGENTS, company_id, what=company_id)
    a = t.asset.c
    rows = connection.execute(select(t.asset).where(a.company_id == company_id).order_by(a.name))
    assets = tuple(asset_from(row) for row in rows if row.instance_id or row.platform not in _NO_HOSTS)
    return Estate(company_id, assets, tuple(accounts_of(connection, company_id)))


def healths(estate: Estate, look: Look, now: datetime) -> list[Health]:
    """How each asset stands, by name."""
    found = []
    for asset in estate.assets:
        account = estate.account(asset)
        found.append(
            health(
                asset.name, asset.instance_id, account_id=account.id if account else "",
                kind=kind_of_instance(asset.instance_id).value, look=look, now=now,
            )
        )  # fmt: skip
    return found


def agents_view(estate: Estate, look: Look, now: datetime) -> AgentsView:
    """Every asset with its agent; machines that are no assets are counted."""
    assets = {asset.name: asset for asset in estate.assets}
    known = {(account.id, a.instance_id) for a in estate.assets if (account := estate.account(a))}
    items = [_agent(estate.company_id, assets[h.asset], h) for h in healths(estate, look, now)]
    return AgentsView(items=items, unlisted=len(look.machines.keys() - known), warnings=_warnings(look.failed))


def _agent(company_id: str, asset: Asset, h: Health) -> AgentView:
    m = h.machine
    return AgentView(
        company_id=company_id, asset=h.asset, instance_id=h.instance_id, account=asset.cloud_account,
        account_id=h.account_id, region=m.region if m else "", platform=(m.platform if m else "") or asset.platform,
        state=m.state if m else "", answers=h.answers.value, why=h.why, fix=h.fix, version=m.version if m else "",
        seen_at=m.seen_at if m else None,
    )  # fmt: skip


def install_plan(
    connection: Connection, estate: Estate, look: Look, hosts: Sequence[str], now: datetime
) -> list[tuple[Asset, Step]]:
    """How the agent of AWS would come to these assets, or to all that do not answer. Raises NotFound."""
    assets = {asset.name: asset for asset in estate.assets}
    for name in hosts:
        if name not in assets:
            raise missing(f"asset {name[:64]!r} of {estate.company_id} that could have an agent")
    hybrid = any(a.hybrid for a in estate.accounts)
    ways = {way for way in ("ssh", "winrm") if login_row(connection, estate.company_id, way) is not None}
    found = []
    for h in healths(estate, look, now):
        asset = assets[h.asset]
        if h.asset in hosts or (not hosts and h.answers is not Answers.YES):
            step = install_step(
                h, ways=ways, platform=asset.platform, addresses=bool(asset.addresses), hybrid=hybrid
            )  # fmt: skip
            found.append((asset, step))
    return found


def note_install(uow: UnitOfWork, actor: Actor, company_id: str, type: str, details: Mapping[str, object]) -> None:
    """That agents are being installed, or how it went. `type`: agents.installing or agents.installed."""
    require(actor, Permission.ADMINISTER, company_id, what=company_id)
    uow.emit(
        Recorded(
            type=type, actor=actor, company_id=company_id, object=company_id,
            reason=str(details.get("reason", "")), details=details,
        )
    )  # fmt: skip


def _warnings(failed: Mapping[str, str]) -> list[str]:
    return [f"{account}: {why}" for account, why in sorted(failed.items())]


def patches_view(estate: Estate, found: Sequence[Patches], failed: Mapping[str, str]) -> PatchesView:
    """Machines that lack something first, the worst on top."""
    names = {(account.account, a.instance_id): a.name for a in estate.assets if (account := estate.account(a))}
    ordered = sorted(found, key=lambda p: (-p.critical_missing, -p.security_missing, -p.missing - p.failed, p.id))
    items = [
        PatchView(
            company_id=estate.company_id, asset=names.get((p.account, p.id), ""), instance_id=p.id, account=p.account,
            region=p.region, compliant=p.compliant, missing=p.missing, failed=p.failed, installed=p.installed,
            pending_reboot=p.pending_reboot, critical_missing=p.critical_missing,
            security_missing=p.security_missing, baseline=p.baseline, scanned_at=p.scanned_at,
        )
        for p in ordered
    ]  # fmt: skip
    return PatchesView(
        items=items, compliant=sum(p.compliant is True for p in found),
        unknown=sum(p.compliant is None for p in found), warnings=_warnings(failed),
    )  # fmt: skip
