"""Alerts by mail: what the listener takes, what it refuses and how, and what it says when."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from siems.clock import ManualClock
from siems.config import MailIngest
from siems.daemon import mail
from siems.domain.integration import Terms
from siems.domain.letter_rules import rules_from
from siems.domain.particulars import Particulars
from siems.errors import Conflict, UsageError

from .house import House, open_house

DOMAIN = "alerts.msp.example"
LETTER = b"From: mon@acme.example\r\nSubject: web-01 is DOWN\r\nMessage-ID: <1@acme.example>\r\n\r\nno answer\r\n"
END = b"From: mon@acme.example\r\nSubject: web-01 is UP\r\nMessage-ID: <2@acme.example>\r\n\r\nit answers\r\n"


def listening(**more: Any) -> dict[str, Any]:
    return {"mail_ingest": MailIngest(enabled=True, port=0, domain=DOMAIN, max_message_kib=64, **more)}


@pytest_asyncio.fixture
async def house(database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    async with open_house(database_url, clock, sections=listening()) as made:
        yield made


@pytest_asyncio.fixture
async def door(sqlite_template: Path, quick_path: Path, clock: ManualClock) -> AsyncIterator[House]:
    path = quick_path / "door.db"
    shutil.copy(sqlite_template, path)
    async with open_house(str(path), clock, sections=listening()) as made:
        yield made


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


# --- taken -----------------------------------------------------------------------------------------------------


async def test_a_mail_becomes_an_alert_and_its_end_resolves_it(house: House) -> None:
    to = await address(house)
    assert await send(house, LETTER, to) == "250 2.0.0 on disk"
    [alert] = await alerts(house)
    assert (alert["company_id"], alert["asset_name"], alert["severity"]) == ("comp-acme", "web-01", "HIGH")
    assert (alert["tool_source"], alert["status"]) == ("email", "active")
    assert (await send(house, END, to)).startswith("250")
    [alert] = await alerts(house)
    assert alert["status"] == "resolved"


async def test_the_raw_message_is_kept(door: House) -> None:
    await send(door, LETTER, await address(door))
    shown = (await door.ask("root", "GET", "/alerts/ALR-1?raw=true")).body.decode()
    assert "no answer" in shown
    assert "Return-Path: <mon@acme.example>" in shown


async def test_a_message_that_a_relay_repeats_is_stored_once(house: House) -> None:
    to = await address(house)
    for n in range(3):
        received = b"Received: from relay by siems; try %d\r\n" % n
        assert (await send(house, received + LETTER, to)).startswith("250")
    [alert] = await alerts(house)
    assert alert["count"] == 1


async def test_messages_with_one_id_and_different_words_are_different(door: House) -> None:
    to = await address(door)
    await send(door, LETTER, to)
    await send(door, LETTER.replace(b"web-01", b"web-02"), to)
    assert {alert["asset_name"] for alert in await alerts(door)} == {"web-01", "web-02"}


async def test_one_message_to_two_clients_is_an_alert_of_each(door: House) -> None:
    acme, beta = await address(door), await address(door, "comp-beta")
    assert (await send(door, LETTER, acme, beta, acme.upper())).startswith("250")
    assert {alert["company_id"]: alert["count"] for alert in await alerts(door)} == {"comp-acme": 1, "comp-beta": 1}


async def test_an_address_may_have_a_plus_before_its_key(door: House) -> None:
    assert (await send(door, LETTER, f"alerts+{await address(door)}")).startswith("250")


async def test_a_recovery_finds_its_problem_by_the_thread(door: House) -> None:
    """It is called otherwise, but it answers the message that began it."""
    to = await address(door)
    await send(door, LETTER, to)
    other = b"Subject: RESOLVED: the machine at the north gate\r\nReferences: <1@acme.example>\r\n\r\nback\r\n"
    await send(door, other, to)
    [alert] = await alerts(door)
    assert alert["status"] == "resolved"


async def test_bounces_and_automatic_replies_are_taken_and_are_no_alerts(door: House) -> None:
    to = await address(door)
    away = b"Auto-Submitted: auto-replied\r\nSubject: web-01 is DOWN\r\n\r\nI am away\r\n"
    assert (await send(door, away, to)).startswith("250")
    assert (await send(door, LETTER, to, sender=b"")).startswith("250")
    assert await alerts(door) == []
    [view] = [i for i in (await door.ask("root", "GET", "/integrations")).json()["items"] if i["tool"] == "email"]
    assert (view["last_kind"], view["mail_domain"]) == ("test", DOMAIN)


async def test_rules_of_the_client_decide_by_the_first_that_fits(door: House) -> None:
    rules = rules_from([
        {"field": "subject", "pattern": "*newsletter*", "ignore": True},
        {"field": "x-site", "pattern": "north", "severity": "critical", "asset": "north-gate"},
        {"field": "body", "pattern": "no answer", "severity": "low"},
    ])  # fmt: skip
    to = await address(door, particulars=Particulars(rules=rules))
    await send(door, b"Subject: Your NEWSLETTER: disk failed\r\n\r\nx\r\n", to)
    await send(door, b"X-Site: North\r\n" + LETTER, to)
    await send(door, LETTER.replace(b"web-01", b"web-02").replace(b"<1@", b"<3@"), to)
    assert [(a["asset_name"], a["severity"]) for a in reversed(await alerts(door))] == [
        ("north-gate", "CRITICAL"), ("web-02", "LOW"),
    ]  # fmt: skip


async def test_the_same_message_comes_in_by_http_as_well(door: House) -> None:
    rules = rules_from([{"field": "from", "pattern": "mon@acme.example", "severity": "LOW"}])
    added = await door.integration("comp-acme", "email", particulars=Particulars(rules=rules))
    reply = await door.send("POST", f"/api/webhooks/email?api_key={added.api_key}", [], LETTER)
    assert reply.status == 202
    [alert] = await alerts(door)
    assert (alert["asset_name"], alert["severity"]) == ("web-01", "LOW")


# --- refused ---------------------------------------------------------------------------------------------------


async def revoked(house: House) -> str:
    to = await address(house)
    [ref] = [i["id"] for i in (await house.ask("root", "GET", "/integrations")).json()["items"] if i["tool"] == "email"]
    await house.ask("root", "POST", f"/integrations/{ref}/revoke", {})
    return to


async def foreign(house: House) -> str:
    return await address(house, terms=Terms(networks=("192.0.2.0/24",)))


async def generic(house: House) -> str:
    return f"{house.acme.api_key}@{DOMAIN}"


async def other_tool(house: House) -> str:
    return f"{(await house.integration('comp-acme', 'zabbix')).api_key}@{DOMAIN}"


async def other_domain(house: House) -> str:
    return (await address(house)).replace(DOMAIN, "elsewhere.example")


async def guessed(house: House) -> str:
    return f"acme-aaaaaaaaaaaaaaaaaaaa@{DOMAIN}"


@pytest.mark.parametrize("who", [guessed, revoked, foreign, generic, other_tool, other_domain])
async def test_every_address_that_takes_nothing_is_answered_alike_and_counted(door: House, who: Any) -> None:
    before = len(await door.causes())
    assert await send(door, LETTER, await who(door)) == "550 5.1.1 no such address"
    await door.runtime.flush_refusals()
    assert len(await door.causes()) == before + 1
    assert await alerts(door) == []


async def test_beyond_the_rate_the_sender_keeps_the_message(door: House) -> None:
    to = await address(door, terms=Terms(rate_per_minute=1))
    sender = await (await Sender.to(door)).greets()
    answers = [await sender.sends(LETTER.replace(b"<1@", b"<%d@" % n), to) for n in range(125)]
    sender.writer.close()
    assert [a[:3] for a in answers[:120]] == ["250"] * 120
    assert answers[-1] == "451 4.3.2 cannot be taken now, try again later"
    await door.runtime.flush_refusals()
    assert "rate limited" in await door.causes()


async def test_a_message_that_is_too_large_is_refused_for_good(door: House) -> None:
    to = await address(door)
    huge = LETTER + b"x" * 60 + b"\r\n" + (b"y" * 76 + b"\r\n") * 1_000
    assert (await send(door, huge, to)).startswith("552")
    sender = await (await Sender.to(door)).greets()
    assert (await sender.says(b"MAIL FROM:<a@b.example> SIZE=99999999")).startswith("552")
    sender.writer.close()


async def test_a_line_far_longer_than_the_standard_allows_is_taken(door: House) -> None:
    to = await address(door)
    assert (await send(door, LETTER + b"z" * 50_000 + b"\r\n", to)).startswith("250")


async def test_when_nothing_can_be_stored_the_sender_keeps_the_message(
    door: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = await address(door)
    blocked, go = threading.Event(), threading.Event()

    def hold(uow: Any) -> None:
        blocked.set()
        assert go.wait(20)

    monkeypatch.setattr("siems.storage.lanes.QUEUE_BYTES", len(LETTER) // 2)
    held = asyncio.ensure_future(door.do(hold))
    await asyncio.to_thread(blocked.wait, 20)
    answer = await send(door, LETTER, to)
    go.set()
    await held
    assert answer.startswith("451")
    await door.runtime.flush_refusals()
    assert "overloaded" in await door.causes()


async def test_250_comes_after_the_commit_and_not_before(door: House) -> None:
    to = await address(door)
    blocked, go = threading.Event(), threading.Event()

    def hold(uow: Any) -> None:
        blocked.set()
        assert go.wait(20)

    held = asyncio.ensure_future(door.do(hold))
    await asyncio.to_thread(blocked.wait, 20)
    sent = asyncio.ensure_future(send(door, LETTER, to))

    async def queued() -> bool:
        return door.runtime.database.writer.lanes.length > 0

    while not await queued():
        await asyncio.sleep(0.01)
    assert not sent.done()
    go.set()
    await held
    assert (await sent).startswith("250")


async def test_a_daemon_that_stops_sends_everybody_away(door: House) -> None:
    to = await address(door)
    sender = await (await Sender.to(door)).greets()
    door.runtime.draining = True
    assert (await sender.sends(LETTER, to)).startswith("421")
    sender.writer.close()


async def test_who_opens_too_many_connections_is_told_so(door: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "MAX_FROM_ONE", 2)
    kept = [await (await Sender.to(door)).greets() for _ in range(2)]
    third = await Sender.to(door)
    assert (await third.hears()).startswith("421")
    assert await third.reader.read() == b""
    kept[0].writer.close()
    await kept[0].writer.wait_closed()
    assert (await kept[1].says(b"NOOP")).startswith("250")
    for one in (third, kept[1]):
        one.writer.close()


async def test_nonsense_of_every_kind_leaves_the_listener_alive(door: House) -> None:
    to = await address(door)
    for nonsense in (
        b"\xff\xfe\x00", b"MAIL FROM:<<>>", b"RCPT TO:" + b"<" * 400, b"DATA", b"EHLO " + b"x" * 5_000,
        b"MAIL FROM:<a@b> SIZE=-1", b"STARTTLS", b"AUTH PLAIN AAAA", b"VRFY root", b"\r", b"XYZZY",
    ):  # fmt: skip
        sender = await (await Sender.to(door)).greets()
        sender.writer.write(nonsense + b"\r\n")
        assert (await sender.hears())[:1] in "245"
        sender.writer.close()
    assert (await send(door, LETTER, to)).startswith("250")


# --- the listener ----------------------------------------------------------------------------------------------


async def test_with_a_certificate_it_speaks_tls(
    sqlite_template: Path, quick_path: Path, clock: ManualClock, tmp_path: Path
) -> None:
    path = quick_path / "tls.db"
    shutil.copy(sqlite_template, path)
    certificate = self_signed(tmp_path)
    async with open_house(str(path), clock, sections=listening(tls_certificate=str(certificate))) as house:
        to = await address(house)
        sender = await (await Sender.to(house)).greets()
        assert (await sender.says(b"STARTTLS")).startswith("220")
        trusting = ssl.create_default_context(cafile=str(certificate))
        await sender.writer.start_tls(trusting, server_hostname=DOMAIN)
        assert (await sender.says(b"EHLO again")).startswith("250")
        assert (await sender.sends(LETTER, to)).startswith("250")
        sender.writer.close()


def self_signed(folder: Path) -> Path:
    """A certificate for the domain, with its key in the same file."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, DOMAIN)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(DOMAIN)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "mail.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    return file


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"domain": ""}, UsageError), ({"tls_certificate": "/nowhere.pem"}, UsageError),
        ({"host": "192.0.2.1"}, Conflict),
    ],
)  # fmt: skip
async def test_settings_that_cannot_work_end_the_start_and_say_why(
    sqlite_template: Path, quick_path: Path, clock: ManualClock, wrong: dict[str, str], error: type[Exception]
) -> None:
    path = quick_path / "wrong.db"
    shutil.copy(sqlite_template, path)
    settings = MailIngest(**({"enabled": True, "port": 0, "domain": DOMAIN} | wrong))
    with pytest.raises(error, match=r"mail"):
        async with open_house(str(path), clock, sections={"mail_ingest": settings}):
            pass


async def test_the_address_is_shown_once_and_its_rules_are_kept(door: House) -> None:
    rules = [{"field": "subject", "pattern": "*test*", "ignore": True}]
    ask = {"tool": "email", "company": "acme", "rules": rules}
    made = (await door.ask("root", "POST", "/integrations", ask)).json()
    assert made["mail_address"] == f"{made['api_key']}@{DOMAIN}"
    assert made["mail_address"] in json.dumps(made["setup"])
    assert made["mail_address"] == made["mail_address"].lower()
    view = (await door.ask("root", "GET", f"/integrations/{made['integration_id']}")).json()
    assert view["rules"] == rules
    assert made["api_key"] not in json.dumps(view)
    edited = await door.ask("root", "PATCH", f"/integrations/{made['integration_id']}", {"rules": []})
    assert edited.json()["changed"] is True
    again = await door.ask("root", "PATCH", f"/integrations/{made['integration_id']}", {"rules": []})
    assert again.json()["changed"] is False


@pytest.mark.parametrize(
    "rules",
    [
        [{"field": "subject", "pattern": ""}], [{"field": "subject", "pattern": "x"}], ["x"], [{"what": "x"}],
        [{"field": "subject", "pattern": "x", "severity": "awful"}], [{"field": 1, "pattern": "x", "ignore": True}],
        [{"field": "subject", "pattern": "*a*b*c*d*e*", "ignore": True}],
    ],
)  # fmt: skip
async def test_rules_that_make_no_sense_are_refused(door: House, rules: list[Any]) -> None:
    ask = {"tool": "email", "company": "acme", "rules": rules}
    reply = await door.ask("root", "POST", "/integrations", ask)
    assert (reply.status, reply.code) == (422, "invalid_field")
