"""Whose a telephone number or a member of Slack is, by the contacts that people have."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from siems.channels.rendering import phone
from siems.errors import InvalidField, SiemsError
from siems.services.replying import Sender
from siems.storage import tables as t
from siems.storage.database import Database
from siems.storage.vault import Vault

PHONES = ("sms", "voice")
OPTION = "slack_user"
"""The option of any contact that says who somebody is in Slack."""


class Repliers:
    """Addresses are kept sealed, so the few of a channel are opened and compared; each is opened once."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._opened: dict[str, str] = {}

    async def by_phone(self, number: str) -> list[Sender]:
        """The contacts of a number; empty for one that nobody has, or that is none."""
        try:
            wanted = phone(number)
        except InvalidField:
            return []
        rows = await self._database.read(_of_channels, PHONES)
        return [_sender(row) for row in rows if self._address(row.address) == wanted]

    async def by_slack(self, member: str) -> list[Sender]:
        """The contacts that lead to a member of Slack, or name them as theirs."""
        rows = await self._database.read(_of_slack)
        return [
            _sender(row) for row in rows
            if (row.channel == "slack" and self._address(row.address) == member)
            or json.loads(row.options).get(OPTION) == member
        ]  # fmt: skip

    def _address(self, sealed: str) -> str:
        if sealed not in self._opened:
            if len(self._opened) > 10_000:  # those of contacts that are gone
                self._opened.clear()
            with suppress(SiemsError):  # sealed with another key: nobody's
                self._opened[sealed] = str(json.loads(self._vault.unseal(sealed))["address"])
        return self._opened.get(sealed, "")


def _of_channels(connection: Connection, channels: tuple[str, ...]) -> list[Row[Any]]:
    c = t.contact.c
    return list(connection.execute(select(t.contact).where(c.channel.in_(channels)).order_by(c.created_at, c.id)))


def _of_slack(connection: Connection) -> list[Row[Any]]:
    c = t.contact.c
    where = or_(c.channel == "slack", c.options.contains(OPTION))
    return list(connection.execute(select(t.contact).where(where).order_by(c.created_at, c.id)))


def _sender(row: Row[Any]) -> Sender:
    return Sender(row.user_id, row.id, row.verified_at is not None)
