"""A request to the API: whoever asks, what they sent, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from siems.daemon.http.middleware import RUNTIME, Handler, actor_of, answer, body_of, not_draining
from siems.daemon.runtime import Runtime
from siems.domain.permissions import Actor
from siems.errors import InvalidField, UsageError
from siems.services import idempotency
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Role

A = TypeVar("A")
encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Call:
    """A request, with whoever asks and what answers."""

    request: web.Request
    runtime: Runtime
    actor: Actor

    async def body(self, kind: type[A]) -> A:
        """The body as the shape that the route takes. Raises UsageError and InvalidField naming the field."""
        raw = await body_of(self.request) or b"{}"
        try:
            if b"\\u0000" in raw and _holds_nul(msgspec.json.decode(raw)):
                raise InvalidField("text cannot hold a NUL character")
            return msgspec.json.decode(raw, type=kind)
        except msgspec.ValidationError as why:
            raise InvalidField(str(why), hint="siems schema shows what this takes") from why
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as why:
            raise UsageError("the body is not valid JSON", hint="send UTF-8 encoded JSON") from why

    def word(self, name: str, default: str = "") -> str:
        return self.request.query.get(name, default)

    def limit(self) -> int:
        text = self.word("limit", "0")
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise InvalidField(f"limit is a number, not {text[:20]!r}")
        return int(text)

    def since(self, default: timedelta | None = None) -> datetime | None:
        """From when on; without a word about it so long ago. Raises InvalidField."""
        text = self.word("since")
        if not text:
            return None if default is None else self.runtime.clock.now() - default
        try:
            found = datetime.fromisoformat(text)
        except ValueError as why:
            raise InvalidField(f"since is a time like 2026-03-10T14:00:00Z, not {text[:40]!r}") from why
        if found.tzinfo is None:
            raise InvalidField("since has no time zone", hint="write it like 2026-03-10T14:00:00Z")
        return found

    def path(self, name: str) -> str:
        return self.request.match_info[name]

    async def read(self, fn: Callable[..., A], *args: Any) -> A:
        return await self.runtime.database.read(fn, *args)

    async def write(
        self, verb: Callable[[UnitOfWork], bytes], *, company: str, more: Sequence[str] = ()
    ) -> web.Response:  # fmt: skip
        """A verb whose answer may be asked for again under its idempotency key. `more`: companies it changes, too."""
        if self.word("dry_run") == "true":
            return await self.rehearse(verb, company=company, more=more)
        key = self.request.headers.get("Idempotency-Key", "")
        if len(key) > 200 or not (key.isascii() and key.isprintable()):
            raise InvalidField("an Idempotency-Key has at most 200 printable characters")
        route = f"{self.request.method} {self.request.path}"[:200]
        body_hash = sha256(await self.request.read()).hexdigest()
        said = await self.runtime.database.write(
            idempotency.once, self.actor, route, key, body_hash, verb, companies=(company, *more)
        )
        return web.Response(body=said, content_type="application/json")

    async def write_secret(self, verb: Callable[[UnitOfWork], bytes], *, company: str) -> web.Response:
        """An answer with secrets is shown once: it is kept nowhere, so it has no idempotency key."""
        if self.word("dry_run") == "true":
            return await self.rehearse(verb, company=company)
        said = await self.runtime.database.write(verb, companies=(company,))
        await self.runtime.reload_keys()
        return web.Response(
            body=said, status=201, content_type="application/json", headers={"Cache-Control": "no-store"}
        )

    async def rehearse(
        self, verb: Callable[[UnitOfWork], bytes], *, company: str, more: Sequence[str] = ()
    ) -> web.Response:  # fmt: skip
        """What the verb would answer; nothing is changed."""
        try:
            await self.runtime.database.write(idempotency.rehearse, verb, companies=(company, *more))
        except idempotency.Rehearsed as done:
            return web.Response(body=done.answer, content_type="application/json", headers={"X-Dry-Run": "true"})
        raise AssertionError("a rehearsal always ends by raising")


def _holds_nul(value: Any) -> bool:
    """Whether any text in a JSON value has a character that no database keeps."""
    match value:
        case str():
            return "\x00" in value
        case dict():
            return any(_holds_nul(key) or _holds_nul(item) for key, item in value.items())
        case list():
            return any(_holds_nul(item) for item in value)
    return False


Route = Callable[[Call], Any]


def signed_in(route: Route) -> Handler:
    """A route for people who are logged in."""

    async def handler(request: web.Request) -> web.StreamResponse:
        runtime = request.app[RUNTIME]
        actor = await actor_of(request)
        if request.method != "GET":
            not_draining(runtime)
        found: web.StreamResponse = await route(Call(request, runtime, actor))
        return found

    return handler


def items_of(items: list[Any]) -> web.Response:
    return answer({"items": items})


NOBODY = Actor("", "nobody", Role.CLIENT)
"""Who has not said yet who they are."""
