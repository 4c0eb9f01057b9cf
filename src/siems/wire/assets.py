"""The inventory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from siems.wire.shapes import Ask, Wire


class AssetView(Wire):
    """What alerts are about. Empty text means that nobody has said it; `source`: discovered, imported, by hand."""

    company_id: str
    name: str
    critical: bool
    first_seen_at: datetime
    last_seen_at: datetime | None = None
    """When an alert was last about it, to the minute."""
    addresses: list[str] = msgspec.field(default_factory=list)
    instance_id: str = ""
    cloud_account: str = ""
    platform: str = ""
    category: str = ""
    notes: str = ""
    depends_on: list[str] = msgspec.field(default_factory=list)
    source: str = "discovered"
    open_incidents: int = 0


class AssetDetail(AssetView):
    """One asset, with what goes on there."""

    needed_by: list[str] = msgspec.field(default_factory=list)
    incidents: list[str] = msgspec.field(default_factory=list)
    """Those that are open and have an alert about it."""
    last_alert: str | None = None


class AssetEdit(Ask):
    """Each field that is given is changed; empty text and empty lists clear it."""

    critical: bool | None = None
    addresses: list[str] | None = None
    instance_id: str | None = None
    cloud_account: str | None = None
    platform: str | None = None
    category: str | None = None
    notes: str | None = None
    depends_on: list[str] | None = None
    reason: str = ""


class AssetAsk(AssetEdit, kw_only=True):
    name: str


class AssetMerge(Ask):
    """Another name of what is known already."""

    into: str
    reason: str = ""


class AssetImport(Ask):
    """A table as text, with a header. An empty cell leaves what is there, `-` clears it."""

    csv: str
    reason: str = ""


class CloudImport(Ask):
    """Instances of AWS, as far as the credentials of the daemon reach."""

    regions: list[str] = msgspec.field(default_factory=list)
    role: str = ""
    reason: str = ""


class AssetChange(Wire):
    """What an import makes of one asset; `fields`: [before, after] by name."""

    name: str
    new: bool
    fields: dict[str, list[Any]]


class AssetsImported(Wire):
    new: int
    changed: int
    unchanged: int
    changes: list[AssetChange]
    warnings: list[str] = msgspec.field(default_factory=list)
