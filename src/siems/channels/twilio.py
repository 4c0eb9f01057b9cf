"""What text messages and calls by Twilio share: the account, how it is asked, and what its errors mean."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from siems.channels import Accepted, Refused
from siems.channels.calling import Call, Http, settle, word
from siems.config import Settings
from siems.errors import UsageError

PROVIDER = "Twilio"
BUSY = frozenset({20429, 20503, 14107, 30001, 63018})
"""Codes that mean "later", whatever the status."""


class Account:
    """The account of [twilio]. Raises UsageError while it is not set up."""

    def __init__(self, settings: Settings) -> None:
        given = settings.twilio
        token = given.token.get_secret_value()
        if not given.account or not token:
            raise UsageError("Twilio is not set up: account or token is missing", hint="[twilio] of siems.toml")
        self._url = f"{given.url.rstrip('/')}/2010-04-01/Accounts/{quote(given.account, safe='')}"
        self._login = (given.account, token)
        self._http = Http(PROVIDER)

    async def make(self, kind: str, form: Mapping[str, str]) -> Accepted:
        """Make one of `Messages` or `Calls`. Raises Refused, TryLater."""
        reply = await self._http.post(Call(url=f"{self._url}/{kind}.json", form=form, login=self._login))
        said = reply.json()
        code = said.get("code") or said.get("error_code")
        why = f"{code}: {word(said.get('message') or said.get('error_message') or '')}" if code else ""
        if code in BUSY and reply.status < 500:
            settle(type(reply)(429, reply.headers), PROVIDER, why=why)
        settle(reply, PROVIDER, why=why)
        if code or said.get("status") in ("failed", "undelivered", "canceled"):
            raise Refused(f"{PROVIDER} took it and gave up ({why or word(said.get('status'))})")
        return Accepted(message_id=str(said.get("sid", "")))

    async def close(self) -> None:
        await self._http.close()
