"""Push to phones by Pushover: a user's or group's key."""

from __future__ import annotations

import re
from collections.abc import Mapping

from siems.channels import Accepted, Destination, Message, Refused
from siems.channels.calling import Call, Http, now, settle, word
from siems.channels.rendering import cut, plain, title
from siems.config import Settings
from siems.errors import InvalidField, UsageError
from siems.vocabulary import Severity

PROVIDER = "Pushover"
_KEY = re.compile(r"[A-Za-z0-9]{30}")
_DEVICE = re.compile(r"[A-Za-z0-9_-]{1,25}")
TITLE, TEXT, URL, URL_TITLE = 250, 1_024, 512, 100
"""Characters that the API takes."""
EMERGENCY = 2
RETRY, EXPIRE = 60, 900
"""Seconds: so often an emergency rings again, and for so long; by then the chain has gone on."""


class Pushover:
    """Options: `device`. A page gets past the quiet hours of a phone; a CRITICAL one rings until it is answered."""

    def __init__(self, settings: Settings) -> None:
        self._token = settings.pushover.token.get_secret_value()
        if not self._token:
            raise UsageError("Pushover is not set up: there is no token", hint="[pushover] of siems.toml")
        self._url = f"{settings.pushover.url.rstrip('/')}/1/messages.json"
        self._http = Http(PROVIDER)

    def check(self, address: str, options: Mapping[str, str]) -> str:
        if not _KEY.fullmatch(address.strip()):
            raise InvalidField("this is no key of Pushover", hint="30 letters and figures, from pushover.net")
        if options.get("device") and not _DEVICE.fullmatch(options["device"]):
            raise InvalidField("device: up to 25 letters, figures, - and _")
        return address.strip()

    async def send(self, message: Message, to: Destination) -> Accepted:
        priority = _priority(message)
        form = {
            "token": self._token, "user": to.address, "title": title(message, TITLE - 1),
            "message": cut(plain(message, longest=TEXT), TEXT), "priority": str(priority),
            "timestamp": str(int(now().timestamp())),
        }  # fmt: skip
        if priority == EMERGENCY:  # refused without them
            form |= {"retry": str(RETRY), "expire": str(EXPIRE)}
        if 0 < len(message.url) <= URL:
            form |= {"url": message.url, "url_title": "Open"}
        if to.options.get("device"):
            form["device"] = to.options["device"]
        reply = await self._http.post(Call(url=self._url, form=form))
        said = reply.json()
        errors = said.get("errors")
        why = word(", ".join(map(str, errors))) if isinstance(errors, list) else ""
        settle(reply, PROVIDER, why=why)
        if said.get("status") != 1:
            raise Refused(f"{PROVIDER} did not take it ({why or 'no reason given'})")
        return Accepted(message_id=word(said.get("request", "")))

    async def close(self) -> None:
        await self._http.close()


def _priority(message: Message) -> int:
    if message.pages:
        return EMERGENCY if message.severity is Severity.CRITICAL else 1
    return -1 if message.severity is Severity.LOW else 0
