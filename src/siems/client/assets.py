"""The inventory: one method per verb."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from siems.client.transport import Transport, given, part, said


class Assets(Transport):
    def assets(self, query: str = "", *, limit: int = 0, cursor: str = "") -> dict[str, Any]:
        """A page of assets: `wire.Page[AssetView]`."""
        return self._get("/assets", query=query, limit=limit, cursor=cursor)

    def asset(self, company: str, name: str) -> dict[str, Any]:
        """`wire.AssetDetail`."""
        return self._get(_asset(company, name))

    def create_asset(self, company: str, name: str, **told: Any) -> dict[str, Any]:
        """`wire.AssetAsk` in, `wire.AssetDetail` out. What is None is not said; empty text clears."""
        return self._post(f"/companies/{part(company)}/assets", {"name": name} | said(told))

    def edit_asset(self, company: str, name: str, **told: Any) -> dict[str, Any]:
        """`wire.AssetEdit` in, `wire.AssetDetail` out."""
        return self._send("PATCH", _asset(company, name), said(told))

    def merge_asset(self, company: str, name: str, *, into: str, reason: str = "") -> dict[str, Any]:
        return self._post(f"{_asset(company, name)}/merge", {"into": into, "reason": reason})

    def delete_asset(self, company: str, name: str, *, reason: str = "") -> dict[str, Any]:
        return self._send("DELETE", f"{_asset(company, name)}?{urlencode({'reason': reason})}", {})

    def import_assets(self, company: str, *, csv: str, reason: str = "") -> dict[str, Any]:
        """`wire.AssetImport` in, `wire.AssetsImported` out."""
        return self._post(f"/companies/{part(company)}/assets/import", {"csv": csv, "reason": reason})

    def import_from_aws(self, company: str, **ask: Any) -> dict[str, Any]:
        """`wire.CloudImport` in, `wire.AssetsImported` out."""
        return self._post(f"/companies/{part(company)}/assets/import/aws", given(ask))


def _asset(company: str, name: str) -> str:
    return f"/companies/{part(company)}/assets/{part(name)}"
