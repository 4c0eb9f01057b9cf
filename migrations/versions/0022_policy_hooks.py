"""Addresses that policies call are kept apart, sealed: a policy, and what incidents keep of it, only names them.

What the record of who did what says of such a policy is erased, as far as it holds an address: the entries stay.
"""

import json
from collections.abc import Callable
from hashlib import blake2b
from secrets import token_hex
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision: str | None = "0021"

Body = dict[str, Any]


def upgrade() -> None:
    op.create_table(
        "policy_hook",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("company_id", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_hook")),
    )
    keep = _Keeper()
    for row in _all("SELECT id, company_id, body, changed_at FROM policy ORDER BY id"):
        _rewrite_policy(row, lambda name, row=row: keep.name_of(row.company_id, name, row.changed_at))
    # what open incidents keep may be older than the policies: its owner is not known any more
    _rewrite_snapshots(lambda name: keep.name_of("", name, 0))
    for row in _all("SELECT id, company_id, address, created_at FROM message WHERE address <> '' ORDER BY id"):
        hook = keep.name_of("", row.address, row.created_at).partition(" ")[0]
        _run("UPDATE message SET contact_id = :c WHERE id = :id", c=f"policy:{hook}", id=row.id)
    op.drop_column("message", "address")
    _erase_details()
    op.execute("DELETE FROM undo")  # it holds rows of the old form


def downgrade() -> None:
    from siems.places import key_file
    from siems.storage.vault import Vault

    op.add_column("message", sa.Column("address", sa.Text(), nullable=False, server_default=""))
    rows = _all("SELECT id, hint, address FROM policy_hook")
    vault = Vault.open(key_file()) if rows else None
    known = {row.id: json.loads(vault.unseal(row.address))["address"] for row in rows if vault is not None}

    def named(name: str) -> str:
        found: str = known.get(name.partition(" ")[0], name)
        return found

    for row in _all("SELECT id, body FROM policy"):
        _rewrite_policy(row, named)
    _rewrite_snapshots(named)
    for hook, address in known.items():
        _run("UPDATE message SET address = :a WHERE contact_id = :c", a=address, c=f"policy:{hook}")
    op.drop_table("policy_hook")
    op.execute("DELETE FROM undo")


class _Keeper:
    """Gives each address one name, and keeps it sealed under that. Without addresses it needs no key."""

    def __init__(self) -> None:
        self._vault: Any = None
        self._names: dict[str, str] = {}

    def name_of(self, owner: str, address: str, at: int) -> str:
        """`hook-1f2e3d4c https://host/...`. Policies come first, so that theirs have an owner."""
        if address not in self._names:
            from siems.domain.reach import hint_of
            from siems.places import key_file
            from siems.storage.vault import Vault

            self._vault = self._vault or Vault.open(key_file())
            made, hint = f"hook-{token_hex(4)}", hint_of("webhook", address)
            sealed = self._vault.seal(json.dumps({"address": address, "options": {}}))
            _run(
                "INSERT INTO policy_hook (id, company_id, hint, address, created_at) VALUES (:id, :o, :h, :a, :t)",
                id=made, o=owner or "msp", h=hint, a=sealed, t=at,
            )  # fmt: skip
            self._names[address] = f"{made} {hint}"
        return self._names[address]


def _all(statement: str, **values: Any) -> list[Any]:
    return list(op.get_bind().execute(sa.text(statement), values))


def _run(statement: str, **values: Any) -> None:
    op.get_bind().execute(sa.text(statement), values)


def _changed(text: str, name: Callable[[str], str]) -> Body | None:
    """The policy with other names for what it calls; None where it calls nothing."""
    body: Body = json.loads(text)
    calls = False
    for step in body["steps"]:
        for target in step["targets"]:
            if target[0] == "webhook":
                target[1], calls = name(target[1]), True
    return body if calls else None


def _rewrite_policy(row: Any, name: Callable[[str], str]) -> None:
    body = _changed(row.body, name)
    if body is not None:
        _run("UPDATE policy SET body = :b WHERE id = :id", b=json.dumps(body), id=row.id)


def _rewrite_snapshots(name: Callable[[str], str]) -> None:
    """They are named by their content, and incidents by that name."""
    for row in _all("SELECT id, body FROM snapshot WHERE kind = 'policy' ORDER BY id"):
        body = _changed(row.body, name)
        if body is None:
            continue
        new = blake2b(json.dumps(["policy", body], sort_keys=True).encode(), digest_size=12).hexdigest()
        _run("DELETE FROM snapshot WHERE id = :new", new=new)
        _run("UPDATE snapshot SET id = :new, body = :b WHERE id = :old", new=new, b=json.dumps(body), old=row.id)
        _run("UPDATE incident SET policy_snapshot = :new WHERE policy_snapshot = :old", new=new, old=row.id)


def _erase_details() -> None:
    """Details may be erased: their entries, and so the chain, stay whole."""
    op.execute(
        "DELETE FROM audit_detail WHERE details LIKE '%webhook:http%' AND EXISTS (SELECT 1 FROM audit_entry AS e"
        " WHERE e.chain = audit_detail.chain AND e.seq = audit_detail.seq AND e.action LIKE 'policy.%')"
    )
