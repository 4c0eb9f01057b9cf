"""Cloud accounts, as rows and back. Only people change them, so each is written at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from siems.domain.cloud import CloudAccount, CloudKind, Finding
from siems.storage import tables as t

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_C = t.cloud_account.c


class Clouds:
    """The cloud accounts, for verbs."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def put(self, account: CloudAccount, *, new: bool) -> None:
        values, run = _values(account), self._uow.connection.execute
        if new:
            run(t.cloud_account.insert().values(**values))
        else:
            run(t.cloud_account.update().where(_C.id == account.id).values(**values))

    def drop(self, account_id: str) -> None:
        self._uow.connection.execute(t.cloud_account.delete().where(_C.id == account_id))

    def find(self, account_id: str) -> CloudAccount | None:
        return find(self._uow.connection, account_id)

    def known(self, kind: CloudKind, account: str) -> CloudAccount | None:
        """Whose ever it is."""
        where = (_C.kind == kind.value, _C.account == account)
        row = self._uow.connection.execute(select(t.cloud_account).where(*where)).first()
        return None if row is None else account_from(row)


def find(connection: Connection, account_id: str) -> CloudAccount | None:
    row = connection.execute(select(t.cloud_account).where(_C.id == account_id)).first()
    return None if row is None else account_from(row)


def accounts_of(connection: Connection, company_id: str) -> list[CloudAccount]:
    """Those of one company, by id."""
    rows = connection.execute(select(t.cloud_account).where(_C.company_id == company_id).order_by(_C.id))
    return [account_from(row) for row in rows]


def account_from(row: Any) -> CloudAccount:
    return CloudAccount(
        id=row.id, company_id=row.company_id, kind=CloudKind(row.kind), account=row.account,
        external_id=row.external_id, role=row.role, regions=tuple(json.loads(row.regions)), tenant=row.tenant,
        login=row.login, secret=row.secret, bucket=row.bucket, hybrid=row.hybrid, created_by=row.created_by,
        created_at=row.created_at, checked_at=row.checked_at,
        findings=tuple(Finding(*told) for told in json.loads(row.findings)),
    )  # fmt: skip


def _values(a: CloudAccount) -> dict[str, Any]:
    return {
        "id": a.id, "company_id": a.company_id, "kind": a.kind.value, "account": a.account,
        "external_id": a.external_id, "role": a.role, "regions": json.dumps(a.regions), "tenant": a.tenant,
        "login": a.login, "secret": a.secret, "bucket": a.bucket, "hybrid": a.hybrid, "created_by": a.created_by,
        "created_at": a.created_at, "checked_at": a.checked_at,
        "findings": json.dumps([[f.right, f.ok, f.cause, f.fix] for f in a.findings]),
    }  # fmt: skip
