"""Integrations by their key, in memory, so that a webhook asks no database before its verb."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from siems.domain.changing import replace
from siems.domain.integration import Network, burst_of, network
from siems.domain.particulars import NONE, Particulars, particulars_from
from siems.storage import tables as t
from siems.storage.rows import settings_from
from siems.storage.vault import Vault, token_hash
from siems.vocabulary import Signing


@dataclass(frozen=True, slots=True)
class Entry:
    """One key: whose it is and what it may do. Times are seconds since 1970."""

    integration_id: str
    company_id: str
    company: str
    tool: str
    signing: Signing
    secret: str | None
    rate_per_minute: int
    burst: int
    revoked: bool
    own_rate: bool = False
    """Whether the rate is the integration's own, for tools of every kind."""
    bucket: str = ""
    native_bucket: str = ""
    until: float | None = None
    """When this key ends."""
    networks: tuple[Network, ...] = ()
    old_secrets: tuple[tuple[str, float], ...] = ()
    """Secrets that were replaced, and until when they count."""
    tenant_field: str = ""
    particulars: Particulars = NONE
    tenants: Mapping[str, str] | None = None
    """Clients by what stands in that field; None for an integration of one client."""


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
        self._opened: dict[str, str] = {}

    def load(self, connection: Connection) -> None:
        """Read every key from the database."""
        rows = connection.execute(
            select(
                t.integration, t.company.c.settings, t.company.c.name.label("company"), t.company.c.active
            ).join(t.company, t.company.c.id == t.integration.c.company_id)
        ).all()  # fmt: skip
        old: dict[str, list[Any]] = {}
        for row in connection.execute(select(t.old_key).order_by(t.old_key.c.id.desc())):
            old.setdefault(row.integration_id, []).append(row)
        tenants: dict[str, dict[str, str]] = {}
        named = select(t.tenant).join(t.company, t.company.c.id == t.tenant.c.target_id).where(t.company.c.active)
        for row in connection.execute(named):
            tenants.setdefault(row.integration_id, {})[row.value] = row.target_id
        entries: dict[str, Entry] = {}
        sealed: set[str] = set()
        for row in rows:
            replaced = old.get(row.id, [])
            secrets = [kept for kept in replaced if kept.kind == "hmac"]
            entry = self._entry(row, secrets, tenants.get(row.id, {}))
            for kept in replaced:
                if kept.kind == "key":
                    ends = kept.until.timestamp()
                    until = ends if entry.until is None else min(ends, entry.until)
                    entries[kept.value] = replace(entry, until=until)
            entries[row.key_hash] = entry
            sealed.update(kept.value for kept in secrets)
            sealed.add(row.secret or "")
        h = t.heartbeat.c
        beats = connection.execute(select(h.token_hash, h.id, h.company_id))
        self._beats = {row.token_hash: Beat(row.id, row.company_id) for row in beats}
        self._entries = entries
        self._opened = {text: opened for text, opened in self._opened.items() if text in sealed}

    def _entry(self, row: Row[Any], secrets: list[Any], tenants: Mapping[str, str]) -> Entry:
        settings, own = settings_from(row.settings), row.rate_per_minute
        bucket = row.company_id if own is None else row.id
        return Entry(
            row.id, row.company_id, row.company, row.tool, Signing(row.signing),
            None if row.secret is None else self._unseal(row.secret),
            rate_per_minute=settings.rate_per_minute if own is None else own,
            burst=settings.burst if own is None else burst_of(own),
            revoked=row.revoked_at is not None or not row.active,
            own_rate=own is not None, bucket=f"rate:{bucket}", native_bucket=f"native:{bucket}",
            until=None if row.expires_at is None else row.expires_at.timestamp(),
            networks=tuple(network(text) for text in json.loads(row.networks)),
            old_secrets=tuple((self._unseal(kept.value), kept.until.timestamp()) for kept in secrets),
            tenant_field=row.tenant_field, tenants=tenants if row.tenant_field else None,
            particulars=particulars_from(row.particulars),
        )  # fmt: skip

    def by_integration(self) -> dict[str, Entry]:
        """What each integration may do, by its id."""
        return {entry.integration_id: entry for entry in self._entries.values()}

    def _unseal(self, sealed: str) -> str:
        """A secret; opened once, since keys are read anew whenever one of them changes."""
        found = self._opened.get(sealed)
        if found is None:
            found = self._opened[sealed] = self._vault.unseal(sealed)
        return found

    def queues(self) -> dict[str, Entry]:
        """The integrations that are queues and may be emptied, by id."""
        return {
            entry.integration_id: entry for entry in self._entries.values()
            if entry.particulars.queue is not None and not entry.revoked
        }  # fmt: skip

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
