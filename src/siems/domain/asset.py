"""Assets: what a company's alerts are about, what may be said of them, and what depends on what.

Nothing here is ever read from an alert's text: an alert only names an asset.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from siems.domain.alert import MAX_NAME
from siems.errors import InvalidField
from siems.vocabulary import AssetSource, Category, Platform

MAX_ADDRESSES = 16
MAX_DEPENDENCIES = 64
MAX_NOTES = 4_000
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")

Edges = Mapping[str, Sequence[str]]
"""What each asset depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One thing of one company. Empty text means that nobody has said it."""

    company_id: str
    name: str
    critical: bool = False
    first_seen_at: datetime
    addresses: tuple[str, ...] = ()
    instance_id: str = ""
    cloud_account: str = ""
    platform: str = ""
    category: str = ""
    notes: str = ""
    source: AssetSource = AssetSource.DISCOVERED
    last_seen_at: datetime | None = None
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a person or an inventory says of an asset; None leaves it as it is."""

    critical: bool | None = None
    addresses: tuple[str, ...] | None = None
    instance_id: str | None = None
    cloud_account: str | None = None
    platform: str | None = None
    category: str | None = None
    notes: str | None = None
    depends_on: tuple[str, ...] | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What is said, by its name."""
        said = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in said.items() if value is not None}


def with_facts(asset: Asset, facts: Facts, source: AssetSource) -> Asset:
    """The asset with what is said of it. Raises InvalidField naming what cannot be taken."""
    said = facts.given
    for name, check in _CHECKS.items():
        if name in said:
            said[name] = check(said[name])
    after = replace(asset, **said)
    return replace(after, source=source) if after != asset else asset


def changes(before: Asset | None, after: Asset) -> dict[str, tuple[Any, Any]]:
    """What differs, as (before, after) by name; who vouches for it and when it was seen do not count."""
    aside = ("company_id", "name", "first_seen_at", "last_seen_at", "source")
    empty = before or Asset(company_id=after.company_id, name=after.name, first_seen_at=after.first_seen_at)
    names = [f.name for f in fields(after) if f.name not in aside]
    pairs = {name: (_plain(getattr(empty, name)), _plain(getattr(after, name))) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def merged(survivor: Asset, other: Asset) -> Asset:
    """One asset of two names: what the survivor does not say for itself is taken from the other."""
    own = {survivor.name, other.name}
    seen = [at for at in (survivor.last_seen_at, other.last_seen_at) if at is not None]
    return replace(
        survivor,
        critical=survivor.critical or other.critical,
        first_seen_at=min(survivor.first_seen_at, other.first_seen_at),
        last_seen_at=max(seen, default=None),
        addresses=tuple(dict.fromkeys((*survivor.addresses, *other.addresses)))[:MAX_ADDRESSES],
        instance_id=survivor.instance_id or other.instance_id,
        cloud_account=survivor.cloud_account or other.cloud_account,
        platform=survivor.platform or other.platform,
        category=survivor.category or other.category,
        notes="\n".join(filter(None, (survivor.notes, other.notes)))[:MAX_NOTES],
        source=AssetSource.BY_HAND,
        depends_on=tuple(sorted({*survivor.depends_on, *other.depends_on} - own)),
    )


# --- what may be said ------------------------------------------------------------------------------------------


def checked_name(text: str) -> str:
    """A name as alerts may use it. Raises InvalidField."""
    name = text.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidField(f"an asset's name is one line of at most {MAX_NAME} characters, not {name[:40]!r}")
    return name


def _addresses(given: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(_address(text.strip()) for text in given if text.strip()))
    if len(found) > MAX_ADDRESSES:
        raise InvalidField(f"an asset has at most {MAX_ADDRESSES} addresses")
    return found


def _address(text: str) -> str:
    """An IP address in its usual form, or a host name."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        labels = text.rstrip(".").split(".")
        if len(text) <= 253 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit():
            return text.lower()
    raise InvalidField(f"{text[:60]!r} is neither an IP address nor a host name", hint="10.0.0.7, or db-01.acme.local")


def _word(name: str, longest: int) -> Any:
    def check(text: str) -> str:
        word = text.strip()
        if len(word) > longest or not word.isprintable() or " " in word:
            raise InvalidField(f"{name} is one word of at most {longest} characters, not {word[:40]!r}")
        return word

    return check


def _among(name: str, kind: type[Platform] | type[Category]) -> Any:
    def check(text: str) -> str:
        word = text.strip().lower()
        if word and word not in set(kind):
            raise InvalidField(f"{name} is one of {', '.join(kind)}, not {text[:40]!r}")
        return word

    return check


def _notes(text: str) -> str:
    if len(text) > MAX_NOTES or "\x00" in text:
        raise InvalidField(f"notes have at most {MAX_NOTES} characters")
    return text.strip()


def _names(given: Iterable[str]) -> tuple[str, ...]:
    found = tuple(sorted({checked_name(name) for name in given if name.strip()}))
    if len(found) > MAX_DEPENDENCIES:
        raise InvalidField(f"an asset depends on at most {MAX_DEPENDENCIES} others")
    return found


_CHECKS: dict[str, Any] = {
    "addresses": _addresses,
    "instance_id": _word("instance_id", 128),
    "cloud_account": _word("cloud_account", 64),
    "platform": _among("platform", Platform),
    "category": _among("category", Category),
    "notes": _notes,
    "depends_on": _names,
}


# --- what depends on what --------------------------------------------------------------------------------------


def find_cycle(edges: Edges, starts: Iterable[str]) -> tuple[str, ...]:
    """A way along `depends_on` that ends where it begins, both ends named; () when none is reached from these."""
    done: set[str] = set()
    for start in starts:
        way, others = [start], [iter(() if start in done else edges.get(start, ()))]
        while others:
            following = next(others[-1], None)
            if following is None:
                others.pop()
                done.add(way.pop())
            elif following in way:
                return (*way[way.index(following) :], following)
            elif following not in done:
                way.append(following)
                others.append(iter(edges.get(following, ())))
    return ()


def refuse_cycle(edges: Edges, start: str) -> None:
    """Raises InvalidField naming the cycle that an asset has become part of."""
    if cycle := find_cycle(edges, (start,)):
        raise InvalidField(f"this would be a cycle: {' -> '.join(cycle)}", hint="nothing was changed")
