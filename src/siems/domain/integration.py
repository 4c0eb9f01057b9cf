"""Integrations, the ways in: what one may set for itself, and which client a body of an MSP-wide one is about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from siems.domain.particulars import NONE, Particulars
from siems.errors import InvalidField
from siems.vocabulary import Signing

Network = IPv4Network | IPv6Network

HIGHEST_RATE = 1_000_000
MAX_NAME = 255
MAX_NETWORKS = 64
USUAL_BURST = 120
LONGEST_OVERLAP = timedelta(days=30)
OVERLAP = timedelta(hours=24)
"""How long what was replaced is still taken, unless somebody says otherwise."""


def burst_of(per_minute: int) -> int:
    """How many may come at once where only the rate was said."""
    return max(USUAL_BURST, per_minute * 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one integration may set for itself."""

    name: str = ""
    rate_per_minute: int | None = None
    """Its own; None for the company's."""
    networks: tuple[str, ...] = ()
    """Where requests may come from; empty for everywhere."""
    expires_at: datetime | None = None

    def checked(self, now: datetime) -> Terms:
        """The same with networks as they are written. Raises InvalidField."""
        if len(self.name) > MAX_NAME or not self.name.isprintable():
            raise InvalidField(f"name has at most {MAX_NAME} printable characters")
        if self.rate_per_minute is not None and not 1 <= self.rate_per_minute <= HIGHEST_RATE:
            raise InvalidField(f"rate must be between 1 and {HIGHEST_RATE}")
        if self.expires_at is not None and self.expires_at.tzinfo is None:
            raise InvalidField("expires_at needs a zone", hint="write it like 2027-01-31T00:00:00Z")
        if self.expires_at is not None and self.expires_at <= now:
            raise InvalidField("a key cannot expire in the past", hint="to end one now:  siems integration revoke ID")
        if len(self.networks) > MAX_NETWORKS:
            raise InvalidField(f"at most {MAX_NETWORKS} networks")
        return Terms(
            name=self.name.strip(), rate_per_minute=self.rate_per_minute, expires_at=self.expires_at,
            networks=tuple(str(network(text)) for text in self.networks),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A new integration as it was asked for."""

    tool: str
    signing: Signing
    secret: str | None = None
    """One that the tool has made; None for one of ours."""
    awaits_secret: bool = False
    """The tool makes the secret and has not told it yet: until then everything is refused."""
    key_in_url: bool = False
    """Whether the tool can send no header of its own, so that its URL holds the key."""
    tenant_field: str = ""
    terms: Terms = Terms()
    particulars: Particulars = NONE


def network(text: str) -> Network:
    """A network as people write it: `192.0.2.0/24`, or one address. Raises InvalidField."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError as why:
        raise InvalidField(f"{text[:64]!r} is no network", hint="write it like 192.0.2.0/24 or 2001:db8::/32") from why


@lru_cache(maxsize=4_096)
def within(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address lies in one of the networks; one that nobody knows does not."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in one for one in networks)


def origin(peer: str, forwarded: Sequence[str], proxies: tuple[Network, ...]) -> str:
    """The address that a request comes from: that of its connection, unless a proxy of ours holds it.

    `forwarded` are its X-Forwarded-For headers. Each proxy adds on the right whom it has heard, so they are read from
    there, as long as it is one of ours who says so. What stands further left anybody may have written.
    """
    if not proxies:
        return peer
    heard = [word.strip() for line in forwarded for word in line.split(",")]
    address = peer
    while heard and within(address, proxies):
        said = _bare(heard.pop())
        if said is None:
            return ""  # our proxy says nothing that could be allowed
        address = said
    return address


def _bare(said: str) -> str | None:
    """An address without port and brackets; None for what is none."""
    if said.startswith("["):
        said = said[1:].partition("]")[0]
    elif said.count(":") == 1:
        said = said.partition(":")[0]
    try:
        return str(ip_address(said))
    except ValueError:
        return None


# --- whose a body is -------------------------------------------------------------------------------------------


def tenant_of(body: bytes, path: str) -> str:
    """What a body says in the field that tells clients apart, as text; "" when it says nothing there.

    A list, and what SNS carries as text in `Message`, are looked into. Several values that differ are no value.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    found = list(dict.fromkeys(_values(value, path)))
    return ", ".join(found)[:MAX_NAME]


def _values(value: Any, path: str) -> list[str]:
    if isinstance(value, list):
        return [found for item in value[:1_000] if isinstance(item, Mapping) for found in _values(item, path)]
    if not isinstance(value, Mapping):
        return []
    found = _at(value, path)
    if found:
        return [found]
    carried = value.get("Message")
    if isinstance(carried, str) and carried.lstrip().startswith("{"):
        try:
            inner = json.loads(carried)
        except (ValueError, RecursionError):
            return []
        return [found for found in (_at(inner, path),) if found]
    alerts = value.get("alerts")
    return _values(alerts, path) if isinstance(alerts, list) else []


def _at(value: Any, path: str) -> str:
    """The text or number at `a.b.0.c`; a field whose own name has dots is found as well."""
    if isinstance(value, Mapping) and path in value:
        return _said(value[path])
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part[:6]) < len(value):
            value = value[int(part[:6])]
        else:
            return ""
    return _said(value)


def _said(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    try:
        text = str(value)
    except ValueError:  # a number of more digits than anybody counts
        return ""
    return text.strip().replace("\x00", "").encode("utf-8", "replace").decode()[:MAX_NAME]
