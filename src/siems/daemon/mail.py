"""Alerts by mail: an SMTP listener that says 250 when they are on disk, and lets the sender keep what it cannot take.

The address of an integration is its key. What is behind an unknown, ended or foreign one, and what a message says,
is decided by the same checks as for webhooks (`Intake`).
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from siems.config import MailIngest
from siems.daemon.keyring import Entry
from siems.domain.changing import replace
from siems.domain.letter import opened
from siems.domain.letter_rules import Rule, ruled
from siems.domain.particulars import EMAIL
from siems.domain.signature import Cause
from siems.errors import Conflict, NotAuthenticated, Overloaded, SiemsError, UsageError
from siems.services.ingest import Incoming, accept
from siems.sources import SOURCES, Read
from siems.sources.hearing import hear

if TYPE_CHECKING:
    from siems.daemon.runtime import Runtime

log = structlog.get_logger()

MAX_CONNECTIONS = 200
MAX_FROM_ONE = 40
MAX_RECIPIENTS = 20
IDLE_SECONDS = 120.0
LONGEST_LINE = 128 * 1024
"""Far more than the 998 that the standard allows: pages in one line are common, and an alert is an alert."""
BESIDE_THE_LOOP = 16 * 1024
"""Messages from this size on are read on a thread."""

STOPPING = "421 4.3.2 siems is stopping, try again"
UNKNOWN = "550 5.1.1 no such address"
LATER = "451 4.3.2 cannot be taken now, try again later"
TAKEN = "250 2.0.0 on disk"


class Desk:
    """Who may write to which address, and what becomes of a message: the hooks of aiosmtpd."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.domain = runtime.settings.mail_ingest.domain.strip().lower()
        self.tool = SOURCES.get(EMAIL)
        self.open: dict[Dialogue, str] = {}
        self.busy = 0

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.runtime.draining:
            return STOPPING
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        try:
            self._entry(address, _peer(session))
        except NotAuthenticated:
            return UNKNOWN
        except SiemsError:
            return LATER
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        if self.runtime.draining:
            return STOPPING
        content = bytes(envelope.original_content or b"")
        self.busy += 1
        try:
            return await self._store(envelope, content, _peer(session))
        except NotAuthenticated:
            return UNKNOWN
        except UsageError:
            return "550 5.6.0 this message says nothing"
        except SiemsError as why:
            log.warning("mail.put_off", why=why.message)
            return LATER
        finally:
            self.busy -= 1

    async def handle_exception(self, error: Exception) -> str:
        log.error("mail.failed", exc_info=error)
        return LATER

    def _entry(self, address: str, peer: str) -> Entry:
        """The integration behind an address, which may have a + and anything before its key. Raises SiemsError."""
        local, _, domain = address.rpartition("@")
        key = local.rpartition("+")[2].strip('"').lower() if domain.lower() == self.domain else ""
        entry = self.runtime.intake.knows(self.tool, key, peer)
        if entry.tool != self.tool.name:  # a key of the generic contract signs what it sends; mail cannot
            raise self.runtime.intake.forged(entry, Cause.WRONG_SOURCE, self.tool, peer)
        return entry

    async def _store(self, envelope: Envelope, content: bytes, peer: str) -> str:
        """Every recipient's alert is on disk, or none counts: repeating it is safe."""
        runtime = self.runtime
        runtime.traffic.comes(self.tool.name)
        raw = b"Return-Path: <%s>\r\n" % (envelope.mail_from or "").strip("<>").encode("utf-8", "replace") + content
        name, digest = identity(content)
        incoming = []
        for address in dict.fromkeys(one.lower() for one in envelope.rcpt_tos):
            entry = self._entry(address, peer)
            read = await self._read(raw, entry.particulars.rules)
            letter = runtime.intake.letter(entry, self.tool, raw, read, peer)
            incoming.append(replace(letter, delivery_id=name, body_hash=digest))
        await asyncio.gather(*(self._keep(one, peer) for one in incoming))
        return TAKEN

    async def _read(self, raw: bytes, rules: tuple[Rule, ...]) -> Read:
        if len(raw) < BESIDE_THE_LOOP:
            return self._heard(raw, rules)
        return await asyncio.to_thread(self._heard, raw, rules)

    def _heard(self, raw: bytes, rules: tuple[Rule, ...]) -> Read:
        read = hear(self.tool, raw, {})
        return ruled(rules, opened(raw), read) if rules else read

    async def _keep(self, incoming: Incoming, peer: str) -> None:
        try:
            await self.runtime.database.write(
                accept, incoming, companies=(incoming.company_id,), ingest=True, delivery=incoming.key,
                size=len(incoming.raw),
            )  # fmt: skip
        except Overloaded as full:
            self.runtime.intake.overloaded(incoming, peer, full)
            raise


def identity(content: bytes) -> tuple[str | None, bytes]:
    """(delivery id, digest) by which a message that a relay sends again is known, whatever it puts before it.

    The id of a message alone is not enough: there are programs that give all of theirs the same one.
    """
    letter = opened(content)
    body = content.partition(b"\r\n\r\n")[2]
    said = "\0".join((letter.message_id, letter.subject, letter.headers.get("date", "")))
    digest = sha256(said.encode("utf-8", "surrogatepass") + b"\0" + body).digest()
    return f"mail-{digest.hex()[:40]}" if letter.message_id else None, digest


def _peer(session: Session) -> str:
    peer: Any = session.peer  # a tuple, whatever its annotation says
    return str(peer[0]) if isinstance(peer, tuple) else ""


class Dialogue(SMTP):
    """One connection."""

    line_length_limit = LONGEST_LINE

    def __init__(self, desk: Desk, tls: ssl.SSLContext | None) -> None:
        settings = desk.runtime.settings.mail_ingest
        super().__init__(
            desk, data_size_limit=settings.max_message_kib * 1024, enable_SMTPUTF8=True, hostname=desk.domain,
            ident="siems", tls_context=tls, timeout=IDLE_SECONDS, loop=asyncio.get_running_loop(),
        )  # fmt: skip
        self._desk = desk
        self._turned_away = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        host = str(peer[0]) if isinstance(peer, tuple) else ""
        full = len(self._desk.open) >= MAX_CONNECTIONS or Counter(self._desk.open.values())[host] >= MAX_FROM_ONE
        if self not in self._desk.open and full:
            self._turned_away = True
            assert isinstance(transport, asyncio.WriteTransport)
            transport.write(b"421 4.3.2 too many connections, try again\r\n")
            transport.close()
            return
        self._desk.open[self] = host
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._desk.open.pop(self, None)
        if not self._turned_away:
            super().connection_lost(error)


class Listening:
    """The open listener."""

    def __init__(self, server: asyncio.Server, desk: Desk) -> None:
        self._server = server
        self._desk = desk
        self.port = int(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Take no more connections, finish the messages that are being stored, then hang up."""
        self._server.close()
        for _ in range(100 * self._desk.runtime.settings.server.drain_seconds):
            if not self._desk.busy:
                break
            await asyncio.sleep(0.01)
        for dialogue in list(self._desk.open):
            if dialogue.transport is not None:
                dialogue.transport.close()


async def listen(runtime: Runtime) -> Listening:
    """Listen as the settings say. Raises UsageError for what they lack, Conflict when the port is taken."""
    settings = runtime.settings.mail_ingest
    if not settings.domain.strip():
        raise UsageError("mail_ingest.enabled needs a domain", hint='domain = "alerts.msp.example" in [mail_ingest]')
    tls, desk = _tls(settings), Desk(runtime)
    try:
        server = await asyncio.get_running_loop().create_server(
            lambda: Dialogue(desk, tls), settings.host, settings.port, backlog=256, reuse_address=True
        )
    except OSError as why:
        raise Conflict(
            f"cannot listen for mail on {settings.host}:{settings.port} ({os.strerror(why.errno or 0)})",
            hint="another program uses this port; choose one: port in [mail_ingest] of siems.toml",
        ) from why
    found = Listening(server, desk)
    log.info("mail.listening", host=settings.host, port=found.port, domain=desk.domain, tls=tls is not None)
    return found


def _tls(settings: MailIngest) -> ssl.SSLContext | None:
    if not settings.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key or None)
    except (OSError, ssl.SSLError) as why:
        raise UsageError(
            f"the certificate for mail cannot be used: {why}", hint="tls_certificate and tls_key in [mail_ingest]"
        ) from why
    return context
