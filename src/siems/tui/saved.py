"""What outlives a session: where the reader stood, and the last list for the first paint."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import msgspec

from siems import places
from siems.wire import IncidentView

CACHED_ROWS = 300


@dataclass
class Saved:
    """The view as it was left."""

    cursor: str = ""
    filter: str = ""
    stream_filter: str = ""
    marks: list[str] = field(default_factory=list)
    sort: str = "sla"
    pane: bool = True
    zone: str = ""
    place: str = ""


class Cached(msgspec.Struct):
    """The last list, with the time it was true."""

    as_of: datetime
    rows: list[IncidentView]


def _name(url: str) -> str:
    return sha256(url.encode()).hexdigest()[:12]


def state_file(url: str) -> Path:
    return places.state_dir() / f"tui-{_name(url)}.json"


def cache_file(url: str, who: str) -> Path:
    return places.cache_dir() / f"board-{_name(url + who)}.json"


def identity(token: str) -> str:
    """Whose list a cache is: the subject that a session token names, else the token itself. Never trusted."""
    try:
        body = token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"])
    except (IndexError, ValueError, KeyError, TypeError):
        return token


def load(url: str) -> Saved:
    """The view as it was left; a damaged file is a fresh start."""
    try:
        kept = json.loads(state_file(url).read_text())
        known = {one.name: kept[one.name] for one in fields(Saved) if one.name in kept}
        return msgspec.convert(known, Saved)
    except (OSError, ValueError, TypeError, msgspec.ValidationError):
        return Saved()


def save(url: str, saved: Saved) -> None:
    """Keep the view; a full disk must not keep anybody from leaving."""
    try:
        places.write_private(state_file(url), json.dumps(asdict(saved)))
    except OSError:
        return


def load_rows(url: str, who: str) -> Cached | None:
    """The list of the last session."""
    try:
        return msgspec.json.decode(cache_file(url, who).read_bytes(), type=Cached)
    except (OSError, msgspec.MsgspecError):
        return None


def save_rows(url: str, who: str, rows: Sequence[IncidentView], as_of: datetime) -> None:
    try:
        body = msgspec.json.encode(Cached(as_of, list(rows[:CACHED_ROWS]))).decode()
        places.write_private(cache_file(url, who), body)
    except OSError:
        return
