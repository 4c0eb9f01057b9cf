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
    view: str = ""


@dataclass
class View:
    """A list by name: its filter and its order."""

    name: str
    filter: str = ""
    sort: str = "sla"


STOCK = (
    View("all"), View("mine", "@me"), View("nobody's", "assignee:none"), View("late", "sla:breached"),
    View("due in 1h", "sla:<1h"), View("critical", "severity:CRITICAL", "-priority_score"),
    View("held", "on_hold:true"),
)  # fmt: skip
"""Views that everybody has."""


def views_file() -> Path:
    return places.config_dir() / "views.json"


def own_views() -> list[View]:
    """The reader's own views; a damaged file has none."""
    try:
        return msgspec.convert(json.loads(views_file().read_text()), list[View])
    except (OSError, ValueError, msgspec.ValidationError):
        return []


def keep_view(view: View) -> None:
    """Keep a view; one of the same name is replaced. Raises OSError."""
    kept = [one for one in own_views() if one.name != view.name]
    places.write_private(views_file(), json.dumps([asdict(one) for one in [*kept, view]]))


def drop_view(name: str) -> None:
    """Raises OSError."""
    places.write_private(views_file(), json.dumps([asdict(one) for one in own_views() if one.name != name]))


def view_named(name: str) -> View | None:
    """One's own before those that everybody has."""
    return next((one for one in (*own_views(), *STOCK) if one.name.lower() == name.strip().lower()), None)


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
