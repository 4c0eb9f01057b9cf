"""Searching."""

from __future__ import annotations

from datetime import datetime

from siems.wire.shapes import Wire


class SearchHit(Wire):
    """A text that the words are in. `id` is what it is of; of a note, its incident; of an audit entry, chain/number."""

    type: str
    id: str
    incident_id: str | None
    company_id: str
    company: str
    at: datetime
    title: str
    text: str


class SearchAnswer(Wire):
    """The newest first; `more` were found. `behind`: what came of late is not in the index yet."""

    items: list[SearchHit]
    more: bool
    behind: bool
