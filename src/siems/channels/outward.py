"""Posting to addresses that people give: as `siems.outward` allows it, without redirects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx

from siems.channels import Refused, TryLater
from siems.channels.calling import Call, Http, Reply, Unreached
from siems.config import Webhooks
from siems.errors import InvalidField
from siems.outward import NUMBERS, Address, Blocked, Guard, Resolve, Unknown, literal_of

LONGEST_URL = 2_000


def allows_private(options: Mapping[str, str]) -> bool:
    """Whether the contact may lead inside."""
    return options.get("allow_private", "").strip().lower() in ("yes", "true", "1")


class Outward:
    """Posts to addresses that people gave."""

    def __init__(self, settings: Webhooks, provider: str, *, resolve: Resolve | None = None) -> None:
        self.provider = provider
        self._guard = Guard(settings.allow_list, resolve=resolve)
        self._http = Http(provider, direct=True)

    def check(self, url: str, options: Mapping[str, str], *, field: str = "address") -> str:
        """The URL in its one form. Raises InvalidField; what a name leads to is only known when it is called."""
        parsed = _parsed(url, field)
        literal = literal_of(parsed.host)
        if literal is None and NUMBERS.fullmatch(parsed.host):
            raise InvalidField(f"{field}: {parsed.host[:60]} is a number in disguise", hint="write it as 203.0.113.7")
        why = self.doubt(parsed.host, literal, options) if literal else ""
        if why:
            raise InvalidField(f"{field}: {parsed.host[:60]} is {why}", hint="[webhooks] allow opens inner networks")
        return str(parsed)

    def doubt(self, host: str, address: Address, options: Mapping[str, str]) -> str:
        """Why a message to this address of this host must not leave; "" when it may."""
        return self._guard.doubt(host, address, private=allows_private(options))

    async def addresses(self, host: str, port: int, options: Mapping[str, str]) -> list[Address]:
        """All that a host stands for. Raises Refused when one of them is inside, TryLater when there is none."""
        try:
            return await self._guard.addresses(host, port, private=allows_private(options))
        except Blocked as why:
            blocked = Refused(f"{self.provider}: the address {_leads(why)}")
        except Unknown as why:
            raise TryLater(f"{self.provider}: {why}") from None
        raise blocked from None

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
    more: dict[str, Any] = {} if literal_of(url.host) else {"sni_hostname": url.raw_host.decode("ascii")}
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


def _leads(why: Blocked) -> str:
    return f"is {why}" if "disguise" in str(why) and "number" in str(why) else f"leads to {why}"
