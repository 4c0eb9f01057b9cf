"""Hands on the listener for mail: a sender that speaks SMTP line by line."""

from __future__ import annotations

import asyncio
from typing import Any

from siems.config import MailIngest

from .house import House

DOMAIN = "alerts.msp.example"
LETTER = b"From: mon@acme.example\r\nSubject: web-01 is DOWN\r\nMessage-ID: <1@acme.example>\r\n\r\nno answer\r\n"
END = b"From: mon@acme.example\r\nSubject: web-01 is UP\r\nMessage-ID: <2@acme.example>\r\n\r\nit answers\r\n"


def listening(**more: Any) -> dict[str, Any]:
    return {"mail_ingest": MailIngest(enabled=True, port=0, domain=DOMAIN, max_message_kib=64, **more)}


class Sender:
    """One conversation, line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, house: House) -> Sender:
        assert house.runtime.mail is not None
        return cls(*await asyncio.open_connection("127.0.0.1", house.runtime.mail.port, limit=1 << 20))

    async def hears(self) -> str:
        """The answer: its last line."""
        while True:
            line = (await asyncio.wait_for(self.reader.readline(), 20)).decode()
            if line[3:4] != "-":
                return line.strip()

    async def says(self, line: bytes) -> str:
        self.writer.write(line + b"\r\n")
        return await self.hears()

    async def greets(self) -> Sender:
        assert (await self.hears()).startswith("220")
        assert (await self.says(b"EHLO mon.acme.example")).startswith("250")
        return self

    async def sends(self, letter: bytes, *to: str, sender: bytes = b"mon@acme.example") -> str:
        """The first answer that is no yes, else the answer to the message."""
        said = await self.says(b"MAIL FROM:<" + sender + b">")
        for address in to:
            if said.startswith("250"):
                said = await self.says(b"RCPT TO:<" + address.encode() + b">")
        if not said.startswith("250"):
            await self.says(b"RSET")
            return said
        assert (await self.says(b"DATA")).startswith("354")
        stuffed = letter.replace(b"\r\n.", b"\r\n..")
        self.writer.write(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        return await self.hears()


async def send(house: House, letter: bytes, *to: str, **more: Any) -> str:
    sender = await (await Sender.to(house)).greets()
    try:
        return await sender.sends(letter, *to, **more)
    finally:
        sender.writer.close()


async def address(house: House, company: str = "comp-acme", **more: Any) -> str:
    added = await house.integration(company, "email", **more)
    return f"{added.api_key}@{DOMAIN}"


async def alerts(house: House) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await house.ask("root", "GET", "/alerts")).json()["items"]
    return found
