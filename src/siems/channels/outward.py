"""Addresses that people give lead to the open internet and nowhere else: never to this machine or its networks.

A name is resolved once, all that it stands for is looked at, and the connection goes to exactly that: a name that
means something else a moment later changes nothing. There are no redirects. `[webhooks] allow` opens inner networks.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpx

from siems.channels import Refused, TryLater
from siems.channels.calling import Call, Http, Reply, Unreached
from siems.config import Webhooks
from siems.errors import InvalidField

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]

LONGEST_URL = 2_000
TRIES = 3
"""Addresses of one name that are tried."""

INNER = {
    "this machine": ("127.0.0.0/8", "::1/128"),
    "a private network": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
}
"""What a contact with `allow_private=yes` may be."""
NEVER = {
    "this network": ("0.0.0.0/8", "::/128"),
    "a link-local or metadata address": ("169.254.0.0/16", "fe80::/10", "168.63.129.16/32", "fd00:ec2::/32",
                                         "100.100.100.200/32", "192.0.0.192/32"),
    "an IPv4 address in disguise": ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16",
                                    "2001::/32", "192.88.99.0/24"),
    "a multicast or broadcast address": ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8"),
    "no address of the internet": ("192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24",
                                   "203.0.113.0/24", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20"),
}  # fmt: skip
_INNER = [(what, ip_network(net)) for what, nets in INNER.items() for net in nets]
_NEVER = [(what, ip_network(net)) for what, nets in NEVER.items() for net in nets]
_UNICAST = IPv6Network("2000::/3")
_NUMBERS = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?", re.IGNORECASE)


def forbidden(address: Address, *, private: bool = False) -> str:
    """What is wrong with sending there; "" when nothing is. With `private` inner networks are fine."""
    for what, network in _NEVER:
        if address in network and not (what == "an IPv4 address in disguise" and address == IPv6Address("::1")):
            return what
    inner = next((what for what, network in _INNER if address in network), "")
    if inner:
        return "" if private else inner
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return "no address of the internet"
    return "" if address.is_global else "no address of the internet"


def allows_private(options: Mapping[str, str]) -> bool:
    """Whether the contact may lead inside."""
    return options.get("allow_private", "").strip().lower() in ("yes", "true", "1")


class Outward:
    """Posts to addresses that people gave."""

    def __init__(self, settings: Webhooks, provider: str, *, resolve: Resolve | None = None) -> None:
        self.provider = provider
        self._resolve = resolve or resolved
        self._names = frozenset(one for one in settings.allow_list if not _network(one))
        self._networks = [net for net in map(_network, settings.allow_list) if net]
        self._http = Http(provider, direct=True)

    def check(self, url: str, options: Mapping[str, str], *, field: str = "address") -> str:
        """The URL in its one form. Raises InvalidField; what a name leads to is only known when it is called."""
        parsed = _parsed(url, field)
        literal = _literal(parsed.host)
        if literal is None and _NUMBERS.fullmatch(parsed.host):
            raise InvalidField(f"{field}: {parsed.host[:60]} is a number in disguise", hint="write it as 203.0.113.7")
        why = self.doubt(parsed.host, literal, options) if literal else ""
        if why:
            raise InvalidField(f"{field}: {parsed.host[:60]} is {why}", hint="[webhooks] allow opens inner networks")
        return str(parsed)

    def doubt(self, host: str, address: Address, options: Mapping[str, str]) -> str:
        """Why a message to this address of this host must not leave; "" when it may."""
        if host.lower().rstrip(".") in self._names or any(address in network for network in self._networks):
            return ""
        return forbidden(address, private=allows_private(options))

    async def addresses(self, host: str, port: int, options: Mapping[str, str]) -> list[Address]:
        """All that a host stands for. Raises Refused when one of them is inside, TryLater when there is none."""
        literal = _literal(host)
        if literal is None and _NUMBERS.fullmatch(host):
            raise Refused(f"{self.provider}: the address is a number in disguise")
        found = [literal] if literal else [ip_address(one.partition("%")[0]) for one in await self._look_up(host, port)]
        if not found:
            raise TryLater(f"{self.provider}: the host's name is not known")
        for address in found:
            why = self.doubt(host, address, options)
            if why:  # which one it is would tell a stranger about the networks here
                raise Refused(f"{self.provider}: the address leads to {why}")
        return found[:TRIES]

    async def _look_up(self, host: str, port: int) -> list[str]:
        try:
            return list(dict.fromkeys(await self._resolve(host, port)))
        except OSError as why:
            missing = TryLater(f"{self.provider}: the host's name is not known ({type(why).__name__})")
        raise missing

    async def post(self, call: Call, options: Mapping[str, str]) -> Reply:
        """The answer of one of the addresses that the URL's host stands for. Raises Refused, TryLater."""
        try:
            url = _parsed(call.url, "address")
        except InvalidField as why:
            raise Refused(f"{self.provider}: {why.message}") from None
        port = url.port or (443 if url.scheme == "https" else 80)
        failed: TryLater = TryLater(f"{self.provider} cannot be reached")
        for address in await self.addresses(url.host, port, options):
            try:
                return await self._http.post(_pinned(call, url, address))
            except Unreached as why:
                failed = why
        raise failed

    async def close(self) -> None:
        await self._http.close()


def _pinned(call: Call, url: httpx.URL, address: Address) -> Call:
    """The same call to this very address: the server still sees, and proves, the name."""
    host = url.netloc.decode("ascii")
    more: dict[str, Any] = {} if _literal(url.host) else {"sni_hostname": url.raw_host.decode("ascii")}
    target = str(url.copy_with(host=str(address)))
    return replace(call, url=target, headers={**call.headers, "Host": host}, extensions=more)


def _parsed(text: str, field: str) -> httpx.URL:
    hint = "it looks like https://example.com/hook"
    if len(text) > LONGEST_URL:
        raise InvalidField(f"{field}: longer than {LONGEST_URL} characters", hint=hint)
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError, UnicodeError):
        raise InvalidField(f"{field}: this is no URL", hint=hint) from None
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidField(f"{field}: a URL that begins with https:// is needed", hint=hint)
    if url.userinfo:
        raise InvalidField(f"{field}: a URL without a name and password in it is needed", hint=hint)
    if url.port is not None and not 0 < url.port < 65_536:
        raise InvalidField(f"{field}: there is no such port", hint=hint)
    if any(not c.isprintable() or c in " \\" for c in url.host) or "%" in url.host:
        raise InvalidField(f"{field}: the host's name has signs that no name has", hint=hint)
    return url.copy_with(fragment=None)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _network(text: str) -> Any:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


async def resolved(host: str, port: int) -> list[str]:
    """What the system's resolver knows."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
