"""Another key for all that is kept encrypted; wherever it stops, nothing is lost, and the next run goes on from there.

1. The key file gets a new first line: from now on it seals, and both keys open.
2. Every stored secret is sealed again with it, in one transaction.
3. The key file keeps the new key only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Column, ColumnElement, Connection, Engine, select, true, update

from siems.places import write_private
from siems.storage import tables as t
from siems.storage.ticket_tag import ticket_tag
from siems.storage.vault import Vault, fresh_key

SEALED: tuple[tuple[Column[str], ColumnElement[bool]], ...] = (
    (t.integration.c.secret, true()),
    (t.old_key.c.value, t.old_key.c.kind == "hmac"),
    (t.contact.c.address, true()),
    (t.policy_hook.c.address, true()),
    (t.ticket_account.c.secret, true()),
    (t.cloud_account.c.secret, true()),
    (t.host_login.c.secret, true()),
    (t.run.c.given, t.run.c.given.not_like("{%")),  # what siems began by itself has no secret values
)
"""Every column that holds what a vault has sealed, and in which rows."""
Step = Callable[[str], None]


def rotate(engine: Engine, path: Path, *, after: Step = lambda step: None) -> dict[str, int]:
    """Exchange the key in a file; how many secrets each table had. Nobody else may write meanwhile.

    Raises Unavailable, and changes no row, when a secret was sealed with a key that the file does not hold.
    """
    vault = Vault.open(path)
    if len(vault.keys) == 1:  # else an earlier run has begun: it goes on with the key that run made
        with engine.connect() as connection:
            _check(connection, vault)
        with engine.begin() as connection:
            ticket_tag(connection, vault)  # kept from now on, where it still came from the key that goes
        vault = Vault(fresh_key(), *vault.keys)
        _write(path, vault)
    after("both keys are in the file")
    with engine.begin() as connection:
        found = reseal(connection, vault)
    after("all is sealed again")
    newest = Vault(vault.keys[0])
    with engine.connect() as connection:  # a daemon that was not stopped may have sealed something meanwhile
        _check(connection, newest)
    _write(path, newest)
    return found


def reseal(connection: Connection, vault: Vault) -> dict[str, int]:
    """Seal everything with the vault's first key; how many secrets each table holds."""
    found: dict[str, int] = {}
    for column, where in SEALED:
        table = column.table
        keys = tuple(table.primary_key)
        rows = connection.execute(select(column, *keys).where(where, column.is_not(None), column != "")).all()
        for sealed, *values in rows:
            if not vault.is_newest(sealed):
                same = (key == value for key, value in zip(keys, values, strict=True))
                connection.execute(update(table).where(*same).values({column.name: vault.seal(vault.unseal(sealed))}))
        found[table.name] = len(rows)
    return found


def _check(connection: Connection, vault: Vault) -> None:
    """Raises Unavailable for what these keys do not open: a new one would help nothing."""
    for column, where in SEALED:
        for sealed in connection.scalars(select(column).where(where, column.is_not(None), column != "")):
            vault.unseal(sealed)


def _write(path: Path, vault: Vault) -> None:
    write_private(path, "".join(f"{key.decode()}\n" for key in vault.keys))
