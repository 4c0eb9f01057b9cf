"""A daemon inside the test process, on a real socket, and a client that sends exactly the bytes it is told to."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web_app

from siems.clock import Clock
from siems.config import DatabaseSection, Server, Settings
from siems.daemon.http.app import Listening, listen
from siems.daemon.runtime import Runtime, company_defaults
from siems.domain import signature
from siems.domain.integration import Opening
from siems.domain.permissions import SYSTEM, Actor
from siems.services import companies, integrations, setup, users
from siems.sources import SOURCES
from siems.storage.vault import Vault
from siems.vocabulary import MSP, Role, Signing
from siems.wire import OnboardAsk, Onboarded, UserAsk

VAULT = Vault(b"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
Headers = Sequence[tuple[str, str]]
PASSWORD = "correct horse battery"
HASH = users.hash_password(PASSWORD)
ALERT: dict[str, Any] = {
    "asset_name": "web-server-01", "signature": "high_cpu_usage", "severity": "high", "message": "CPU at 95%",
    "tool_source": "Datadog",
}  # fmt: skip


def unlike(signature: str, asset: str) -> dict[str, Any]:
    """What makes an alert an incident of its own."""
    return {"asset_name": asset, "signature": signature, "message": f"{signature} on {asset}"}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem document."""
        assert self.headers["content-type"].startswith("application/problem+json"), self
        return str(self.json()["code"])


async def until(look: Callable[[], Awaitable[Any]], *, seconds: float = 15.0) -> Any:
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while not (found := await look()):
        assert time.monotonic() < end, f"not within {seconds} s"
        await asyncio.sleep(0.02)
    return found


class House:
    """One daemon: Acme and Beta are its clients, root is its admin."""

    def __init__(self, runtime: Runtime, listening: Listening) -> None:
        self.runtime = runtime
        self.listening = listening
        self.port = listening.port
        self.clock = runtime.clock
        self.tokens: dict[str, str] = {}
        self.acme: Onboarded
        self.beta: Onboarded

    async def do(self, verb: Callable[..., Any], *args: Any, companies: Sequence[str] = (MSP,)) -> Any:
        return await self.runtime.database.write(verb, *args, companies=companies)

    async def furnish(self) -> None:
        await self.do(setup.prepare, company_defaults(self.runtime.settings))
        self.root = await self.hire("root", Role.ADMIN)
        self.acme, self.beta = await self.onboard("Acme"), await self.onboard("Beta")

    async def onboard(self, name: str) -> Onboarded:
        defaults = company_defaults(self.runtime.settings)
        made = await self.do(companies.onboard, SYSTEM, OnboardAsk(name=name), VAULT, defaults, "http://here")
        await self.runtime.reload_keys()
        assert isinstance(made, Onboarded)
        return made

    async def integration(self, company: str, tool: str, **more: Any) -> Any:
        signing = Signing.NONE if SOURCES.get(tool).signing is None else Signing.REQUIRED
        opening = Opening(tool=tool, signing=signing, key_in_url=signing is Signing.NONE, **more)
        added = await self.do(
            integrations.add, SYSTEM, company, opening, VAULT, "http://x", companies=(company,)
        )  # fmt: skip
        await self.runtime.reload_keys()
        return added

    async def hire(self, name: str, role: Role, *scope: str) -> Actor:
        ask = UserAsk(name=name, email=f"{name}@msp.example", role=role.value, password="", companies=list(scope))
        user_id = await self.do(users.create, SYSTEM, ask, HASH)
        self.tokens[name] = await self.do(users.make_local_token, user_id)
        return Actor(user_id, name, role, frozenset(scope))

    # --- sending -----------------------------------------------------------------------------------------------

    async def send(self, method: str, path: str, headers: Headers = (), body: bytes = b"") -> Reply:
        """One request on a connection of its own, byte for byte as it is given."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers]
        if not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers):
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"
        return await self.raw(head + body)

    async def raw(self, request: bytes) -> Reply:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            answer = await asyncio.wait_for(reader.read(), 20)
        finally:
            writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        if headers.get("transfer-encoding") == "chunked":
            body = _joined(body)
        return Reply(int(first.split()[1]), headers, body)

    async def ask(
        self, who: str, method: str, path: str, body: Any = None, *, headers: Headers = ()
    ) -> Reply:  # fmt: skip
        """A request of somebody who is logged in."""
        given = [("Authorization", f"Bearer {self.tokens[who]}"), *headers]
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return await self.send(method, f"/api/v1{path}", given, raw)

    def signed(self, body: bytes, *, company: Onboarded | None = None, offset: float = 0.0) -> list[tuple[str, str]]:
        """The headers of a request that is let in, or would be but for its time."""
        from datetime import timedelta

        made = company or self.acme
        at = self.clock.now() + timedelta(seconds=offset)
        return [("X-API-Key", made.api_key), *signature.sign(made.hmac_secret, body, at=at).items()]

    async def alert(
        self, body: Any = ALERT, *, company: Onboarded | None = None, delivery: str = "", headers: Headers = ()
    ) -> Reply:
        """A signed alert."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        more = [("X-Delivery-ID", delivery)] if delivery else []
        return await self.send(
            "POST", "/api/webhooks/alerts", [*self.signed(raw, company=company), *more, *headers], raw
        )

    async def causes(self) -> list[str]:
        """The true causes of refusals, as staff see them, newest first."""
        reply = await self.ask("root", "GET", "/rejections")
        return [str(item["cause"]) for item in reply.json()["items"]]

    # --- streaming ---------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def events(self, who: str, query: str = "", headers: Headers = ()) -> AsyncIterator[Callable[..., Any]]:
        """The live stream; the value is a function that waits for the next event."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"GET /api/v1/events{query} HTTP/1.1", "Host: x", f"Authorization: Bearer {self.tokens[who]}"]
        lines += [f"{name}: {value}" for name, value in headers]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert b" 200 " in head.split(b"\r\n")[0], head

        async def following(*, seconds: float = 10.0) -> dict[str, Any]:
            while True:
                line = await asyncio.wait_for(reader.readline(), seconds)
                if line in (b"", b"0\r\n"):  # closed, or the last chunk
                    raise EOFError("the stream has ended")
                if line.startswith(b"data: "):
                    return dict(json.loads(line[6:]))

        try:
            yield following
        finally:
            writer.close()


def _joined(chunked: bytes) -> bytes:
    out = b""
    while chunked:
        size, _, rest = chunked.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        out, chunked = out + rest[:length], rest[length + 2 :]
    return out


@asynccontextmanager
async def open_house(
    url: str,
    clock: Clock,
    *,
    furnished: bool = True,
    watching: bool = False,
    sections: dict[str, Any] | None = None,
    **server: Any,
) -> AsyncIterator[House]:
    """A daemon that listens on a port of its own."""
    settings = Settings(
        database=DatabaseSection(url=url), server=Server(port=0, drain_seconds=1, **server), **(sections or {})
    )  # fmt: skip
    runtime = Runtime(settings, clock, VAULT, "http://here", watching=watching)
    await runtime.start()
    listening = await listen(runtime, None)
    house = House(runtime, listening)
    try:
        if furnished:
            await house.furnish()
        yield house
    finally:
        runtime.draining = True
        runtime.hub.close()
        await listening.cleanup()
        await runtime.stop()
        # aiohttp remembers a thousand handlers with the applications they belong to: here each one is a whole daemon
        web_app._cached_build_middleware.cache_clear()
