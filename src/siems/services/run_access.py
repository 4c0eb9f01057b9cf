"""How an asset is reached: by which executor, and with what of its company's settings.

Each way looks for itself whether it knows the asset; the first in `WAYS` that does is taken, unless one was named.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlalchemy import Connection, Row, select

from siems.domain.asset import Asset
from siems.errors import InvalidField
from siems.services import cloud_accounts
from siems.storage import tables as t
from siems.storage.vault import Vault
from siems.vocabulary import Platform

Way = Callable[[Connection, Asset, Vault | None], Mapping[str, str] | None]
"""The access that a company's settings give to an asset, None where they give none.

With a vault its secrets are in clear, so it is never written down; without one they are left out.
"""

LOCAL = "local"


def login_of(connection: Connection, company_id: str, executor: str, vault: Vault | None) -> Mapping[str, str] | None:
    """What is kept in `host_login`: username, port, known_hosts, options; password, private_key, passphrase."""
    row = login_row(connection, company_id, executor)
    if row is None:
        return None
    found = {"username": row.username, "port": str(row.port or ""), "known_hosts": row.known_hosts}
    found |= json.loads(row.options)
    if vault is not None and row.secret:
        found |= json.loads(vault.unseal(row.secret))
    return {name: value for name, value in found.items() if value}


def login_row(connection: Connection, company_id: str, executor: str) -> Row[tuple[object, ...]] | None:
    """The row of `host_login`."""
    c = t.host_login.c
    return connection.execute(
        select(t.host_login).where(c.company_id == company_id, c.executor == executor)
    ).first()  # fmt: skip


def _ssh(connection: Connection, asset: Asset, vault: Vault | None) -> Mapping[str, str] | None:
    found = login_of(connection, asset.company_id, "ssh", vault)
    if found is None or (asset.platform == Platform.WINDOWS and found.get("windows") != "yes"):
        return None
    return found


def _winrm(connection: Connection, asset: Asset, vault: Vault | None) -> Mapping[str, str] | None:
    return login_of(connection, asset.company_id, "winrm", vault) if asset.platform == Platform.WINDOWS else None


def _in_cloud(executor: str) -> Way:
    """The account of the asset's own company that it runs in."""

    def way(connection: Connection, asset: Asset, vault: Vault | None) -> Mapping[str, str] | None:
        return cloud_accounts.access(connection, asset, executor, vault)

    return way


def _local(connection: Connection, asset: Asset, vault: Vault | None) -> Mapping[str, str] | None:
    """Taken only when it is named: it runs where the daemon runs, whatever the asset."""
    return {}


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "ssm": _in_cloud("ssm"),
        "azure": _in_cloud("azure"),
        "gcp": _in_cloud("gcp"),
        "winrm": _winrm,
        "ssh": _ssh,
        LOCAL: _local,
    }
)
"""In the order in which they are asked; `local` is never asked."""


def access(
    connection: Connection, asset: Asset, executor: str = "", vault: Vault | None = None
) -> tuple[str, Mapping[str, str]]:
    """(executor, what it is told of how to reach this asset). Raises InvalidField where there is no way."""
    if executor and executor not in WAYS:
        raise InvalidField(f"there is no executor {executor[:32]!r}", hint=f"one of: {', '.join(WAYS)}")
    for name, way in WAYS.items():
        if name == executor or (not executor and name != LOCAL):
            found = way(connection, asset, vault)
            if found is not None:
                return name, found
    company = asset.company_id.removeprefix("comp-")
    by = f"by {executor}" if executor else "at all"
    raise InvalidField(
        f"{asset.name} cannot be reached {by}: nothing of {company} says how",
        hint=f"siems runbook access set ssh --company {company} --login NAME --key-file F --known-hosts F",
    )
