"""How it may stand with the audit log and with the inbox, for the pictures of their screens."""

from __future__ import annotations

import msgspec
from driving import Session
from streamed import NOW

from siems import wire


async def entry(it: Session) -> None:
    await it.press(*"jjjjj", "enter")


async def broken(it: Session) -> None:
    it.client.role = "admin"
    it.client.proof = wire.VerifyAnswer(ok=False, entries=48_211, chains=[wire.ChainState(
        chain="comp-acme", entries=48_001, head="", ok=False, seq=4_711, damage="deleted", explanation="after 4710",
    )])  # fmt: skip
    it.app.link.read_me()
    await it.settle()
    await it.press("7", "V")
    await it.until("CHAIN BREAK")


async def proved(it: Session) -> None:
    it.client.role = "admin"
    it.client.proof = msgspec.structs.replace(it.client.proof, witness=it.client.signed, restored=[
        wire.RestoredView(at=NOW, source="siems-2026-03-09.db", lost={"comp-acme": [47_001, 47_020]}, anew=False),
    ])  # fmt: skip
    it.app.link.read_me()
    await it.settle()
    await it.press("7", "V")
    await it.until("CHAIN OK")


async def unsigned(it: Session) -> None:
    it.client.role = "admin"
    it.client.signed = msgspec.structs.replace(
        it.client.signed,
        ok=False,
        cause="checkpoints cannot be written at /mnt/worm/audit.jsonl (No space left on device)",
    )
    it.app.link.read_me()
    await it.settle()
    await it.press("7")
    await it.until("NOT SIGNED")


async def unread(it: Session) -> None:
    await it.press("f", "j")
