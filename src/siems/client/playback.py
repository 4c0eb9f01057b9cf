"""A past hour from the record: one method per question."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, part


class Playback(Transport):
    def board_at(self, at: str, *, limit: int = 0, cursor: str = "") -> dict[str, Any]:
        """`wire.PlaybackBoard`: a page of what was on the board at a time (RFC 3339)."""
        return self._get("/playback/board", at=at, limit=limit, cursor=cursor)

    def steps_between(self, after: str, until: str, *, limit: int = 0) -> dict[str, Any]:
        """`wire.PlaybackSteps`: what happened after a time, the oldest first."""
        return self._get("/playback/steps", after=after, until=until, limit=limit)

    def story_at(self, ref: str, at: str) -> dict[str, Any]:
        """`wire.PlaybackStory`."""
        return self._get(f"/playback/incidents/{part(ref)}", at=at)
