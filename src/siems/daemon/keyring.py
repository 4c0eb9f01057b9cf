"""Integrations by their key, in memory, so that a webhook asks no database before its verb."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from siems.storage import tables as t
from siems.storage.rows import settings_from
from siems.storage.vault import Vault, token_hash
from siems.vocabulary import Signing


@dataclass(frozen=True, slots=True)
class Entry:
    """One key: whose it is and what it may do."""

    integration_id: str
    company_id: str
    company: str
    tool: str
    signing: Signing
    secret: str | None
    rate_per_minute: int
    burst: int
    revoked: bool


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat that a token in an address stands for."""

    id: str
    company_id: str


class Keyring:
    """All keys. Replaced as a whole when companies or integrations change."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._entries: dict[str, Entry] = {}
        self._beats: dict[str, Beat] = {}
        self._hashes: dict[str, str] = {}

    def load(self, connection: Connection) -> None:
        """Read every key from the database."""
        rows = connection.execute(
            select(t.integration, t.company.c.settings, t.company.c.name, t.company.c.active).join(
                t.company, t.company.c.id == t.integration.c.company_id
            )
        )
        entries = {}
        for row in rows:
            settings = settings_from(row.settings)
            entries[row.key_hash] = Entry(
                row.id, row.company_id, row.name, row.tool, Signing(row.signing),
                None if row.secret is None else self._vault.unseal(row.secret), settings.rate_per_minute,
                settings.burst, row.revoked_at is not None or not row.active,
            )  # fmt: skip
        h = t.heartbeat.c
        beats = connection.execute(select(h.token_hash, h.id, h.company_id))
        self._beats = {row.token_hash: Beat(row.id, row.company_id) for row in beats}
        self._entries = entries

    def beat(self, token: str) -> Beat | None:
        """The heartbeat of a token."""
        return self._beats.get(token_hash(token))

    def find(self, key: str) -> Entry | None:
        """The integration of a key. Keys are looked up by their hash, so timing tells nothing about them."""
        hashed = self._hashes.get(key)
        if hashed is None:
            hashed = token_hash(key)
            if hashed in self._entries:
                if len(self._hashes) > 10_000:
                    self._hashes.clear()
                self._hashes[key] = hashed
        return self._entries.get(hashed)
