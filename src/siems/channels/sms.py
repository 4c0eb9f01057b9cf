"""Text messages, by Twilio or Amazon SNS: no more than two segments, answered by a short reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from siems.channels import Accepted, Destination, Message, Refused, TryLater
from siems.channels.gsm import TWO, gsm, short, text_message
from siems.channels.rendering import phone
from siems.channels.threads import Threads
from siems.channels.twilio import Account
from siems.clouds.aws import Messenger
from siems.config import Settings
from siems.errors import SiemsError, Unavailable, UsageError


class Carrier(Protocol):
    """Who takes text messages to phones."""

    async def carry(self, text: str, to: str) -> Accepted: ...

    async def close(self) -> None: ...


class Sms:
    """`+4930123456`."""

    def __init__(self, settings: Settings) -> None:
        match settings.sms.provider:
            case "twilio":
                self._carrier: Carrier = _Twilio(settings)
            case "sns":
                self._carrier = _Sns(settings)
            case _:
                raise UsageError("no text messages are sent: provider is not set", hint="[sms] of siems.toml")

    def check(self, address: str, options: Mapping[str, str]) -> str:
        return phone(address)

    async def send(self, message: Message, to: Destination) -> Accepted:
        return await self._carrier.carry(text_message(message), to.address)

    async def say(self, text: str, to: str) -> Accepted:
        """A line that asks for nothing, such as what became of an answer. Raises as `send`."""
        return await self._carrier.carry(short(gsm(text), TWO), to)

    async def close(self) -> None:
        await self._carrier.close()


class _Twilio:
    def __init__(self, settings: Settings) -> None:
        sender = settings.sms.sender
        if not sender:
            raise UsageError("no text messages are sent: sender is not set", hint="[sms] of siems.toml")
        self._from = {"MessagingServiceSid" if sender.startswith("MG") and len(sender) == 34 else "From": sender}
        self._account = Account(settings)

    async def carry(self, text: str, to: str) -> Accepted:
        return await self._account.make("Messages", {"To": to, **self._from, "Body": text})

    async def close(self) -> None:
        await self._account.close()


class _Sns:
    def __init__(self, settings: Settings) -> None:
        self._messenger = Messenger(settings.aws, settings.sms.region)
        self._sender = settings.sms.sender
        self._threads = Threads("sns")

    async def carry(self, text: str, to: str) -> Accepted:
        try:
            return Accepted(message_id=await self._threads.run(self._messenger.text, text, sender=self._sender, to=to))
        except Unavailable as why:
            failed: Refused | TryLater = TryLater(why.message, why.retry_after)
        except SiemsError as why:
            failed = Refused(f"{why.message}: {why.hint}" if why.hint else why.message)
        raise failed

    async def close(self) -> None:
        self._threads.close()
