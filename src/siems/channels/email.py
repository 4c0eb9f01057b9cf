"""Mail, by a server that speaks SMTP or by Amazon SES."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Protocol

import aiosmtplib

from siems.channels import Accepted, Destination, Message, Refused, TryLater
from siems.channels.calling import word
from siems.channels.letters import address, letter, sender
from siems.channels.threads import Threads
from siems.clouds.aws import Messenger
from siems.config import Settings
from siems.errors import SiemsError, Unavailable, UsageError

PATIENCE = 9.0
GOODBYE = 1.0
"""Seconds that a server has to say goodbye: it has the message already."""


class Post(Protocol):
    """Who carries letters."""

    async def carry(self, made: EmailMessage, origin: Address, to: str) -> str: ...

    async def close(self) -> None: ...


class Email:
    """`sarah@msp.example`. Letters of one incident are one conversation."""

    def __init__(self, settings: Settings) -> None:
        if not settings.email.sender:
            raise UsageError("no mail is sent: sender is not set", hint="sender in [email] of siems.toml")
        self._origin = sender(settings.email.sender)
        self._post: Post = _Ses(settings) if settings.email.provider == "ses" else _Smtp(settings)

    def check(self, address_: str, options: Mapping[str, str]) -> str:
        return address(address_)

    async def send(self, message: Message, to: Destination) -> Accepted:
        made = letter(message, to, self._origin)
        return Accepted(message_id=await self._post.carry(made, self._origin, to.address))

    async def close(self) -> None:
        await self._post.close()


class _Smtp:
    """One conversation per letter: a server that hangs holds up no other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.email
        if not self._settings.host:
            raise UsageError("no mail is sent: there is no server", hint="host in [email] of siems.toml")
        self._trusted: ssl.SSLContext | None = None
        if self._settings.tls != "none":
            try:
                self._trusted = ssl.create_default_context(cafile=self._settings.ca_file or None)
            except OSError as why:
                raise UsageError(f"the file of ca_file in [email] cannot be read ({why.strerror})") from why

    async def carry(self, made: EmailMessage, origin: Address, to: str) -> str:
        given = self._settings
        client = aiosmtplib.SMTP(
            hostname=given.host, port=given.port, use_tls=given.tls == "implicit", start_tls=given.tls == "starttls",
            tls_context=self._trusted, username=given.user or None,
            password=given.password.get_secret_value() if given.user else None, timeout=PATIENCE,
        )  # fmt: skip
        try:
            failed = await self._carried(client, made, origin.addr_spec, to)
            if failed is None:
                with suppress(aiosmtplib.SMTPException, TimeoutError, OSError):
                    async with asyncio.timeout(GOODBYE):
                        await client.quit()
        finally:
            client.close()
        if failed is not None:
            raise failed  # here, so that it does not carry what the server said along
        return str(made["Message-ID"])

    async def _carried(
        self, client: aiosmtplib.SMTP, made: EmailMessage, origin: str, to: str
    ) -> Refused | TryLater | None:
        try:
            await client.connect()
            await client.sendmail(origin, [to], made.as_bytes())
        except aiosmtplib.SMTPRecipientsRefused as why:
            return _told(why.recipients[0].code, why.recipients[0].message)
        except aiosmtplib.SMTPAuthenticationError as why:
            return _told(why.code, "the login was not taken")
        except aiosmtplib.SMTPResponseException as why:
            return _told(why.code, why.message)
        except aiosmtplib.SMTPTimeoutError:
            return TryLater("the mail server did not answer in time")
        except (aiosmtplib.SMTPException, OSError) as why:
            if "not supported" in str(why):
                return Refused("the mail server cannot do what is set in [email]: STARTTLS, or logging in")
            return TryLater(f"the mail server cannot be reached, or broke off ({_cause(why)})")
        return None

    async def close(self) -> None:
        return


def _told(code: int, said: str) -> Refused | TryLater:
    """4xx asks to come again, everything else is for good."""
    text = f"the mail server answered {code} ({word(said)})"
    return TryLater(text) if 400 <= code < 500 else Refused(text)


def _cause(why: BaseException) -> str:
    return type(why.__cause__ or why).__name__


class _Ses:
    """Amazon's own service, with the credentials of [aws]."""

    def __init__(self, settings: Settings) -> None:
        self._messenger = Messenger(settings.aws, settings.email.region)
        self._threads = Threads("ses")

    async def carry(self, made: EmailMessage, origin: Address, to: str) -> str:
        try:
            return await self._threads.run(self._messenger.mail, made.as_bytes(), sender=str(origin), to=to)
        except Unavailable as why:
            failed: Refused | TryLater = TryLater(why.message, why.retry_after)
        except SiemsError as why:
            failed = Refused(f"{why.message}: {why.hint}" if why.hint else why.message)
        raise failed

    async def close(self) -> None:
        self._threads.close()
