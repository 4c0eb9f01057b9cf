"""The verbs of cloud accounts: set up, note what a check has found, remove; and looking them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from siems.domain.asset import Asset
from siems.domain.changing import replace
from siems.domain.cloud import (
    EXECUTORS,
    CloudAccount,
    CloudKind,
    Finding,
    access_of,
    checked_account,
    checked_regions,
    checked_word,
    service_account,
    serving,
)
from siems.domain.events import Recorded
from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.errors import Conflict, InvalidField
from siems.services.filters import in_scope
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.repositories.clouds import account_from, accounts_of, find
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import Vault, random_token
from siems.vocabulary import MSP
from siems.wire import CloudAccountAsk, CloudAccountView, CloudFinding

MOST = 50


def set_up(uow: UnitOfWork, actor: Actor, company_id: str, ask: CloudAccountAsk, vault: Vault) -> CloudAccount:
    """A new account with an external id of ours, or the one that is known with what is given. Raises InvalidField.

    Raises Conflict for an account that is another company's: nobody comes to its machines by naming it.
    """
    require(actor, Permission.ADMINISTER, company_id, what=company_id)
    uow.company(company_id)
    if company_id == MSP:
        raise InvalidField("a cloud account belongs to a client", hint="siems company list")
    kind = _kind(ask.kind)
    account = checked_account(kind, ask.account)
    known = uow.clouds.known(kind, account)
    if known is not None and known.company_id != company_id:
        raise Conflict(
            f"{account} is the account of {known.company_id}", hint=f"siems company {kind.value} remove {known.id}"
        )  # fmt: skip
    before = known or _new(uow, actor, company_id, kind, account)
    after = replace(before, **_given(ask, kind, vault))
    if after == known:
        return known
    after = replace(after, checked_at=None, findings=())
    uow.clouds.put(after, new=known is None)
    _record(uow, actor, "cloud_account.added" if known is None else "cloud_account.edited", after, ask)
    return after


def _kind(word: str) -> CloudKind:
    try:
        return CloudKind(word)
    except ValueError as why:
        raise InvalidField(f"{word[:20]!r} is no cloud", hint=f"one of: {', '.join(CloudKind)}") from why


def _new(uow: UnitOfWork, actor: Actor, company_id: str, kind: CloudKind, account: str) -> CloudAccount:
    if len(accounts_of(uow.connection, company_id)) >= MOST:
        raise Conflict(f"{company_id} has {MOST} cloud accounts already", hint="siems company aws list")
    stem = f"{company_id.removeprefix('comp-')}-{kind.value}"[:56]
    names = (stem, *(f"{stem}-{i}" for i in range(2, 10_000)))
    return CloudAccount(
        id=next(name for name in names if uow.clouds.find(name) is None), company_id=company_id, kind=kind,
        account=account, external_id=random_token("siems", 32) if kind is CloudKind.AWS else "",
        created_by=actor.id, created_at=uow.now,
    )  # fmt: skip


def _given(ask: CloudAccountAsk, kind: CloudKind, vault: Vault) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if ask.regions is not None:
        found["regions"] = checked_regions(kind, ask.regions)
    for name in ("role", "bucket", "tenant", "login"):
        text = getattr(ask, name)
        if text is not None:
            found[name] = checked_word(name, text)
    if ask.hybrid is not None:
        found["hybrid"] = ask.hybrid
    wrong = [name for name in found if name not in _FIELDS[kind] and found[name]]
    if wrong:
        raise InvalidField(f"{kind.value} has no {wrong[0]}", hint=f"it takes: {', '.join(sorted(_FIELDS[kind]))}")
    if ask.secret is not None:
        if kind is CloudKind.AWS or not ask.secret.strip():
            raise InvalidField("AWS is entered by a role: no secret is kept" if ask.secret.strip() else "it is empty")
        text = ask.secret.strip()
        if kind is CloudKind.GCP:
            found["login"], text = service_account(text, ask.account)
        found["secret"] = vault.seal(text)
    return found


_FIELDS = {
    CloudKind.AWS: {"role", "regions", "bucket", "hybrid"},
    CloudKind.AZURE: {"tenant", "login", "secret"},
    CloudKind.GCP: {"secret"},
}


def _record(uow: UnitOfWork, actor: Actor, type: str, account: CloudAccount, ask: CloudAccountAsk) -> None:
    details = {
        "kind": account.kind.value, "account": account.account, "role": account.role,
        "regions": list(account.regions), "login": account.login, "tenant": account.tenant,
        "bucket": account.bucket, "hybrid": account.hybrid, "secret_changed": ask.secret is not None,
    }  # fmt: skip
    uow.emit(
        Recorded(
            type=type, actor=actor, company_id=account.company_id, object=account.id, reason=ask.reason,
            details=details,
        )
    )  # fmt: skip


def note_check(uow: UnitOfWork, actor: Actor, account: CloudAccount, findings: Sequence[Finding]) -> CloudAccount:
    """What a check has found; the account may have changed since it began."""
    require(actor, Permission.ADMINISTER, account.company_id, what=account.id)
    now = uow.clouds.find(account.id)
    if now is None:
        raise missing(account.id)
    after = replace(now, checked_at=uow.now, findings=tuple(findings))
    uow.clouds.put(after, new=False)
    lacking = [f.right for f in findings if not f.ok]
    uow.emit(
        Recorded(
            type="cloud_account.checked", actor=actor, company_id=account.company_id, object=account.id,
            details={"rights": len(findings), "missing": lacking},
        )
    )  # fmt: skip
    return after


def remove(uow: UnitOfWork, actor: Actor, account: CloudAccount, reason: str) -> None:
    """siems cannot come in any more; the role over there stays until somebody deletes its stack."""
    require(actor, Permission.ADMINISTER, account.company_id, what=account.id)
    if uow.clouds.find(account.id) is None:
        raise missing(account.id)
    uow.clouds.drop(account.id)
    uow.emit(
        Recorded(
            type="cloud_account.removed", actor=actor, company_id=account.company_id, object=account.id,
            reason=reason, details={"kind": account.kind.value, "account": account.account},
        )
    )  # fmt: skip


# --- looking ---------------------------------------------------------------------------------------------------


def list_accounts(connection: Connection, actor: Actor, company_id: str | None, kind: str) -> list[CloudAccountView]:
    """Every account, or those of one company or cloud: for admins."""
    require_role(actor, Permission.ADMINISTER)
    c = t.cloud_account.c
    where = [in_scope(c.company_id, actor)]
    if company_id is not None:
        where.append(c.company_id == company_id)
    if kind:
        where.append(c.kind == _kind(kind).value)
    names = load_names(connection)
    rows = connection.execute(select(t.cloud_account).where(*where).order_by(c.company_id, c.id)).all()
    return [view(account_from(row), names) for row in rows]


def find_account(connection: Connection, ref: str, actor: Actor) -> CloudAccount:
    """Raises NotFound for what is not there and for what the reader may not know of."""
    found = find(connection, ref[:64])
    if found is None:
        raise missing(ref[:64])
    require(actor, Permission.ADMINISTER, found.company_id, what=ref[:64])
    return found


def access(connection: Connection, asset: Asset, executor: str, vault: Vault | None) -> Mapping[str, str] | None:
    """What an executor is told of how to reach a machine of a cloud; None when it is not its way.

    Only the accounts of the asset's own company are looked at, and none that has no credentials yet.
    """
    accounts = accounts_of(connection, asset.company_id)
    found = serving(accounts, asset.instance_id, asset.cloud_account)
    if found is None or EXECUTORS[found.kind] != executor:
        return None
    if found.kind is not CloudKind.AWS and not found.secret:
        return None
    return access_of(found, "") if vault is None else opened(found, vault)


def opened(account: CloudAccount, vault: Vault) -> Mapping[str, str]:
    """How to come into it, its secret in clear. Raises Conflict while it lacks one."""
    if account.kind is not CloudKind.AWS and not account.secret:
        raise Conflict(
            f"{account.id} has no credentials yet",
            hint=f"siems company {account.kind.value} setup {account.company_id.removeprefix('comp-')} --secret-file -",
        )
    return access_of(account, vault.unseal(account.secret) if account.secret else "")


def show_account(connection: Connection, account: CloudAccount) -> CloudAccountView:
    return view(account, load_names(connection))


def view(a: CloudAccount, names: Names) -> CloudAccountView:
    return CloudAccountView(
        id=a.id, company_id=a.company_id, company=names.companies.get(a.company_id, a.company_id), kind=a.kind.value,
        account=a.account, role_arn=a.role_arn, external_id=a.external_id, regions=list(a.regions), tenant=a.tenant,
        login=a.login, bucket=a.bucket, hybrid=a.hybrid, has_secret=bool(a.secret), created_by=a.created_by,
        created_at=a.created_at, checked_at=a.checked_at, ready=a.ready,
        findings=[CloudFinding(right=f.right, ok=f.ok, cause=f.cause, fix=f.fix) for f in a.findings],
    )  # fmt: skip
