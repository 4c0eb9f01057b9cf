"""Searching: one method."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport


class Search(Transport):
    def search(self, query: str, *, types: str = "", limit: int = 0) -> dict[str, Any]:
        """`wire.SearchAnswer`: the newest first. `types`: incident, alert, note, audit, with commas."""
        return self._get("/search", query=query, type=types, limit=limit)
