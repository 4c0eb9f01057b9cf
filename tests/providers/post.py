"""A mail server as providers run them: login, STARTTLS, and every way to say no.

with Post() as post:
    post.then(Refusal("RCPT", "451 4.7.1 greylisted"))
    ...                               # speak SMTP to post.port
    assert post.taken[0].letter["Subject"] == "..."
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True)
class Taken:
    """A letter with its envelope."""

    sender: str
    to: tuple[str, ...]
    raw: bytes
    user: str = ""

    @property
    def letter(self) -> EmailMessage:
        return cast(EmailMessage, message_from_bytes(self.raw, policy=policy.default))

    def part(self, kind: str) -> str:
        """The text of `plain` or `html`."""
        body = self.letter.get_body((kind,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


@dataclass(frozen=True)
class Refusal:
    """At which word (MAIL, RCPT, DATA, QUIT) it answers so; `hold` until `release()`; `reset` breaks off there.

    A reset at DATA comes after the letter was taken.
    """

    at: str
    answer: str = ""
    hold: bool = False
    reset: bool = False


class Post:
    """A server on this machine. With `user` nobody sends without logging in; with `tls` it offers STARTTLS."""

    def __init__(
        self, *, user: str = "", password: str = "", tls: ssl.SSLContext | None = None, implicit: bool = False
    ) -> None:
        self.user, self.password, self.tls, self.implicit = user, password, tls, implicit
        self.port = 0
        self.taken: list[Taken] = []
        self.refusals: deque[Refusal] = deque()
        self.logins: list[str] = []
        self.secured = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._came = threading.Condition()
        self.met: list[Refusal] = []
        self._open: list[SMTP] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def then(self, *refusals: Refusal) -> None:
        self.refusals.extend(refusals)

    def release(self) -> None:
        self._loop.call_soon_threadsafe(self._free.set)

    async def until_met(self, count: int) -> None:
        """Until so many refusals were met."""

        def wait() -> None:
            with self._came:
                assert self._came.wait_for(lambda: len(self.met) >= count, 20)

        await asyncio.to_thread(wait)

    # --- hooks of aiosmtpd -------------------------------------------------------------------------------------

    async def _meets(self, at: str, server: Any, fine: str) -> str:
        if not self.refusals or self.refusals[0].at != at:
            return fine
        refusal = self.refusals.popleft()
        with self._came:
            self.met.append(refusal)
            self._came.notify_all()
        if refusal.hold:
            await self._free.wait()
        if refusal.reset:
            server.transport.abort()
        return refusal.answer or fine

    async def handle_MAIL(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        strange = bool(self.user) and not session.authenticated
        said = await self._meets("MAIL", server, "530 5.7.0 log in first" if strange else "250 2.1.0 ok")
        if said.startswith("250"):
            envelope.mail_from = address
        return said

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        said = await self._meets("RCPT", server, "250 2.1.5 ok")
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        refused = bool(self.refusals) and self.refusals[0].at == "DATA" and bool(self.refusals[0].answer)
        if not refused:
            self.secured += session.ssl is not None or self.implicit
            self.taken.append(
                Taken(
                    envelope.mail_from or "", tuple(envelope.rcpt_tos), bytes(envelope.original_content or b""),
                    self.logins[-1] if session.authenticated and self.logins else "",
                )
            )  # fmt: skip
        return await self._meets("DATA", server, f"250 2.0.0 queued as {len(self.taken)}")

    async def handle_QUIT(self, server: Any, session: Session, envelope: Envelope) -> str:
        return await self._meets("QUIT", server, "221 2.0.0 bye")

    def _login(self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        right = (given.login.decode(), given.password.decode()) == (self.user, self.password)
        if right:
            self.logins.append(given.login.decode())
        return AuthResult(success=right, handled=False)

    # --- the machinery -----------------------------------------------------------------------------------------

    def _conversation(self) -> SMTP:
        offered = None if self.implicit else self.tls
        self._open.append(made := SMTP(
            self, hostname="post.example", tls_context=offered, auth_require_tls=False, loop=self._loop,
            authenticator=self._login if self.user else None,
        ))  # fmt: skip
        return made

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._free = asyncio.Event()
        secure = self.tls if self.implicit else None
        opening = self._loop.create_server(self._conversation, "127.0.0.1", 0, ssl=secure)
        server = self._loop.run_until_complete(opening)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._free.set()
        for conversation in self._open:
            if conversation.transport is not None:
                conversation.transport.abort()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
