"""Backups, what comes back from them, and another key for the audit log: commands beside the daemon."""

from __future__ import annotations

import argparse
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.engine import URL

from siems import places
from siems.clock import SystemClock, rfc3339
from siems.config import load
from siems.daemon.lock import DatabaseLock
from siems.domain.checkpoint import Head, Kind, Statement, Witness, public_text, signed, witness, written
from siems.domain.events import Recorded
from siems.domain.permissions import SYSTEM
from siems.errors import Conflict, Unavailable, UsageError
from siems.services.checkpoints import branch_of
from siems.services.observers import react
from siems.services.pausing import pause
from siems.storage import backups, migrations
from siems.storage.checkpoint_file import CheckpointFile
from siems.storage.database import Database, open_engine, parse_url
from siems.storage.repositories.audit import heads_of
from siems.storage.signing_key import new_key, read_key, write_key
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP


def add_commands(commands: Any) -> None:
    """`backup`, `restore`, `restored`, `audit-key`, as `python -m siems.daemon` takes them."""
    commands.add_parser("database-name").set_defaults(run=run_name)
    backup = commands.add_parser("backup")
    backup.add_argument("out", type=Path)
    backup.set_defaults(run=run_backup)
    restore = commands.add_parser("restore")
    restore.add_argument("file", type=Path)
    restore.set_defaults(run=run_restore)
    restored = commands.add_parser("restored")
    restored.add_argument("--anew", action="store_true", help="another history begins")
    restored.set_defaults(run=run_restored)
    key = commands.add_parser("audit-key")
    key.add_argument("--lost", action="store_true")
    key.set_defaults(run=run_audit_key)
    for one in (restore, restored, key):
        one.add_argument("--reason", default="")
    restored.add_argument("--source", default="other means")


# --- the witness -----------------------------------------------------------------------------------------------


class Notary:
    """The key and the file, for a process that signs once."""

    def __init__(self) -> None:
        self.file = CheckpointFile(load().audit.file)
        self.lines = self.file.lines()
        self.key = _usable(read_key(places.audit_key_file()), self.lines)
        self.found: Witness = witness(self.lines, trusted=public_text(self.key))

    def sign(self, **said: Any) -> None:
        statement = Statement(at=rfc3339(SystemClock().now()), key=public_text(self.key), **said)
        self.file.append(written(signed(statement, self.key)))


def _usable(key: Ed25519PrivateKey | None, lines: list[str]) -> Ed25519PrivateKey:
    """The key that signs; the first one is made here. Raises Unavailable where it is not the one that has signed."""
    last = witness(lines).last_key
    path = places.audit_key_file()
    if key is None and not last:
        key = new_key()
        write_key(path, key)
    if key is None or (last and public_text(key) != last):
        which = "is gone" if key is None else "is another one than that which signed so far"
        hint = "restore it from where you keep it; if it is lost:  siems audit rotate-key --lost"
        raise Unavailable(f"the key {path} {which}", hint=hint)
    return key


# --- backup and restore ----------------------------------------------------------------------------------------


def run_name(ask: argparse.Namespace) -> int:
    """What the database is called where somebody has to confirm it."""
    print(json.dumps({"name": backups.name_of(parse_url(load().database_url))}))
    return 0


def run_backup(ask: argparse.Namespace) -> int:
    """A copy of the database, beside a daemon that runs. What it ends with is signed, if that can be."""
    url = parse_url(load().database_url)
    heads = backups.backup(url, ask.out)
    why = ""
    try:
        Notary().sign(kind=Kind.BACKUP, chains=heads, full=True, source=ask.out.name)
    except Unavailable as error:
        why = error.message
    entries = sum(number for number, _ in heads.values())
    size = ask.out.stat().st_size
    print(json.dumps({"file": str(ask.out), "bytes": size, "entries": entries, "signed": not why, "why": why}))
    return 0


def run_restore(ask: argparse.Namespace) -> int:
    """Put a backup back, and say so under the signature: else it would look as if the end had been cut off."""
    url = parse_url(load().database_url)
    with DatabaseLock(url):
        notary = Notary()  # first: without it nothing may be put back in silence
        kept = backups.restore(url, ask.file, now=SystemClock().now())
        engine = open_engine(url)
        try:
            before, after = migrations.upgrade(engine)
        finally:
            engine.dispose()
        told = _declare(url, notary, source=ask.file.name, reason=ask.reason)
    told |= {"kept": str(kept or ""), "upgraded": before != after}
    print(json.dumps(told))
    return 0


def run_restored(ask: argparse.Namespace) -> int:
    """The same for a database that was put back by other means."""
    url = parse_url(load().database_url)
    with DatabaseLock(url):
        notary = Notary()
        print(json.dumps(_declare(url, notary, source=ask.source, reason=ask.reason, anew=ask.anew)))
    return 0


def _declare(url: URL, notary: Notary, *, source: str, reason: str, anew: bool = False) -> dict[str, Any]:
    """Sign what the database holds now, and what it lost; then write it into the record."""
    engine = open_engine(url)
    try:
        migrations.check(engine)
        with engine.connect() as connection:
            heads = heads_of(connection)
            branch = branch_of(connection, notary.found, heads)
    finally:
        engine.dispose()
    if notary.found.marks.get(MSP) and MSP not in branch and not anew:
        raise Conflict(
            "nothing of this database is what was signed: it is no backup of the one that was",
            hint="if that is meant, another history begins:  siems db restored --anew --reason WHY",
        )
    branch = heads if anew else branch
    reached = {chain: number for chain, (number, _) in branch.items()}
    signed_so_far = {} if anew else notary.found.heads()
    lost: dict[str, Head] = {chain: head for chain, head in signed_so_far.items() if head[0] > reached.get(chain, 0)}
    notary.sign(kind=Kind.RESTORED, chains=branch, full=True, lost=lost, source=source, anew=anew)
    gone = {chain: number - reached.get(chain, 0) for chain, (number, _) in lost.items()}
    said = {"source": source, "lost": gone, "anew": anew}
    happened = Recorded(
        type="database.restored", actor=SYSTEM, company_id=MSP, object=backups.name_of(url), reason=reason,
        details=said,
    )  # fmt: skip
    _record(url, happened, paused=not anew)
    return said | {"entries": sum(number for number, _ in heads.values())}


def _record(url: URL, happened: Recorded, *, paused: bool = False) -> None:
    database = Database(url.render_as_string(hide_password=False), clock=SystemClock(), observers=react)
    database.start()
    try:
        database.write_now(partial(_emit, happened=happened, paused=paused), companies=(MSP,))
    finally:
        database.stop()


def _emit(uow: UnitOfWork, happened: Recorded, paused: bool) -> None:
    uow.emit(happened)
    if paused:
        pause(uow)


# --- another key -----------------------------------------------------------------------------------------------


def run_audit_key(ask: argparse.Namespace) -> int:
    """A new key takes over; the old one signs that it does, unless it is lost."""
    url = parse_url(load().database_url)
    path = places.audit_key_file()
    with DatabaseLock(url):
        made, old = _hand_over(path, lost=ask.lost)
        _record(url, Recorded(
            type="audit.key_rotated", actor=SYSTEM, company_id=MSP, object="audit", reason=ask.reason,
            details={"key": public_text(made), "old": old, "lost": ask.lost},
        ))  # fmt: skip
    print(json.dumps({"key_file": str(path), "key": public_text(made), "old": old}))
    return 0


def _readable(path: Path) -> Ed25519PrivateKey | None:
    """The key in a file; None for what is none."""
    try:
        return read_key(path)
    except Unavailable:
        return None


def _hand_over(path: Path, *, lost: bool) -> tuple[Ed25519PrivateKey, str]:
    """The new key and the public half of the old one. Wherever it is cut off, the next run goes on from there."""
    file = CheckpointFile(load().audit.file)
    lines = file.lines()
    last, coming = witness(lines).last_key, path.with_name(f"{path.name}.new")
    made = _readable(coming)
    if made is None or public_text(made) != last:
        old = None if lost else _usable(read_key(path), lines)
        if lost and (key := _readable(path)) is not None and public_text(key) == last:
            raise UsageError("the key is not lost: it is the one that signs", hint="siems audit rotate-key")
        made = new_key()
        write_key(coming, made)
        statement = Statement(
            kind=Kind.KEY, at=rfc3339(SystemClock().now()), key=public_text(made),
            old=public_text(old) if old else "",
        )  # fmt: skip
        file.append(written(signed(statement, made, old=old)))
    os.replace(coming, path)
    return made, last
