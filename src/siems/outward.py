"""Addresses that people give lead to the open internet and nowhere else: never to this machine or its networks.

A name is resolved once, all that it stands for is looked at, and the connection goes to exactly that: a name that
means something else a moment later changes nothing. `[webhooks] allow` opens inner networks.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpx

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]

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
NUMBERS = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?", re.IGNORECASE)


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


class Blocked(Exception):
    """An address leads where nothing may go; the text says to what kind of place."""


class Unknown(Exception):
    """A name that stands for no address."""


class Guard:
    """Which addresses may be called: those of the internet, and what the settings allow."""

    def __init__(self, allow: Iterable[str], *, resolve: Resolve | None = None) -> None:
        words = tuple(allow)
        self._resolve = resolve or resolved
        self._names = frozenset(one for one in words if not network_of(one))
        self._networks = [net for net in map(network_of, words) if net]

    def doubt(self, host: str, address: Address, *, private: bool = False) -> str:
        """Why nothing must go to this address of this host; "" when it may."""
        if host.lower().rstrip(".") in self._names or any(address in network for network in self._networks):
            return ""
        return forbidden(address, private=private)

    async def addresses(self, host: str, port: int, *, private: bool = False) -> list[Address]:
        """All that a host stands for. Raises Blocked when one of them is inside, Unknown when there is none."""
        literal = literal_of(host)
        if literal is None and NUMBERS.fullmatch(host):
            raise Blocked("a number in disguise")
        found = [literal] if literal else [ip_address(one.partition("%")[0]) for one in await self._look_up(host, port)]
        if not found:
            raise Unknown("the host's name is not known")
        for address in found:
            why = self.doubt(host, address, private=private)
            if why:  # which one it is would tell a stranger about the networks here
                raise Blocked(why)
        return found[:TRIES]

    async def _look_up(self, host: str, port: int) -> list[str]:
        try:
            return list(dict.fromkeys(await self._resolve(host, port)))
        except OSError as why:
            missing = Unknown(f"the host's name is not known ({type(why).__name__})")
        raise missing


class Pinned(httpx.AsyncBaseTransport):
    """Connections that go to an address that was looked at; the server still sees, and proves, the name."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._http = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises Blocked, and ConnectError for a name that is not known."""
        url = request.url
        try:
            found = await self._guard.addresses(url.host, url.port or (443 if url.scheme == "https" else 80))
        except Unknown as why:
            raise httpx.ConnectError(str(why)) from why
        if literal_of(url.host) is None:
            request.extensions = {**request.extensions, "sni_hostname": url.raw_host.decode("ascii")}
        request.url = url.copy_with(host=str(found[0]))
        return await self._http.handle_async_request(request)

    async def aclose(self) -> None:
        await self._http.aclose()


def literal_of(host: str) -> Address | None:
    """The address that a host is written as; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def network_of(text: str) -> Any:
    """The network that a word of the settings is; None for a name."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


async def resolved(host: str, port: int) -> list[str]:
    """What the system's resolver knows."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
