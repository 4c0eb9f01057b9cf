"""What the listener for mail does not take: said at once, alike for every address that is none, and counted."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from siems.clock import ManualClock
from siems.config import MailIngest
from siems.daemon import mail
from siems.domain.integration import Terms
from siems.errors import Conflict, UsageError

from .house import House, open_house
from .mailing import DOMAIN, LETTER, Sender, address, alerts, listening, send


async def revoked(house: House) -> str:
    to = await address(house)
    [ref] = [i["id"] for i in (await house.ask("root", "GET", "/integrations")).json()["items"] if i["tool"] == "email"]
    await house.ask("root", "POST", f"/integrations/{ref}/revoke", {})
    return to


async def foreign(house: House) -> str:
    return await address(house, terms=Terms(networks=("192.0.2.0/24",)))


async def generic(house: House) -> str:
    """A key that signs what it sends; in small letters, as keys may happen to be."""
    from sqlalchemy import text

    from siems.storage.vault import token_hash

    statement = text("UPDATE integration SET key_hash = :hash WHERE id = 'int-acme-generic-1'")
    await house.do(lambda uow: uow.connection.execute(statement, {"hash": token_hash("sk_acme_small")}) and None)
    await house.runtime.reload_keys()
    return f"sk_acme_small@{DOMAIN}"


async def other_tool(house: House) -> str:
    return f"{(await house.integration('comp-acme', 'zabbix')).api_key}@{DOMAIN}"


async def other_domain(house: House) -> str:
    return (await address(house)).replace(DOMAIN, "elsewhere.example")


async def guessed(house: House) -> str:
    return f"acme-aaaaaaaaaaaaaaaaaaaa@{DOMAIN}"


@pytest.mark.parametrize("who", [guessed, revoked, foreign, generic, other_tool, other_domain])
async def test_every_address_that_takes_nothing_is_answered_alike_and_counted(mail_door: House, who: Any) -> None:
    before = len(await mail_door.causes())
    assert await send(mail_door, LETTER, await who(mail_door)) == "550 5.1.1 no such address"
    await mail_door.runtime.flush_refusals()
    assert len(await mail_door.causes()) == before + 1
    assert await alerts(mail_door) == []


async def test_beyond_the_rate_the_sender_keeps_the_message(mail_door: House) -> None:
    to = await address(mail_door, terms=Terms(rate_per_minute=1))
    sender = await (await Sender.to(mail_door)).greets()
    answers = [await sender.sends(LETTER.replace(b"<1@", b"<%d@" % n), to) for n in range(125)]
    sender.writer.close()
    assert [a[:3] for a in answers[:120]] == ["250"] * 120
    assert answers[-1] == "451 4.3.2 cannot be taken now, try again later"
    await mail_door.runtime.flush_refusals()
    assert "rate limited" in await mail_door.causes()


async def test_a_message_that_is_too_large_is_refused_for_good(mail_door: House) -> None:
    to = await address(mail_door)
    huge = LETTER + b"x" * 60 + b"\r\n" + (b"y" * 76 + b"\r\n") * 1_000
    assert (await send(mail_door, huge, to)).startswith("552")
    sender = await (await Sender.to(mail_door)).greets()
    assert (await sender.says(b"MAIL FROM:<a@b.example> SIZE=99999999")).startswith("552")
    sender.writer.close()


async def test_a_line_far_longer_than_the_standard_allows_is_taken(mail_door: House) -> None:
    to = await address(mail_door)
    assert (await send(mail_door, LETTER + b"z" * 50_000 + b"\r\n", to)).startswith("250")


async def test_when_nothing_can_be_stored_the_sender_keeps_the_message(
    mail_door: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = await address(mail_door)
    blocked, go = threading.Event(), threading.Event()

    def hold(uow: Any) -> None:
        blocked.set()
        assert go.wait(20)

    monkeypatch.setattr("siems.storage.lanes.QUEUE_BYTES", len(LETTER) // 2)
    held = asyncio.ensure_future(mail_door.do(hold))
    await asyncio.to_thread(blocked.wait, 20)
    answer = await send(mail_door, LETTER, to)
    go.set()
    await held
    assert answer.startswith("451")
    await mail_door.runtime.flush_refusals()
    assert "overloaded" in await mail_door.causes()


async def test_250_comes_after_the_commit_and_not_before(mail_door: House) -> None:
    to = await address(mail_door)
    blocked, go = threading.Event(), threading.Event()

    def hold(uow: Any) -> None:
        blocked.set()
        assert go.wait(20)

    held = asyncio.ensure_future(mail_door.do(hold))
    await asyncio.to_thread(blocked.wait, 20)
    sent = asyncio.ensure_future(send(mail_door, LETTER, to))

    async def queued() -> bool:
        return mail_door.runtime.database.writer.lanes.length > 0

    while not await queued():
        await asyncio.sleep(0.01)
    assert not sent.done()
    go.set()
    await held
    assert (await sent).startswith("250")


async def test_a_daemon_that_stops_sends_everybody_away(mail_door: House) -> None:
    to = await address(mail_door)
    sender = await (await Sender.to(mail_door)).greets()
    mail_door.runtime.draining = True
    assert (await sender.sends(LETTER, to)).startswith("421")
    sender.writer.close()


async def test_who_opens_too_many_connections_is_told_so(mail_door: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "MAX_FROM_ONE", 2)
    kept = [await (await Sender.to(mail_door)).greets() for _ in range(2)]
    third = await Sender.to(mail_door)
    assert (await third.hears()).startswith("421")
    assert await third.reader.read() == b""
    kept[0].writer.close()
    await kept[0].writer.wait_closed()
    assert (await kept[1].says(b"NOOP")).startswith("250")
    for one in (third, kept[1]):
        one.writer.close()


async def test_nonsense_of_every_kind_leaves_the_listener_alive(mail_door: House) -> None:
    to = await address(mail_door)
    for nonsense in (
        b"\xff\xfe\x00", b"MAIL FROM:<<>>", b"RCPT TO:" + b"<" * 400, b"DATA", b"EHLO " + b"x" * 5_000,
        b"MAIL FROM:<a@b> SIZE=-1", b"STARTTLS", b"AUTH PLAIN AAAA", b"VRFY root", b"\r", b"XYZZY",
    ):  # fmt: skip
        sender = await (await Sender.to(mail_door)).greets()
        sender.writer.write(nonsense + b"\r\n")
        assert (await sender.hears())[:1] in "245"
        sender.writer.close()
    assert (await send(mail_door, LETTER, to)).startswith("250")


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


async def test_the_address_is_shown_once_and_its_rules_are_kept(mail_door: House) -> None:
    rules = [{"field": "subject", "pattern": "*test*", "ignore": True}]
    ask = {"tool": "email", "company": "acme", "rules": rules}
    made = (await mail_door.ask("root", "POST", "/integrations", ask)).json()
    assert made["mail_address"] == f"{made['api_key']}@{DOMAIN}"
    assert made["mail_address"] in json.dumps(made["setup"])
    assert made["mail_address"] == made["mail_address"].lower()
    view = (await mail_door.ask("root", "GET", f"/integrations/{made['integration_id']}")).json()
    assert view["rules"] == rules
    assert made["api_key"] not in json.dumps(view)
    edited = await mail_door.ask("root", "PATCH", f"/integrations/{made['integration_id']}", {"rules": []})
    assert edited.json()["changed"] is True
    again = await mail_door.ask("root", "PATCH", f"/integrations/{made['integration_id']}", {"rules": []})
    assert again.json()["changed"] is False


@pytest.mark.parametrize(
    "rules",
    [
        [{"field": "subject", "pattern": ""}], [{"field": "subject", "pattern": "x"}], ["x"], [{"what": "x"}],
        [{"field": "subject", "pattern": "x", "severity": "awful"}], [{"field": 1, "pattern": "x", "ignore": True}],
        [{"field": "subject", "pattern": "*a*b*c*d*e*", "ignore": True}],
    ],
)  # fmt: skip
async def test_rules_that_make_no_sense_are_refused(mail_door: House, rules: list[Any]) -> None:
    ask = {"tool": "email", "company": "acme", "rules": rules}
    reply = await mail_door.ask("root", "POST", "/integrations", ask)
    assert (reply.status, reply.code) == (422, "invalid_field")
