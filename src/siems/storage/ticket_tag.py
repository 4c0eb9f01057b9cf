"""The tag by which this siems knows its own comments in tickets: chosen once, whatever becomes of the vault's keys."""

from __future__ import annotations

from sqlalchemy import Connection, text

from siems.storage.vault import Vault
from siems.vocabulary import MSP

_NAME = "ticket_tag"
_FIRST = "INSERT INTO counter (name, company_id, value) VALUES (:name, :msp, :value) ON CONFLICT (name) DO NOTHING"


def ticket_tag(connection: Connection, vault: Vault) -> str:
    """What tells this siems from others in tickets that both write to: 8 hexadecimal digits, kept from the first call
    on; before it was kept it came from the vault's key."""
    derived = int(vault.derived("tickets").hex()[:8], 16)
    connection.execute(text(_FIRST), {"name": _NAME, "msp": MSP, "value": derived})
    kept = connection.execute(text("SELECT value FROM counter WHERE name = :name"), {"name": _NAME}).scalar_one()
    return f"{int(kept):08x}"
